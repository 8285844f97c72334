"""Acceptance: what the customer gets, and what the customer says to it."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.decider import Command, Context, Refused
from contracts.delivery import DeliverableAccepted, DeliverableRejected, DeliverableSubmitted
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId, Text, Version
from delivery.gates import at_work, day_of, of_the_customer, once, standing
from delivery.papers import Paper
from delivery.state import Engagement, Submission, decide


class SubmitDeliverable(Paper):
    """Send a deliverable to the customer for acceptance, the first time or again."""

    deliverable: Identifier
    submitted_on: Day | None = None


class AcceptDeliverable(Command):
    """Record that the customer's person accepted the latest submission of a deliverable."""

    deliverable: Identifier
    submission: Version
    accepted_by: PersonId
    accepted_on: Day | None = None


class RejectDeliverable(Command):
    """Record that the customer's person did not accept the latest submission, and why."""

    deliverable: Identifier
    submission: Version
    rejected_by: PersonId
    why: Text
    rejected_on: Day | None = None


@decide.on(SubmitDeliverable)
def submit_deliverable(
    state: Engagement, command: SubmitDeliverable, context: Context
) -> Iterator[Event]:
    """Submissions count up; the same content is not sent twice while it waits."""
    at_work(state)
    name = command.deliverable
    _agreed_still(state, name)
    if name not in state.owed:
        raise Refused("unknown-deliverable", f"deliverable {name} is neither agreed nor planned")
    content_hash = command.hashed("deliverable")
    last = state.submissions.get(name)
    if last and not last.rejected and last.submitted.content_hash == content_hash:
        return
    if last and last.accepted:
        raise Refused("already-accepted", f"deliverable {name} is accepted already")
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
    """A submission is decided once; what was submitted before a termination may be accepted.

    What an amendment took out is not: its acceptance would let it be billed.
    """
    standing(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    of_the_customer(context, command.accepted_by)
    if last.accepted is None:
        _agreed_still(state, command.deliverable)
    if last.rejected:
        raise Refused("already-rejected", f"submission {command.submission} is rejected")
    day = command.accepted_on or (last.accepted.accepted_on if last.accepted else None)
    event = DeliverableAccepted(
        deliverable=command.deliverable,
        submission=command.submission,
        accepted_by=command.accepted_by,
        accepted_on=_after(last, day_of(context, day)),
    )
    sentence = f"submission {command.submission} was accepted otherwise"
    yield from once(last.accepted, event, "already-accepted", sentence)


@decide.on(RejectDeliverable)
def reject_deliverable(
    state: Engagement, command: RejectDeliverable, context: Context
) -> Iterator[Event]:
    """A submission is decided once; the next one may be."""
    standing(state, after_termination=True)
    last = _latest(state, command.deliverable, command.submission)
    of_the_customer(context, command.rejected_by)
    if last.accepted:
        raise Refused("already-accepted", f"submission {command.submission} is accepted")
    day = command.rejected_on or (last.rejected.rejected_on if last.rejected else None)
    event = DeliverableRejected(
        deliverable=command.deliverable,
        submission=command.submission,
        rejected_by=command.rejected_by,
        why=command.why,
        rejected_on=_after(last, day_of(context, day)),
    )
    sentence = f"submission {command.submission} was rejected otherwise"
    yield from once(last.rejected, event, "already-rejected", sentence)


def _agreed_still(state: Engagement, deliverable: str) -> None:
    if deliverable in state.descoped:
        raise Refused("descoped", f"deliverable {deliverable} was taken out by an amendment")


def _latest(state: Engagement, deliverable: str, submission: int) -> Submission:
    last = state.submissions.get(deliverable)
    if last is None:
        raise Refused("not-submitted", f"deliverable {deliverable} was not submitted")
    newest = last.submitted.submission
    if submission != newest:
        sentence = f"the latest submission of {deliverable} is {newest}, not {submission}"
        raise Refused("not-the-latest-submission", sentence)
    return last


def _after(last: Submission, day: date) -> date:
    if day < last.submitted.submitted_on:
        raise Refused("before-submission", f"it was submitted on {last.submitted.submitted_on}")
    return day
