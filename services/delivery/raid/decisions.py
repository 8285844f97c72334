"""Raise, update and close RAID items, record decisions, and correct wrong records of them."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
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
    RaidItem,
    RaidItemClosed,
    RaidItemCorrection,
    RaidItemReopened,
    RaidItemResolution,
    RaidItemWithdrawn,
    Risk,
    RiskItem,
    RiskRaised,
    RiskUpdated,
)
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId
from delivery.engagement import Engagement
from delivery.policies import require_on_record, require_open
from delivery.raid import work_items
from delivery.raid.state import AnyItem
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)

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


class ReopenRaidItem(RaidItemCorrection, Command):
    """Take back that an item was closed; it is open again."""

    reopened_on: Day | None = Field(default=None, description="today unless given")


class WithdrawRaidItem(RaidItemCorrection, Command):
    """Withdraw an item of any kind, or a decision, that was recorded by mistake."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


C = TypeVar("C", RaiseRisk, RaiseIssue, RaiseAction, RaiseAssumption)
D = TypeVar("D", UpdateRisk, UpdateIssue, UpdateAction, UpdateAssumption)


def _raising(kind: type[RaidItem], prefix: str, command: type[C], raised: type[R]) -> None:
    """Register the decision that raises items of a kind, whose new ids begin with a prefix."""

    @capability.decide(command, by=WORKERS)
    def raise_item(state: Engagement, command: C, context: Context) -> Iterable[Event]:
        """Raise the item; items may be raised from the opening of the opportunity on.

        Raises Refused where the owner is not on record.
        """
        require_open(state)
        event = raised(**{**dict(command), "item": command.item or context.new_id(prefix)})
        for new in _unless_known(state, kind, event):
            require_on_record(state, "owner", command.owner, context)
            yield new


_raising(RiskItem, "R", RaiseRisk, RiskRaised)
_raising(IssueItem, "I", RaiseIssue, IssueRaised)
_raising(ActionItem, "A", RaiseAction, ActionRaised)
_raising(AssumptionItem, "AS", RaiseAssumption, AssumptionRaised)


@capability.decide(RecordDecision, by=WORKERS)
def record_decision(
    state: Engagement, command: RecordDecision, context: Context
) -> Iterable[Event]:
    """Record the decision; a decision is not changed, a later one replaces it.

    Raises Refused where another person than the caller decided, who is not on record.
    """
    require_open(state, after_termination=True)
    item = command.item or context.new_id("D")
    known = state.raid.items.get(item)
    event = DecisionRecorded(
        item=item,
        title=command.title,
        rationale=command.rationale,
        decided_by=command.decided_by or context.acting_for,
        decided_on=same_day("decided_on", command, known, context),
    )
    for new in _unless_known(state, DecisionRecorded, event):
        if command.decided_by is not None:
            require_on_record(state, "decided_by", command.decided_by, context)
        yield new


def _unless_known(state: Engagement, kind: type[RaidItem], event: R) -> Iterable[R]:
    """Return the event, or nothing where the same item was raised and has not changed since.

    Raises Refused where the item was closed, withdrawn, updated or raised with other content, or
    where an item of another kind has its id.
    """
    item, known = event.item, state.raid.items.get(event.item)
    if known is not None and not isinstance(known, kind):
        raise Refused("id-repeated", f"{item} is the id of another kind of item")
    _require_not_over(state, item)
    if known is not None and not isinstance(known, type(event)):
        raise Refused("raid-item-updated", f"{item} was updated since it was raised: update it")
    return unless_recorded(known, event, f"item {item}")


def _require_not_over(state: Engagement, item: str) -> None:
    """Refuse an item that was closed or withdrawn."""
    _require_not_withdrawn(state, item)
    closed = state.raid.closed.get(item)
    if closed:
        raise Refused("raid-item-closed", f"{item} was closed on {closed.closed_on}")


def _require_not_withdrawn(state: Engagement, item: str) -> None:
    withdrawn = state.raid.withdrawn.get(item)
    if withdrawn:
        raise Refused("raid-item-withdrawn", f"{item} was withdrawn on {withdrawn.withdrawn_on}")


