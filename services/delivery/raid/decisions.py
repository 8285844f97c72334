"""Record risks, issues and decisions, and close risks and issues."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import E, same_day, unless_recorded
from contracts.delivery import (
    Decision,
    DecisionRecorded,
    Issue,
    IssueRaised,
    RaidItemClosed,
    RaidItemResolution,
    Risk,
    RiskRaised,
)
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)


class RaiseRisk(Risk, Command):
    """Raise a risk: probability in percent, impact, owner and response."""

    item: Identifier | None = None


class RaiseIssue(Issue, Command):
    """Raise an issue: severity and owner; an open issue prevents closing (gate 7)."""

    item: Identifier | None = None


class RecordDecision(Decision, Command):
    """Record a decision and its rationale; it was made by the caller unless another is named."""

    item: Identifier | None = None
    decided_by: PersonId | None = None
    decided_on: Day | None = Field(default=None, description="today unless given")


class CloseRaidItem(RaidItemResolution, Command):
    """Close a risk or an issue and say how it ended."""

    closed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RaiseRisk, by=WORKERS)
def raise_risk(state: Engagement, command: RaiseRisk, context: Context) -> Iterable[Event]:
    """Raise the risk; risks may be raised from the opening of the opportunity on."""
    require_open(state)
    item = command.item or context.new_id("R")
    event = RiskRaised(**{**dict(command), "item": item})
    return _unless_known(state, state.raid.risks.get(item), event, item)


@capability.decide(RaiseIssue, by=WORKERS)
def raise_issue(state: Engagement, command: RaiseIssue, context: Context) -> Iterable[Event]:
    """Raise the issue; issues may be raised from the opening of the opportunity on."""
    require_open(state)
    item = command.item or context.new_id("I")
    event = IssueRaised(**{**dict(command), "item": item})
    return _unless_known(state, state.raid.issues.get(item), event, item)


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
        decided_by=command.decided_by or context.actor,
        decided_on=same_day("decided_on", command, known, context),
    )
    return _unless_known(state, known, event, item)


def _unless_known(state: Engagement, known: E | None, event: E, item: str) -> Iterable[E]:
    if known is None and state.raid.knows(item):
        raise Refused("id-repeated", f"{item} is the id of another kind of item")
    return unless_recorded(known, event, f"item {item}")


@capability.decide(CloseRaidItem, by=MANAGERS)
def close_raid_item(state: Engagement, command: CloseRaidItem, context: Context) -> Iterable[Event]:
    """Close the risk or issue.

    Raises Refused where the item is a decision or unknown, or was closed with other data.
    """
    require_open(state, after_termination=True)
    item, known = command.item, state.raid.closed.get(command.item)
    if item in state.raid.decisions:
        raise Refused(
            "raid-item-not-closable", f"{item} is a decision: record another decision to replace it"
        )
    if not state.raid.knows(item):
        raise Refused("raid-item-unknown", f"there is no risk or issue {item}")
    day = same_day("closed_on", command, known, context)
    event = RaidItemClosed(**{**dict(command), "closed_on": day})
    return unless_recorded(known, event, f"the closing of {item}")


class RaidView(ViewModel):
    """Open risks, open issues, and decisions."""

    open_risks: tuple[RiskRaised, ...]
    open_issues: tuple[IssueRaised, ...]
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
            decisions=tuple(state.raid.decisions.values()),
        )
    )
