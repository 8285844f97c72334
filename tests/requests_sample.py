"""Define two kinds of streams of one department: sheets ask ledgers to take their hours."""

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider
from chassis.domain.internal import Internal
from chassis.domain.requests import Outcome
from chassis.domain.state import Part, on_event
from contracts.event import Event
from contracts.roles import Role

SELLERS: tuple[Role, ...] = ("account-executive",)


class SheetSubmitted(Internal):
    """A revision of the sheet was submitted to ledgers."""

    revision: int


class HoursAccepted(Internal):
    """A ledger took the hours of a revision, in this place of its list."""

    ledger: str
    revision: int
    place: int


class HoursRefused(Internal):
    """A ledger refused the hours of a revision."""

    ledger: str
    revision: int
    code: str


class HoursTaken(Internal):
    """The ledger took the hours of a sheet's revision."""

    sheet: str
    revision: int


class LedgerClosed(Internal):
    """The ledger takes no more hours, or takes them again."""

    closed: bool


class Sheet(Part):
    """A sheet: its revision, and what the ledgers answered to it."""

    revision: int = 0
    accepted: dict[str, int] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)

    @on_event
    def _submitted(self, event: SheetSubmitted) -> Self:
        return self.updated(revision=event.revision, accepted={}, refused={})

    @on_event
    def _accepted(self, event: HoursAccepted) -> Self:
        return self.updated(accepted={**self.accepted, event.ledger: event.place})

    @on_event
    def _refused(self, event: HoursRefused) -> Self:
        return self.updated(refused={**self.refused, event.ledger: event.code})


class Ledger(Part):
    """A ledger: the sheets and revisions that it took, in order."""

    taken: tuple[tuple[str, int], ...] = ()
    closed: bool = False

    @on_event
    def _taken(self, event: HoursTaken) -> Self:
        return self.updated(taken=(*self.taken, (event.sheet, event.revision)))

    @on_event
    def _closed(self, event: LedgerClosed) -> Self:
        return self.updated(closed=event.closed)


class Submit(Command):
    """Submit the next revision of the sheet to ledgers."""

    to: tuple[str, ...]


class TakeHours(Command):
    """Take the hours of a sheet's revision; a ledger takes any number of them."""

    sheet: str
    revision: int


class CloseLedger(Command):
    """Take no more hours, or take them again."""

    closed: bool = True


sheets: Capability[Sheet] = Capability(__name__)
taking = sheets.request(TakeHours, of="ledger")
ledgers: Capability[Ledger] = Capability(f"{__name__}.ledgers")


@sheets.decide(Submit, by=SELLERS, opens=True)
def submit(state: Sheet, command: Submit, context: Context) -> Iterable[Event]:
    revision = state.revision + 1
    yield SheetSubmitted(revision=revision)
    for ledger in command.to:
        hours = TakeHours(sheet="S", revision=revision)
        yield taking(ledger, hours, id=f"hours-{revision}", item=ledger, revision=revision)


@taking.outcome
def taken(state: Sheet, outcome: Outcome[TakeHours], context: Context) -> Iterable[Event]:
    revision, ledger = outcome.request.revision, outcome.request.item
    if revision != state.revision:
        return  # the outcome of an older revision
    if outcome.refusal:
        yield HoursRefused(ledger=ledger, revision=revision, code=outcome.refusal.code)
    else:
        place = outcome.only(HoursTaken).revision
        yield HoursAccepted(ledger=ledger, revision=revision, place=place)


class SheetFields(ViewModel):
    """The view of a sheet."""

    revision: int


@sheets.view
def sheet_view(state: Sheet) -> SheetFields:
    return SheetFields(revision=state.revision)


@ledgers.decide(TakeHours, by=None, opens=True)
def take_hours(state: Ledger, command: TakeHours, context: Context) -> Iterable[Event]:
    if state.closed:
        raise Refused("account-settled", "the ledger is closed")
    yield HoursTaken(sheet=command.sheet, revision=command.revision)


@ledgers.decide(CloseLedger, by=SELLERS, opens=True)
def close_ledger(state: Ledger, command: CloseLedger, context: Context) -> Iterable[Event]:
    if command.closed != state.closed:
        yield LedgerClosed(closed=command.closed)


SHEET: Decider[Sheet] = Decider("sales", "sheet", lambda _: Sheet(), (sheets,))
LEDGER: Decider[Ledger] = Decider("sales", "ledger", lambda _: Ledger(), (ledgers,))
