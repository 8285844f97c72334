"""Close the months of a company, one after the other.

A controller starts the closing of a month that is over: every engagement is asked what is missing.
Approvals and drafts may be finished then, or the closing withdrawn. When the controller closes the
month, every engagement is asked to book it; when all have, it is closed for ever.
"""

from collections.abc import Iterable, Mapping

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused
from chassis.domain.context import Context
from chassis.domain.pending import Requested
from chassis.domain.requests import Outcome
from contracts.counting import counted, of_number
from contracts.event import Event
from contracts.money import Money
from contracts.reference import LedgerPublished
from contracts.values import HoursDelta, Month, ShortText
from finance.calendar_months import after, refused_month, require_over
from finance.ledger_groups.requests import (
    MOST_ENGAGEMENTS,
    AddEngagement,
    BeginRound,
    RoundKind,
    group_id,
)
from finance.ledgers.events import (
    BookingStarted,
    ClosingStarted,
    ClosingWithdrawn,
    EngagementRegistered,
    GroupNoted,
    PeriodClosed,
)
from finance.ledgers.requests import (
    CompanyTotals,
    NoteGroup,
    RegisterEngagement,
    TotalsByCurrency,
)
from finance.ledgers.state import ClosedMonth, Closing, Ledger
from finance.roles import CONTROLLING

capability = Capability[Ledger](__name__)
adding = capability.request(AddEngagement, of="ledger-group")
asking = capability.request(BeginRound, of="ledger-group")


class StartClosing(Command):
    """Start to close a month that is over: every engagement is asked what is missing.

    Months are closed in order; the first may be any. While the month is closing, the command may be
    given again to ask anew. What is missing is in the groups of the ledger.
    """

    month: Month


class ReopenPeriod(Command):
    """Open a month again whose closing was started, before it is booked."""

    month: Month
    why: ShortText
    """Reason for opening it again."""


class ClosePeriod(Command):
    """Close a month for ever: every engagement is asked to book it.

    Where engagements miss something, the month stays in closing. Then the command is given again
    once that is done, or with `accept`. Work without a cost, and other items that disclose costs,
    count only for callers who may see costs. An equal repetition changes nothing once the month is
    closed.
    """

    month: Month
    accept: ShortText | None = None
    """Reason for closing the month although something is missing; null where nothing should be."""


@capability.decide(RegisterEngagement, by=None, opens=True)
def register_engagement(
    state: Ledger, command: RegisterEngagement, context: Context
) -> Iterable[Event]:
    """Add the engagement to the group that is not full; the next group begins when it is."""
    group, closing = state.engagements // MOST_ENGAGEMENTS + 1, state.closing
    closed_to = closing.month if closing is not None and closing.is_booking else state.last_closed
    yield EngagementRegistered(engagement=command.engagement, group=group, closed_to=closed_to)
    add = AddEngagement(engagement=command.engagement)
    yield adding(group_id(state.company, group), add, id="add", item=command.engagement)


@adding.outcome
def engagement_added(
    state: Ledger, outcome: Outcome[AddEngagement], context: Context
) -> Iterable[Event]:
    """Record nothing: the group has the engagement."""
    return ()


@capability.decide(StartClosing, by=CONTROLLING)
def start_closing(state: Ledger, command: StartClosing, context: Context) -> Iterable[Event]:
    """Ask all groups what is missing.

    Raises Refused where the month is not over, is closed or not the next one, another month is
    closing, engagements have not answered the last question, or some have booked the month.
    """
    month, closing = command.month, state.closing
    _require_next(state, month)
    require_over(month, context.today)
    if closing is not None:
        if closing.is_booking:
            raise Refused("month-booked-in-part", f"engagements have booked {month}: close it")
        _require_answers(closing)
    started = ClosingStarted(month=month, round=state.round + 1, groups=state.groups)
    yield started
    yield from _ask(state, started.round, "check", month, None)


@capability.decide(ReopenPeriod, by=CONTROLLING)
def reopen_period(state: Ledger, command: ReopenPeriod, context: Context) -> Iterable[Event]:
    """Open the month again; an equal repetition changes nothing.

    Raises Refused where it is not closing, engagements have not answered the last question, or some
    have booked the month.
    """
    withdrawn = ClosingWithdrawn(**dict(command))
    if withdrawn == state.withdrawn:
        return
    closing = _require_closing(state, command.month)
    if closing.is_booking:
        sentence = f"engagements have booked {command.month}: it can only be closed"
        raise Refused("month-booked-in-part", sentence)
    _require_answers(closing)
    yield withdrawn


