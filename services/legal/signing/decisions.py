"""Decide on sending and signing the statement of work, and show the contract that it becomes.

After a party declined to sign, a version is not out for signature until it is sent again. The
signature of the other party still counts, since the content is the same.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import SortedWithin, ViewModel, whole
from chassis.domain.authority import require_signatory
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.rules import past_day, same_day, unless_recorded
from contracts.currencies import MINOR_UNITS
from contracts.event import Event
from contracts.legal import (
    Declination,
    SignatureDeclined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.values import ContentHash, Day, Party, PersonId, Signatory, Version
from legal.engagement import Engagement
from legal.policies import (
    is_before,
    missing_agreement,
    missing_approvals,
    missing_resolutions,
    require_latest,
    require_open,
)
from legal.roles import CONTRACTS
from legal.signing import work_items
from legal.sows.state import Contract, Sow

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SendSow(Command):
    """Record that the approved latest version was sent to both parties for signature."""

    version: Version
    sent_on: Day | None = Field(default=None, description="today unless given")


class RecordSignature(Command):
    """Record that a person signed for a party.

    For the customer, a contact of the account with the role `signatory` signs; for the company, a
    person whose record says that they may.

    `content_hash` is that of the signed document. With the signatures of both parties the statement
    of work becomes the contract, dated by the later signature. No party signs before the version
    was sent for the first time.
    """

    party: Party
    person: PersonId
    content_hash: ContentHash
    signed_on: Day | None = Field(default=None, description="today unless given")


class DeclineSignature(Declination, Command):
    """Record that a party declined to sign the version that was sent for signature."""

    version: Version
    declined_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SendSow, by=CONTRACTS)
def send_sow(state: Engagement, command: SendSow, context: Context) -> Iterable[Event]:
    """Record the sending, if Legal, Delivery and Finance approve the version at this time.

    Raises Refused where an approval is missing or a redline is open, or the day is in the future,
    before the approval or differs from the one recorded.
    """
    require_open(state)
    sow = require_latest(state, command.version)
    event = SowSentForSignature(
        version=command.version,
        content_hash=sow.drafted.content_hash,
        sent_on=same_day("sent_on", command, sow.sent, context),
    )
    for new in unless_recorded(sow.sent, event, f"the sending of version {event.version}"):
        missing = (*missing_approvals(sow), *missing_resolutions(state, sow))
        gate("sow-not-approved", [_missing_approval(sow), *missing])
        gate("agreement-not-in-force", [missing_agreement(state, new.sent_on, context)])
        if sow.approved_on and new.sent_on < sow.approved_on:
            raise Refused(
                "date-before-approval",
                f"sent_on: {new.sent_on} is before {sow.approved_on}, when version "
                f"{new.version} was approved",
            )
        yield new


def _missing_approval(sow: Sow) -> Missing | None:
    if sow.approved_on:
        return None
    sentence = f"Legal has not approved version {sow.drafted.version} yet"
    return Missing("legal-approval-missing", sentence, "legal")


@capability.decide(RecordSignature, by=CONTRACTS)
def record_signature(
    state: Engagement, command: RecordSignature, context: Context
) -> Iterable[Event]:
    """Record the signature (gate 2); with the second one the statement of work is signed.

    Raises Refused unless the content is the latest version, was sent, is still approved by Delivery
    and Finance, no redline is open, and the person may sign for the party; also where another
    signature of the party is recorded, or the day is in the future or more than a day before the
    version was first sent.
    """
    require_open(state)
    sow, sent = _sent_version(state, command.content_hash)
    of_party = (each for each in sow.signatures if each.signatory.party == command.party)
    known = next(of_party, None)
    day = command.signed_on or (known.signatory.signed_on if known else None)
    signatory = Signatory(
        party=command.party,
        person=command.person,
        signed_on=past_day("signed_on", day, context),
    )
    event = SowSignatureRecorded(
        version=sent.version, content_hash=sent.content_hash, signatory=signatory
    )
    what = f"the signature for the {command.party}"
    for new in unless_recorded(known, event, what, part="signatory"):
        account, on = sow.drafted.customer, signatory.signed_on
        _require_sent("signed_on", on, sow.first_sent_on or sent.sent_on, sent.version)
        require_signatory("person", signatory.party, signatory.person, account, on, context)
        gate("sow-not-approved", [*missing_approvals(sow), *missing_resolutions(state, sow)])
        gate("agreement-not-in-force", [missing_agreement(state, signatory.signed_on, context)])
        signatories = (*sow.signatories, signatory)
        signed_on = max(each.signed_on for each in signatories)
        yield new
        if sow.signatures:
            yield from state.early_starts.lapsed(signed_on)
            yield SowSigned(
                version=sent.version,
                content_hash=sent.content_hash,
                signatories=signatories,
                signed_on=signed_on,
            )


@capability.decide(DeclineSignature, by=CONTRACTS)
def decline_signature(
    state: Engagement, command: DeclineSignature, context: Context
) -> Iterable[Event]:
    """Record that a party declined; the version is not out for signature any more.

    Raises Refused unless the version is the latest, was sent, the party has not signed it, and the
    person may sign for the party.
    """
    require_open(state)
    sow = require_latest(state, command.version)
    declined_on = same_day("declined_on", command, sow.declined, context)
    event = SignatureDeclined(
        version=command.version,
        content_hash=sow.drafted.content_hash,
        party=command.party,
        person=command.person,
        why=command.why,
        declined_on=declined_on,
    )
    for new in unless_recorded(sow.declined, event, f"the refusal of version {command.version}"):
        account = sow.drafted.customer
        require_signatory("person", new.party, new.person, account, declined_on, context)
        if sow.sent is None:
            raise Refused(
                "sow-not-sent", f"version {command.version} has not been sent for signature"
            )
        if any(each.party == command.party for each in sow.signatories):
            raise Refused(
                "signature-recorded",
                f"the {command.party} has signed version {command.version} already",
            )
        _require_sent("declined_on", declined_on, sow.sent.sent_on, command.version)
        yield new


def _require_sent(field: str, day: date, sent_on: date, version: int) -> None:
    if is_before(day, sent_on):
        sentence = f"{field}: {day} is before {sent_on}, when version {version} was sent"
        raise refused_field("date-before-sending", field, sentence)


def _sent_version(state: Engagement, content_hash: str) -> tuple[Sow, SowSentForSignature]:
    """Return the version with this hash; raises Refused unless it is the latest and was sent."""
    latest = state.sows.latest
    if latest is None:
        raise Refused("sow-unknown", "no version of the statement of work has been drafted")
    for each in state.sows.versions:
        if each.drafted.content_hash == content_hash:
            sow = require_latest(state, each.drafted.version)
            if sow.sent is None:
                raise Refused(
                    "sow-not-sent",
                    f"version {each.drafted.version} has not been sent for signature",
                )
            return sow, sow.sent
    raise Refused(
        "content-differs",
        f"the signed content ({content_hash}) is not version {latest.drafted.version} "
        f"({latest.drafted.content_hash})",
    )


class ContractFields(ViewModel):
    """The contract in the view of an engagement."""

    contract: Contract | None


@capability.view
def contract_view(state: Engagement) -> ContractFields:
    """Return the contract for the view of an engagement."""
    return ContractFields(contract=state.contract)


class ContractRow(ViewModel):
    """The columns of the contract in the list of engagements.

    `price_minor_units` is the current contract price in the smallest unit of the currency (EUR:
    cents), at most 2^53 - 1. Sorted by it, rows are sorted by currency first.
    """

    signed_on: str | None
    price_minor_units: Annotated[int | None, SortedWithin("currency")]
    currency: str | None


@capability.row
def contract_row(state: Engagement) -> ContractRow:
    """Return the columns of the contract in the list of engagements."""
    contract = state.contract
    price = contract.price if contract else None
    return ContractRow(
        signed_on=contract.signed_on.isoformat() if contract else None,
        price_minor_units=(
            whole(price.amount.scaleb(MINOR_UNITS[price.currency])) if price else None
        ),
        currency=price.currency if price else None,
    )
