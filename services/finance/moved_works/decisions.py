"""Move works that nothing concerns any more to the stream of their month, and ask them back.

A work moves once it is billed on issued invoices, written down, or never billed, its month is
booked, and its invoices are dated until the end of the month that is booked next. Whether its cost
is known does not matter: what readers see must not depend on that. A copy stays until its cost is
known and the stream of the month is told. The totals of works stay, too. A work is in the
engagement, in a request without an outcome, or in the stream of its month. What concerns a moved
work is decided after its return, as for works that never moved: the reversal of its approval, an
amendment that may assign it to another line, and a correction of its invoice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.requests import Outcome
from contracts.event import Event
from contracts.values import Month
from finance.booked_works.events import WorksGivenBack
from finance.booked_works.requests import (
    GiveBackWorks,
    NoteCosts,
    TakeWorks,
    WorkCost,
    booked_works_id,
    is_unbilled,
)
from finance.calendar_months import after, end_of, month_of
from finance.engagement import Engagement
from finance.moved_works.events import (
    CostsAskedToNote,
    CostsTold,
    WorksAskedFor,
    WorksLeft,
    WorksReturned,
)
from finance.work.works import Work

capability = Capability[Engagement](__name__)
moving = capability.request(TakeWorks, of="booked-works")
asking_back = capability.request(GiveBackWorks, of="booked-works")
telling = capability.request(NoteCosts, of="booked-works", confidential=True)

TOGETHER = 500
"""Number of works of one request."""
AT_ONCE = 4
"""Number of requests without an outcome, beyond which no works leave."""


@capability.react
def ask_back(state: Engagement, context: Context) -> Iterable[Event]:
    """Ask for moved works that something concerns: one request at a time to each month."""
    moved = state.moved_works
    if not (moved.reversals or moved.reassigned or moved.corrections):
        return
    for name, month in moved.months.items():
        command = GiveBackWorks(
            works=moved.reversals.get(name, ()),
            invoices=tuple(each for each in month.invoices if each in moved.corrections),
            unbilled=name in moved.reassigned,
        )
        if command != GiveBackWorks() and not moved.is_asked(name):
            item = context.new_id(f"{name}.back")
            yield WorksAskedFor(**dict(command), month=name, item=item)
            subject = booked_works_id(state.engagement, name)
            yield asking_back(subject, command, id="return", item=item)


@capability.react
def move(state: Engagement, context: Context) -> Iterable[Event]:
    """Let works leave that nothing concerns any more; a number of them together."""
    room = AT_ONCE - len(state.moved_works.pending)
    for month, works in islice(_batches(state), max(room, 0)):
        item = context.new_id(f"{month}.{works[0].number}")
        yield WorksLeft(
            month=month,
            item=item,
            works=tuple(each.key for each in works),
            invoices=tuple(sorted({bill.invoice for each in works for bill in each.bills})),
            unbilled=any(map(is_unbilled, works)),
            uncosted=tuple(each.key for each in works if each.cost is None),
        )
        subject = booked_works_id(state.engagement, month)
        yield moving(subject, TakeWorks(works=works), id="move", item=item)


def _batches(state: Engagement) -> Iterator[tuple[Month, tuple[Work, ...]]]:
    """Yield works that can leave, by month, in the order of their approval."""
    booked_to, moved = state.periods.booked_to, state.moved_works
    if booked_to is None or state.budget is None:
        return
    until = end_of(after(booked_to))
    for month, held in state.work.done.items():
        known = moved.months.get(month)
        if month > booked_to or (known and known.is_full) or _is_asked_back(state, month):
            continue
        works = sorted(
            (each for each in held.values() if _can_leave(state, each, until)),
            key=lambda each: each.number,
        )
        for first in range(0, len(works), TOGETHER):
            yield month, tuple(works[first : first + TOGETHER])


def _is_asked_back(state: Engagement, month: Month) -> bool:
    moved = state.moved_works
    return month in moved.reversals or month in moved.reassigned or moved.is_asked(month)


def _can_leave(state: Engagement, work: Work, until: date) -> bool:
    """Return whether every invoice on a work is issued and final, and no amount is unknown.

    Its invoices have to be dated up to a day, the end of the next booking: until then, that booking
    counts the work as unbilled.
    """
    if work.key in state.work.reversed_keys:
        return False
    if work.amount is not None and work.expense_in(state.money) is None:
        return False  # it waits for an exchange rate
    if is_unbilled(work) and state.budgeting.waiting:
        return False  # the amendment may assign it to another line
    for bill in work.bills:
        invoice = state.billing.invoices[bill.invoice]
        if invoice.stage != "issued" or invoice.credits_approved:
            return False
        if invoice.issue_on is None or invoice.issue_on > until:
            return False
        if bill.invoice in state.moved_works.corrections:
            return False
    return True


@moving.outcome
def moved(state: Engagement, outcome: Outcome[TakeWorks], context: Context) -> Iterable[Event]:
    """Keep the works in the engagement where the stream of the month did not take them."""
    if outcome.refusal is not None:
        yield _returned(state, outcome.request.item, outcome.command.works, (), refused=True)


@capability.react
def tell_costs(state: Engagement, context: Context) -> Iterable[Event]:
    """Tell the streams of their months the costs of moved works that have become known."""
    known = defaultdict[Month, list[WorkCost]](list)
    for key, copy in state.work.copies.items():
        work = copy.work
        if work.cost is not None and not copy.is_told:
            known[month_of(work.on)].append(WorkCost(work=key, number=work.number, cost=work.cost))
    for month, costs in known.items():
        moved = state.moved_works
        if month in moved.telling.values() or moved.is_asked(month):
            continue  # the works may not have arrived there
        command = NoteCosts(costs=tuple(costs[:TOGETHER]))
        item = context.new_id(f"{month}.{costs[0].number}.costs")
        yield CostsAskedToNote(month=month, item=item)
        subject = booked_works_id(state.engagement, month)
        yield telling(subject, command, id="note-costs", item=item)


@telling.outcome
def told(state: Engagement, outcome: Outcome[NoteCosts], context: Context) -> Iterable[Event]:
    """Record that the stream of the month knows the costs."""
    yield CostsTold(works=tuple(each.work for each in outcome.command.costs))


@asking_back.outcome
def returned(
    state: Engagement, outcome: Outcome[GiveBackWorks], context: Context
) -> Iterable[Event]:
    """Record the works that are back; those that are reversed meanwhile, too."""
    given = (each for each in outcome.events if isinstance(each, WorksGivenBack))
    works = tuple(work for each in given for work in each.works)
    if works:
        yield _returned(state, outcome.request.item, works, outcome.command.works)


def _returned(
    state: Engagement,
    item: str,
    works: Iterable[Work],
    keys: tuple[str, ...],
    *,
    refused: bool = False,
) -> WorksReturned:
    month = state.moved_works.pending[item].month
    gone = {*keys, *state.moved_works.reversals.get(month, ())}
    every = tuple(works)
    return WorksReturned(
        month=month,
        works=tuple(each for each in every if each.key not in gone),
        reversed=tuple(each for each in every if each.key in gone),
        refused=refused,
    )


class CorrectionView(ViewModel):
    """Correction of an invoice that waits for its works, or was refused when they were back.

    `refused` is the reason, null while it waits.
    """

    invoice: str
    command: str
    refused: str | None


class MovedWorksFields(ViewModel):
    """Months of which works are in a stream of their own, and corrections that need these works."""

    moved_months: list[Month]
    corrections: list[CorrectionView]


@capability.view
def moved_works_view(state: Engagement) -> MovedWorksFields:
    """Return the months with moved works for the view of an engagement."""
    known = state.moved_works
    return MovedWorksFields(
        moved_months=sorted(known.months),
        corrections=[
            *(
                CorrectionView(invoice=each.invoice, command=each.command, refused=None)
                for each in known.corrections.values()
            ),
            *(
                CorrectionView(
                    invoice=each.invoice, command=each.command, refused=each.refusal.sentence
                )
                for each in known.refused.values()
                if each.refusal is not None
            ),
        ],
    )