@capability.decide(ClosePeriod, by=CONTROLLING)
def close_period(state: Ledger, command: ClosePeriod, context: Context) -> Iterable[Event]:
    """Ask all groups to book the month; nothing happens where it is closed already.

    Raises Refused where the month is closed and a reason is given that was not recorded, where it
    is not closing, engagements have not answered the last question, or miss something and that is
    not accepted.
    """
    if command.month in state.closed:
        _require_recorded(state.closed[command.month], command.accept)
        return
    closing = _require_closing(state, command.month)
    _require_answers(closing)
    if not closing.is_booking and command.accept is None:
        _require_none(state, closing.open)
        if "confidential" in context.roles:
            _require_none(state, closing.open_in_confidence, "something confidential")
    started = BookingStarted(
        month=command.month, round=state.round + 1, groups=state.groups, accepted=command.accept
    )
    yield started
    yield from _ask(state, started.round, "book", command.month, command.accept)


def _require_recorded(closed: ClosedMonth, accept: str | None) -> None:
    """Refuse a reason that was not given while the month was closing: it would be lost."""
    if accept not in {None, *closed.accepted, *closed.accepted_in_confidence}:
        sentence = f"accept: {closed.month} is closed, without this reason"
        differs = Missing("field-differs", sentence, field="accept")
        raise Refused("month-closed", sentence, (differs,))


def _require_none(state: Ledger, open_: Mapping[int, int], what: str = "something") -> None:
    if open_:
        groups = ", ".join(group_id(state.company, each) for each in sorted(open_))
        sentence = (
            f"{counted(sum(open_.values()), 'engagement misses', 'engagements miss')} {what}:"
            f" see {of_number(len(open_), 'group', 'groups')} {groups}"
        )
        raise Refused("month-items-open", sentence)


def _ask(
    state: Ledger, round_: int, kind: RoundKind, month: Month, accepted: str | None
) -> Iterable[Requested]:
    begin = BeginRound(
        company=state.company, round=round_, kind=kind, month=month, accepted=accepted
    )
    for number in range(1, state.groups + 1):
        group = group_id(state.company, number)
        yield asking(group, begin, id=f"round-{round_}", item=str(number))


def _require_next(state: Ledger, month: Month) -> None:
    last, closing = state.last_closed, state.closing
    _require_open(state, month)
    following = closing.month if closing else after(last) if last else month
    if month != following:
        raise refused_month("month-out-of-order", f"{following} has to be closed before {month}")


def _require_open(state: Ledger, month: Month) -> None:
    last = state.last_closed
    if last is not None and month <= last:
        raise refused_month("month-closed", f"{last} is closed, and so are the months before it")


def _require_closing(state: Ledger, month: Month) -> Closing:
    """Return the closing of a month; raises Refused where it is closed, or not started."""
    _require_open(state, month)
    if state.closing is None or state.closing.month != month:
        raise refused_month("month-not-closing", f"the closing of {month} has not been started")
    return state.closing


def _require_answers(closing: Closing) -> None:
    if closing.waiting:
        groups = counted(
            len(closing.waiting), "group of engagements has", "groups of engagements have"
        )
        sentence = f"{groups} not answered yet: try again"
        raise Refused("month-awaits-answers", sentence)


@asking.outcome
def asked(state: Ledger, outcome: Outcome[BeginRound], context: Context) -> Iterable[Event]:
    """Record nothing: the group answers by a request of its own."""
    return ()


@capability.decide(NoteGroup, by=None)
def note_group(state: Ledger, command: NoteGroup, context: Context) -> Iterable[Event]:
    """Note the answers of a group, unless they are to an earlier round."""
    closing = state.closing
    if closing is None or command.round != state.round or command.group not in closing.waiting:
        return
    yield GroupNoted(
        group=command.group,
        open=command.open,
        open_in_confidence=command.open_in_confidence,
        booked=command.booked,
        totals=command.totals,
    )


@capability.react
def all_booked(state: Ledger, context: Context) -> Iterable[Event]:
    """Close the month once all engagements have booked it."""
    closing = state.closing
    if closing is not None and closing.is_booking and not closing.waiting and not closing.open:
        yield PeriodClosed(month=closing.month)


