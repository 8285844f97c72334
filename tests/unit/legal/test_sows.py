from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts.documents import STATEMENT_OF_WORK, BaseDocument, content_hash
from contracts.event import decode, encode
from contracts.legal import (
    AcceptanceTerms,
    EngagementTerminated,
    RedlineResolved,
    SowApproved,
    SowDrafted,
    SowRedlined,
)
from contracts.lines import BillingItem, ContractLine
from contracts.reference import AgreementPublished
from contracts.refusals import RefusalCode
from contracts.sales import DealLost
from contracts.values import Deliverable, RoleHours
from legal.engagement import Engagement
from legal.service import ENGAGEMENT
from legal.sows.decisions import ApproveSow, DraftSow, RedlineSow, ResolveRedline
from testkit.scenario import Scenario, given, like
from tests.amounts import eur
from tests.unit.legal.builders import (
    BUILD,
    FILE,
    ID,
    RATE,
    SCOPE,
    START,
    TODAY,
    V1,
    V2,
    WON,
    deliverable,
    drafted,
    filed,
    new,
    of_delivery,
    of_finance,
    opened,
    reviewed,
    sent,
    signed,
)

DRAFT = DraftSow(scope=SCOPE)


def line(name: str, price: int, currency: str = "EUR", **fields: object) -> ContractLine:
    common = {"line": name, "title": name, "pricing": "fixed", "price": eur(price, currency)}
    return ContractLine.model_validate(common | fields)


# Drafting


def test_a_draft_has_the_terms_of_the_won_deal():
    filed().when(DRAFT).then(
        SowDrafted(
            version=1,
            content_hash=content_hash(STATEMENT_OF_WORK, V1),
            engagement=ID,
            company="concord",
            customer="acme",
            template="statement-of-work",
            template_version=1,
            base=None,
            proposal_version=2,
            scope=SCOPE,
            deliverables=WON.deliverables,
            lines=WON.lines,
            price=eur(100_000),
            starts_on=START,
            finishes_on=WON.finishes_on,
            effective_on=START,
            payment_terms_days=30,
        )
    )


def test_equal_terms_of_two_customers_are_two_documents():
    def hash_of(scenario: Scenario[Engagement]) -> str:
        [event] = scenario.consumed(WON).when(DRAFT).events
        assert isinstance(event, SowDrafted)
        return event.content_hash

    other_file = FILE.model_copy(update={"account": "umbrella"})
    other = given(ENGAGEMENT, "E-0000000000002").on(TODAY)
    hashes = {
        hash_of(new().published(FILE)),
        hash_of(new().published(other_file)),
        hash_of(other.published(FILE)),
    }
    assert len(hashes) == 3


def test_a_draft_is_based_on_the_master_agreement_in_force():
    def base(**term: date | None) -> BaseDocument | None:
        msa = AgreementPublished(
            agreement="AG-1",
            account="acme",
            agreement_type="msa",
            signed_on=date(2026, 1, 1),
            starts_on=date(2026, 1, 1),
            expires_on=term.get("expires_on"),
            document=f"sha256:{'a' * 64}",
        )
        drafted = filed().knowing(msa).when(DRAFT).events[0]
        assert isinstance(drafted, SowDrafted)
        assert (drafted.content_hash != V1.content_hash) == (drafted.base is not None)
        return drafted.base

    known = BaseDocument(
        title="Master services agreement of 2026-01-01", content_hash=f"sha256:{'a' * 64}"
    )
    assert base(expires_on=TODAY) == known
    assert base() == known
    assert base(expires_on=date(2026, 3, 1)) is None


def test_the_hash_can_be_checked_from_the_event():
    recorded = filed().when(DRAFT).recorded[0]
    event = decode(encode(recorded)).event
    assert isinstance(event, SowDrafted)
    assert content_hash(STATEMENT_OF_WORK, event) == event.content_hash


