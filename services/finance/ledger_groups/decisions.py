"""Ask the engagements of a group to check a month, or to book it, and answer the ledger.

The engagements of a company are in groups, so that a commit of a ledger does not grow with their
number, and no state is written again for each of their answers but that of a group.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.requests import Outcome
from contracts.event import Event
from contracts.finance import PeriodBooked, PeriodCosted
from contracts.values import Month
from finance.ledger_groups.events import (
    EngagementAdded,
    EngagementAnswered,
    GroupAnswered,
    GroupRoundBegun,
)
from finance.ledger_groups.requests import AddEngagement, BeginRound, RoundKind
from finance.ledger_groups.state import LedgerGroup
from finance.ledgers.requests import CompanyTotals, NoteGroup
from finance.periods.events import OpenItem, OpenItems, PeriodChecked
from finance.periods.requests import BookPeriod, CheckPeriod

capability = Capability[LedgerGroup](__name__)
checking = capability.request(CheckPeriod, of="engagement")
booking = capability.request(BookPeriod, of="engagement")
reporting = capability.request(NoteGroup, of="ledger")


@capability.decide(AddEngagement, by=None, opens=True)
def add_engagement(state: LedgerGroup, command: AddEngagement, context: Context) -> Iterable[Event]:
    """Add the engagement, once."""
    if command.engagement not in state.engagements:
        yield EngagementAdded(engagement=command.engagement)


@capability.decide(BeginRound, by=None, opens=True)
def begin_round(state: LedgerGroup, command: BeginRound, context: Context) -> Iterable[Event]:
    """Ask every engagement of the group, once in a round."""
    if state.round is not None and command.round <= state.round.round:
        return
    yield GroupRoundBegun(**dict(command))
    company, month = command.company, command.month
    for name in state.engagements:
        if command.kind == "check":
            check = CheckPeriod(company=company, month=month)
            yield checking(name, check, id=f"check-{command.round}", item=name)
        else:
            book = BookPeriod(company=company, month=month, accepted=command.accepted)
            yield booking(name, book, id=f"book-{command.round}", item=name)


@checking.outcome
def checked(state: LedgerGroup, outcome: Outcome[CheckPeriod], context: Context) -> Iterable[Event]:
    """Record what the engagement misses."""
    yield _answered(outcome)


@booking.outcome
def booked(state: LedgerGroup, outcome: Outcome[BookPeriod], context: Context) -> Iterable[Event]:
    """Record the totals that the engagement booked, or what it misses."""
    bookings = [each for each in outcome.events if isinstance(each, PeriodBooked)]
    totals = CompanyTotals.of(bookings[0], outcome.only(PeriodCosted)) if bookings else None
    yield _answered(outcome, totals)


def _answered(
    outcome: Outcome[CheckPeriod] | Outcome[BookPeriod], totals: CompanyTotals | None = None
) -> EngagementAnswered:
    missing, in_confidence = OpenItems(), OpenItems()
    for each in outcome.events:
        if isinstance(each, PeriodChecked):
            missing, in_confidence = each.missing, each.in_confidence
    if outcome.refusal is not None:
        refused = OpenItem(code=outcome.refusal.code, sentence=outcome.refusal.sentence)
        missing = OpenItems(items=(refused,), count=1)
    return EngagementAnswered(
        engagement=outcome.request.item, missing=missing, in_confidence=in_confidence, totals=totals
    )


@capability.react
def answer(state: LedgerGroup, context: Context) -> Iterable[Event]:
    """Report to the ledger once all engagements have answered the round."""
    begun = state.round
    if begun is None or state.waiting or state.answered >= begun.round:
        return
    yield GroupAnswered(round=begun.round)
    note = NoteGroup(
        group=state.number,
        round=begun.round,
        open=len(state.open),
        open_in_confidence=len(state.open_in_confidence),
        booked=state.booked,
        totals=tuple(state.totals.values()),
    )
    yield reporting(begun.company, note, id=f"round-{begun.round}", item=str(state.number))


@reporting.outcome
def reported(state: LedgerGroup, outcome: Outcome[NoteGroup], context: Context) -> Iterable[Event]:
    """Record nothing: the ledger noted the answers, or asks in a later round."""
    return ()


class LedgerGroupFields(ViewModel):
    """The engagements of a group, and their answers to the last round.

    `open_items` are those of the engagements that miss something.
    """

    engagements: tuple[str, ...]
    round: int | None
    kind: RoundKind | None
    month: Month | None
    waiting: list[str]
    open_items: dict[str, OpenItems]


class LedgerGroupFigures(ViewModel):
    """Missing items that disclose costs, by engagement, for callers who may see costs."""

    confidential_open_items: dict[str, OpenItems]


@capability.view
def ledger_group_view(state: LedgerGroup) -> LedgerGroupFields:
    """Return the view of a group."""
    begun = state.round
    return LedgerGroupFields(
        engagements=state.engagements,
        round=begun.round if begun else None,
        kind=begun.kind if begun else None,
        month=begun.month if begun else None,
        waiting=sorted(state.waiting),
        open_items=state.open,
    )


@capability.confidential_view
def ledger_group_figures(state: LedgerGroup) -> LedgerGroupFigures:
    """Return what is missing in confidence for the confidential view of a group."""
    return LedgerGroupFigures(confidential_open_items=state.open_in_confidence)
