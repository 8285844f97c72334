"""Define the events of the statement of work and of its redlines."""

from typing import ClassVar, Literal

from contracts.channels import LEGAL
from contracts.documents import STATEMENT_OF_WORK, DocumentHead
from contracts.event import Event
from contracts.lines import ContractLines
from contracts.money import PositiveMoney, PositiveTotal
from contracts.values import (
    ContentHash,
    Day,
    Days,
    Identifier,
    Party,
    ShortText,
    SomeDeliverables,
    Text,
    Value,
    Version,
)


class SowVersion(Value):
    """A version of the statement of work, identified by the hash of its content."""

    version: Version
    """Counts the versions of the statement of work from 1."""
    content_hash: ContentHash
    """SHA-256 of the document's canonical content: all other fields of its sow-drafted event."""


class AcceptanceTerms(Value):
    """Terms by which a deliverable is accepted."""

    deemed_after_days: Days | None = None
    """Calendar days after a submission without an answer until it counts as accepted.

    Null where a deliverable is never accepted without an answer.
    """
    criteria: Text = "Accepted in writing by the customer."
    """Conditions under which a deliverable is accepted."""


class SowTerms(Value):
    """The terms of a statement of work."""

    scope: Text
    """The work that is agreed, in words."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    lines: ContractLines
    """Lines with billing schedules that add up to their prices."""
    starts_on: Day
    """First day of the work."""
    finishes_on: Day
    """Agreed last day of the work."""
    effective_on: Day
    """First day of the work that the contract covers; it may be before the signature."""
    acceptance_terms: AcceptanceTerms = AcceptanceTerms()
    """Terms by which deliverables are accepted."""
    cost_of_delay_per_day: PositiveMoney | None = None
    """Amount per calendar day of delay; null where the parties agreed none."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""


class SowDrafted(
    SowTerms,
    DocumentHead,
    SowVersion,
    Event,
    channel=LEGAL,
    consumed_by=("delivery", "finance", "sales"),
):
    """A version of the statement of work (SOW) was drafted; it supersedes earlier versions.

    Published by Legal. The event is the whole document.
    """

    document_kind: ClassVar[str] = STATEMENT_OF_WORK

    proposal_version: Version
    """Version of the proposal that the customer accepted."""
    price: PositiveTotal
    """Sum of the lines."""


class Redline(Value):
    """The wording that a party wants for a clause of the statement of work."""

    version: Version
    """Version of the statement of work."""
    by: Party
    """Party that requested it."""
    clause: ShortText
    """Clause that is to be changed."""
    text: Text
    """Wording that the party wants."""


class SowRedlined(Redline, Event, channel=LEGAL, consumed_by=("sales",)):
    """A party requested another wording of a clause of the statement of work.

    Published by Legal.
    """

    redline: Identifier
    """Id of the redline within the engagement."""


class RedlineResolution(Value):
    """Resolution of a redline."""

    redline: Identifier
    """Id of the redline within the engagement."""
    outcome: Literal["accepted", "rejected", "withdrawn"]
    """`accepted`: the next version of the statement of work contains the wording."""
    note: Text | None = None
    """Reason, or the wording that was agreed instead; null where neither is given."""


class RedlineResolved(RedlineResolution, Event, channel=LEGAL, consumed_by=("sales",)):
    """The parties resolved a redline of the statement of work. Published by Legal."""

    resolved_on: Day
    """Day on which it was resolved."""


class SowApproved(SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """Legal approved a version of the statement of work that Delivery and Finance had approved.

    Published by Legal.
    """