def _updating(kind: type[RaidItem], command: type[D], updated: type[U]) -> None:
    """Register the decision that updates items of a kind."""

    @capability.decide(command, by=WORKERS)
    def update_item(state: Engagement, command: D, context: Context) -> Iterable[Event]:
        """Record the item as it is now, unless nothing changes but the reason.

        Raises Refused where there is no such item, where it was closed or withdrawn, or where the
        owner is not on record.
        """
        require_open(state, after_termination=True)
        event, known = updated(**dict(command)), state.raid.items.get(command.item)
        if not isinstance(known, kind):
            raise Refused("raid-item-unknown", f"there is no item {command.item} of this kind")
        _require_not_over(state, command.item)
        if {**dict(known), "why": command.why} == dict(event):
            return
        require_on_record(state, "owner", command.owner, context)
        yield event


_updating(RiskItem, UpdateRisk, RiskUpdated)
_updating(IssueItem, UpdateIssue, IssueUpdated)
_updating(ActionItem, UpdateAction, ActionUpdated)
_updating(AssumptionItem, UpdateAssumption, AssumptionUpdated)


@capability.decide(CloseRaidItem, by=MANAGERS)
def close_raid_item(state: Engagement, command: CloseRaidItem, context: Context) -> Iterable[Event]:
    """Close the item.

    Raises Refused where the item is a decision, unknown or withdrawn, or was closed with other
    data.
    """
    require_open(state, after_termination=True)
    item, known = command.item, state.raid.closed.get(command.item)
    if isinstance(_valid(state, item), DecisionRecorded):
        raise Refused(
            "raid-item-not-closable", f"{item} is a decision: record another decision to replace it"
        )
    day = same_day("closed_on", command, known, context)
    event = RaidItemClosed(**{**dict(command), "closed_on": day})
    return unless_recorded(known, event, f"the closing of {item}")


def _valid(state: Engagement, item: str) -> AnyItem:
    """Return an item of any kind; raises Refused where it is unknown or withdrawn."""
    known = state.raid.items.get(item)
    if known is None:
        raise Refused("raid-item-unknown", f"there is no RAID item {item}")
    _require_not_withdrawn(state, item)
    return known


@capability.decide(ReopenRaidItem, by=MANAGERS)
def reopen_raid_item(
    state: Engagement, command: ReopenRaidItem, context: Context
) -> Iterable[Event]:
    """Open the item again; also after a termination.

    Raises Refused where the item is unknown, withdrawn or not closed.
    """
    require_open(state, after_termination=True)
    _valid(state, command.item)
    closed = state.raid.closed.get(command.item)
    if closed is None:
        raise Refused("raid-item-not-closed", f"{command.item} is not closed, or was reopened")
    day = correction_day("reopened_on", command, closed.closed_on, context)
    yield RaidItemReopened(
        item=command.item, why=command.why, closed_on=closed.closed_on, reopened_on=day
    )


@capability.decide(WithdrawRaidItem, by=MANAGERS)
def withdraw_raid_item(
    state: Engagement, command: WithdrawRaidItem, context: Context
) -> Iterable[Event]:
    """Withdraw the item, closed or not; also after a termination.

    Raises Refused where the item is unknown, or was withdrawn with other data.
    """
    require_open(state, after_termination=True)
    known = state.raid.withdrawn.get(command.item)
    if known:
        day = same_day("withdrawn_on", command, known, context)
    else:
        item = _valid(state, command.item)
        decided_on = item.decided_on if isinstance(item, DecisionRecorded) else None
        day = correction_day("withdrawn_on", command, decided_on, context)
    event = RaidItemWithdrawn(**{**dict(command), "withdrawn_on": day})
    yield from unless_recorded(known, event, f"the withdrawal of {command.item}")


class RaidView(ViewModel):
    """Open items as they are now, and decisions; without those that were withdrawn."""

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
            open_risks=state.raid.open(RiskItem),
            open_issues=state.raid.open(IssueItem),
            open_actions=state.raid.open(ActionItem),
            open_assumptions=state.raid.open(AssumptionItem),
            decisions=state.raid.open(DecisionRecorded),
        )
    )
