"""Raise, update and close RAID items, and record decisions."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.delivery import (
    Action,
    ActionItem,
    ActionRaised,
    ActionUpdated,
    Assumption,
    AssumptionItem,
    AssumptionRaised,
    AssumptionUpdated,
    Decision,
    DecisionRecorded,
    Issue,
    IssueItem,
    IssueRaised,
    IssueUpdated,
    ItemUpdate,
    RaidItemClosed,
    RaidItemResolution,
    Risk,
    RiskItem,
    RiskRaised,
    RiskUpdated,
)
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)

R = TypeVar("R", RiskRaised, IssueRaised, ActionRaised, AssumptionRaised, DecisionRecorded)
U = TypeVar("U", RiskUpdated, IssueUpdated, ActionUpdated, AssumptionUpdated)


class RaiseRisk(Risk, Command):
    """Raise a risk: probability in percent, impact, owner, and a response that is due by a day."""

    item: Identifier | None = None


class RaiseIssue(Issue, Command):
    """Raise an issue to be solved by a day; an open issue prevents closing (gate 7)."""

    item: Identifier | None = None


class RaiseAction(Action, Command):
    """Record what a person has to do by a day; an open action prevents closing (gate 7)."""

    item: Identifier | None = None


class RaiseAssumption(Assumption, Command):
    """Record what the plan takes for true, who checks it, and by which day."""

    item: Identifier | None = None


class UpdateRisk(RiskItem, ItemUpdate, Command):
    """Judge an open risk anew. The whole risk is given, not only what changed."""


class UpdateIssue(IssueItem, ItemUpdate, Command):
    """Judge an open issue anew. The whole issue is given, not only what changed."""


class UpdateAction(ActionItem, ItemUpdate, Command):
    """Change an open action. The whole action is given, not only what changed."""


class UpdateAssumption(AssumptionItem, ItemUpdate, Command):
    """Record the check of an assumption, or change it. It is given whole."""


class RecordDecision(Decision, Command):
    """Record a decision and its rationale; it was made by the caller unless another is named."""

    item: Identifier | None = None
    decided_by: PersonId | None = None
    decided_on: Day | None = Field(default=None, description="today unless given")


class CloseRaidItem(RaidItemResolution, Command):
    """Close a risk, an issue, an action or an assumption, and say how it ended."""

    closed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RaiseRisk, by=WORKERS)
def raise_risk(state: Engagement, command: RaiseRisk, context: Context) -> Iterable[Event]:
    """Raise the risk; items may be raised from the opening of the opportunity on."""
    require_open(state)
    event = RiskRaised(**{**dict(command), "item": command.item or context.new_id("R")})
    return _unless_known(state, state.raid.risks.get(event.item), event)


@capability.decide(RaiseIssue, by=WORKERS)
def raise_issue(state: Engagement, command: RaiseIssue, context: Context) -> Iterable[Event]:
    """Raise the issue; items may be raised from the opening of the opportunity on."""
    require_open(state)
    event = IssueRaised(**{**dict(command), "item": command.item or context.new_id("I")})
    return _unless_known(state, state.raid.issues.get(event.item), event)


@capability.decide(RaiseAction, by=WORKERS)
def raise_action(state: Engagement, command: RaiseAction, context: Context) -> Iterable[Event]:
    """Record the action; items may be raised from the opening of the opportunity on."""
    require_open(state)
    event = ActionRaised(**{**dict(command), "item": command.item or context.new_id("A")})
    return _unless_known(state, state.raid.actions.get(event.item), event)


@capability.decide(RaiseAssumption, by=WORKERS)
def raise_assumption(
    state: Engagement, command: RaiseAssumption, context: Context
) -> Iterable[Event]:
    """Record the assumption; items may be raised from the opening of the opportunity on."""
    require_open(state)
    event = AssumptionRaised(**{**dict(command), "item": command.item or context.new_id("AS")})
    return _unless_known(state, state.raid.assumptions.get(event.item), event)


@capability.decide(RecordDecision, by=WORKERS)
def record_decision(
    state: Engagement, command: RecordDecision, context: Context
) -> Iterable[Event]:
    """Record the decision; a decision is not changed, a later one replaces it."""
    require_open(state, after_termination=True)
    item = command.item or context.new_id("D")
    known = state.raid.decisions.get(item)
    event = DecisionRecorded(
        item=item,
        title=command.title,
        rationale=command.rationale,
        decided_by=command.decided_by or context.acting_for,
        decided_on=same_day("decided_on", command, known, context),
    )
    return _unless_known(state, known, event)


def _unless_known(state: Engagement, known: Event | None, event: R) -> Iterable[R]:
    """Return the event, or nothing where the same item was raised and has not changed since.

    Raises Refused where the item was closed, updated or raised with other content, or where an item
    of another kind has its id.
    """
    item = event.item
    if known is None and state.raid.knows(item):
        raise Refused("id-repeated", f"{item} is the id of another kind of item")
    _require_not_closed(state, item)
    if known is not None and not isinstance(known, type(event)):
        raise Refused("raid-item-updated", f"{item} was updated since it was raised: update it")
    return unless_recorded(known, event, f"item {item}")


def _require_not_closed(state: Engagement, item: str) -> None:
    closed = state.raid.closed.get(item)
    if closed:
        raise Refused("raid-item-closed", f"{item} was closed on {closed.closed_on}")


@capability.decide(UpdateRisk, by=WORKERS)
def update_risk(state: Engagement, command: UpdateRisk, _: Context) -> Iterable[Event]:
    """Record the risk as it is now, unless it is known so."""
    require_open(state, after_termination=True)
    known = state.raid.risks.get(command.item)
    return _unless_same(state, known, RiskUpdated(**dict(command)))


@capability.decide(UpdateIssue, by=WORKERS)
def update_issue(state: Engagement, command: UpdateIssue, _: Context) -> Iterable[Event]:
    """Record the issue as it is now, unless it is known so."""
    require_open(state, after_termination=True)
    known = state.raid.issues.get(command.item)
    return _unless_same(state, known, IssueUpdated(**dict(command)))


@capability.decide(UpdateAction, by=WORKERS)
def update_action(state: Engagement, command: UpdateAction, _: Context) -> Iterable[Event]:
    """Record the action as it is now, unless it is known so."""
    require_open(state, after_termination=True)
    known = state.raid.actions.get(command.item)
    return _unless_same(state, known, ActionUpdated(**dict(command)))


@capability.decide(UpdateAssumption, by=WORKERS)
def update_assumption(state: Engagement, command: UpdateAssumption, _: Context) -> Iterable[Event]:
    """Record the assumption as it is now, unless it is known so."""
    require_open(state, after_termination=True)
    known = state.raid.assumptions.get(command.item)
    return _unless_same(state, known, AssumptionUpdated(**dict(command)))


def _unless_same(state: Engagement, known: Event | None, event: U) -> Iterable[U]:
    """Yield the event unless it changes nothing but the reason.

    Raises Refused where there is no such item, or where it was closed.
    """
    if known is None:
        raise Refused("raid-item-unknown", f"there is no item {event.item} of this kind")
    _require_not_closed(state, event.item)
    if {**dict(known), "why": event.why} != dict(event):
        yield event


@capability.decide(CloseRaidItem, by=MANAGERS)
def close_raid_item(state: Engagement, command: CloseRaidItem, context: Context) -> Iterable[Event]:
    """Close the item.

    Raises Refused where the item is a decision or unknown, or was closed with other data.
    """
    require_open(state, after_termination=True)
    item, known = command.item, state.raid.closed.get(command.item)
    if item in state.raid.decisions:
        raise Refused(
            "raid-item-not-closable", f"{item} is a decision: record another decision to replace it"
        )
    if not state.raid.knows(item):
        raise Refused("raid-item-unknown", f"there is no RAID item {item}")
    day = same_day("closed_on", command, known, context)
    event = RaidItemClosed(**{**dict(command), "closed_on": day})
    return unless_recorded(known, event, f"the closing of {item}")


class RaidView(ViewModel):
    """Items that are not closed, as they are now, and decisions."""

    open_risks: tuple[RiskItem, ...]
    open_issues: tuple[IssueItem, ...]
    open_actions: tuple[ActionItem, ...]
    open_assumptions: tuple[AssumptionItem, ...]
    decisions: tuple[DecisionRecorded, ...]


class RaidFields(ViewModel):
    """The RAID items in the view of an engagement."""

    raid: RaidView


@capability.view
def raid_view(state: Engagement) -> RaidFields:
    """Return the RAID items for the view of an engagement."""
    return RaidFields(
        raid=RaidView(
            open_risks=state.raid.open_risks,
            open_issues=state.raid.open_issues,
            open_actions=state.raid.open_actions,
            open_assumptions=state.raid.open_assumptions,
            decisions=tuple(state.raid.decisions.values()),
        )
    )
