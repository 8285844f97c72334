"""Submit deliverables, and record the customer's acceptance or rejection.

An acceptance that was recorded by mistake is withdrawn. A submission is deemed accepted where the
customer does not decide in time.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.documents import DocumentCommand
from chassis.domain.ids import derived_id
from chassis.domain.rules import correction_day, past_day, same_day, unless_recorded
from contracts.delivery import (
    AcceptanceWithdrawal,
    AcceptanceWithdrawn,
    DeliverableAcceptance,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableRejection,
    DeliverableSubmitted,
)
from contracts.event import Event
from contracts.values import (
    ContentHash,
    Day,
    Deliverable,
    Identifier,
    PersonId,
    ShortText,
    Version,
    days_after,
)
from delivery.acceptance import work_items
from delivery.acceptance.state import Acceptance
from delivery.documents import text_document
from delivery.engagement import Engagement
from delivery.policies import (
    DECIDERS,
    deemed_after,
    recorded_for,
    require_active,
    require_customer,
    require_open,
)
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SubmitDeliverable(DocumentCommand):
    """Submit a deliverable to the customer for acceptance, the first time or again."""

    deliverable: Identifier
    submitted_on: Day | None = Field(default=None, description="today unless given")


class AcceptDeliverable(DeliverableAcceptance, Command):
    """Record that an approver or sponsor of the customer accepted the latest submission."""

    accepted_by: PersonId
    accepted_on: Day | None = Field(default=None, description="today unless given")


class WithdrawAcceptance(AcceptanceWithdrawal, Command):
    """Withdraw an acceptance that was recorded by mistake; the submission waits again."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


class RejectDeliverable(DeliverableRejection, Command):
    """Record that an approver or sponsor of the customer rejected the latest submission."""

    rejected_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SubmitDeliverable, by=WORKERS)
def submit_deliverable(
    state: Engagement, command: SubmitDeliverable, context: Context
) -> Iterable[Event]:
    """Submit the deliverable with the next submission number.

    Nothing happens where the latest submission has the same content and is not decided. Raises
    Refused where that is of another day, or where the deliverable is descoped, neither agreed nor
    planned, or accepted already.
    """
    day = past_day("submitted_on", command.submitted_on, context)
    require_active(state, day)
    name = command.deliverable
    _require_not_descoped(state, name)
    if name not in state.owed:
        raise Refused("deliverable-unknown", f"deliverable {name} is neither agreed nor planned")
    content_hash, kept = text_document(state, command, "deliverable", name)
    acceptance = state.acceptance
    last = acceptance.submitted.get(name)
    accepted = acceptance.accepted.get(name)
    if accepted:
        sentence = f"deliverable {name} was accepted on {accepted.accepted_on}"
        raise Refused("deliverable-accepted", sentence)
    if acceptance.is_accepted(name):
        raise Refused("deliverable-accepted", f"deliverable {name} is accepted already")
    is_same = last and not acceptance.rejected(name) and last.content_hash == content_hash
    same = last if is_same else None
    event = DeliverableSubmitted(
        deliverable=name,
        submission=same.submission if same else last.submission + 1 if last else 1,
        content_hash=content_hash,
        submitted_on=same_day("submitted_on", command, same, context),
    )
    for new in unless_recorded(same, event, f"the submission of {name}"):
        yield new
        yield from kept


@capability.decide(AcceptDeliverable, by=MANAGERS)
def accept_deliverable(
    state: Engagement, command: AcceptDeliverable, context: Context
) -> Iterable[Event]:
    """Record the acceptance; a submission is decided once, also after a termination.

    Raises Refused where the submission is not the latest, is rejected or was accepted with other
    data, where the contact may not accept, or where an amendment removed the deliverable: its
    acceptance would let it be billed.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    recorded = state.acceptance.accepted.get(command.deliverable)
    day = _since_submission(last, same_day("accepted_on", command, recorded, context))
    if recorded is None:
        require_customer(state, "accepted_by", command.accepted_by, context, *DECIDERS, on=day)
        _require_not_descoped(state, command.deliverable)
    if state.acceptance.rejected(command.deliverable):
        raise Refused("submission-rejected", f"submission {command.submission} is rejected")
    on_behalf = recorded_for(context, command.accepted_by)
    event = DeliverableAccepted(
        **{
            **dict(command),
            "how": "on-behalf" if on_behalf else "by-customer",
            "recorded_for": on_behalf,
            "accepted_on": day,
        }
    )
    yield from unless_recorded(recorded, event, f"the acceptance of {command.deliverable}")


@capability.decide(WithdrawAcceptance, by=MANAGERS)
def withdraw_acceptance(
    state: Engagement, command: WithdrawAcceptance, context: Context
) -> Iterable[Event]:
    """Withdraw the acceptance; also after a termination.

    Raises Refused where no acceptance of this submission is recorded.
    """
    require_open(state, after_termination=True)
    name, accepted = command.deliverable, state.acceptance.accepted.get(command.deliverable)
    if accepted is None or accepted.submission != command.submission:
        sentence = (
            f"no acceptance of submission {command.submission} of {name} is recorded, or it was"
            " withdrawn"
        )
        raise Refused("acceptance-not-recorded", sentence)
    yield AcceptanceWithdrawn(
        **{
            **dict(command),
            "accepted_on": accepted.accepted_on,
            "withdrawn_on": correction_day("withdrawn_on", command, accepted.accepted_on, context),
        }
    )


@capability.decide(RejectDeliverable, by=MANAGERS)
def reject_deliverable(
    state: Engagement, command: RejectDeliverable, context: Context
) -> Iterable[Event]:
    """Record the rejection; a submission is decided once, and the next submission again.

    Raises Refused where the submission is not the latest, is accepted or was rejected with other
    data, or where the contact may not reject.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    recorded = state.acceptance.rejected(command.deliverable)
    day = _since_submission(last, same_day("rejected_on", command, recorded, context))
    if recorded is None:
        require_customer(state, "rejected_by", command.rejected_by, context, *DECIDERS, on=day)
    if state.acceptance.is_accepted(command.deliverable):
        raise Refused("submission-accepted", f"submission {command.submission} is accepted")
    on_behalf = recorded_for(context, command.rejected_by)
    event = DeliverableRejected(**{**dict(command), "rejected_on": day, "recorded_for": on_behalf})
    yield from unless_recorded(recorded, event, f"the rejection of {command.deliverable}")


