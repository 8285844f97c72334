"""What Legal says: papers drafted, approved, signed, amended, ended."""

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
    """Legal keeps a file for this engagement from now on."""

    account: AccountId
    title: ShortText


class NdaSigned(Event, channel=LEGAL, heard_by=("sales",)):
    """The non-disclosure agreement binds both parties until it expires."""

    signed_on: Day
    expires_on: Day | None = None


class MsaSigned(Event, channel=LEGAL, heard_by=("sales",)):
    """The master services agreement binds both parties."""

    signed_on: Day
    expires_on: Day | None = None


class SowDrafted(Event, channel=LEGAL, heard_by=("delivery", "finance", "sales")):
    """A version of the statement of work; the hash is of its content in canonical form."""

    version: Version
    content_hash: ContentHash
    proposal_version: Version
    scope: Text
    deliverables: tuple[Deliverable, ...]
    price: PositiveTotal
    pricing: Pricing
    starts_on: Day
    finishes_on: Day
    billing_schedule: tuple[BillingItem, ...]
    rates: tuple[RoleRate, ...] = ()
    payment_terms_days: Days


class SowRedlined(Event, channel=LEGAL, heard_by=("sales",)):
    """A party wants a clause of this version to read otherwise."""

    version: Version
    by: Party
    clause: ShortText
    text: Text


class SowApproved(Event, channel=LEGAL, heard_by=("sales",)):
    """Legal, Delivery and Finance approved exactly this content."""

    version: Version
    content_hash: ContentHash


class SowSentForSignature(Event, channel=LEGAL, heard_by=("sales",)):
    """The approved version is with both parties to sign."""

    version: Version
    content_hash: ContentHash
    sent_on: Day


class SowSignatureRecorded(Event, channel=LEGAL):
    """One party signed this version; the hash is of what it signed."""

    version: Version
    content_hash: ContentHash
    signatory: Signatory


class SowSigned(Event, channel=LEGAL, heard_by=("sales", "delivery", "finance")):
    """Both parties signed: this is the contract, dated by the later signature."""

    version: Version
    content_hash: ContentHash
    signatories: tuple[Signatory, ...]
    signed_on: Day


class EarlyStartAuthorised(Event, channel=LEGAL, heard_by=("delivery", "finance")):
    """Work may begin before the signature, at own risk, up to these hours and to this day."""

    cap_hours: Hours
    expires_on: Day
    reason: ShortText


class EarlyStartExpired(Event, channel=LEGAL):
    """The early-start authorisation ran out unsigned; `expired_on` was its last day."""

    expired_on: Day


class AmendmentDrafted(
    Event,
    channel=LEGAL,
    heard_by=(
        "sales",
        "delivery",
    ),
):
    """The contract's side of one change order: what it adds to price, dates, scope and billing.

    `price_delta` is signed. `billing_schedule` lists the entries it adds, summing to the delta.
    """

    amendment: Identifier
    change: Identifier
    content_hash: ContentHash
    price_delta: ItemMoney
    finishes_on: Day
    scope_delta: Text
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()
    billing_schedule: tuple[BillingItem, ...] = ()


class AmendmentSigned(Event, channel=LEGAL, heard_by=("sales", "delivery", "finance")):
    """Both parties signed the amendment; what it changes stands here whole again."""

    amendment: Identifier
    change: Identifier
    content_hash: ContentHash
    price_delta: ItemMoney
    finishes_on: Day
    deliverables_added: tuple[Deliverable, ...] = ()
    deliverables_descoped: tuple[Identifier, ...] = ()
    billing_schedule: tuple[BillingItem, ...] = ()
    signatories: tuple[Signatory, ...]
    signed_on: Day


class EngagementTerminated(Event, channel=LEGAL, heard_by=("sales", "delivery", "finance")):
    """The contract ended before its work did."""

    reason: Literal["convenience", "breach", "insolvency", "mutual"]
    comment: Text | None = None
    terminated_on: Day
    decided_by: PersonId | None = None
