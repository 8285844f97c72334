"""Requirements: what the customer needs, in a document the customer signs off."""

from collections.abc import Iterator

from chassis.domain.decider import Command, Context, Refused
from contracts.delivery import BrdSignedOff, BrdSubmitted
from contracts.event import Event
from contracts.values import Day, PersonId, Version
from delivery.gates import day_of, of_the_customer, once, standing
from delivery.papers import Paper
from delivery.state import Engagement, decide


class SubmitBrd(Paper):
    """Send the next version of the business requirements document to the customer."""


class SignOffBrd(Command):
    """Record that the customer's person signed off the newest version of the requirements."""

    version: Version
    signed_by: PersonId
    signed_on: Day | None = None


@decide.on(SubmitBrd)
def submit_brd(state: Engagement, command: SubmitBrd, context: Context) -> Iterator[Event]:
    """Versions count up; content that was sent already is not sent again."""
    standing(state)
    content_hash = command.hashed("business-requirements")
    if state.brd is None or state.brd.content_hash != content_hash:
        version = state.brd.version + 1 if state.brd else 1
        yield BrdSubmitted(version=version, content_hash=content_hash)


@decide.on(SignOffBrd)
def sign_off_brd(state: Engagement, command: SignOffBrd, context: Context) -> Iterator[Event]:
    """What is signed has the hash of what was submitted."""
    standing(state)
    if state.brd is None or command.version > state.brd.version:
        raise Refused("unknown-brd", f"version {command.version} was not submitted")
    if command.version < state.brd.version:
        sentence = f"requirements {command.version} are superseded by {state.brd.version}"
        raise Refused("superseded", sentence)
    of_the_customer(context, command.signed_by)
    known = state.brd_signed_off.get(command.version)
    event = BrdSignedOff(
        version=command.version,
        content_hash=state.brd.content_hash,
        signed_by=command.signed_by,
        signed_on=day_of(context, command.signed_on or (known.signed_on if known else None)),
    )
    sentence = f"version {command.version} was signed off otherwise"
    yield from once(known, event, "already-signed-off", sentence)
