"""Control changes: request, assess, approve or reject, implement."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
)
from contracts.event import Event
from contracts.values import (
    AsNumber,
    Day,
    Deliverable,
    Identifier,
    ItemRoleHours,
    PersonId,
    ShortText,
    Text,
)
from delivery.policies import day_of, once, require_active, require_customer, require_open
from delivery.state import Change, Engagement, decide


class RequestChange(Command):
    """Request a change of what was agreed."""

    change: Identifier | None = None
    requested_by: PersonId
    description: Text
    requested_on: Day | None = None


class AssessChange(Command):
    """Assess a change: hours by role, days added to the finish, risk and deliverables.

    It may be assessed again until it is approved, and is then priced again.
    """

    change: Identifier
    lines: Annotated[tuple[ItemRoleHours, ...], Field(max_length=100)]
    days: Annotated[int, Field(ge=-10_000, le=10_000), AsNumber]
    risk: Text
    deliverables_added: Annotated[tuple[Deliverable, ...], Field(max_length=100)] = ()
    deliverables_descoped: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()


class ApproveChange(Command):
    """Record that a person of the customer approved the change as assessed and priced."""

    change: Identifier
    approved_by: PersonId
    approved_on: Day | None = None


class RejectChange(Command):
    """Reject a change and say why; an approved change, too, until its amendment is signed."""

    change: Identifier
    why: ShortText
    rejected_on: Day | None = None


class ImplementChange(Command):
    """Record that the work of the change is done."""

    change: Identifier
    implemented_on: Day | None = None


@decide.on(RequestChange)
def request_change(state: Engagement, command: RequestChange, context: Context) -> Iterator[Event]:
    """Record the change request; there is no gate.

    Raises Refused where the id belongs to a different request.
    """
    require_open(state)
    change = command.change or context.new_id("CR")
    known = state.changes.get(change)
    day = command.requested_on or (known.requested.requested_on if known else None)
    event = ChangeRequested(
        change=change,
        requested_by=command.requested_by,
        description=command.description,
        requested_on=day_of(context, day),
    )
    sentence = f"change {change} was requested with other data"
    yield from once(known.requested if known else None, event, "already-recorded", sentence)


@decide.on(AssessChange)
def assess_change(state: Engagement, command: AssessChange, context: Context) -> Iterator[Event]:
    """Record the assessment, unless it equals the last one.

    Raises Refused where the change is unknown or decided, where a descoped deliverable is not owed
    or is accepted already, or where an added deliverable is owed already.
    """
    require_open(state)
    known = _change(state, command.change)
    event = ChangeAssessed.model_validate(dict(command))
    if event == known.assessed:
        return
    if known.approved or known.rejected:
        decided = "rejected" if known.rejected else "approved"
        raise Refused("change-decided", f"change {command.change} is {decided} already")
    for name in command.deliverables_descoped:
        if name not in state.owed:
            raise Refused("deliverable-unknown", f"deliverable {name} is not owed")
        submission = state.submissions.get(name)
        if submission and submission.accepted:
            raise Refused("deliverable-accepted", f"deliverable {name} is accepted already")
    for added in command.deliverables_added:
        if added.deliverable in state.owed:
            sentence = f"deliverable {added.deliverable} is owed already"
            raise Refused("deliverable-owed", sentence)
    yield event


def priced(state: Engagement, change: Change) -> bool:
    """Return whether Finance has priced the change's last assessment."""
    price = state.ledger.changes.get(change.requested.change)
    return price is not None and change.assessed is not None and price.heard >= change.assessed_at


@decide.on(ApproveChange)
def approve_change(state: Engagement, command: ApproveChange, context: Context) -> Iterator[Event]:
    """Record the customer's approval; the change must be assessed and priced.

    Raises Refused where that is missing, where the change is unknown, rejected or was approved with
    other data, or where the person who approves belongs to the company.
    """
    require_open(state)
    known = _change(state, command.change)
    if known.rejected:
        raise Refused("change-decided", f"change {command.change} is rejected already")
    require_customer(context, command.approved_by)
    if known.approved is None:
        gate("change-not-approvable", _not_priced(state, known))
    day = day_of(
        context, command.approved_on or (known.approved.approved_on if known.approved else None)
    )
    event = ChangeApproved(change=command.change, approved_by=command.approved_by, approved_on=day)
    sentence = f"change {command.change} was approved with other data"
    yield from once(known.approved, event, "already-recorded", sentence)


