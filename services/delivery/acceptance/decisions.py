"""Submit deliverables, and record the customer's acceptance or rejection."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import past_day, unless_recorded
from contracts.delivery import (
    DeliverableAcceptance,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableRejection,
    DeliverableSubmitted,
)
from contracts.event import Event
from contracts.values import ContentHash, Day, Deliverable, Identifier, ShortText, Version
from delivery.acceptance.state import Submission
from delivery.documents import DocumentCommand
from delivery.engagement import Engagement
from delivery.policies import require_active, require_customer, require_open, same_day
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)


class SubmitDeliverable(DocumentCommand):
    """Submit a deliverable to the customer for acceptance, the first time or again."""

    deliverable: Identifier
    submitted_on: Day | None = Field(default=None, description="today unless given")


class AcceptDeliverable(DeliverableAcceptance, Command):
    """Record that a person of the customer accepted the latest submission of a deliverable."""

    accepted_on: Day | None = Field(default=None, description="today unless given")


class RejectDeliverable(DeliverableRejection, Command):
    """Record that a person of the customer rejected the latest submission, and why."""

    rejected_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SubmitDeliverable, by=WORKERS)
def submit_deliverable(
    state: Engagement, command: SubmitDeliverable, context: Context
) -> Iterable[Event]:
    """Submit the deliverable with the next submission number.

    Nothing happens where the latest submission has the same content and is not rejected. Raises
    Refused where the deliverable is descoped, neither agreed nor planned, or accepted already.
    """
    require_active(state)
    name = command.deliverable
    _require_not_descoped(state, name)
    if name not in state.owed:
        raise Refused("deliverable-unknown", f"deliverable {name} is neither agreed nor planned")
    content_hash = command.hashed("deliverable")
    last = state.acceptance.submissions.get(name)
    if last and not last.rejected and last.submitted.content_hash == content_hash:
        return
    if last and last.accepted:
        raise Refused("deliverable-accepted", f"deliverable {name} is accepted already")
    yield DeliverableSubmitted(
        deliverable=name,
        submission=last.submitted.submission + 1 if last else 1,
        content_hash=content_hash,
        submitted_on=past_day("submitted_on", command.submitted_on, context),
    )


@capability.decide(AcceptDeliverable, by=MANAGERS)
def accept_deliverable(
    state: Engagement, command: AcceptDeliverable, context: Context
) -> Iterable[Event]:
    """Record the acceptance; a submission is decided once, also after a termination.

    Raises Refused where the submission is not the latest, is rejected or was accepted with other
    data, or where an amendment removed the deliverable: its acceptance would let it be billed.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    recorded = last.accepted
    require_customer(context, command.accepted_by)
    if recorded is None:
        _require_not_descoped(state, command.deliverable)
    if last.rejected:
        raise Refused("submission-rejected", f"submission {command.submission} is rejected")
    day = _since_submission(last, same_day("accepted_on", command, recorded, context))
    event = DeliverableAccepted(**{**dict(command), "accepted_on": day})
    yield from unless_recorded(recorded, event, f"the acceptance of {command.deliverable}")


@capability.decide(RejectDeliverable, by=MANAGERS)
def reject_deliverable(
    state: Engagement, command: RejectDeliverable, context: Context
) -> Iterable[Event]:
    """Record the rejection; a submission is decided once, and the next submission again.

    Raises Refused where the submission is not the latest, is accepted or was rejected with other
    data.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    recorded = last.rejected
    require_customer(context, command.rejected_by)
    if last.accepted:
        raise Refused("submission-accepted", f"submission {command.submission} is accepted")
    day = _since_submission(last, same_day("rejected_on", command, recorded, context))
    event = DeliverableRejected(**{**dict(command), "rejected_on": day})
    yield from unless_recorded(recorded, event, f"the rejection of {command.deliverable}")


def _require_not_descoped(state: Engagement, deliverable: str) -> None:
    if deliverable in state.contract.descoped:
        raise Refused(
            "deliverable-descoped", f"deliverable {deliverable} was removed by an amendment"
        )


def _latest(state: Engagement, deliverable: str, submission: int) -> Submission:
    last = state.acceptance.submissions.get(deliverable)
    if last is None:
        raise Refused("deliverable-not-submitted", f"deliverable {deliverable} was not submitted")
    newest = last.submitted.submission
    if submission != newest:
        sentence = f"the latest submission of {deliverable} is {newest}, not {submission}"
        raise Refused("submission-superseded", sentence)
    return last


def _since_submission(last: Submission, day: date) -> date:
    if day < last.submitted.submitted_on:
        raise Refused(
            "date-before-submission", f"it was submitted on {last.submitted.submitted_on}"
        )
    return day


class DeliverableView(ViewModel):
    """Deliverable owed to the customer, and the status of its latest submission."""

    deliverable: Identifier
    title: ShortText
    status: Literal["owed", "submitted", "rejected", "accepted"]
    submission: Version | None
    content_hash: ContentHash | None
    why: str | None


class DeliverableFields(ViewModel):
    """The deliverables in the view of an engagement."""

    deliverables: tuple[DeliverableView, ...]


@capability.view
def deliverables_view(state: Engagement) -> DeliverableFields:
    """Return the deliverables that are owed to the customer for the view of an engagement."""
    submissions = state.acceptance.submissions
    return DeliverableFields(
        deliverables=tuple(_view(each, submissions.get(name)) for name, each in state.owed.items())
    )


def _view(deliverable: Deliverable, last: Submission | None) -> DeliverableView:
    status: Literal["owed", "submitted", "rejected", "accepted"] = "owed"
    if last:
        status = "accepted" if last.accepted else "rejected" if last.rejected else "submitted"
    return DeliverableView(
        deliverable=deliverable.deliverable,
        title=deliverable.title,
        status=status,
        submission=last.submitted.submission if last else None,
        content_hash=last.submitted.content_hash if last else None,
        why=last.rejected.why if last and last.rejected else None,
    )