@capability.react
def publish(state: Ledger, context: Context) -> Iterable[Event]:
    """Publish how far the months are closed, whenever that changes."""
    nothing = LedgerPublished(ledger=state.company, closed_to=None, closing=None)
    closing = state.closing.month if state.closing is not None else None
    known = nothing.model_copy(update={"closed_to": state.last_closed, "closing": closing})
    if known != (state.published or nothing):
        yield known


class MonthTotals(ViewModel):
    """Totals of a company's bookings in one currency, without cost.

    `receivables` are `receivables_before` and `taken_over` and `billed_gross`, less
    `credited_gross`, `paid` and `written_off`; all of these are with tax. `unbilled` does not
    contain the `unbilled_unknown` works whose worth is not known.
    """

    currency: str
    bookings: int
    billed: Money
    credited: Money
    billed_gross: Money
    credited_gross: Money
    paid: Money
    written_off: Money
    taken_over: Money
    recognised: Money
    hours: HoursDelta
    expenses: Money
    receivables_before: Money
    receivables: Money
    unbilled: Money
    unbilled_unknown: int


class MonthCosts(ViewModel):
    """Cost and revenue by cost of a company's bookings in one currency.

    `cost` does not contain that of the `uncosted` works, which is not known.
    """

    currency: str
    cost: Money
    uncosted: int
    recognised_by_cost: Money
    loss: Money


class MonthView(ViewModel):
    """A month of a company: `closing` or `closed`.

    `waiting` are groups that have not answered, `open` is the number of engagements that miss
    something, by group; `booked` is the number of bookings.
    """

    month: Month
    status: str
    waiting: list[int]
    open: dict[int, int]
    booked: int
    accepted: tuple[str, ...]
    totals: list[MonthTotals]


class LedgerFields(ViewModel):
    """The ledger of a company: its months in their order; later months are open."""

    company: str
    engagements: int
    groups: int
    last_closed: Month | None
    months: list[MonthView]


class LedgerFigures(ViewModel):
    """Cost of the closed months, and what discloses costs, for callers who may see them.

    `open_in_confidence` is the number of engagements that miss something that discloses costs, by
    group. `accepted_in_confidence` has reasons for closing a month while nothing else was missing.
    """

    costs: dict[Month, list[MonthCosts]]
    open_in_confidence: dict[int, int]
    accepted_in_confidence: dict[Month, tuple[str, ...]]


@capability.view
def ledger_view(state: Ledger) -> LedgerFields:
    """Return the view of a ledger."""
    months = [
        MonthView(
            month=each.month,
            status="closed",
            waiting=[],
            open={},
            booked=each.booked,
            accepted=each.accepted,
            totals=_totals(each.totals),
        )
        for each in state.closed.values()
    ]
    closing = state.closing
    if closing is not None:
        months.append(
            MonthView(
                month=closing.month,
                status="closing",
                waiting=sorted(closing.waiting),
                open=closing.open,
                booked=closing.booked,
                accepted=closing.accepted,
                totals=_totals(closing.totals),
            )
        )
    return LedgerFields(
        company=state.company,
        engagements=state.engagements,
        groups=state.groups,
        last_closed=state.last_closed,
        months=months,
    )


def _totals(totals: TotalsByCurrency) -> list[MonthTotals]:
    return [
        MonthTotals(**{name: getattr(each, name) for name in MonthTotals.model_fields})
        for each in totals.values()
    ]


@capability.confidential_view
def ledger_figures(state: Ledger) -> LedgerFigures:
    """Return the cost of closed months for the confidential view of a ledger."""
    closing = state.closing
    accepted = {each.month: each.accepted_in_confidence for each in state.closed.values()}
    if closing is not None:
        accepted[closing.month] = closing.accepted_in_confidence
    return LedgerFigures(
        costs={month: _costs(each.totals.values()) for month, each in state.closed.items()},
        open_in_confidence=closing.open_in_confidence if closing else {},
        accepted_in_confidence={month: reasons for month, reasons in accepted.items() if reasons},
    )


def _costs(totals: Iterable[CompanyTotals]) -> list[MonthCosts]:
    return [
        MonthCosts(
            currency=each.currency,
            cost=each.cost,
            uncosted=each.uncosted,
            recognised_by_cost=each.recognised_by_cost,
            loss=each.loss,
        )
        for each in totals
    ]
