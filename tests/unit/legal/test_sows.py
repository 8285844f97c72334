from datetime import date

import pytest
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts.documents import STATEMENT_OF_WORK, content_hash
from contracts.event import decode, encode
from contracts.legal import (
    EngagementTerminated,
    SowApproved,
    SowDrafted,
    SowRedlined,
)
from contracts.refusals import RefusalCode
from contracts.sales import DealLost
from contracts.values import BillingItem, Deliverable, RoleRate
from legal.sows.decisions import ApproveSow, DraftSow, RedlineSow
from testkit.scenario import like
from tests.unit.legal.builders import (
    FILE,
    SCOPE,
    START,
    TODAY,
    V1,
    V2,
    WON,
    deliverable,
    drafted,
    eur,
    filed,
    of_delivery,
    of_finance,
    opened,
    per_hour,
    reviewed,
    sent,
    signed,
)

DRAFT = DraftSow(scope=SCOPE)


# Drafting


def test_a_draft_has_the_terms_of_the_won_deal():
    filed().when(DRAFT).then(
        SowDrafted(
            version=1,
            content_hash=content_hash(STATEMENT_OF_WORK, V1),
            proposal_version=2,
            scope=SCOPE,
            deliverables=WON.deliverables,
            price=eur(100_000),
            pricing="fixed-price",
            starts_on=START,
            finishes_on=WON.finishes_on,
            billing_schedule=WON.billing_schedule,
            rates=WON.rates,
            payment_terms_days=30,
        )
    )


def test_the_hash_can_be_checked_from_the_event():
    recorded = filed().when(DRAFT).recorded[0]
    event = decode(encode(recorded)).event
    assert isinstance(event, SowDrafted)
    assert content_hash(STATEMENT_OF_WORK, event) == event.content_hash


def test_terms_given_in_a_draft_replace_those_of_the_won_deal():
    item = BillingItem(item="B-1", kind="on-signature", amount=eur(90_000))
    draft = DraftSow(
        scope=SCOPE,
        price=eur(90_000),
        billing_schedule=(item,),
        rates=(),
        payment_terms_days=0,
        finishes_on=date(2026, 10, 31),
    )
    filed().when(draft).then(
        like(
            SowDrafted,
            price=eur(90_000),
            billing_schedule=(item,),
            rates=(),
            payment_terms_days=0,
            finishes_on=date(2026, 10, 31),
            deliverables=WON.deliverables,
        )
    )


def test_equal_terms_are_not_a_new_version_and_other_terms_are():
    drafted().when(DRAFT).then_nothing()
    drafted().when(DraftSow(scope=SCOPE, payment_terms_days=14)).then(like(SowDrafted, version=2))


def test_the_version_is_part_of_the_hashed_content():
    again = drafted().published(V2).when(DRAFT).events[0]
    assert isinstance(again, SowDrafted)
    assert (again.version, again.scope) == (3, V1.scope)
    assert again.content_hash != V1.content_hash


@pytest.mark.parametrize(
    ("draft", "missing"),
    [
        ({"price": eur(90_000)}, ["billing-schedule-differs"]),
        ({"price": eur(100_000, "USD")}, ["currency-differs"]),
        ({"rates": (RoleRate(role="architect", rate=per_hour(1, "USD")),)}, ["currency-differs"]),
        ({"deliverables": (deliverable("design"),)}, ["deliverable-unknown"]),
        ({"starts_on": date(2027, 1, 1)}, ["finish-before-start"]),
        (
            {
                "starts_on": date(2027, 1, 1),
                "billing_schedule": (
                    BillingItem(item="B-1", kind="on-signature", amount=eur(1)),
                    BillingItem(item="B-2", kind="on-signature", amount=eur(1)),
                ),
            },
            ["finish-before-start", "billing-schedule-differs"],
        ),
    ],
)
def test_an_inconsistent_draft_is_refused_with_all_faults(
    draft: dict[str, object], missing: list[RefusalCode]
):
    command = DraftSow.model_validate({"scope": SCOPE, **draft})
    filed().when(command).then_refused("sow-inconsistent", missing=missing)


def test_only_a_won_deal_with_a_file_is_drafted():
    opened().when(DRAFT).then_refused("file-not-open")
    opened().published(FILE).when(DRAFT).then_refused("deal-not-won")