@capability.deadlines
def deemed_acceptances(state: Engagement) -> Iterable[Deadline]:
    """Yield when submissions that wait for the customer are deemed accepted.

    It is the end (UTC) of the last day on which the customer may decide. A submission whose
    acceptance was withdrawn waits for a decision.
    """
    for name, last_day in _deemed(state):
        submission = state.acceptance.submitted[name].submission
        midnight = datetime.combine(days_after(last_day, 1), time(), UTC)
        yield Deadline(derived_id("deemed", name, str(submission)), midnight)


@capability.decide(DeadlinePassed, by=None)
def deem_accepted(state: Engagement, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    """Record that a submission is deemed accepted, unless the customer decided meanwhile."""
    for name, last_day in _deemed(state):
        submission = state.acceptance.submitted[name].submission
        if command.deadline == derived_id("deemed", name, str(submission)):
            yield DeliverableAccepted(
                deliverable=name,
                submission=submission,
                how="deemed",
                accepted_by=None,
                accepted_on=last_day,
            )


def _deemed(state: Engagement) -> Iterable[tuple[str, date]]:
    """Yield the deliverables that wait for the customer, and their last day to decide."""
    days, acceptance = deemed_after(state), state.acceptance
    if days is None or state.is_over:
        return
    for name, last in acceptance.submitted.items():
        withdrawn = acceptance.withdrawn.get(name)
        if (
            not acceptance.is_accepted(name)
            and name not in state.contract.descoped
            and not acceptance.rejected(name)
            and not (withdrawn and withdrawn.submission == last.submission)
        ):
            yield name, days_after(last.submitted_on, days)


def _require_not_descoped(state: Engagement, deliverable: str) -> None:
    if deliverable in state.contract.descoped:
        raise Refused(
            "deliverable-descoped", f"deliverable {deliverable} was removed by an amendment"
        )


def _latest(state: Engagement, deliverable: str, submission: int) -> DeliverableSubmitted:
    last = state.acceptance.submitted.get(deliverable)
    if last is None:
        raise Refused("deliverable-not-submitted", f"deliverable {deliverable} was not submitted")
    if submission != last.submission:
        sentence = f"the latest submission of {deliverable} is {last.submission}, not {submission}"
        raise Refused("submission-superseded", sentence)
    return last


def _since_submission(last: DeliverableSubmitted, day: date) -> date:
    if day < last.submitted_on:
        raise Refused("date-before-submission", f"it was submitted on {last.submitted_on}")
    return day


DeliverableStatus = Literal["owed", "submitted", "rejected", "accepted"]


class DeliverableView(ViewModel):
    """Deliverable owed to the customer, and the status of its latest submission."""

    deliverable: Identifier
    title: ShortText
    status: DeliverableStatus
    submission: Version | None
    content_hash: ContentHash | None
    why: str | None


class DeliverableFields(ViewModel):
    """The deliverables in the view of an engagement."""

    deliverables: tuple[DeliverableView, ...]


@capability.view
def deliverables_view(state: Engagement) -> DeliverableFields:
    """Return the deliverables that are owed to the customer for the view of an engagement."""
    return DeliverableFields(
        deliverables=tuple(_view(state.acceptance, each) for each in state.owed.values())
    )


def _view(acceptance: Acceptance, deliverable: Deliverable) -> DeliverableView:
    name = deliverable.deliverable
    last, rejected = acceptance.submitted.get(name), acceptance.rejected(name)
    status: DeliverableStatus = "submitted" if last else "owed"
    if acceptance.is_accepted(name):
        status = "accepted"
    elif rejected:
        status = "rejected"
    return DeliverableView(
        deliverable=name,
        title=deliverable.title,
        status=status,
        submission=last.submission if last else None,
        content_hash=last.content_hash if last else None,
        why=rejected.why if rejected else None,
    )
