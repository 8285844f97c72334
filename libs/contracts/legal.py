"""Events that Legal publishes: documents drafted, approved and signed, and contracts terminated.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.money import ItemMoney, PositiveTotal
from contracts.questions import AnsweredQuestion, AskedQuestion
from contracts.values import (
    AccountId,
    BillingItem,
    ContentHash,
    Day,
    Days,
    Deliverable,
    DistinctBy,
    Hours,
    Identifier,
    Party,
    PersonId,
    Pricing,
    RoleRates,
    ShortText,
    Signatory,
    SomeDeliverables,
    Text,
    Value,
    Version,
)
from contracts.vocabularies import OPEN, Unlisted

BillingSchedule = Annotated[tuple[BillingItem, ...], Field(max_length=500), DistinctBy("item")]
"""Entries of a billing schedule with different ids, at most 500."""


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


class SowDrafted(SowVersion, Event, channel=LEGAL, consumed_by=("delivery", "finance", "sales")):
    """A version of the statement of work (SOW) was drafted; it supersedes earlier versions.

    Published by Legal. The event is the whole document.
    """

    proposal_version: Version
    """Version of the proposal that the customer accepted."""
    scope: Text
    """The work that is agreed, in words."""
    deliverables: SomeDeliverables
    """Deliverables that the customer receives."""
    price: PositiveTotal
    """Price of the contract."""
    pricing: Pricing
    """Rule by which the price is determined."""
    starts_on: Day
    """First day of the work."""
    finishes_on: Day
    """Agreed last day of the work."""
    billing_schedule: BillingSchedule
    """Entries whose amounts add up to the price."""
    rates: RoleRates = ()
    """Bill rates per hour."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""


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


class SowSigned(SowVersion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """Both parties signed the statement of work, which is now the contract. Published by Legal."""

    signatories: tuple[Signatory, ...]
    """The signatures, one of each party."""
    signed_on: Day
    """Day of the later signature."""


class EarlyStart(Value):
    """An authorisation to work before the signature, up to a number of hours and a day."""

    cap_hours: Annotated[Hours, Field(gt=0)]
    """Hours that may be worked under this authorisation."""
    expires_on: Day
    """Last day of the authorisation (UTC)."""
    reason: ShortText
    """Reason for starting before the signature."""


class EarlyStartAuthorised(EarlyStart, Event, channel=LEGAL, consumed_by=("delivery", "finance")):
    """Work before the signature was authorised, up to a number of hours and a day.

    Published by Legal. The hours of several authorisations add up.
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
    price_delta: ItemMoney
    """Amount added to the price of the contract; negative for a reduction."""
    finishes_on: Day
    """New finish of the contract."""
    deliverables_added: tuple[Deliverable, ...] = ()
    """Deliverables that come in addition."""
    deliverables_descoped: tuple[Identifier, ...] = ()
    """Ids of deliverables that are no longer delivered."""
    billing_schedule: tuple[BillingItem, ...] = ()
    """Entries added to the billing schedule; they add up to `price_delta`, or are none if it is
    zero or negative."""


class AmendmentDrafted(AmendmentTerms, Event, channel=LEGAL, consumed_by=("sales", "delivery")):
    """The amendment of the contract for one change order was drafted, for the first time or anew.

    Published by Legal, also without a command: when the change is approved and priced, and when an
    unsigned draft no longer fits the change or the contract's finish. The latest draft of an
    amendment replaces earlier ones. The event is the whole document.
    """

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
