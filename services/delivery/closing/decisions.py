"""Record go-live and post-implementation review, and close the engagement (gate 7)."""

from collections.abc import Iterable
from datetime import date

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
from contracts.delivery import (
    EngagementClosed,
    GoLiveWithdrawn,
    PirFindings,
    PirHeld,
    SolutionWentLive,
)
from contracts.event import Event
from contracts.values import Correction, Day
from delivery.closing import work_items
from delivery.closing.readiness import not_closable, not_decided
from delivery.coverage import outside_early_start
from delivery.engagement import Engagement
from delivery.policies import (
    not_implementable,
    reads_expense,
    reads_week,
    require_active,
    require_open,
)
from delivery.quantities import ZERO
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


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
    known = state.closing.live
    day = same_day("live_on", command, known, context)
    require_active(state, day)
    if state.kickoff.held is None and state.importing.taken_over is None:
        raise Refused("work-not-begun", "the work has not begun: there was no kickoff")
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
    gate("engagement-not-closable", not_closable(state))
    yield EngagementClosed(
        closed_on=day,
        sold_hours=state.sold_hours or ZERO,
        delivered_hours=state.delivered_hours,
    )


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


@capability.narrow("gates")
def gates_of_reader(gates: Gates, state: Engagement, context: Context) -> Gates:
    """Return the gates without naming people whose time and expenses the reader may not see."""
    if not gates.closing:
        return gates
    waiting = {"time-waiting", "expense-waiting"}
    others = (each for each in gates.closing if each.code not in waiting)
    seen = not_decided(
        state,
        shows_time=lambda person: reads_week(person, context),
        shows_expenses=lambda person: reads_expense(state, person, context),
    )
    return gates.model_copy(update={"closing": (*others, *seen)})


def _gates(state: Engagement) -> Gates:
    if state.is_over:
        return Gates(work=(), implementation=(), closing=())
    until = state.contract.early_start_until or date.max
    missing = None if state.contract.signed_on else outside_early_start(state, until, {})
    return Gates(
        work=(missing,) if missing else (),
        implementation=tuple(not_implementable(state, date.max)),
        closing=tuple(not_closable(state)),
    )
