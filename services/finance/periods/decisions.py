"""Book the months of an engagement when its company closes them.

An engagement registers with the ledger of the company that sells as soon as that is known. The
ledger asks it to check a month, and then to book it. An entry is booked in the month of its day; if
that is booked already, in the next one. No document or revenue of Finance is dated in a booked
month.
"""

from collections.abc import Iterable
from itertools import islice

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Missing
from chassis.domain.context import Context, ReferenceData
from chassis.domain.requests import Outcome
from contracts.event import Event
from contracts.finance import BookedTotals, PeriodBooked, PeriodCosted
from contracts.money import Money
from contracts.values import Month
from finance.calendar_months import after, end_of
from finance.costing.rates import margin
from finance.details import missing_of_reader, sees_details, sentence_without_details
from finance.engagement import Engagement
from finance.ledgers.events import EngagementRegistered
from finance.ledgers.requests import RegisterEngagement
from finance.performance import margins
from finance.periods.events import (
    MOST_ITEMS,
    BookedWithOpenItems,
    OpenItems,
    PeriodChecked,
    RegisteredWithLedger,
)
from finance.periods.missing import (
    missing_before_closing,
    missing_in_confidence,
    missing_numbers,
)
from finance.periods.requests import BookPeriod, CheckPeriod
from finance.periods.state import NOTHING, Unbooked
from finance.postings.booking import posted, without_balance, without_rate
from finance.revenue.balances import balances_at
from finance.time_billing.unbilled import of_unknown_worth, unbilled_to

capability = Capability[Engagement](__name__)
registering = capability.request(RegisterEngagement, of="ledger")

LAST_MONTH: Month = "2999-12"


@capability.react
def register(state: Engagement, context: Context) -> Iterable[Event]:
    """Register the engagement with the ledger of its company, once that is known."""
    company = state.company
    if company is not None and state.currency is not None and state.periods.company != company:
        command = RegisterEngagement(engagement=state.engagement)
        yield registering(company, command, id="register", item=company)


@registering.outcome
def registered(
    state: Engagement, outcome: Outcome[RegisterEngagement], context: Context
) -> Iterable[Event]:
    """Note that the ledger knows the engagement, and which months it closed before."""
    known = (each.closed_to for each in outcome.events if isinstance(each, EngagementRegistered))
    yield RegisteredWithLedger(company=outcome.request.item, closed_to=next(known, None))


@capability.decide(CheckPeriod, by=None)
def check_period(state: Engagement, command: CheckPeriod, context: Context) -> Iterable[Event]:
    """Record what is missing before the month may be closed; nothing where nothing is."""
    if not _is_booked(state, command):
        yield from _checked(state, command, context.reference_data)


def _checked(
    state: Engagement, command: CheckPeriod | BookPeriod, records: ReferenceData
) -> Iterable[PeriodChecked]:
    month = command.month
    missing = OpenItems.of(_items(state, command, records))
    in_confidence = OpenItems.of(_items_in_confidence(state, command, records))
    if missing.count or in_confidence.count:
        yield PeriodChecked(month=month, missing=missing, in_confidence=in_confidence)


@capability.decide(BookPeriod, by=None)
def book_period(state: Engagement, command: BookPeriod, context: Context) -> Iterable[Event]:
    """Record the totals of what is not booked and of days to the end of the month.

    Nothing changes where the month is booked already.

    Where something is missing and that is not accepted, or a document of the month waits for its
    number, which cannot be accepted, what is missing is recorded instead. What is missing in
    confidence does not prevent the booking.
    """
    month = command.month
    if _is_booked(state, command):
        return
    records = context.reference_data
    items = tuple(_items(state, command, records))
    if any(missing_numbers(state, month)) or (items and command.accepted is None):
        yield from _checked(state, command, records)
        return
    every = OpenItems.of((*items, *_items_in_confidence(state, command, records)))
    if every.count:
        yield BookedWithOpenItems(month=month, why=command.accepted, **dict(every))
    yield _booking(state, command.company, month)
    yield _costs(state, month)
    yield from posted(state, records, command.company, month)
    if measured := margins.of_month(state, month):
        yield measured


def _is_booked(state: Engagement, command: CheckPeriod | BookPeriod) -> bool:
    """Return whether the month is booked, or another company sells the engagement now."""
    last = state.periods.booked_to
    return state.company != command.company or (last is not None and command.month <= last)


def _of_state(state: Engagement, month: Month) -> Iterable[Missing]:
    yield from missing_numbers(state, month)
    yield from missing_before_closing(state, month)


def _items(
    state: Engagement, command: CheckPeriod | BookPeriod, records: ReferenceData
) -> Iterable[Missing]:
    month = command.month
    yield from _of_state(state, month)
    yield from without_rate(state, records, command.company, month, state.postings.open_to(month))


def _items_in_confidence(
    state: Engagement, command: CheckPeriod | BookPeriod, records: ReferenceData
) -> Iterable[Missing]:
    month = command.month
    yield from missing_in_confidence(state, month)
    kept = state.postings.confidential_to(month)
    yield from without_rate(state, records, command.company, month, kept)
    yield from without_balance(state, records, command.company, month)