@decide.on(RejectChange)
def reject_change(state: Engagement, command: RejectChange, context: Context) -> Iterator[Event]:
    """Record the rejection; an approved change may be rejected until its amendment is signed.

    Raises Refused where the amendment is signed, or the change is unknown or was rejected with
    other data.
    """
    require_open(state)
    known = _change(state, command.change)
    amendment = state.contract.amendments.get(command.change)
    if amendment:
        sentence = f"amendment {amendment.amendment} was signed on {amendment.signed_on}"
        raise Refused("change-decided", f"{sentence}: change {command.change} is agreed")
    day = day_of(
        context, command.rejected_on or (known.rejected.rejected_on if known.rejected else None)
    )
    event = ChangeRejected(change=command.change, why=command.why, rejected_on=day)
    sentence = f"change {command.change} was rejected with other data"
    yield from once(known.rejected, event, "already-recorded", sentence)


@decide.on(ImplementChange)
def implement_change(
    state: Engagement, command: ImplementChange, context: Context
) -> Iterator[Event]:
    """Record the implementation if gate 6 is open: the change is in contract, plan and budget.

    Raises Refused where the gate is closed, or the change is unknown or rejected or was implemented
    on another day.
    """
    require_active(state)
    known = _change(state, command.change)
    if given_up(state, command.change):
        raise Refused("change-decided", f"change {command.change} is rejected")
    done = known.implemented
    day = day_of(context, command.implemented_on or (done.implemented_on if done else None))
    if done is None:
        gate("change-not-released", unreleased(state, known, day))
    event = ChangeImplemented(change=command.change, implemented_on=day)
    sentence = f"change {command.change} was implemented on another day"
    yield from once(done, event, "already-recorded", sentence)


def given_up(state: Engagement, change: str) -> bool:
    """Return whether the change was rejected and has no signed amendment.

    A signed amendment takes precedence over a rejection.
    """
    known = state.changes.get(change)
    rejected = known is not None and known.rejected is not None
    return rejected and change not in state.contract.amendments


def unreleased(state: Engagement, known: Change, day: date) -> Iterator[Missing]:
    """Yield what is missing before a change may be implemented on a day (gate 6)."""
    change = known.requested.change
    yield from _not_priced(state, known)
    if known.approved is None:
        sentence = f"the customer has not approved change {change}"
        yield Missing("change-not-approved", sentence, "delivery")
    amendment = state.contract.amendments.get(change)
    if amendment is None:
        drafted = state.contract.amendments_drafted.get(change)
        what = f"amendment {drafted.amendment}" if drafted else "an amendment"
        sentence = f"{what} for change {change} is not signed"
        yield Missing("amendment-not-signed", sentence, "legal")
    elif amendment.signed_on > day:
        sentence = f"amendment {amendment.amendment} was signed on {amendment.signed_on}"
        yield Missing("amendment-not-signed", f"{sentence}, after {day}", "legal")
    baseline = state.planning.baseline
    if baseline is None or change not in baseline.changes:
        sentence = f"change {change} is not in the baseline of the plan"
        yield Missing("plan-not-rebaselined", sentence, "delivery")
    if change not in state.ledger.amended:
        sentence = f"the budget is not amended by change {change}"
        yield Missing("budget-not-amended", sentence, "finance")


def _not_priced(state: Engagement, known: Change) -> Iterator[Missing]:
    change = known.requested.change
    if known.assessed is None:
        yield Missing("change-not-assessed", f"change {change} is not assessed", "delivery")
    if not priced(state, known):
        sentence = f"change {change} is not priced as it was last assessed"
        yield Missing("change-not-priced", sentence, "finance")


def _change(state: Engagement, change: str) -> Change:
    known = state.changes.get(change)
    if known is None:
        raise Refused("change-unknown", f"there is no change {change}")
    return known