def test_terms_given_in_a_draft_replace_those_of_the_won_deal():
    draft = DraftSow(
        scope=SCOPE,
        lines=(line("fee", 90_000),),
        payment_terms_days=0,
        finishes_on=date(2026, 10, 31),
        effective_on=date(2026, 2, 1),
        acceptance_terms=AcceptanceTerms(deemed_after_days=10),
        cost_of_delay_per_day=eur(500),
        template="short-form",
        template_version=3,
    )
    usual = BillingItem(
        item="fee",
        kind="on-date",
        amount=eur(90_000),
        due_on=date(2026, 10, 31),
        description="fee",
    )
    filed().when(draft).then(
        like(
            SowDrafted,
            price=eur(90_000),
            lines=(line("fee", 90_000, billing=(usual,)),),
            payment_terms_days=0,
            finishes_on=date(2026, 10, 31),
            effective_on=date(2026, 2, 1),
            acceptance_terms=AcceptanceTerms(deemed_after_days=10),
            cost_of_delay_per_day=eur(500),
            template="short-form",
            template_version=3,
            deliverables=WON.deliverables,
        )
    )


def test_a_mixed_contract_is_drafted_with_the_usual_billing_of_each_line():
    hourly = line(
        "support",
        15_000,
        pricing="time-and-materials",
        hours=(RoleHours(role="architect", hours=Decimal(100)),),
        rates=(RATE,),
    )
    fee = {"fee": eur(1_000), "periods": 6, "starts_on": START}
    retained = line("care", 6_000, pricing="retainer", retainer=fee)
    reduction = BillingItem(item="less", kind="on-signature", amount=eur(-900), reduces="B-1")
    discount = line("discount", -900, kind="discount", billing=(reduction,))
    event = (
        filed()
        .when(DraftSow(scope=SCOPE, lines=(BUILD, hourly, retained, discount)))
        .then(like(SowDrafted, price=eur(120_100)))
    )
    [sow] = event.view["statements_of_work"]
    assert [[item.kind for item in each.billing] for each in sow.content.lines] == [
        ["on-signature", "on-acceptance"],
        ["time"],
        ["period"],
        ["on-signature"],
    ]


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
        (
            {"lines": (BUILD.model_copy(update={"price": eur(90_000)}),)},
            ["billing-schedule-differs"],
        ),
        ({"lines": (line("fee", 100_000, "USD"),)}, ["currency-differs"]),
        ({"cost_of_delay_per_day": eur(1, "USD")}, ["currency-differs"]),
        ({"deliverables": (deliverable("design"),)}, ["deliverable-unknown"]),
        ({"starts_on": date(2027, 1, 1)}, ["finish-before-start"]),
        ({"effective_on": date(2026, 10, 1)}, ["finish-before-start"]),
        ({"lines": (line("free", 0),)}, ["price-below-zero"]),
        (
            {"lines": (line("fee", 1), line("discount", -2, kind="discount"))},
            ["price-below-zero", "billing-schedule-differs"],
        ),
        (
            {
                "lines": (
                    line(
                        "support",
                        1,
                        pricing="time-and-materials",
                        hours=(RoleHours(role="tester", hours=Decimal(1)),),
                    ),
                )
            },
            ["rates-missing"],
        ),
        ({"lines": (line("B-1", 5), BUILD)}, ["id-repeated"]),
        (
            {
                "starts_on": date(2027, 1, 1),
                "lines": (
                    line(
                        "fee",
                        3,
                        billing=(
                            BillingItem(item="B-1", kind="on-signature", amount=eur(1)),
                            BillingItem(item="B-2", kind="on-signature", amount=eur(1)),
                        ),
                    ),
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
        {"scope": SCOPE, "lines": ()},
        {"scope": SCOPE, "lines": (BUILD, BUILD)},
        {"scope": SCOPE, "lines": (BUILD, BUILD.model_copy(update={"line": "other"}))},
        {"scope": SCOPE, "starts_on": "2026-05-01", "finishes_on": "2026-04-30"},
        {"scope": SCOPE, "payment_terms_days": -1},
        {"scope": SCOPE, "cost_of_delay_per_day": {"amount": "0", "currency": "EUR"}},
        {"scope": SCOPE, "price": {"amount": "1", "currency": "EUR"}},
    ],
)
def test_an_invalid_draft_is_not_a_command(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        DraftSow.model_validate(fields)


# Redlining

REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="Capped at the price.")


def redline_of(scenario: Scenario[Engagement], version: int = 1) -> str:
    redlines: tuple[SowRedlined, ...] = scenario.view["statements_of_work"][version - 1].redlines
    return redlines[-1].redline


def resolve(
    scenario: Scenario[Engagement], outcome: str = "withdrawn", **fields: object
) -> ResolveRedline:
    return ResolveRedline.model_validate(
        {"redline": redline_of(scenario), "outcome": outcome, **fields}
    )


def test_a_redline_is_recorded_once_and_does_not_change_the_version():
    redlined = (
        drafted()
        .when(REDLINE)
        .then(
            like(
                SowRedlined,
                version=1,
                by="customer",
                clause="Liability",
                text="Capped at the price.",
            )
        )
    )
    redlined.when(REDLINE).then_nothing()
    other = REDLINE.model_copy(update={"by": "company"})
    both = redlined.when(other).then(like(SowRedlined, by="company"))
    assert redline_of(both) != redline_of(redlined)


def test_a_redline_is_resolved_once_and_may_be_raised_again():
    redlined = drafted().after(REDLINE)
    event = RedlineResolved(
        redline=redline_of(redlined), outcome="rejected", note="Insured.", resolved_on=TODAY
    )
    command = resolve(redlined, "rejected", note="Insured.")
    done = redlined.when(command).then(event)
    assert done.view["statements_of_work"][0].resolutions == (event,)
    done.on(date(2026, 3, 9)).when(command).then_nothing()
    done.when(resolve(redlined, "accepted")).then_refused(
        "already-recorded", fields={"outcome", "note"}
    )
    done.when(REDLINE).then(like(SowRedlined))
    redlined.when(resolve(redlined, resolved_on=date(2026, 3, 3))).then_refused("date-in-future")
    redlined.when(ResolveRedline(redline="R-9", outcome="accepted")).then_refused(
        "redline-unknown", saying="R-9"
    )


def test_an_open_redline_refuses_the_approval_of_this_and_later_versions():
    redlined = reviewed().after(REDLINE)
    redlined.when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["redline-open"], saying="clause Liability"
    )
    later = redlined.published(V2).consumed(of_delivery(V2), of_finance(V2))
    later.when(ApproveSow(version=2)).then_refused("sow-not-approved", missing=["redline-open"])
    for outcome in ("rejected", "withdrawn"):
        redlined.after(resolve(redlined, outcome)).when(ApproveSow(version=1)).then_accepted()
    later.after(resolve(redlined, "accepted")).when(ApproveSow(version=2)).then_accepted()


def test_an_accepted_redline_needs_the_next_version():
    redlined = reviewed().after(REDLINE)
    accepted = redlined.after(resolve(redlined, "accepted"))
    accepted.when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["redline-accepted"], saying="draft the next version"
    )
    assert [each.code for each in accepted.view["statements_of_work"][0].waits_for] == [
        "redline-accepted"
    ]


def test_a_version_is_not_drafted_again_without_the_redline_that_was_accepted():
    redlined = reviewed().after(REDLINE)
    redlined.when(DRAFT).then_nothing()
    accepted = redlined.after(resolve(redlined, "accepted"))
    accepted.when(DRAFT).then_refused("redline-accepted", saying="clause")
    accepted.when(DRAFT.model_copy(update={"scope": "Less."})).then(like(SowDrafted, version=2))


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


@pytest.mark.parametrize(
    "command",
    [
        DRAFT,
        REDLINE,
        ResolveRedline(redline="R-1", outcome="withdrawn"),
        ApproveSow(version=1),
    ],
)
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
