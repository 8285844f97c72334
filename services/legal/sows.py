"""Decide on the statement of work: draft, redline, approve, send, sign its latest version.

After an objection, Legal drafts the next version.
"""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.documents import STATEMENT_OF_WORK, UNSEALED, seal
from contracts.event import Event
from contracts.legal import (
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.money import PositiveTotal
from contracts.sales import DealWon
from contracts.values import (
    BillingItem,
    ContentHash,
    Day,
    Days,
    Deliverable,
    Party,
    PersonId,
    Pricing,
    RoleRate,
    ShortText,
    Signatory,
    Text,
    Version,
    days_after,
)
from legal.billing_terms import repeated, schedule_faults
from legal.early_start import lapsed
from legal.state import REVIEWERS, Engagement, Sow, decide, require_open, require_past


class DraftSow(Command):
    """Draft the next version of the statement of work.

    Fields that are not given are taken from the won deal. The previous version is superseded; its
    reviews, approval and signatures do not count for the new one. A signed contract is changed by
    amendments instead.
    """

    scope: Text
    deliverables: Annotated[tuple[Deliverable, ...], Field(min_length=1, max_length=200)] | None = (
        None
    )
    price: PositiveTotal | None = None
    pricing: Pricing | None = None
    starts_on: Day | None = None
    finishes_on: Day | None = None
    billing_schedule: Annotated[tuple[BillingItem, ...], Field(max_length=500)] | None = None
    rates: Annotated[tuple[RoleRate, ...], Field(max_length=200)] | None = None
    payment_terms_days: Days | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.starts_on and self.finishes_on and self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class RedlineSow(Command):
    """Record that a party wants to change a clause of the latest version."""

    version: Version
    by: Party
    clause: ShortText
    text: Text


class ApproveSow(Command):
    """Approve the latest version for Legal, after Delivery and Finance approved it."""

    version: Version


class SendSow(Command):
    """Record that the approved latest version was sent to both parties for signature.

    `sent_on` is today (UTC) unless given.
    """

    version: Version
    sent_on: Day | None = None


class RecordSignature(Command):
    """Record that a person signed for a party, today (UTC) unless a day is given.

    `content_hash` is that of the signed document. With the signatures of both parties the statement
    of work becomes the contract, dated by the later signature. One party may sign before sending;
    the later signature cannot be before the document was sent.
    """

    party: Party
    person: PersonId
    content_hash: ContentHash
    signed_on: Day | None = None


@decide.on(DraftSow)
def draft_sow(state: Engagement, command: DraftSow, context: Context) -> Iterator[Event]:
    """Draft the next version; a draft with the terms of the latest one changes nothing.

    Raises Refused where the deal is not won, the contract is signed, or the terms are inconsistent.
    """
    require_open(state)
    _require_unsigned(state, "draft an amendment instead")
    if state.won is None:
        raise Refused("deal-not-won", "Sales has not won this deal: there is nothing to contract")
    drafted = _drafted(command, state.won, len(state.sows) + 1)
    gate("sow-inconsistent", _faults(drafted))
    if state.latest and _same_terms(state.latest.drafted, drafted):
        return
    yield drafted


@decide.on(RedlineSow)
def redline_sow(state: Engagement, command: RedlineSow, context: Context) -> Iterator[Event]:
    """Record the redline once; raises Refused unless the version is the latest and not signed."""
    require_open(state)
    sow = _latest(state, command.version)
    redline = SowRedlined(
        version=command.version, by=command.by, clause=command.clause, text=command.text
    )
    if redline in sow.redlines:
        return
    _require_unsigned(state, "a change to it goes through change control")
    yield redline


@decide.on(ApproveSow)
def approve_sow(state: Engagement, command: ApproveSow, context: Context) -> Iterator[Event]:
    """Approve for Legal (gate 2), if Delivery and Finance approved exactly this content."""
    require_open(state)
    sow = _latest(state, command.version)
    if sow.approved:
        return
    gate("sow-not-approved", missing_approvals(sow))
    yield SowApproved(version=command.version, content_hash=sow.drafted.content_hash)


@decide.on(SendSow)
def send_sow(state: Engagement, command: SendSow, context: Context) -> Iterator[Event]:
    """Record the sending, if Legal, Delivery and Finance approve the version at this time.

    Raises Refused where an approval is missing, or the day is in the future, before the approval or
    differs from the one recorded.
    """
    require_open(state)
    sow = _latest(state, command.version)
    day = command.sent_on or sow.sent_on or context.today
    if sow.sent_on == day:
        return
    if sow.sent_on:
        raise Refused("sow-sent", f"version {command.version} was sent on {sow.sent_on}")
    legal = Missing(
        "legal-approval-missing", f"Legal has not approved version {command.version} yet", "legal"
    )
    gate("sow-not-approved", [None if sow.approved else legal, *missing_approvals(sow)])
    require_past(day, context.today, f"version {command.version} was sent")
    if sow.approved_on and day < sow.approved_on:
        raise Refused(
            "date-before-approval",
            f"version {command.version} was approved on {sow.approved_on}, not sent on {day}",
        )
    yield SowSentForSignature(
        version=command.version, content_hash=sow.drafted.content_hash, sent_on=day
    )


@decide.on(RecordSignature)
def record_signature(
    state: Engagement, command: RecordSignature, context: Context
) -> Iterator[Event]:
    """Record the signature (gate 2); with the second one the statement of work is signed.

    Raises Refused unless the content is the latest version, was sent, and is still approved by
    Delivery and Finance; also where another signature of the party is recorded, the day is in the
    future, or both signatures are more than a day before the sending.
    """
    require_open(state)
    sow = _signed_version(state, command.content_hash)
    version, earlier = sow.drafted.version, sow.signatory(command.party)
    day = command.signed_on or (earlier.signed_on if earlier else context.today)
    signatory = Signatory(party=command.party, person=command.person, signed_on=day)
    if earlier == signatory:
        return
    if earlier:
        raise Refused(
            "party-signed",
            f"{earlier.person} signed version {version} for the {earlier.party}"
            f" on {earlier.signed_on}",
        )
    require_past(day, context.today, f"the {command.party} signed")
    gate("sow-not-approved", missing_approvals(sow))
    content_hash, signatories = sow.drafted.content_hash, (*sow.signatories, signatory)
    signed_on = max(each.signed_on for each in signatories)
    # One day earlier is accepted: west of UTC it may still be the day before.
    if sow.signatories and sow.sent_on and signed_on < days_after(sow.sent_on, -1):
        raise Refused(
            "date-before-sending",
            f"version {version} was sent on {sow.sent_on}: both cannot have signed by {signed_on}",
        )
    yield SowSignatureRecorded(version=version, content_hash=content_hash, signatory=signatory)
    if sow.signatories:
        yield from lapsed(state, signed_on)
        yield SowSigned(
            version=version,
            content_hash=content_hash,
            signatories=signatories,
            signed_on=signed_on,
        )


def missing_approvals(sow: Sow) -> Iterator[Missing]:
    """Yield each missing approval of another department, with the reason of an objection."""
    version = sow.drafted.version
    for reviewer in REVIEWERS:
        review, name = sow.reviews.get(reviewer), reviewer.capitalize()
        if review is None:
            yield Missing(
                "delivery-review-missing" if reviewer == "delivery" else "finance-review-missing",
                f"{name} has not reviewed version {version}",
                reviewer,
            )
        elif review.verdict == "objected":
            why = review.why or "no reason given"
            yield Missing(
                "delivery-objected" if reviewer == "delivery" else "finance-objected",
                f"{name} objected to version {version}: {why}",
                "legal",
            )
        elif review.content_hash != sow.drafted.content_hash:
            yield Missing(
                "delivery-approved-other-content"
                if reviewer == "delivery"
                else "finance-approved-other-content",
                f"{name} approved content that differs from version {version}",
                reviewer,
            )


def _drafted(command: DraftSow, won: DealWon, version: int) -> SowDrafted:
    def given_or_won(name: str) -> object:
        value = getattr(command, name)
        return getattr(won, name) if value is None else value

    terms = {name: given_or_won(name) for name in DraftSow.model_fields if name != "scope"}
    return seal(
        STATEMENT_OF_WORK,
        SowDrafted.model_validate(
            {
                "version": version,
                "content_hash": UNSEALED,
                "proposal_version": won.proposal_version,
                "scope": command.scope,
                **terms,
            }
        ),
    )


def _faults(sow: SowDrafted) -> Iterator[Missing]:
    document = f"version {sow.version}"
    if sow.finishes_on < sow.starts_on:
        yield Missing(
            "finish-before-start", f"{document} finishes on {sow.finishes_on}, before it starts"
        )
    if any(rate.rate.currency != sow.price.currency for rate in sow.rates):
        yield Missing(
            "currency-differs", f"the rates of {document} must be in {sow.price.currency}"
        )
    deliverables = [part.deliverable for part in sow.deliverables]
    for each in repeated(deliverables):
        yield Missing("id-repeated", f"deliverable {each} appears more than once in {document}")
    yield from schedule_faults(sow.billing_schedule, sow.price, deliverables, document)


def _same_terms(one: SowDrafted, other: SowDrafted) -> bool:
    numbering = {"version": other.version, "content_hash": other.content_hash}
    return one.model_copy(update=numbering) == other


def _require_unsigned(state: Engagement, instead: str) -> None:
    if state.contract:
        raise Refused(
            "sow-signed",
            f"the statement of work was signed on {state.contract.signed_on}: {instead}",
        )


def _latest(state: Engagement, version: int) -> Sow:
    """Return the version; raises Refused unless it is the latest."""
    sow = state.latest
    if sow is None or version > sow.drafted.version:
        raise Refused("sow-unknown", f"version {version} has not been drafted")
    if version < sow.drafted.version:
        raise _superseded(version, sow.drafted.version)
    return sow


def _signed_version(state: Engagement, content_hash: str) -> Sow:
    """Return the version with this hash; raises Refused unless it is the latest and was sent."""
    sow = state.latest
    if sow is None:
        raise Refused("sow-unknown", "no version of the statement of work has been drafted")
    if content_hash != sow.drafted.content_hash:
        for earlier in state.sows:
            if earlier.drafted.content_hash == content_hash:
                raise _superseded(earlier.drafted.version, sow.drafted.version)
        raise Refused(
            "content-differs",
            f"the signed content ({content_hash}) is not version {sow.drafted.version}"
            f" ({sow.drafted.content_hash})",
        )
    if sow.sent_on is None:
        raise Refused(
            "sow-not-sent", f"version {sow.drafted.version} has not been sent for signature"
        )
    return sow


def _superseded(version: int, latest: int) -> Refused:
    return Refused("sow-superseded", f"version {version} was superseded by version {latest}")