def _totals(unbooked: Unbooked, currency: str) -> BookedTotals:
    """Return the open ones of some totals."""
    amounts = {
        name: Money(amount=getattr(unbooked, name), currency=currency)
        for name in BookedTotals.model_fields
        if name not in {"hours", "expenses"}
    }
    expenses = Money(amount=unbooked.expenses.get(currency, NOTHING), currency=currency)
    return BookedTotals(**amounts, hours=unbooked.hours, expenses=expenses)


def _booking(state: Engagement, company: str, month: Month) -> PeriodBooked:
    before, booked = state.periods.receivables, state.periods.unbooked_to(month)
    return PeriodBooked(
        **dict(_totals(booked, state.money)),
        company=company,
        month=month,
        receivables_before=Money(amount=before, currency=state.money),
        receivables=Money(amount=before + booked.owed, currency=state.money),
        unbilled=unbilled_to(state, month),
        unbilled_unknown=len(of_unknown_worth(state, month)),
    )


def _costs(state: Engagement, month: Month) -> PeriodCosted:
    unbooked, currency = state.periods.unbooked_to(month), state.money
    cost = Money(amount=unbooked.cost, currency=currency)
    by_cost = Money(amount=unbooked.recognised_by_cost, currency=currency)
    recognised = Money(amount=unbooked.recognised, currency=currency)
    loss = Money(amount=unbooked.loss, currency=currency)
    uncosted = sum(each.on <= end_of(month) for each in state.work.without_cost)
    return PeriodCosted(
        month=month,
        cost=cost,
        recognised_by_cost=by_cost,
        recognised=recognised,
        loss=loss,
        contracts=balances_at(state, month),
        uncosted=uncosted,
        margin=None if uncosted else margin(recognised + by_cost, cost + loss),
    )


class UnbookedMonth(BookedTotals):
    """Totals that the booking of a month would contain now, beyond those of the months before.

    They are of entries of its days and, in the first month that is not booked, of earlier ones.
    """

    month: Month


class PeriodsFields(ViewModel):
    """The booked months in the view of an engagement, and what the next one waits for.

    `unbooked` are the totals of all that is not booked, and `unbooked_by_month` those of each month
    in which they are not zero. `missing_to_close` concerns the month after the last booked one;
    before the first, everything.
    """

    booked_to: Month | None
    periods: list[PeriodBooked]
    unbooked: BookedTotals | None
    unbooked_by_month: list[UnbookedMonth]
    missing_to_close: list[Missing]


class PeriodsFigures(ViewModel):
    """The cost of the booked months, and what was missing then, for callers who may see costs."""

    periods_costed: list[PeriodCosted]
    booked_with_open_items: list[BookedWithOpenItems]
    missing_costs_to_close: list[Missing]


class PeriodsRow(ViewModel):
    """The last booked month in the list of engagements."""

    booked_to: str | None


@capability.view
def periods_view(state: Engagement) -> PeriodsFields:
    """Return the booked months for the view of an engagement."""
    return PeriodsFields(
        booked_to=state.periods.booked_to,
        periods=list(state.periods.booked.values()),
        unbooked=_totals(state.periods.unbooked_to(), state.money) if state.currency else None,
        unbooked_by_month=list(_by_month(state)),
        missing_to_close=list(islice(_of_state(state, _next(state)), MOST_ITEMS)),
    )


def _by_month(state: Engagement) -> Iterable[UnbookedMonth]:
    """Yield the open totals by month; a month with cost alone is left out."""
    if state.currency:
        nothing = _totals(Unbooked(), state.currency)
        for month, each in sorted(state.periods.unbooked.items()):
            found = _totals(each, state.currency)
            if found != nothing:
                yield UnbookedMonth(**dict(found), month=month)


@capability.confidential_view
def periods_figures(state: Engagement) -> PeriodsFigures:
    """Return the cost of booked months for the confidential view of an engagement."""
    return PeriodsFigures(
        periods_costed=list(state.periods.costed.values()),
        booked_with_open_items=list(state.periods.with_open_items.values()),
        missing_costs_to_close=list(islice(missing_in_confidence(state, _next(state)), MOST_ITEMS)),
    )


@capability.narrow("missing_to_close")
@capability.narrow("missing_costs_to_close")
def missing_to_close_of_reader(
    missing: list[Missing], state: Engagement, context: Context
) -> list[Missing]:
    """Return what the next month waits for, without details of people's time and expenses."""
    return missing_of_reader(missing, context)


@capability.narrow("booked_with_open_items")
def open_items_of_reader(
    booked: list[BookedWithOpenItems], state: Engagement, context: Context
) -> list[BookedWithOpenItems]:
    """Return what booked months missed, without details of people's time and expenses."""
    return booked if sees_details(context) else [_without_details(each) for each in booked]


def _without_details(booked: BookedWithOpenItems) -> BookedWithOpenItems:
    items = (
        each.model_copy(update={"sentence": sentence_without_details(each.code, each.sentence)})
        for each in booked.items
    )
    return booked.model_copy(update={"items": tuple(dict.fromkeys(items))})


@capability.row
def periods_row(state: Engagement) -> PeriodsRow:
    """Return the last booked month for the list of engagements."""
    return PeriodsRow(booked_to=state.periods.booked_to)


def _next(state: Engagement) -> Month:
    last = state.periods.booked_to
    return after(last) if last else LAST_MONTH
