"""Keep the works of a booked month, and give back those that a correction concerns.

A work is here, or in the stream of its engagement. The engagement asks for one thing at a time, so
that requests arrive in their order.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import WorkKind
from contracts.money import Money, Rate
from contracts.values import ExactHours, Hours, PersonId, ProjectRole, TotalHours
from finance.booked_works.events import CostsKnown, WorksGivenBack, WorksTaken
from finance.booked_works.requests import GiveBackWorks, NoteCosts, TakeWorks, is_unbilled
from finance.booked_works.state import BookedWorks
from finance.work.works import NOTHING, Work

capability = Capability[BookedWorks](__name__)


@capability.decide(TakeWorks, by=None, opens=True)
def take_works(state: BookedWorks, command: TakeWorks, context: Context) -> Iterable[Event]:
    """Keep the works."""
    yield WorksTaken(works=command.works)


@capability.decide(NoteCosts, by=None)
def note_costs(state: BookedWorks, command: NoteCosts, context: Context) -> Iterable[Event]:
    """Note the costs."""
    yield CostsKnown(costs=command.costs)


@capability.decide(GiveBackWorks, by=None)
def give_back_works(
    state: BookedWorks, command: GiveBackWorks, context: Context
) -> Iterable[Event]:
    """Give back the works that are here; nothing where none of them is."""
    found = tuple(each for each in state.works.values() if _is_asked_for(each, command))
    if found:
        yield WorksGivenBack(works=found)


def _is_asked_for(work: Work, command: GiveBackWorks) -> bool:
    billed_by = {each.invoice for each in work.bills}
    return (
        work.key in command.works
        or not billed_by.isdisjoint(command.invoices)
        or (command.unbilled and is_unbilled(work))
    )


class BilledPartView(ViewModel):
    """Part of a work that an invoice bills; an expense has no hours."""

    invoice: str
    hours: ExactHours | None
    amount: Money


class BookedWorkView(ViewModel):
    """Approved work of a booked month: a time entry, or an expense with its amount.

    `line` is the contract line that it belongs to, `rate` the contracted one of its day.
    `written_down` is the reason why it is never billed, null where it is not written down.
    """

    kind: WorkKind
    entry: str
    person: PersonId
    on: date
    line: str | None
    role: ProjectRole | None
    hours: Hours | None
    amount: Money | None
    billable: bool
    rate: Rate | None
    bills: list[BilledPartView]
    written_down: str | None


class BookedWorksFields(ViewModel):
    """The works of a booked month that are billed, written down or never billed, by their days."""

    works: list[BookedWorkView]
    hours: TotalHours


class BookedWorksCosts(ViewModel):
    """The cost of each time entry and expense, for callers who may see costs."""

    cost_of_time: dict[str, Money]
    cost_of_expenses: dict[str, Money]


@capability.view
def booked_works_view(state: BookedWorks) -> BookedWorksFields:
    """Return the works in the order of their days and of their approval."""
    works = sorted(state.works.values(), key=lambda each: (each.on, each.number))
    return BookedWorksFields(
        works=[_shown(each) for each in works],
        hours=sum((each.hours for each in works), NOTHING),
    )


@capability.confidential_view
def booked_works_costs(state: BookedWorks) -> BookedWorksCosts:
    """Return the cost of each work."""
    costs = [(each, each.cost) for each in state.works.values() if each.cost is not None]
    return BookedWorksCosts(
        cost_of_time={each.entry: cost for each, cost in costs if each.role is not None},
        cost_of_expenses={each.entry: cost for each, cost in costs if each.role is None},
    )


def _shown(work: Work) -> BookedWorkView:
    is_time = work.role is not None
    return BookedWorkView(
        kind=work.work_kind,
        entry=work.entry,
        person=work.person,
        on=work.on,
        line=work.paid_by or work.costs,
        role=work.role,
        hours=work.hours if is_time else None,
        amount=work.amount,
        billable=work.billable,
        rate=work.rate,
        bills=[
            BilledPartView(
                invoice=each.invoice, hours=each.hours if is_time else None, amount=each.amount
            )
            for each in work.bills
        ],
        written_down=work.written_down.why if work.written_down else None,
    )
