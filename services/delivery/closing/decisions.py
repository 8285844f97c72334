"""Record go-live and post-implementation review, and close the engagement (gate 7)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
from contracts.delivery import (
    ActionItem,
    EngagementClosed,
    GoLiveWithdrawn,
    IssueItem,
    PirFindings,
    PirHeld,
    SolutionWentLive,
)
from contracts.event import Event
from contracts.values import Correction, Day
from delivery.coverage import outside_early_start
from delivery.engagement import Engagement
from delivery.policies import not_implementable, require_active, require_open
from delivery.quantities import ZERO
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)


class GoLive(Command):
    """Record the day from which the customer uses the solution."""

    live_on: Day | None = Field(default=None, description="today unless given")


class WithdrawGoLive(Correction, Command):
    """Withdraw a go-live that was recorded by mistake; the right one may be recorded then."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


class HoldPir(PirFindings, Command):
    """Record the post-implementation review: what went well and what did not.

    The sold and delivered hours are added from the state, with those that were taken over.
    """

    held_on: Day | None = Field(default=None, description="today unless given")


class CloseEngagement(Command):
    """Close the engagement; nothing may be owed by any party any more."""

    closed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(GoLive, by=MANAGERS)
def go_live(state: Engagement, command: GoLive, context: Context) -> Iterable[Event]:
    """Record the go-live; it needs a kickoff, unless Delivery took the work over under way.

    Raises Refused where there was no kickoff, or the solution went live on another day.
    """
    require_active(state)
    if state.kickoff.held is None and state.importing.taken_over is None:
        raise Refused("work-not-begun", "the work has not begun: there was no kickoff")
    known = state.closing.live
    day = same_day("live_on", command, known, context)
    yield from unless_recorded(known, SolutionWentLive(live_on=day), "the go-live")


@capability.decide(WithdrawGoLive, by=MANAGERS)
def withdraw_go_live(
    state: Engagement, command: WithdrawGoLive, context: Context
) -> Iterable[Event]:
    """Withdraw the go-live; also after a termination. Raises Refused where none is recorded."""
    require_open(state, after_termination=True)
    live = state.closing.live
    if live is None:
        raise Refused("solution-not-live", "no go-live is recorded, or it was withdrawn")
    day = correction_day("withdrawn_on", command, live.live_on, context)
    yield GoLiveWithdrawn(live_on=live.live_on, why=command.why, withdrawn_on=day)


@capability.decide(HoldPir, by=MANAGERS)
def hold_pir(state: Engagement, command: HoldPir, context: Context) -> Iterable[Event]:
    """Record the review with sold and delivered hours; also after a termination.

    Raises Refused where the deal was not won, or a different review is recorded.
    """
    require_open(state, after_termination=True)
    sold, known = state.sold_hours, state.closing.review
    if sold is None:
        sentence = "Delivery has not received a won deal that is based on one of its estimates"
        gate("deal-not-won", [Missing("deal-not-won", sentence, "sales")])
        return
    event = PirHeld(
        held_on=same_day("held_on", command, known, context),
        went_well=command.went_well,
        went_badly=command.went_badly,
        sold_hours=known.sold_hours if known else sold,
        delivered_hours=known.delivered_hours if known else state.delivered_hours,
    )
    yield from unless_recorded(known, event, "the review")


@capability.decide(CloseEngagement, by=MANAGERS)
def close_engagement(
    state: Engagement, command: CloseEngagement, context: Context
) -> Iterable[Event]:
    """Close the engagement if gate 7 is open: everything accepted, settled, reviewed and decided.

    Hours that await approval keep the gate closed, since nothing can be approved after closing.
    Raises Refused where the gate is closed, or the engagement was closed on another day.
    """
    closed = state.closing.closed
    day = same_day("closed_on", command, closed, context)
    if closed and closed.closed_on == day:
        return
    require_open(state)
    gate("engagement-not-closable", _not_closable(state))
    yield EngagementClosed(
        closed_on=day,
        sold_hours=state.sold_hours or ZERO,
        delivered_hours=state.delivered_hours,
    )


