"""Record risks, issues and decisions, and close risks and issues."""

from collections.abc import Iterator
from typing import Literal

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.delivery import DecisionRecorded, IssueRaised, RaidItemClosed, RiskRaised
from contracts.event import Event
from contracts.values import Day, Identifier, Percent, PersonId, ShortText, Text
from delivery.policies import day_of, once, require_open
from delivery.state import Engagement, decide

Weight = Literal["low", "medium", "high"]


class RaiseRisk(Command):
    """Raise a risk: probability in percent, impact, owner and response."""

    item: Identifier | None = None
    title: ShortText
    probability: Percent
    impact: Weight
    owner: PersonId
    response: Text


class RaiseIssue(Command):
    """Raise an issue: severity and owner; an open issue prevents closing (gate 7)."""

    item: Identifier | None = None
    title: ShortText
    severity: Weight
    owner: PersonId


class RecordDecision(Command):
    """Record a decision and its rationale; it was made by the caller unless another is named."""

    item: Identifier | None = None
    title: ShortText
    rationale: Text
    decided_by: PersonId | None = None
    decided_on: Day | None = None


class CloseRaidItem(Command):
    """Close a risk or an issue and say how it ended."""

    item: Identifier
    resolution: Text
    closed_on: Day | None = None


@decide.on(RaiseRisk)
def raise_risk(state: Engagement, command: RaiseRisk, context: Context) -> Iterator[Event]:
    """Raise the risk; risks may be raised from the opening of the opportunity on."""
    require_open(state)
    item = command.item or context.new_id("R")
    event = RiskRaised(item=item, **command.model_dump(exclude={"item"}))
    yield from _raised(state, state.raid.risks.get(item), event, item)


@decide.on(RaiseIssue)
def raise_issue(state: Engagement, command: RaiseIssue, context: Context) -> Iterator[Event]:
    """Raise the issue; issues may be raised from the opening of the opportunity on."""
    require_open(state)
    item = command.item or context.new_id("I")
    event = IssueRaised(item=item, **command.model_dump(exclude={"item"}))
    yield from _raised(state, state.raid.issues.get(item), event, item)


@decide.on(RecordDecision)
def record_decision(
    state: Engagement, command: RecordDecision, context: Context
) -> Iterator[Event]:
    """Record the decision; a decision is not changed, a later one replaces it."""
    require_open(state, after_termination=True)
    item = command.item or context.new_id("D")
    known = state.raid.decisions.get(item)
    event = DecisionRecorded(
        item=item,
        title=command.title,
        rationale=command.rationale,
        decided_by=command.decided_by or context.actor,
        decided_on=day_of(context, command.decided_on or (known.decided_on if known else None)),
    )
    yield from _raised(state, known, event, item)


def _raised(state: Engagement, known: Event | None, event: Event, item: str) -> Iterator[Event]:
    if known is None and state.raid.knows(item):
        raise Refused("id-repeated", f"{item} is the id of another kind of item")
    yield from once(known, event, "already-recorded", f"item {item} was recorded with other data")


@decide.on(CloseRaidItem)
def close_raid_item(state: Engagement, command: CloseRaidItem, context: Context) -> Iterator[Event]:
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
    day = day_of(context, command.closed_on or (known.closed_on if known else None))
    event = RaidItemClosed(item=item, resolution=command.resolution, closed_on=day)
    yield from once(known, event, "already-recorded", f"item {item} was closed with other data")
