"""Events that Legal publishes: documents drafted, approved and signed, and contracts terminated.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from contracts.channels import LEGAL
from contracts.documents import AMENDMENT, STATEMENT_OF_WORK, DocumentHead
from contracts.event import Event
from contracts.lines import ContractLines, LineChanges
from contracts.money import ItemMoney, PositiveMoney, PositiveTotal
from contracts.questions import AnsweredQuestion, AskedQuestion
from contracts.values import (
    AccountId,
    ContentHash,
    Day,
    Days,
    Deliverable,
    Hours,
    Identifier,
    Party,
    PersonId,
    ShortText,
    Signatory,
    SomeDeliverables,
    Text,
    Value,
    Version,
)
from contracts.vocabularies import OPEN, Unlisted


class FileOpened(Event, channel=LEGAL):
    """Legal opened its file of the engagement.

    Published by Legal, without a command when the deal is won.
    """

    account: AccountId
    """Id of the customer's organisation."""
    title: ShortText
    """Title of the opportunity."""


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
    """Amount per calendar day of delay, where the parties agreed one."""
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
    """Reason, or the wording that was agreed instead."""


class RedlineResolved(RedlineResolution, Event, channel=LEGAL, consumed_by=("sales",)):
    """The parties resolved a redline of the statement of work. Published by Legal."""

    resolved_on: Day
    """Day on which it was resolved."""


class SowApproved(SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """Legal approved a version of the statement of work that Delivery and Finance had approved.

    Published by Legal.
    """


class SowSentForSignature(SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """The approved version of the statement of work was sent to both parties for signature.

    Published by Legal.
    """

    sent_on: Day
    """Day on which it was sent."""


class SowSignatureRecorded(SowVersion, Event, channel=LEGAL):
    """One party signed a version of the statement of work. Published by Legal."""

    signatory: Signatory
    """The signature."""


class Declination(Value):
    """The refusal of a party to sign."""

    party: Party
    """Party that declined."""
    person: PersonId
    """Person who declined."""
    why: Text
    """Reason that was given."""


class SignatureDeclined(Declination, SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """A party declined to sign a version of the statement of work that was sent for signature.

    Published by Legal. The version is not out for signature any more until it is sent again.
    """

    declined_on: Day
    """Day on which the party declined."""


class SowSigned(SowVersion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """Both parties signed the statement of work, which is now the contract. Published by Legal."""

    signatories: tuple[Signatory, ...]
    """The signatures, one of each party."""
    signed_on: Day
    """Day of the later signature."""


class EarlyStart(Value):
    """An authorisation to work before the signature, up to a cap and a day.

    The cap is a number of hours, an amount at bill rates, or both; the first to be reached counts.
    """

    cap_hours: Annotated[Hours, Field(gt=0)] | None = None
    """Hours that may be worked under this authorisation; null where only an amount limits it."""
    cap_amount: PositiveMoney | None = None
    """Amount at bill rates that may be worked; null where only a number of hours limits it."""
    expires_on: Day
    """Last day of the authorisation (UTC)."""
    reason: ShortText
    """Reason for starting before the signature."""

    @model_validator(mode="after")
    def _capped(self) -> Self:
        if self.cap_hours is None and self.cap_amount is None:
            raise ValueError("cap_hours, cap_amount or both are required")
        return self


class EarlyStartAuthorised(EarlyStart, Event, channel=LEGAL, consumed_by=("delivery", "finance")):
    """Work before the signature was authorised, up to a number of hours or an amount, and a day.

    Published by Legal. The caps of several authorisations add up.
    """


class EarlyStartExpired(Event, channel=LEGAL):
    """Early-start authorisations expired before the statement of work was signed.

    Published by Legal, one event for all authorisations with the same last day.
    """

    expired_on: Day
    """Last day of the authorisations (UTC)."""


class AmendmentTerms(Value):
    """All that an amendment of the contract changes, with the hash of its content."""

    amendment: Identifier
    """Id of the amendment within the engagement."""
    change: Identifier
    """Id of the change order."""
    content_hash: ContentHash
    """SHA-256 of the document's canonical content: all other fields of its amendment-drafted
    event."""
    changes: LineChanges
    """Changes of the lines of the contract."""
    price_delta: ItemMoney
    """Sum of the price changes of the lines; negative for a reduction."""
    finishes_on: Day
    """New finish of the contract."""

    @property
    def deliverables_added(self) -> tuple[Deliverable, ...]:
        """Return the deliverables that any line adds."""
        return tuple(each for change in self.changes for each in change.deliverables_added)

    @property
    def deliverables_removed(self) -> tuple[Identifier, ...]:
        """Return the ids of the deliverables that any line takes away."""
        return tuple(each for change in self.changes for each in change.deliverables_removed)


class AmendmentDrafted(
    AmendmentTerms,
    DocumentHead,
    Event,
    channel=LEGAL,
    consumed_by=("sales", "delivery", "finance"),
):
    """The amendment of the contract for one change order was drafted, for the first time or anew.

    Published by Legal, also without a command: when the change is approved and priced, and when an
    unsigned draft no longer fits the change or the contract's finish. The latest draft of an
    amendment replaces earlier ones. The event is the whole document.
    """

    document_kind: ClassVar[str] = AMENDMENT

    scope_delta: Text
    """Change of the scope, in words."""


class AmendmentSigned(
    AmendmentTerms, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Both parties signed an amendment of the contract. Contains all that it changes.

    Published by Legal.
    """

    signatories: tuple[Signatory, ...]
    """The signatures, one of each party."""
    signed_on: Day
    """Day of the later signature."""


TerminationReason = Annotated[
    Literal["convenience", "breach", "insolvency", "mutual"] | Unlisted, OPEN
]


class Termination(Value):
    """Why a contract was terminated."""

    reason: TerminationReason
    """Reason of the end of the contract."""
    comment: Text | None = None
    """Further explanation."""


class EngagementTerminated(
    Termination, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """The contract was terminated before the work was finished. Published by Legal."""

    terminated_on: Day
    """Last day of the contract."""
    decided_by: PersonId | None = None
    """Person who decided; null where it is not known."""


class QuestionAsked(
    AskedQuestion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Legal asked another department or a contact of the customer a question.

    Published by Legal.
    """


class QuestionAnswered(
    AnsweredQuestion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Legal answered a question to it, or recorded the answer of a contact that it had asked.

    Published by Legal.
    """
