"""Submit deliverables, and record the customer's acceptance or rejection."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.delivery import DeliverableAccepted, DeliverableRejected, DeliverableSubmitted
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId, Text, Version
from delivery.documents import Paper
from delivery.policies import day_of, once, require_active, require_customer, require_open
from delivery.state import Engagement, Submission, decide


class SubmitDeliverable(Paper):
    """Submit a deliverable to the customer for acceptance, the first time or again."""

    deliverable: Identifier
    submitted_on: Day | None = None


class AcceptDeliverable(Command):
    """Record that a person of the customer accepted the latest submission of a deliverable."""

    deliverable: Identifier
    submission: Version
    accepted_by: PersonId
    accepted_on: Day | None = None


class RejectDeliverable(Command):
    """Record that a person of the customer rejected the latest submission, and why."""

    deliverable: Identifier
    submission: Version
    rejected_by: PersonId
    why: Text
    rejected_on: Day | None = None


@decide.on(SubmitDeliverable)
def submit_deliverable(
    state: Engagement, command: SubmitDeliverable, context: Context
) -> Iterator[Event]:
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
    last = state.submissions.get(name)
    if last and not last.rejected and last.submitted.content_hash == content_hash:
        return
    if last and last.accepted:
        raise Refused("deliverable-accepted", f"deliverable {name} is accepted already")
    yield DeliverableSubmitted(
        deliverable=name,
        submission=last.submitted.submission + 1 if last else 1,
        content_hash=content_hash,
        submitted_on=day_of(context, command.submitted_on),
    )


@decide.on(AcceptDeliverable)
def accept_deliverable(
    state: Engagement, command: AcceptDeliverable, context: Context
) -> Iterator[Event]:
    """Record the acceptance; a submission is decided once, also after a termination.

    Raises Refused where the submission is not the latest, is rejected or was accepted with other
    data, or where an amendment removed the deliverable: its acceptance would let it be billed.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    require_customer(context, command.accepted_by)
    if last.accepted is None:
        _require_not_descoped(state, command.deliverable)
    if last.rejected:
        raise Refused("submission-rejected", f"submission {command.submission} is rejected")
    day = command.accepted_on or (last.accepted.accepted_on if last.accepted else None)
    event = DeliverableAccepted(
        deliverable=command.deliverable,
        submission=command.submission,
        accepted_by=command.accepted_by,
        accepted_on=_not_before_submission(last, day_of(context, day)),
    )
    sentence = f"submission {command.submission} was accepted with other data"
    yield from once(last.accepted, event, "already-recorded", sentence)


@decide.on(RejectDeliverable)
def reject_deliverable(
    state: Engagement, command: RejectDeliverable, context: Context
) -> Iterator[Event]:
    """Record the rejection; a submission is decided once, and the next submission again.

    Raises Refused where the submission is not the latest, is accepted or was rejected with other
    data.
    """
    require_open(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    require_customer(context, command.rejected_by)
    if last.accepted:
        raise Refused("submission-accepted", f"submission {command.submission} is accepted")
    day = command.rejected_on or (last.rejected.rejected_on if last.rejected else None)
    event = DeliverableRejected(
        deliverable=command.deliverable,
        submission=command.submission,
        rejected_by=command.rejected_by,
        why=command.why,
        rejected_on=_not_before_submission(last, day_of(context, day)),
    )
    sentence = f"submission {command.submission} was rejected with other data"
    yield from once(last.rejected, event, "already-recorded", sentence)


def _require_not_descoped(state: Engagement, deliverable: str) -> None:
    if deliverable in state.descoped:
        raise Refused(
            "deliverable-descoped", f"deliverable {deliverable} was removed by an amendment"
        )


def _latest(state: Engagement, deliverable: str, submission: int) -> Submission:
    last = state.submissions.get(deliverable)
    if last is None:
        raise Refused("deliverable-not-submitted", f"deliverable {deliverable} was not submitted")
    newest = last.submitted.submission
    if submission != newest:
        sentence = f"the latest submission of {deliverable} is {newest}, not {submission}"
        raise Refused("submission-superseded", sentence)
    return last


def _not_before_submission(last: Submission, day: date) -> date:
    if day < last.submitted.submitted_on:
        raise Refused(
            "date-before-submission", f"it was submitted on {last.submitted.submitted_on}"
        )
    return day