def test_after_the_signature_the_contract_is_amended_instead():
    signed().when(DraftSow(scope="More.")).then_refused("sow-signed", saying="amendment")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scope": "  "},
        {"scope": SCOPE, "deliverables": ()},
        {"scope": SCOPE, "deliverables": (deliverable("portal"), deliverable("portal"))},
        {"scope": SCOPE, "billing_schedule": WON.billing_schedule[:1] * 2},
        {"scope": SCOPE, "rates": WON.rates * 2},
        {"scope": SCOPE, "starts_on": "2026-05-01", "finishes_on": "2026-04-30"},
        {"scope": SCOPE, "payment_terms_days": -1},
        {"scope": SCOPE, "price": {"amount": "0", "currency": "EUR"}},
        {"scope": SCOPE, "prise": {"amount": "1", "currency": "EUR"}},
    ],
)
def test_an_invalid_draft_is_not_a_command(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        DraftSow.model_validate(fields)


# Redlining

REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="Capped at the price.")


def test_a_redline_is_recorded_once_and_does_not_change_the_version():
    redlined = (
        drafted()
        .when(REDLINE)
        .then(
            SowRedlined(version=1, by="customer", clause="Liability", text="Capped at the price.")
        )
    )
    redlined.when(REDLINE).then_nothing()
    other = REDLINE.model_copy(update={"by": "company"})
    redlined.when(other).then(like(SowRedlined, by="company"))


def test_only_the_latest_unsigned_version_can_be_redlined():
    filed().when(REDLINE).then_refused("sow-unknown")
    drafted().published(V2).when(REDLINE).then_refused("sow-superseded", saying="version 2")
    signed().when(REDLINE).then_refused("sow-signed")


# Gate 2, approval


def test_legal_approves_what_delivery_and_finance_approved():
    done = (
        reviewed()
        .when(ApproveSow(version=1))
        .then(SowApproved(version=1, content_hash=V1.content_hash))
    )
    done.when(ApproveSow(version=1)).then_nothing()


def test_approval_requires_both_departments():
    gate = drafted().when(ApproveSow(version=1))
    gate.then_refused(
        "sow-not-approved", missing=["delivery-review-missing", "finance-review-missing"]
    )
    assert gate.refusal
    assert [item.owed_by for item in gate.refusal.missing] == ["delivery", "finance"]
    drafted().consumed(of_finance(V1)).when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-review-missing"]
    )


def test_an_objection_is_listed_with_its_reason_and_can_be_withdrawn():
    objected = drafted().consumed(of_delivery(V1, "No time for data migration"), of_finance(V1))
    objected.when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-objected"], saying="No time for data migration"
    )
    objected.consumed(of_delivery(V1)).when(ApproveSow(version=1)).then_accepted()


def test_an_approval_of_an_earlier_version_or_of_other_content_does_not_count():
    again = reviewed().published(V2)
    again.when(ApproveSow(version=2)).then_refused(
        "sow-not-approved", missing=["delivery-review-missing", "finance-review-missing"]
    )
    again.when(ApproveSow(version=1)).then_refused("sow-superseded", saying="version 2")
    other = of_delivery(V1).model_copy(update={"content_hash": V2.content_hash})
    drafted().consumed(other, of_finance(V1)).when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-approved-other-content"]
    )


def test_an_unknown_version_cannot_be_approved():
    drafted().when(ApproveSow(version=2)).then_refused("sow-unknown", saying="version 2")


@pytest.mark.parametrize("command", [DRAFT, REDLINE, ApproveSow(version=1)])
def test_commands_are_refused_after_the_end(command: Command):
    terminated = sent().published(EngagementTerminated(reason="mutual", terminated_on=TODAY))
    terminated.when(command).then_refused("engagement-over", saying="terminated")
    lost = sent().consumed(DealLost(reason="withdrawn", lost_on=TODAY))
    lost.when(command).then_refused("engagement-over", saying="lost")


def test_deliverables_keep_their_acceptance_criteria():
    part = Deliverable(
        deliverable="portal", title="The portal", acceptance_criteria="1,000 orders an hour."
    )
    event = (
        filed().when(DraftSow(scope=SCOPE, deliverables=(deliverable("design"), part))).events[0]
    )
    assert isinstance(event, SowDrafted)
    assert event.deliverables[1].acceptance_criteria == "1,000 orders an hour."
    assert event.content_hash != V1.content_hash
