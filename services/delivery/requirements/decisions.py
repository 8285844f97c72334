"""Submit the business requirements document and record the customer's sign-off."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.documents import DocumentCommand
from chassis.domain.rules import same_day, unless_recorded
from contracts.delivery import BrdSignedOff, BrdSignOff, BrdSubmitted
from contracts.event import Event
from contracts.values import Day
from delivery.documents import text_document
from delivery.engagement import Engagement
from delivery.policies import recorded_for, require_customer, require_open
from delivery.requirements import work_items
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SubmitBrd(DocumentCommand):
    """Send the next version of the business requirements document to the customer."""


class SignOffBrd(BrdSignOff, Command):
    """Record that a signatory of the customer signed off the newest version of the requirements."""

    signed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SubmitBrd, by=WORKERS)
def submit_brd(state: Engagement, command: SubmitBrd, context: Context) -> Iterable[Event]:
    """Submit the document with the next version number, unless its content is unchanged.

    Raises Refused where the unchanged content was signed off already.
    """
    require_open(state)
    newest = state.requirements.submitted
    content_hash, kept = text_document(state, command, "business-requirements")
    signed = state.requirements.signed_off.get(newest.version) if newest else None
    if signed and signed.content_hash == content_hash:
        sentence = f"this content was signed off on {signed.signed_on}, as version {signed.version}"
        raise Refused("brd-signed-off", sentence)
    if newest is None or newest.content_hash != content_hash:
        version = newest.version + 1 if newest else 1
        yield BrdSubmitted(version=version, content_hash=content_hash)
        yield from kept


@capability.decide(SignOffBrd, by=MANAGERS)
def sign_off_brd(state: Engagement, command: SignOffBrd, context: Context) -> Iterable[Event]:
    """Record the sign-off, with the content hash of the version that was submitted.

    Raises Refused where the version was not submitted, is superseded, or was signed off with other
    data, or where the person is no signatory of the account.
    """
    require_open(state)
    version, newest = command.version, state.requirements.submitted
    if newest is None or version > newest.version:
        raise Refused("brd-unknown", f"version {version} was not submitted")
    if version < newest.version:
        sentence = f"requirements {version} are superseded by {newest.version}"
        raise Refused("brd-superseded", sentence)
    known = state.requirements.signed_off.get(version)
    day = same_day("signed_on", command, known, context)
    if known is None:
        require_customer(state, "signed_by", command.signed_by, context, "signatory", on=day)
    event = BrdSignedOff(
        **{
            **dict(command),
            "content_hash": newest.content_hash,
            "signed_on": day,
            "recorded_for": recorded_for(context, command.signed_by),
        }
    )
    yield from unless_recorded(known, event, f"the sign-off of version {version}")


class RequirementsView(ViewModel):
    """Newest version of the requirements, and every version that was signed off."""

    submitted: BrdSubmitted | None
    signed_off: tuple[BrdSignedOff, ...]


class RequirementsFields(ViewModel):
    """The requirements in the view of an engagement."""

    requirements: RequirementsView


@capability.view
def requirements_view(state: Engagement) -> RequirementsFields:
    """Return the requirements for the view of an engagement."""
    requirements = state.requirements
    return RequirementsFields(
        requirements=RequirementsView(
            submitted=requirements.submitted, signed_off=tuple(requirements.signed_off.values())
        )
    )
