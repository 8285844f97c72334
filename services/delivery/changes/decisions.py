"""Control changes: request, assess, approve or reject, implement."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import require_currency, same_day, unless_recorded
from contracts.delivery import (
    ChangeApproval,
    ChangeApproved,
    ChangeAssessed,
    ChangeAssessment,
    ChangeImplemented,
    ChangeRejected,
    ChangeRejection,
    ChangeRequest,
    ChangeRequested,
)
from contracts.event import Event
from contracts.line_faults import scope_faults
from contracts.lines import LineScopeChange
from contracts.money import Money
from contracts.values import Day, Identifier
from delivery.changes import work_items
from delivery.engagement import Engagement
from delivery.policies import (
    DECIDERS,
    change_not_priced,
    change_not_released,
    is_given_up,
    recorded_for,
    require_active,
    require_customer,
    require_on_record,
    require_open,
)
from delivery.roles import MANAGERS, REQUESTERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class RequestChange(ChangeRequest, Command):
    """Request a change of what was agreed."""

    change: Identifier | None = None
    requested_on: Day | None = Field(default=None, description="today unless given")


class AssessChange(ChangeAssessment, Command):
    """Assess a change by contract line: hours, deliverables, rates, days to the finish, risk.

    Rates apply to work from their days on; a change may consist of rates alone. Hours are negative
    where scope is taken away; `new` describes a line that is added.

    It may be assessed again until it is approved, and is then priced again.
    """


class ApproveChange(ChangeApproval, Command):
    """Record that an approver or sponsor of the customer approved the change as priced."""

    approved_on: Day | None = Field(default=None, description="today unless given")


class RejectChange(ChangeRejection, Command):
    """Reject a change and say why; an approved change, too, until its amendment is signed."""

    rejected_on: Day | None = Field(default=None, description="today unless given")


class ImplementChange(Command):
    """Record that the work of the change is done."""

    change: Identifier
    implemented_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RequestChange, by=REQUESTERS)
def request_change(state: Engagement, command: RequestChange, context: Context) -> Iterable[Event]:
    """Record the change request; there is no gate.

    Raises Refused where the id belongs to a different request, or to one that is over, or where
    the person who requested it is not on record.
    """
    require_open(state)
    change = command.change or context.new_id("CR")
    recorded = state.changes.requested.get(change)
    day = same_day("requested_on", command, recorded, context)
    event = ChangeRequested(**{**dict(command), "change": change, "requested_on": day})
    over = _over(state, change)
    for new in unless_recorded(recorded, event, f"change {change}", over=over):
        require_on_record(state, "requested_by", command.requested_by, context)
        yield new


def _over(state: Engagement, change: str) -> Refused | None:
    """Return the refusal of a change that was rejected or implemented, or None."""
    implemented, rejected = state.changes.implemented.get(change), state.changes.rejected
    if implemented:
        how = f"was implemented on {implemented.implemented_on}"
    elif is_given_up(state, change):
        how = f"was rejected on {rejected[change].rejected_on}: {rejected[change].why}"
    else:
        return None
    return Refused("change-decided", f"change {change} {how}; request another one")


@capability.decide(AssessChange, by=WORKERS)
def assess_change(state: Engagement, command: AssessChange, context: Context) -> Iterable[Event]:
    """Record the assessment, unless it equals the last one of a change that is not over.

    Raises Refused where the change is unknown or decided, where the contract has no such line, has
    a new one already or fewer hours than are taken away, where a deliverable that is taken away is
    not the line's, not owed or accepted already, or where an added deliverable is owed already.
    """
    require_open(state)
    _require_known(state, command.change)
    event = ChangeAssessed(**dict(command))
    over = _over(state, command.change)
    if over is not None:
        raise over
    if event == state.changes.assessed.get(command.change):
        return
    rejected = command.change in state.changes.rejected
    if rejected or command.change in state.changes.approved:
        decided = "rejected" if rejected else "approved"
        raise Refused("change-decided", f"change {command.change} is {decided} already")
    for code, sentence in scope_faults(state.lines, command.changes):
        raise Refused(code, sentence)
    for rate in (rate for each in command.changes for rate in each.rates):
        require_currency(state.deal.currency, changes=rate.rate)
    for each in command.changes:
        _require_deliverables(state, each)
    yield event


def _require_deliverables(state: Engagement, change: LineScopeChange) -> None:
    """Refuse to take away what the line does not deliver, or to add what is owed already."""
    owed = state.owed
    paid_by = {name: line.line for line in state.lines for name in line.deliverables}
    for name in change.deliverables_removed:
        if name not in owed:
            raise Refused("deliverable-unknown", f"deliverable {name} is not owed")
        if paid_by.get(name, change.line) != change.line:
            sentence = f"deliverable {name} belongs to line {paid_by[name]}, not to {change.line}"
            raise Refused("deliverable-unknown", sentence)
        if state.acceptance.is_accepted(name):
            raise Refused("deliverable-accepted", f"deliverable {name} is accepted already")
    for added in change.deliverables_added:
        if added.deliverable in owed:
            sentence = f"deliverable {added.deliverable} is owed already"
            raise Refused("deliverable-owed", sentence)


@capability.decide(ApproveChange, by=MANAGERS)
def approve_change(state: Engagement, command: ApproveChange, context: Context) -> Iterable[Event]:
    """Record the customer's approval; the change must be assessed and priced.

    Raises Refused where that is missing, where the change is unknown, rejected or was approved with
    other data, or where a person approves who is no approver or sponsor of the account.
    """
    require_open(state)
    _require_known(state, command.change)
    recorded = state.changes.approved.get(command.change)
    if command.change in state.changes.rejected:
        raise Refused("change-decided", f"change {command.change} is rejected already")
    day = same_day("approved_on", command, recorded, context)
    if recorded is None:
        require_customer(state, "approved_by", command.approved_by, context, *DECIDERS, on=day)
        gate("change-not-approvable", change_not_priced(state, command.change))
    on_behalf = recorded_for(context, command.approved_by)
    event = ChangeApproved(**{**dict(command), "approved_on": day, "recorded_for": on_behalf})
    yield from unless_recorded(recorded, event, f"the approval of {command.change}")


@capability.decide(RejectChange, by=MANAGERS)
def reject_change(state: Engagement, command: RejectChange, context: Context) -> Iterable[Event]:
    """Record the rejection; an approved change may be rejected until its amendment is signed.

    Raises Refused where the amendment is signed, or the change is unknown or was rejected with
    other data.
    """
    require_open(state)
    _require_known(state, command.change)
    recorded = state.changes.rejected.get(command.change)
    amendment = state.contract.amendments.get(command.change)
    if amendment:
        sentence = f"amendment {amendment.amendment} was signed on {amendment.signed_on}"
        raise Refused("change-decided", f"{sentence}: change {command.change} is agreed")
    day = same_day("rejected_on", command, recorded, context)
    event = ChangeRejected(**{**dict(command), "rejected_on": day})
    yield from unless_recorded(recorded, event, f"the rejection of {command.change}")


@capability.decide(ImplementChange, by=MANAGERS)
def implement_change(
    state: Engagement, command: ImplementChange, context: Context
) -> Iterable[Event]:
    """Record the implementation if gate 6 is open: the change is in contract, plan and budget.

    Raises Refused where the gate is closed, or the change is unknown or rejected or was implemented
    on another day.
    """
    recorded = state.changes.implemented.get(command.change)
    day = same_day("implemented_on", command, recorded, context)
    require_active(state, day)
    _require_known(state, command.change)
    if is_given_up(state, command.change):
        raise Refused("change-decided", f"change {command.change} is rejected")
    event = ChangeImplemented(change=command.change, implemented_on=day)
    for new in unless_recorded(recorded, event, f"the implementation of {command.change}"):
        gate("change-not-released", change_not_released(state, command.change, day))
        yield new


def _require_known(state: Engagement, change: str) -> None:
    if change not in state.changes.requested:
        raise Refused("change-unknown", f"there is no change {change}")


ChangeStatus = Literal["requested", "assessed", "approved", "rejected", "implemented"]


class ChangeView(ViewModel):
    """Change request, its price and status, and what is missing before it may be implemented."""

    change: Identifier
    status: ChangeStatus
    requested: ChangeRequested
    assessed: ChangeAssessed | None
    price: Money | None
    waits_for: tuple[Missing, ...]


class ChangeFields(ViewModel):
    """The changes in the view of an engagement."""

    changes: tuple[ChangeView, ...]


@capability.view
def changes_view(state: Engagement) -> ChangeFields:
    """Return the changes for the view of an engagement."""
    return ChangeFields(changes=tuple(_view(state, each) for each in state.changes.requested))


def _view(state: Engagement, change: str) -> ChangeView:
    status, priced = _status(state, change), state.changes.priced.get(change)
    waits = status not in {"implemented", "rejected"}
    return ChangeView(
        change=change,
        status=status,
        requested=state.changes.requested[change],
        assessed=state.changes.assessed.get(change),
        price=priced.price if priced else None,
        waits_for=tuple(change_not_released(state, change, date.max)) if waits else (),
    )


def _status(state: Engagement, change: str) -> ChangeStatus:
    changes = state.changes
    if change in changes.implemented:
        return "implemented"
    if is_given_up(state, change):
        return "rejected"
    if change in changes.approved:
        return "approved"
    return "assessed" if change in changes.assessed else "requested"
