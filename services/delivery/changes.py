"""Changes under control: asked for, assessed, priced, agreed, and only then built."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.domain.decider import Command, Context, Missing, Refused, gate
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
from delivery.gates import at_work, day_of, of_the_customer, once, standing
from delivery.state import Change, Engagement, decide


class RequestChange(Command):
    """Somebody wants something else than was agreed."""

    change: Identifier | None = None
    requested_by: PersonId
    description: Text
    requested_on: Day | None = None


class AssessChange(Command):
    """Say what a change would take: hours by role, days on the finish, the risk, the scope.

    Until it is approved it may be assessed again; it is then priced again.
    """

    change: Identifier
    lines: Annotated[tuple[ItemRoleHours, ...], Field(max_length=100)]
    days: Annotated[int, Field(ge=-10_000, le=10_000), AsNumber]
    risk: Text
    deliverables_added: Annotated[tuple[Deliverable, ...], Field(max_length=100)] = ()
    deliverables_descoped: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()


class ApproveChange(Command):
    """Record that the customer's person agreed to the change as it was assessed and priced."""

    change: Identifier
    approved_by: PersonId
    approved_on: Day | None = None


class RejectChange(Command):
    """Say why the change will not be made; an approved one, too, until its amendment is signed."""

    change: Identifier
    why: ShortText
    rejected_on: Day | None = None


class ImplementChange(Command):
    """Record that the change order's work is done."""

    change: Identifier
    implemented_on: Day | None = None


@decide.on(RequestChange)
def request_change(state: Engagement, command: RequestChange, context: Context) -> Iterator[Event]:
    """Anybody may want something else, at any time."""
    standing(state)
    change = command.change or context.new_id("CR")
    known = state.changes.get(change)
    day = command.requested_on or (known.requested.requested_on if known else None)
    event = ChangeRequested(
        change=change,
        requested_by=command.requested_by,
        description=command.description,
        requested_on=day_of(context, day),
    )
    sentence = f"change {change} asks for something else"
    yield from once(known.requested if known else None, event, "already-requested", sentence)


@decide.on(AssessChange)
def assess_change(state: Engagement, command: AssessChange, context: Context) -> Iterator[Event]:
    """What is descoped must be owed and not yet accepted; what is added must be new."""
    standing(state)
    known = _change(state, command.change)
    event = ChangeAssessed.model_validate(dict(command))
    if event == known.assessed:
        return
    if known.approved or known.rejected:
        decided = "rejected" if known.rejected else "approved"
        raise Refused("change-decided", f"change {command.change} is {decided} already")
    for name in command.deliverables_descoped:
        if name not in state.owed:
            raise Refused("unknown-deliverable", f"deliverable {name} is not owed")
        submission = state.submissions.get(name)
        if submission and submission.accepted:
            raise Refused("already-accepted", f"deliverable {name} is accepted already")
    for added in command.deliverables_added:
        if added.deliverable in state.owed:
            sentence = f"deliverable {added.deliverable} is owed already"
            raise Refused("deliverable-already-owed", sentence)
    yield event


def priced(state: Engagement, change: Change) -> bool:
    """Whether Finance priced the change as it was last assessed."""
    price = state.ledger.changes.get(change.requested.change)
    return price is not None and change.assessed is not None and price.knowing >= change.assessed_at


@decide.on(ApproveChange)
def approve_change(state: Engagement, command: ApproveChange, context: Context) -> Iterator[Event]:
    """The customer agrees to a price, so there has to be one."""
    standing(state)
    known = _change(state, command.change)
    if known.rejected:
        raise Refused("change-decided", f"change {command.change} is rejected already")
    of_the_customer(context, command.approved_by)
    if known.approved is None:
        gate("change-not-approvable", _valued(state, known))
    day = day_of(
        context, command.approved_on or (known.approved.approved_on if known.approved else None)
    )
    event = ChangeApproved(change=command.change, approved_by=command.approved_by, approved_on=day)
    sentence = f"change {command.change} was approved otherwise"
    yield from once(known.approved, event, "change-decided", sentence)


@decide.on(RejectChange)
def reject_change(state: Engagement, command: RejectChange, context: Context) -> Iterator[Event]:
    """Until both parties signed its amendment, an approved change may be given up."""
    standing(state)
    known = _change(state, command.change)
    amendment = state.contract.amendments.get(command.change)
    if amendment:
        sentence = f"amendment {amendment.amendment} was signed on {amendment.signed_on}"
        raise Refused("change-decided", f"{sentence}: change {command.change} is agreed")
    day = day_of(
        context, command.rejected_on or (known.rejected.rejected_on if known.rejected else None)
    )
    event = ChangeRejected(change=command.change, why=command.why, rejected_on=day)
    sentence = f"change {command.change} was rejected otherwise"
    yield from once(known.rejected, event, "change-decided", sentence)


@decide.on(ImplementChange)
def implement_change(
    state: Engagement, command: ImplementChange, context: Context
) -> Iterator[Event]:
    """Gate 6: the same change order in contract, plan and budget, before its work is done."""
    at_work(state)
    known = _change(state, command.change)
    if given_up(state, command.change):
        raise Refused("change-decided", f"change {command.change} is rejected")
    done = known.implemented
    day = day_of(context, command.implemented_on or (done.implemented_on if done else None))
    if done is None:
        gate("change-not-released", unreleased(state, known, day))
    event = ChangeImplemented(change=command.change, implemented_on=day)
    sentence = f"change {command.change} was implemented on another day"
    yield from once(done, event, "already-implemented", sentence)


def given_up(state: Engagement, change: str) -> bool:
    """Whether a change will not be made; an amendment signed all the same stands above that."""
    known = state.changes.get(change)
    rejected = known is not None and known.rejected is not None
    return rejected and change not in state.contract.amendments


def unreleased(state: Engagement, known: Change, day: date) -> Iterator[Missing]:
    """What keeps a change from being implemented on a day (gate 6)."""
    change = known.requested.change
    yield from _valued(state, known)
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
        sentence = f"no baseline of the plan takes change {change} in"
        yield Missing("plan-not-rebaselined", sentence, "delivery")
    if change not in state.ledger.amended:
        sentence = f"the budget is not amended by change {change}"
        yield Missing("budget-not-amended", sentence, "finance")


def _valued(state: Engagement, known: Change) -> Iterator[Missing]:
    change = known.requested.change
    if known.assessed is None:
        yield Missing("change-not-assessed", f"change {change} is not assessed", "delivery")
    if not priced(state, known):
        sentence = f"change {change} is not priced as it was last assessed"
        yield Missing("change-not-priced", sentence, "finance")


def _change(state: Engagement, change: str) -> Change:
    known = state.changes.get(change)
    if known is None:
        raise Refused("unknown-change", f"there is no change {change}")
    return known