def _not_closable(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing before the engagement may be closed (gate 7).

    A signed amendment that is not in the budget counts, even if the account is settled: the amended
    budget reopens the account.
    """
    for name, deliverable in state.owed.items():
        if not state.acceptance.is_accepted(name):
            how = "not accepted" if name in state.acceptance.submitted else "not submitted"
            sentence = f"deliverable {name} ({deliverable.title}) is {how}"
            yield Missing("deliverable-not-accepted", sentence, "delivery")
    for change, amendment in state.contract.amendments.items():
        if change not in state.contract.budget_amended:
            sentence = f"amendment {amendment.amendment} is signed and not in the budget"
            yield Missing("budget-not-amended", sentence, "finance")
    if state.closing.settled is None:
        yield Missing("account-not-settled", "the account is not settled", "finance")
    elif state.contract.bills_time:
        yield from _approved_since_settlement(state)
    yield from _not_decided(state)
    for issue in state.raid.open(IssueItem):
        sentence = f"issue {issue.item} ({issue.title}) is open"
        yield Missing("issue-open", sentence, "delivery")
    for action in state.raid.open(ActionItem):
        sentence = f"action {action.item} ({action.title}), due on {action.due_on}, is open"
        yield Missing("action-open", sentence, "delivery")
    yield from _obligations_open(state)
    if state.closing.review is None:
        yield Missing("pir-not-held", "no post-implementation review was held", "delivery")
    if not state.surveys.sent:
        yield Missing("survey-not-sent", "no survey was sent to the customer", "delivery")


def _obligations_open(state: Engagement) -> Iterator[Missing]:
    for name, owed in state.contract.obligations.items():
        due = f", due on {owed.due_on}," if owed.due_on else ""
        sentence = f"obligation {name} of the {owed.owed_by} (clause {owed.clause}){due} is open"
        yield Missing("obligation-open", sentence, "legal")


def _approved_since_settlement(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing if billable work was approved or reversed after the settlement.

    Finance had not processed that when it settled, so something may have to be billed or credited.
    """
    if state.closing.last_billable > state.closing.settled_heard:
        sentence = "the account was settled without work that was approved or reversed since"
        yield Missing("account-not-settled", f"{sentence}: settle it again", "finance")


def _not_decided(state: Engagement) -> Iterator[Missing]:
    if state.time.waiting:
        yield _time_waiting(state)
    for expense in state.expenses.waiting.values():
        sentence = f"expense {expense.submitted.expense} of {expense.submitted.person} waits"
        yield Missing("expense-waiting", f"{sentence} for approval", "delivery")


def _time_waiting(state: Engagement) -> Missing:
    hours: defaultdict[str, Decimal] = defaultdict(Decimal)
    number = 0
    for week in state.time.waiting.values():
        number += len(week.entries)
        hours[week.person] += sum((each.hours for each in week.entries), ZERO)
    entries = f"{number} time entries wait" if number > 1 else "1 time entry waits"
    by_person = ", ".join(f"{total} hours of {person}" for person, total in hours.items())
    return Missing("time-waiting", f"{entries} for approval: {by_person}", "delivery")


class Gates(ViewModel):
    """Open conditions of the gates ahead; an empty list means that the gate is open.

    An early start opens the gate for work until its last day.
    """

    work: tuple[Missing, ...]
    implementation: tuple[Missing, ...]
    closing: tuple[Missing, ...]


class ClosingFields(ViewModel):
    """The gates ahead, and the end of the engagement in the view of an engagement."""

    gates: Gates
    live_on: date | None
    review: PirHeld | None
    closed: EngagementClosed | None


@capability.view
def closing_view(state: Engagement) -> ClosingFields:
    """Return the gates ahead, and the end of the engagement for the view of an engagement."""
    closing = state.closing
    return ClosingFields(
        gates=_gates(state),
        live_on=closing.live.live_on if closing.live else None,
        review=closing.review,
        closed=closing.closed,
    )


def _gates(state: Engagement) -> Gates:
    if state.is_over:
        return Gates(work=(), implementation=(), closing=())
    until = state.contract.early_start_until or date.max
    missing = None if state.contract.signed_on else outside_early_start(state, until, {})
    return Gates(
        work=(missing,) if missing else (),
        implementation=tuple(not_implementable(state, date.max)),
        closing=tuple(_not_closable(state)),
    )
