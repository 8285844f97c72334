"""Events that Legal publishes: documents drafted, approved and signed, and contracts terminated.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from typing import Literal

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.money import ItemMoney, PositiveTotal
from contracts.values import (
    AccountId,
    BillingItem,
    ContentHash,
    Day,
    Days,
    Deliverable,
    Hours,
    Identifier,
    Party,
    PersonId,
    Pricing,
    RoleRate,
    ShortText,
    Signatory,
    Text,
    Version,
)


class FileOpened(Event, channel=LEGAL):
    """Legal opened its file of the engagement.

    Published by Legal, without a command when the deal is won.
    """

    account: AccountId
    """Id of the customer's organisation."""
    title: ShortText


class NdaSigned(Event, channel=LEGAL, consumed_by=("sales",)):
    """A non-disclosure agreement (NDA) was signed by both parties; it replaces an earlier one.

    Published by Legal.
    """

    signed_on: Day
    expires_on: Day | None = None
    """Last day of the agreement; null where it does not expire."""


class MsaSigned(Event, channel=LEGAL, consumed_by=("sales",)):
    """A master services agreement (MSA) was signed by both parties; it replaces an earlier one.

    Published by Legal.
    """

    signed_on: Day
    expires_on: Day | None = None
    """Last day of the agreement; null where it does not expire."""


class SowDrafted(Event, channel=LEGAL, consumed_by=("delivery", "finance", "sales")):
    """A version of the statement of work (SOW) was drafted; it supersedes earlier versions.

    Published by Legal. The event is the whole document.
    """

    version: Version
    """Counts the versions of the statement of work from 1."""
    content_hash: ContentHash
    """SHA-256 of the document's canonical content: all other fields of this event."""
    proposal_version: Version
    """Version of the proposal that the customer accepted."""
    scope: Text
    deliverables: tuple[Deliverable, ...]
    price: PositiveTotal
    pricing: Pricing
    starts_on: Day
    finishes_on: Day
    billing_schedule: tuple[BillingItem, ...]
    """Entries whose amounts add up to the price."""
    rates: tuple[RoleRate, ...] = ()
    """Bill rates per hour."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""


class SowRedlined(Event, channel=LEGAL, consumed_by=("sales",)):
    """A party requested another wording of a clause of the statement of work.

    Published by Legal.
    """

    version: Version
    by: Party
    """Party that requested it."""
    clause: ShortText
    text: Text
    """Wording that the party wants."""


class SowApproved(Event, channel=LEGAL, consumed_by=("sales",)):
    """Legal approved a version of the statement of work that Delivery and Finance had approved.

    Published by Legal.
    """

    version: Version
    content_hash: ContentHash
    """Hash of the content that all three departments approved."""


class SowSentForSignature(Event, channel=LEGAL, consumed_by=("sales",)):
    """The approved version of the statement of work was sent to both parties for signature.

    Published by Legal.
    """

    version: Version
    content_hash: ContentHash
    sent_on: Day


class SowSignatureRecorded(Event, channel=LEGAL):
    """One party signed a version of the statement of work. Published by Legal."""

    version: Version
    content_hash: ContentHash
    """Hash of the content that was signed."""
    signatory: Signatory


class SowSigned(Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """Both parties signed the statement of work, which is now the contract. Published by Legal."""

    version: Version
    content_hash: ContentHash
    """Hash of the content that was signed."""
    signatories: tuple[Signatory, ...]
    signed_on: Day
    """Day of the later signature."""


class EarlyStartAuthorised(Event, channel=LEGAL, consumed_by=("delivery", "finance")):
    """Work before the signature was authorised, up to a number of hours and a day.

    Published by Legal. The hours of several authorisations add up.
    """

    cap_hours: Hours
    """Hours that may be worked under this authorisation."""
    expires_on: Day
    """Last day of the authorisation (UTC)."""
    reason: ShortText


class EarlyStartExpired(Event, channel=LEGAL):
    """Early-start authorisations expired before the statement of work was signed.

    Published by Legal, one event for all authorisations with the same last day.
    """

    expired_on: Day
    """Last day of the authorisations (UTC)."""


class AmendmentDrafted(
    Event,
    channel=LEGAL,
    consumed_by=(
        "sales",
        "delivery",
    ),
):
    """The amendment of the contract for one change order was drafted, for the first time or anew.

    Published by Legal, also without a command: when the change is approved and priced, and when an
    unsigned draft no longer fits the change or the contract's finish. The latest draft of an
    amendment replaces earlier ones. The event is the whole document.
    """

    amendment: Identifier
    change: Identifier
    """Id of the change order."""
    content_hash: ContentHash
    """SHA-256 of the document's canonical content: all other fields of this event."""
    price_delta: ItemMoney
    """Amount added to the price of the contract; negative for a reduction."""
    finishes_on: Day
    """New finish of the contract."""
    scope_delta: Text
    """Change of the scope, in words."""
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()
    """Ids of deliverables that are no longer delivered."""
    billing_schedule: tuple[BillingItem, ...] = ()
    """Entries added to the billing schedule; they add up to `price_delta`, or are none if it is
    zero or negative."""


class AmendmentSigned(Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """Both parties signed an amendment of the contract. Contains all that it changes.

    Published by Legal.
    """

    amendment: Identifier
    change: Identifier
    """Id of the change order."""
    content_hash: ContentHash
    """Hash of the content that was signed: that of its amendment-drafted event."""
    price_delta: ItemMoney
    """Amount added to the price of the contract; negative for a reduction."""
    finishes_on: Day
    """New finish of the contract."""
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()
    """Ids of deliverables that are no longer delivered."""
    billing_schedule: tuple[BillingItem, ...] = ()
    """Entries added to the billing schedule."""
    signatories: tuple[Signatory, ...]
    signed_on: Day
    """Day of the later signature."""


class EngagementTerminated(Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """The contract was terminated before the work was finished. Published by Legal."""

    reason: Literal["convenience", "breach", "insolvency", "mutual"]
    comment: Text | None = None
    terminated_on: Day
    """Last day of the contract."""
    decided_by: PersonId | None = None
