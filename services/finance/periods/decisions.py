"""Book the months of an engagement when its company closes them.

An engagement registers with the ledger of the company that sells as soon as that is known. The
ledger asks it to check a month, and then to book it. What is recorded later is in the next booking,
also if its day is in a booked month. No document or revenue of Finance is dated in one.
"""

from collections.abc import Iterable
from itertools import islice

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Missing
from chassis.domain.context import Context
from chassis.domain.requests import Outcome
from contracts.event import Event
from contracts.finance import BookedTotals, PeriodBooked, PeriodCosted
from contracts.money import Money
from contracts.values import Month
from finance.calendar_months import after
from finance.costing.rates import margin
from finance.engagement import Engagement
from finance.ledgers.requests import RegisterEngagement
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
from finance.periods.state import NOTHING
from finance.time_billing.unbilled import of_unknown_worth, worth_by_lines

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
    """Note that the ledger knows the engagement."""
    yield RegisteredWithLedger(company=outcome.request.item)


@capability.decide(CheckPeriod, by=None)
def check_period(state: Engagement, command: CheckPeriod, context: Context) -> Iterable[Event]:
    """Record what is missing before the month may be closed; nothing where nothing is."""
    if not _is_booked(state, command):
        yield from _checked(state, command.month, _items(state, command.month))


def _checked(state: Engagement, month: Month, items: Iterable[Missing]) -> Iterable[PeriodChecked]:
    missing = OpenItems.of(items)
    in_confidence = OpenItems.of(missing_in_confidence(state, month))
    if missing.count or in_confidence.count:
        yield PeriodChecked(month=month, missing=missing, in_confidence=in_confidence)


@capability.decide(BookPeriod, by=None)
def book_period(state: Engagement, command: BookPeriod, context: Context) -> Iterable[Event]:
    """Record the totals since the last booking; nothing where the month is booked already.

    Where something is missing and that is not accepted, or a document of the month waits for its
    number, which cannot be accepted, what is missing is recorded instead. What is missing in
    confidence does not prevent the booking.
    """
    month = command.month
    if _is_booked(state, command):
        return
    items = tuple(_items(state, month))
    if any(missing_numbers(state, month)) or (items and command.accepted is None):
        yield from _checked(state, month, items)
        return
    every = OpenItems.of((*items, *missing_in_confidence(state, month)))
    if every.count:
        yield BookedWithOpenItems(month=month, why=command.accepted, **dict(every))
    yield _booking(state, command.company, month)
    yield _costs(state, month)


def _is_booked(state: Engagement, command: CheckPeriod | BookPeriod) -> bool:
    """Return whether the month is booked, or another company sells the engagement now."""
    last = state.periods.booked_to
    return state.company != command.company or (last is not None and command.month <= last)


def _items(state: Engagement, month: Month) -> Iterable[Missing]:
    yield from missing_numbers(state, month)
    yield from missing_before_closing(state, month)


def totals(state: Engagement) -> BookedTotals:
    """Return the open totals since the last booking."""
    unbooked, currency = state.periods.unbooked, state.money
    amounts = {
        name: Money(amount=getattr(unbooked, name), currency=currency)
        for name in BookedTotals.model_fields
        if name not in {"hours", "expenses"}
    }
    expenses = Money(amount=unbooked.expenses.get(currency, NOTHING), currency=currency)
    return BookedTotals(**amounts, hours=unbooked.hours, expenses=expenses)


def _booking(state: Engagement, company: str, month: Month) -> PeriodBooked:
    before, more = state.periods.receivables, state.periods.unbooked.owed
    return PeriodBooked(
        **dict(totals(state)),
        company=company,
        month=month,
        receivables_before=Money(amount=before, currency=state.money),
        receivables=Money(amount=before + more, currency=state.money),
        unbilled=worth_by_lines(state),
        unbilled_unknown=len(of_unknown_worth(state)),
    )


def _costs(state: Engagement, month: Month) -> PeriodCosted:
    unbooked, currency = state.periods.unbooked, state.money
    cost = Money(amount=unbooked.cost, currency=currency)
    by_cost = Money(amount=unbooked.recognised_by_cost, currency=currency)
    recognised = Money(amount=unbooked.recognised, currency=currency)
    return PeriodCosted(
        month=month,
        cost=cost,
        recognised_by_cost=by_cost,
        recognised=recognised,
        margin=None if state.work.uncosted else margin(recognised + by_cost, cost),
    )


class PeriodsFields(ViewModel):
    """The booked months in the view of an engagement, and what the next one waits for.

    `unbooked` are the totals since the last booking. `missing_to_close` concerns the month after
    the last booked one; before the first, everything.
    """

    booked_to: Month | None
    periods: list[PeriodBooked]
    unbooked: BookedTotals | None
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
        unbooked=totals(state) if state.currency else None,
        missing_to_close=list(islice(_items(state, _next(state)), MOST_ITEMS)),
    )


@capability.confidential_view
def periods_figures(state: Engagement) -> PeriodsFigures:
    """Return the cost of booked months for the confidential view of an engagement."""
    return PeriodsFigures(
        periods_costed=list(state.periods.costed.values()),
        booked_with_open_items=list(state.periods.with_open_items.values()),
        missing_costs_to_close=list(islice(missing_in_confidence(state, _next(state)), MOST_ITEMS)),
    )


@capability.row
def periods_row(state: Engagement) -> PeriodsRow:
    """Return the last booked month for the list of engagements."""
    return PeriodsRow(booked_to=state.periods.booked_to)


def _next(state: Engagement) -> Month:
    last = state.periods.booked_to
    return after(last) if last else LAST_MONTH
