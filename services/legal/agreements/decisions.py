"""Publish the agreements with accounts: non-disclosure (NDA) and master services (MSA)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from pydantic import Field

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, account_zone, next_version, require_record
from chassis.domain.rules import past_day, unless_recorded
from contracts.event import Event
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    AgreementTerms,
    KeptAgreement,
    in_force,
)
from contracts.values import Day, Identifier, Value
from legal.roles import CONTRACTS

capability = Capability[Record[AgreementPublished]](__name__)


class SignedOn(Value):
    """The days of an agreement that both parties signed."""

    signed_on: Day | None = Field(default=None, description="today unless given")
    starts_on: Day | None = Field(default=None, description="the day of the signature unless given")


class RecordAgreement(SignedOn, AgreementTerms, Command):
    """Record an agreement that both parties signed, which gets an id; also one that renews another.

    It counts for all engagements of the account. Its document is uploaded to the record, and named
    when it is published.
    """


class PublishAgreement(SignedOn, KeptAgreement, Publish):
    """Correct the record of an agreement, or give it a day of expiry or its uploaded document.

    The whole record is given; `signed_on` stays unless it is given.
    """


@capability.decide(RecordAgreement, by=CONTRACTS, prefix="AG")
def record_agreement(
    state: Record[AgreementPublished], command: RecordAgreement, context: Context
) -> Iterable[Event]:
    """Publish the first version; a repetition that equals the version in force changes nothing.

    Raises Refused where the account is unknown, the signature is in the future, the agreement would
    expire before it begins, or another one of its type begins on the same day.
    """
    known = in_force(state.versions, context.today)
    event = AgreementPublished.model_validate(
        {
            "agreement": state.id,
            "effective_from": known.effective_from if known else None,
            **_completed(state.id, known, command, context),
        }
    )
    yield from unless_recorded(known, event, f"the agreement {state.id}")


@capability.decide(PublishAgreement, by=CONTRACTS)
def publish_agreement(
    state: Record[AgreementPublished], command: PublishAgreement, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused as `record_agreement` does.
    """
    known = in_force(state.versions, command.effective_from or context.today)
    completed = _completed(state.id, known, command, context)
    yield from next_version(state, command.model_copy(update=completed), context)


def _completed(
    agreement: Identifier,
    known: AgreementPublished | None,
    given: RecordAgreement | PublishAgreement,
    context: Context,
) -> dict[str, object]:
    """Return the fields of the agreement with the days that were not given.

    `known` is the version that the agreement repeats or corrects.
    """
    require_record("account-unknown", "account", AccountPublished, given.account, context)
    zone = account_zone(given.account, context.reference_data, context.today)
    there = replace(context, zone=zone)
    before = known.signed_on if known else None
    signed_on = past_day("signed_on", given.signed_on or before, there)
    starts_on = given.starts_on or signed_on
    if given.expires_on is not None and given.expires_on < starts_on:
        raise Refused(
            "expiry-before-start", f"expires_on: {given.expires_on} is before {starts_on}"
        )
    _require_only_one(agreement, given, starts_on, context)
    return {
        **{name: getattr(given, name) for name in AgreementTerms.model_fields},
        "signed_on": signed_on,
        "starts_on": starts_on,
    }


def _require_only_one(
    agreement: Identifier, given: AgreementTerms, starts_on: date, context: Context
) -> None:
    """Refuse a second agreement of a type with an account from a day on; a renewal begins later."""
    for each in context.reference_data.all(AgreementPublished):
        other = each.event
        if other.agreement != agreement and (
            (other.account, other.agreement_type, other.starts_on)
            == (given.account, given.agreement_type, starts_on)
        ):
            sentence = (
                f"starts_on: agreement {other.agreement} is a {other.agreement_type} with"
                f" {other.account} from {starts_on} on, too"
            )
            raise refused_field("agreement-recorded", "starts_on", sentence)
