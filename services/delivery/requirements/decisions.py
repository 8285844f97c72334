"""Submit the business requirements document and record the customer's sign-off."""

from collections.abc import Iterator

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.delivery import BrdSignedOff, BrdSubmitted
from contracts.event import Event
from contracts.values import Day, PersonId, Version
from delivery.documents import Paper
from delivery.policies import day_of, once, require_customer, require_open
from delivery.state import Engagement, decide


class SubmitBrd(Paper):
    """Send the next version of the business requirements document to the customer."""


class SignOffBrd(Command):
    """Record that a person of the customer signed off the newest version of the requirements."""

    version: Version
    signed_by: PersonId
    signed_on: Day | None = None


@decide.on(SubmitBrd)
def submit_brd(state: Engagement, command: SubmitBrd, context: Context) -> Iterator[Event]:
    """Submit the document with the next version number, unless its content is unchanged."""
    require_open(state)
    content_hash = command.hashed("business-requirements")
    if state.brd is None or state.brd.content_hash != content_hash:
        version = state.brd.version + 1 if state.brd else 1
        yield BrdSubmitted(version=version, content_hash=content_hash)


@decide.on(SignOffBrd)
def sign_off_brd(state: Engagement, command: SignOffBrd, context: Context) -> Iterator[Event]:
    """Record the sign-off, with the content hash of the version that was submitted.

    Raises Refused where the version was not submitted, is superseded, or was signed off with other
    data, or where the signatory belongs to the company.
    """
    require_open(state)
    if state.brd is None or command.version > state.brd.version:
        raise Refused("brd-unknown", f"version {command.version} was not submitted")
    if command.version < state.brd.version:
        sentence = f"requirements {command.version} are superseded by {state.brd.version}"
        raise Refused("brd-superseded", sentence)
    require_customer(context, command.signed_by)
    known = state.brd_signed_off.get(command.version)
    event = BrdSignedOff(
        version=command.version,
        content_hash=state.brd.content_hash,
        signed_by=command.signed_by,
        signed_on=day_of(context, command.signed_on or (known.signed_on if known else None)),
    )
    sentence = f"version {command.version} was signed off with other data"
    yield from once(known, event, "already-recorded", sentence)
