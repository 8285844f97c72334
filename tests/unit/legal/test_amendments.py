from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts import delivery, finance
from contracts.delivery import ChangeApproved, ChangeAssessed, ChangeRejected
from contracts.documents import AMENDMENT, BaseDocument, content_hash
from contracts.event import Event
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementTerminated,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineRate,
    LineScopeChange,
    NewLine,
    Retainer,
    hours_by_role,
    total_price,
    with_usual_billing,
)
from contracts.money import Money
from contracts.refusals import RefusalCode
from contracts.values import AmendmentReview, Deliverable, RoleHours, Signatory
from legal.amendments.decisions import ChangeView, DraftAmendment, SignAmendment
from legal.amendments.document import amendment_of
from legal.engagement import Engagement
from legal.signing.decisions import RecordSignature
from testkit.scenario import Scenario, like
from tests.amounts import (
    eur,
    per_hour,
)
from tests.unit.legal.builders import (
    ALL,
    BOTH,
    BUILD,
    FINISH,
    ID,
    RATE,
    SIGNED,
    TODAY,
    V1,
    agreed,
    assessed,
    deliverable,
    filed,
    priced,
    requested,
    sent,
    signature,
    signed,
)

MANUAL = assessed(added=("manual",))


def unpriced(assessment: ChangeAssessed = MANUAL) -> Scenario[Engagement]:
    """Return a signed contract with an approved change that Finance has not priced."""
    return signed().consumed(requested(), assessment, agreed())


def drafted() -> Scenario[Engagement]:
    """Return a signed contract with the drafted amendment of an approved change."""
    return unpriced().when_consumed(priced(MANUAL), knowing=ALL).then(like(AmendmentDrafted))


def day(later: int) -> date:
    return FINISH + timedelta(days=later)


def draft_of(scenario: Scenario[Engagement], amendment: str = "A-C-1") -> AmendmentDrafted:
    changes: tuple[ChangeView, ...] = scenario.view["changes"]
    drafts = [change.amendment.content for change in changes if change.amendment]
    return next(each for each in drafts if each.amendment == amendment)


def sign(scenario: Scenario[Engagement], amendment: str = "A-C-1") -> SignAmendment:
    return SignAmendment(
        amendment=amendment,
        content_hash=draft_of(scenario, amendment).content_hash,
        signatories=BOTH,
    )


def changed(
    change: str = "C-1", days: int = 10, price: Money | None = None
) -> Scenario[Engagement]:
    """Return a signed contract with the drafted amendment of a change."""
    assessment = assessed(change, days)
    ready = signed().consumed(requested(change), assessment, agreed(change))
    return ready.when_consumed(priced(assessment, price), knowing=ALL).then(like(AmendmentDrafted))


def change_of(scenario: Scenario[Engagement], amendment: str = "A-C-1") -> LineChange:
    [change] = draft_of(scenario, amendment).changes
    return change


def reviewed(scenario: Scenario[Engagement], amendment: str = "A-C-1") -> Scenario[Engagement]:
    """Return the scenario after Delivery and Finance approved the last draft."""
    verdict = review(draft_of(scenario, amendment))
    return scenario.consumed(
        delivery.AmendmentReviewed(**dict(verdict)), finance.AmendmentReviewed(**dict(verdict))
    )


def review(draft: AmendmentDrafted, objection: str | None = None) -> AmendmentReview:
    return AmendmentReview(
        amendment=draft.amendment,
        content_hash=draft.content_hash,
        verdict="objected" if objection else "approved",
        why=objection,
    )


# Drafted automatically


def test_an_approved_change_is_drafted_as_it_was_assessed_and_priced():
    [change] = priced(MANUAL).changes
    item = BillingItem(
        item="A-C-1-build",
        kind="on-acceptance",
        amount=eur(3_000),
        deliverables=("manual",),
        description="Amendment A-C-1",
    )
    event = AmendmentDrafted(
        amendment="A-C-1",
        change="C-1",
        content_hash=content_hash(AMENDMENT, draft_of(drafted())),
        engagement=ID,
        company="concord",
        customer="acme",
        template="amendment",
        template_version=1,
        base=BaseDocument(title="statement-of-work, version 1", content_hash=V1.content_hash),
        changes=(change.model_copy(update={"billing_added": (item,)}),),
        price_delta=eur(3_000),
        finishes_on=day(10),
        scope_delta="And French.",
    )
    unpriced().when_consumed(priced(MANUAL), knowing=ALL).then(event)


def test_an_increase_without_a_new_deliverable_is_billed_on_the_new_finish():
    [item] = change_of(changed()).billing_added
    assert (item.kind, item.due_on, item.amount) == ("on-date", day(10), eur(3_000))


HOURLY = ContractLine(
    line="support",
    title="Support",
    pricing="time-and-materials",
    price=eur(30_000),
    hours=(RoleHours(role="architect", hours=Decimal(200)),),
    rates=(RATE,),
)
CARE = ContractLine(
    line="care",
    title="Care",
    pricing="retainer",
    price=eur(12_000),
    retainer=Retainer(fee=eur(1_000), periods=12, starts_on=FINISH),
)
MIXED = tuple(with_usual_billing(each, FINISH) for each in (BUILD, HOURLY, CARE))


def mixed(*events: Event) -> Scenario[Engagement]:
    """Return a signed contract of three lines: fixed, capped by time, and a retainer."""
    sow = V1.model_copy(update={"lines": MIXED, "price": eur(142_000)})
    return filed().published(sow, SIGNED).consumed(requested(), *events, agreed())


def test_an_increase_of_a_line_by_time_and_materials_is_billed_by_time():
    assessment = assessed(added=("manual",), line="support")
    contracted = mixed(assessment)
    time = BillingItem(
        item="A-C-1-support", kind="time", amount=eur(3_000), description="Amendment A-C-1"
    )
    draft = contracted.when_consumed(priced(assessment), knowing=ALL).then(like(AmendmentDrafted))
    assert change_of(draft).billing_added == (time,)
    # Counsel may still agree on a fixed price for the addition.
    fixed = time.model_copy(update={"kind": "on-acceptance", "deliverables": ("manual",)})
    changes = (change_of(draft).model_copy(update={"billing_added": (fixed,)}),)
    contracted.consumed(priced(assessment), knowing=ALL).when(
        DraftAmendment(change="C-1", changes=changes)
    ).then(like(AmendmentDrafted, changes=changes))


@pytest.mark.parametrize(("periods", "price"), [(15, 3_000), (8, -4_000)])
def test_a_retainer_is_billed_by_its_new_fees(periods: int, price: int):
    assessment = assessed(line="care", hours=0)
    retainer = Retainer(fee=eur(1_000), periods=periods, starts_on=FINISH)
    draft = (
        mixed(assessment)
        .when_consumed(priced(assessment, eur(price), retainer=retainer), knowing=ALL)
        .then(like(AmendmentDrafted, price_delta=eur(price)))
    )
    [item] = change_of(draft).billing_changed
    assert (item.item, item.kind, item.amount) == ("care", "period", eur(12_000 + price))
    contract = draft.after(sign(draft)).view["contract"]
    assert contract.lines[2].billed == contract.lines[2].price == eur(12_000 + price)


@pytest.mark.parametrize("price", [0, -5_000])
def test_the_billing_of_a_line_that_is_not_increased_is_left_to_finance(price: int):
    change = change_of(changed(price=eur(price)))
    assert (change.billing_added, change.billing_changed, change.billing_removed) == ((), (), ())


def test_a_change_that_is_not_ready_or_not_consistent_is_not_drafted():
    signed().consumed(requested(), assessed()).when_consumed(priced(), knowing=ALL).then_nothing()
    signed().consumed(requested(), agreed()).when_consumed(priced(), knowing=ALL).then_nothing()
    sent().consumed(requested(), assessed(), agreed()).when_consumed(
        priced(), knowing=ALL
    ).then_nothing()
    unpriced().when_consumed(priced(MANUAL, eur(-100_001)), knowing=ALL).then_nothing()
    unpriced().when_consumed(priced(MANUAL, eur(1, "USD")), knowing=ALL).then_nothing()


def test_the_signature_of_the_contract_drafts_waiting_amendments():
    waiting = sent().consumed(requested(), assessed(), priced(), agreed(), knowing=ALL)

    def by(party: str, person: str) -> RecordSignature:
        return RecordSignature.model_validate(
            {"party": party, "person": person, "content_hash": V1.content_hash}
        )

    waiting.after(by("company", "carl")).when(by("customer", "zoe")).then(
        like(SowSignatureRecorded), like(SowSigned), like(AmendmentDrafted, finishes_on=day(10))
    )


def test_a_long_change_id_gives_a_valid_amendment_id():
    name = "C" * 64
    assert amendment_of("C-1") == "A-C-1"
    assert len(amendment_of(name)) <= 64
    assert amendment_of(name) != amendment_of("C" * 63 + "D")
    assert draft_of(changed(name), amendment_of(name)).change == name


def test_an_unsigned_draft_is_updated_when_its_change_is_assessed_or_priced_again():
    dearer = (
        drafted()
        .when_consumed(priced(MANUAL, eur(4_000)), knowing=ALL)
        .then(like(AmendmentDrafted, amendment="A-C-1", price_delta=eur(4_000)))
    )
    dearer.when_consumed(assessed(days=20)).then(like(AmendmentDrafted, finishes_on=day(20)))
    drafted().when_consumed(priced(MANUAL), knowing=ALL).then_nothing()


def test_only_the_price_of_the_last_assessment_counts():
    twice = signed().consumed(requested(), assessed(days=10), assessed(days=20))
    last = twice.stream.position["delivery"]
    twice = twice.consumed(agreed())
    first = twice.when_consumed(priced(), knowing={"delivery": last - 1}).then_nothing()
    first.when(DraftAmendment(change="C-1")).then_refused(
        "change-not-ready", missing=["change-not-priced"]
    )
    first.when_consumed(priced(), knowing={"delivery": last}).then(
        like(AmendmentDrafted, finishes_on=day(20))
    )


# Drafted by counsel


def test_counsel_may_draft_other_terms():
    item = BillingItem(item="B-9", kind="on-signature", amount=eur(3_000))
    changes = (change_of(drafted()).model_copy(update={"billing_added": (item,)}),)
    command = DraftAmendment(change="C-1", scope_delta="French.", changes=changes)
    other = (
        drafted()
        .when(command)
        .then(like(AmendmentDrafted, scope_delta="French.", changes=changes, finishes_on=day(10)))
    )
    other.when(command).then_nothing()
    assert draft_of(other).content_hash != draft_of(drafted()).content_hash


def item(name: str, amount: int, **fields: object) -> BillingItem:
    common = {"item": name, "kind": "on-signature", "amount": eur(amount)}
    return BillingItem.model_validate(common | fields)


def test_the_billing_of_a_line_may_be_rearranged():
    rearranged = {
        "price_delta": eur(-20_000),
        "billing_removed": ("B-1",),
        "billing_changed": (item("B-2", 60_000),),
        "billing_added": (item("B-3", 20_000),),
    }
    command = DraftAmendment.model_validate(
        {"change": "C-1", "changes": ({"line": "build", **rearranged},)}
    )
    less = reviewed(drafted().after(command))
    [build] = less.after(sign(less)).view["contract"].lines
    assert build.billed == build.price == eur(80_000)
    assert [each.item for each in build.billing] == ["B-2", "B-3"]


NEW = {"title": "Training", "pricing": "fixed"}
HALF = eur(1_500)


@pytest.mark.parametrize(
    ("terms", "missing"),
    [
        ({"price_delta": eur(-100_001)}, ["price-below-zero"]),
        ({"price_delta": eur(3_000, "USD")}, ["currency-differs"]),
        ({"line": "other"}, ["line-unknown"]),
        ({"new": NEW}, ["id-repeated"]),
        ({"hours": ({"role": "architect", "hours": "-501"},)}, ["hours-below-zero"]),
        ({"hours": ({"role": "tester", "hours": "-1"},)}, ["hours-below-zero"]),
        (
            {"line": "off", "new": {**NEW, "kind": "discount"}, "price_delta": eur(1)},
            ["line-inconsistent"],
        ),
        (
            {
                "line": "off",
                "new": {**NEW, "kind": "discount"},
                "price_delta": eur(-100_001),
            },
            ["price-below-zero"],
        ),
        (
            {
                "line": "more",
                "new": {**NEW, "pricing": "time-and-materials"},
                "hours": ({"role": "tester", "hours": "1"},),
            },
            ["rates-missing"],
        ),
        ({"deliverables_added": (deliverable("portal"),)}, ["id-repeated"]),
        ({"deliverables_removed": ("tower",)}, ["deliverable-unknown"]),
        (
            {"line": "more", "new": NEW, "deliverables_removed": ("portal",)},
            ["deliverable-unknown"],
        ),
        ({"billing_added": (item("B", 1),)}, ["billing-schedule-differs"]),
        ({"price_delta": eur(-1), "billing_removed": ("B-1",)}, ["billing-schedule-differs"]),
        ({"billing_changed": (item("B-2", 73_001),)}, ["billing-schedule-differs"]),
        (
            {"billing_removed": ("B-9",), "billing_added": (item("B", 3_000),)},
            ["billing-item-unknown"],
        ),
        ({"billing_added": (item("B-1", 3_000),)}, ["id-repeated"]),
        (
            {
                "deliverables_removed": ("design",),
                "billing_added": (
                    item("B", 3_000, kind="on-acceptance", deliverables=("design",)),
                ),
            },
            ["deliverable-unknown"],
        ),
    ],
)
def test_an_inconsistent_amendment_is_refused(terms: dict[str, object], missing: list[RefusalCode]):
    change = {"line": "build", "price_delta": eur(3_000), **terms}
    command = DraftAmendment.model_validate({"change": "C-1", "changes": (change,)})
    drafted().when(command).then_refused("amendment-inconsistent", missing=missing)


def test_a_change_of_rates_alone_is_drafted_as_agreed_and_signed_without_reviews():
    raised = LineRate(role="architect", rate=per_hour(165), from_day=date(2026, 7, 1))
    scope = LineScopeChange(line="build", rates=(raised,))
    assessment = ChangeAssessed(change="C-1", changes=(scope,), days=0, risk="None.")
    ready = unpriced(assessment)
    draft = ready.when_consumed(priced(assessment, eur(0)), knowing=ALL).then_accepted()
    assert change_of(draft).rates == (raised,)
    contract = draft.after(sign(draft)).view["contract"]
    assert (contract.price, contract.finishes_on) == (eur(100_000), FINISH)
    [line] = contract.lines
    assert line.rate_on("architect", date(2026, 6, 30)) == per_hour(150)
    assert line.rate_on("architect", date(2026, 7, 1)) == per_hour(165)


def test_an_amendment_finishes_after_the_start():
    early = DraftAmendment(change="C-1", finishes_on=date(2026, 3, 31))
    drafted().when(early).then_refused("amendment-inconsistent", missing=["finish-before-start"])


def test_a_contract_has_no_more_lines_than_a_budget_can_contain():
    new = NewLine(title="More", pricing="fixed")
    changes = tuple(
        LineChange(line=f"more-{number}", price_delta=eur(1), new=new) for number in range(200)
    )
    drafted().when(DraftAmendment(change="C-1", changes=changes)).then_refused(
        "amendment-inconsistent", missing=["line-inconsistent"], saying="201 lines"
    )
    drafted().when(DraftAmendment(change="C-1", changes=changes[1:])).then_accepted()


def test_ids_are_not_repeated_within_an_amendment():
    def draft(*changes: dict[str, object]) -> DraftAmendment:
        common = {"line": "build", "price_delta": eur(3_000)}
        return DraftAmendment.model_validate(
            {"change": "C-1", "changes": tuple({**common, **each} for each in changes)}
        )

    twice = (deliverable("x"), deliverable("x"))
    with pytest.raises(ValidationError, match=r"deliverables_added\n.*x appears more than once"):
        draft({"deliverables_added": twice})
    with pytest.raises(ValidationError, match=r"billing_added\n.*B appears more than once"):
        draft({"billing_added": (item("B", 1_500), item("B", 1_500))})
    with pytest.raises(ValidationError, match=r"changes\n.*build appears more than once"):
        draft({}, {})
    one: dict[str, object] = {"deliverables_added": (deliverable("x"),)}
    other: dict[str, object] = {"line": "more", "new": NEW, **one}
    drafted().when(draft(one, other)).then_refused(
        "amendment-inconsistent", missing=["id-repeated"], saying="x"
    )
    billed: dict[str, object] = {"billing_added": (item("B", 3_000),)}
    drafted().when(draft(billed, {"line": "more", "new": NEW, **billed})).then_refused(
        "amendment-inconsistent", missing=["id-repeated"], saying="B"
    )


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (
            {"line": "build", "price_delta": eur(1)},
            {"line": "more", "new": NEW, "price_delta": eur(1, "USD")},
        ),
        ({"line": "build", "price_delta": eur(3_000), "billing_added": (item("B", 3_000),)},),
    ],
)
def test_the_changes_of_an_amendment_are_in_one_currency(changes: tuple[dict[str, object], ...]):
    if changes and "billing_added" in changes[0]:
        changes = ({**changes[0], "price_delta": eur(3_000, "USD")},)
    with pytest.raises(ValidationError):
        DraftAmendment.model_validate({"change": "C-1", "changes": changes})


def test_a_change_that_is_not_ready_is_refused_with_all_that_is_missing():
    signed().when(DraftAmendment(change="C-1")).then_refused("change-unknown")
    signed().consumed(requested()).when(DraftAmendment(change="C-1")).then_refused(
        "change-not-ready",
        missing=["change-not-assessed", "change-not-priced", "change-not-approved"],
    )
    rejected = signed().consumed(
        requested(),
        assessed(),
        priced(),
        ChangeRejected(change="C-1", why="No", rejected_on=TODAY),
        knowing=ALL,
    )
    rejected.when(DraftAmendment(change="C-1")).then_refused(
        "change-not-ready", missing=["change-rejected"], saying="C-1 was rejected: No"
    )


def test_amendments_are_refused_before_the_contract_is_signed():
    sent().consumed(requested()).when(DraftAmendment(change="C-1")).then_refused("sow-not-signed")
    sent().when(sign(drafted())).then_refused("sow-not-signed")


# Signed


def test_a_signed_amendment_contains_its_terms_and_changes_the_contract():
    draft = draft_of(drafted())
    later = (signature("company", date(2026, 3, 1)), signature("customer"))
    command = sign(drafted()).model_copy(update={"signatories": later})
    after = (
        drafted()
        .when(command)
        .then(
            AmendmentSigned(
                amendment="A-C-1",
                change="C-1",
                content_hash=draft.content_hash,
                changes=draft.changes,
                price_delta=eur(3_000),
                finishes_on=day(10),
                signatories=later,
                signed_on=TODAY,
            )
        )
    )
    contract = after.view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(103_000), day(10))
    assert [one.deliverable for one in contract.deliverables] == ["design", "portal", "manual"]
    [build] = contract.lines
    assert build.billing == (*BUILD.billing, *change_of(drafted()).billing_added)
    assert (build.price, build.deliverables) == (eur(103_000), ("design", "portal", "manual"))
    assert hours_by_role(contract.lines) == {"architect": 520}
    after.when(command).then_nothing()
    after.when(command.model_copy(update={"signatories": later[::-1]})).then_nothing()


def test_a_removed_deliverable_and_a_price_reduction_change_the_contract():
    less = assessed(days=-5, removed=("design",), hours=-120)
    cut = (
        unpriced(less)
        .when_consumed(priced(less, eur(-20_000)), knowing=ALL)
        .then(like(AmendmentDrafted))
    )
    contract = cut.after(sign(cut)).view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(80_000), day(-5))
    assert [one.deliverable for one in contract.deliverables] == ["portal"]
    [build] = contract.lines
    assert (build.price, build.deliverables) == (eur(80_000), ("portal",))
    assert hours_by_role(contract.lines) == {"architect": 380}
    assert build.billing == BUILD.billing


def test_a_contract_of_three_lines_grows_and_shrinks_by_a_third():
    more = assessed(line="support", hours=40)
    first = mixed(more).when_consumed(priced(more, eur(6_000)), knowing=ALL).then_accepted()
    grown = first.after(sign(first))
    contract = grown.view["contract"]
    assert contract.price == total_price(contract.lines, "EUR") == eur(148_000)
    assert [each.billed for each in contract.lines] == [each.price for each in contract.lines]
    less = assessed("C-2", days=0, line="build", removed=("design",), hours=-250)
    cut = grown.consumed(requested("C-2"), less, agreed("C-2"))
    cut = cut.when_consumed(priced(less, eur(-49_000)), knowing=ALL).then(like(AmendmentDrafted))
    contract = cut.after(sign(cut, "A-C-2")).view["contract"]
    assert contract.price == total_price(contract.lines, "EUR") == eur(99_000)
    assert hours_by_role(contract.lines) == {"architect": 490}
    assert [each.line for each in contract.lines] == ["build", "support", "care"]
    assert contract.finishes_on == day(10)


def test_a_new_line_joins_the_contract():
    new = NewLine(title="Training", pricing="fixed")
    assessment = assessed(added=("course",), line="training")
    scope = assessment.changes[0].model_copy(update={"new": new})
    assessment = assessment.model_copy(update={"changes": (scope,)})
    draft = unpriced(assessment).when_consumed(priced(assessment), knowing=ALL)
    added = draft.then(like(AmendmentDrafted))
    contract = added.after(sign(added)).view["contract"]
    training = contract.lines[1]
    assert (training.line, training.price, training.billed) == ("training", eur(3_000), eur(3_000))
    assert training.deliverables == ("course",)
    assert contract.deliverables[-1] == Deliverable(deliverable="course", title="The course")


# Reviewed where it differs from the change (gate 6)

OTHER_FINISH = DraftAmendment(change="C-1", finishes_on=day(20))


def test_an_amendment_as_approved_needs_no_review():
    worded = drafted().after(DraftAmendment(change="C-1", scope_delta="In French."))
    worded.when(sign(worded)).then_accepted()


def test_other_changes_or_another_finish_need_both_reviews_of_this_content():
    dearer = change_of(drafted()).model_copy(
        update={"price_delta": eur(3_001), "billing_added": ()}
    )
    for command in (OTHER_FINISH, DraftAmendment(change="C-1", changes=(dearer,))):
        other = drafted().after(command)
        other.when(sign(other)).then_refused(
            "amendment-not-reviewed", missing=["amendment-not-reviewed"]
        )
        verdict = review(draft_of(other))
        half = other.consumed(finance.AmendmentReviewed(**dict(verdict)))
        refusal = half.when(sign(half)).refusal
        assert refusal
        assert [each.owed_by for each in refusal.missing] == ["delivery"]
        half.consumed(delivery.AmendmentReviewed(**dict(verdict))).when(sign(half)).then_accepted()


def test_a_review_of_an_earlier_draft_does_not_count():
    once = reviewed(drafted().after(OTHER_FINISH))
    later = once.after(DraftAmendment(change="C-1", finishes_on=day(21)))
    refused = later.when(sign(later)).then_refused("amendment-not-reviewed", saying="Delivery has")
    assert [each.code for each in refused.view["changes"][0].waits_for] == [
        "amendment-not-reviewed",
        "amendment-not-reviewed",
    ]
    back = later.after(OTHER_FINISH)
    back.when(sign(back)).then_accepted()


def test_an_objection_to_an_amendment_is_shown_and_may_be_withdrawn():
    other = reviewed(drafted().after(OTHER_FINISH))
    objection = review(draft_of(other), "The team is gone by then.")
    objected = other.consumed(delivery.AmendmentReviewed(**dict(objection)))
    objected.when(sign(objected)).then_refused(
        "amendment-not-reviewed", missing=["amendment-objected"], saying="The team is gone"
    )
    reviewed(objected).when(sign(objected)).then_accepted()


def test_an_objection_to_an_amendment_as_approved_does_not_stop_it():
    objection = review(draft_of(drafted()), "Why at all?")
    objected = drafted().consumed(finance.AmendmentReviewed(**dict(objection)))
    objected.when(sign(objected)).then_accepted()


# Signed


def test_only_the_last_draft_is_signed_and_only_once():
    other = drafted().after(DraftAmendment(change="C-1", scope_delta="French."))
    other.when(sign(drafted())).then_refused("content-differs", saying="A-C-1")
    done = other.after(sign(other))
    others = sign(other).model_copy(
        update={"signatories": (BOTH[0], signature("customer", TODAY, "yan"))}
    )
    done.when(others).then_refused("already-recorded", saying="signatories")
    done.when(DraftAmendment(change="C-1")).then_refused("amendment-signed")


def test_a_signed_amendment_is_not_drafted_again():
    cut = changed(price=eur(-100))
    done = cut.after(sign(cut))
    done.when_consumed(priced(price=eur(-200)), knowing=ALL).then_nothing()
    done.consumed(priced(), knowing=ALL).when_consumed(assessed(days=90)).then_nothing()


def test_an_unknown_or_outdated_amendment_is_not_signed():
    signed().when(sign(drafted())).then_refused("amendment-unknown")
    drafted().consumed(ChangeRejected(change="C-1", why="Too dear", rejected_on=TODAY)).when(
        sign(drafted())
    ).then_refused(
        "change-not-ready", missing=["change-rejected"], saying="C-1 was rejected: Too dear"
    )
    drafted().consumed(priced(MANUAL, eur(9_000)), knowing=ALL).when(sign(drafted())).then_refused(
        "amendment-inconsistent", missing=["amendment-outdated"]
    )
    tomorrow = (BOTH[0], signature("customer", date(2026, 3, 3)))
    drafted().when(sign(drafted()).model_copy(update={"signatories": tomorrow})).then_refused(
        "date-in-future"
    )


def test_signing_one_amendment_moves_the_finish_of_another_open_one():
    first, second = changed("C-1", days=10), assessed("C-2", 3)
    both = first.consumed(requested("C-2"), second, agreed("C-2"))
    both = both.when_consumed(priced(second, eur(500)), knowing=ALL).then(
        like(AmendmentDrafted, finishes_on=day(3))
    )
    stale = sign(both, "A-C-2")
    moved = both.when(sign(both, "A-C-1")).then(
        like(AmendmentSigned, amendment="A-C-1"),
        like(AmendmentDrafted, amendment="A-C-2", finishes_on=day(13), price_delta=eur(500)),
    )
    assert change_of(moved, "A-C-2").billing_added[0].due_on == day(13)
    moved.when(stale).then_refused("content-differs")
    contract = moved.after(sign(moved, "A-C-2")).view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(103_500), day(13))


def test_moving_a_draft_keeps_the_terms_of_counsel():
    second = assessed("C-2", 0)
    both = changed("C-1").consumed(requested("C-2"), second, agreed("C-2"))
    both = both.when_consumed(priced(second), knowing=ALL).then_accepted()
    both = both.after(DraftAmendment(change="C-2", scope_delta="As agreed.", finishes_on=day(4)))
    moved = draft_of(both.after(sign(both, "A-C-1")), "A-C-2")
    assert (moved.scope_delta, moved.finishes_on) == ("As agreed.", day(14))
    assert moved.content_hash == content_hash(AMENDMENT, moved)


def test_one_deliverable_is_removed_once():
    first, second = assessed("C-1", removed=("design",)), assessed("C-2", removed=("design",))
    both = signed().consumed(
        requested("C-1"), first, agreed("C-1"), requested("C-2"), second, agreed("C-2")
    )
    both = both.when_consumed(priced(first), priced(second), knowing=ALL).then_accepted()
    after = both.after(sign(both, "A-C-1"))
    after.when(sign(after, "A-C-2")).then_refused(
        "amendment-inconsistent", missing=["deliverable-unknown"], saying="design"
    )


@given(
    st.lists(st.tuples(st.integers(-9_000, 9_000), st.integers(-10, 40)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_the_contract_is_the_sum_of_amendments_signed_in_any_order(changes, random):
    scenario = signed()
    names = [f"C-{number}" for number in range(len(changes))]
    for name, (price, days) in zip(names, changes, strict=True):
        change = assessed(name, days)
        scenario = scenario.consumed(requested(name), change, agreed(name))
        scenario = scenario.when_consumed(priced(change, eur(price)), knowing=ALL).then_accepted()
    random.shuffle(names)
    for name in names:
        scenario = scenario.after(sign(scenario, f"A-{name}"))
    contract = scenario.view["contract"]
    assert contract
    assert contract.price == eur(100_000 + sum(price for price, _ in changes))
    assert contract.finishes_on == day(sum(days for _, days in changes))
    assert total_price(contract.lines, "EUR") == contract.price
    [build] = contract.lines
    assert build.billed == eur(100_000 + sum(max(price, 0) for price, _ in changes))
    assert hours_by_role(contract.lines) == {"architect": 500 + 20 * len(changes)}


def test_drafting_and_signing_are_refused_after_the_end():
    over = drafted().published(EngagementTerminated(reason="breach", terminated_on=TODAY))
    commands: tuple[Command, ...] = (DraftAmendment(change="C-1"), sign(drafted()))
    for command in commands:
        over.when(command).then_refused("engagement-over")
    second = assessed("C-2")
    over.when_consumed(
        requested("C-2"), second, agreed("C-2"), priced(second), knowing=ALL
    ).then_nothing()


def test_an_amendment_is_not_signed_before_the_contract_and_the_approval_of_its_change():
    def of(day: date, first: date | None = None) -> SignAmendment:
        signatories = (signature("company", first or day), signature("customer", day))
        return sign(drafted()).model_copy(update={"signatories": signatories})

    for early in (date(2026, 1, 5), date(2026, 2, 28)):
        drafted().when(of(TODAY, early)).then_refused(
            "date-before-approval", saying="signatories.0.signed_on"
        )
    drafted().when(of(TODAY, date(2026, 3, 1))).then_accepted()
    drafted().when(of(date(2026, 3, 1))).then_refused("date-before-approval", saying="2026-03-02")
    drafted().when(of(TODAY)).then(like(AmendmentSigned, signed_on=TODAY))
    # East of UTC the customer may have agreed on the next day.
    tomorrow = agreed().model_copy(update={"approved_on": date(2026, 3, 3)})
    east = signed().consumed(requested(), MANUAL, tomorrow)
    east.when_consumed(priced(MANUAL), knowing=ALL).then_accepted().when(of(TODAY)).then_accepted()
    fifth = date(2026, 3, 5)
    late = agreed().model_copy(update={"approved_on": fifth})
    later = signed().consumed(requested(), MANUAL).on(fifth).consumed(late)
    later = later.when_consumed(priced(MANUAL), knowing=ALL).then_accepted()
    later.when(of(date(2026, 3, 4))).then_refused("date-before-approval", saying=str(fifth))
    before = ChangeApproved(change="C-1", approved_by="zoe", approved_on=date(2026, 1, 1))
    waiting = sent().consumed(requested(), assessed(), priced(), before, knowing=ALL)
    contracted = waiting.after(
        RecordSignature(party="company", person="carl", content_hash=V1.content_hash)
    ).after(RecordSignature(party="customer", person="zoe", content_hash=V1.content_hash))
    old = of(date(2026, 3, 1)).model_copy(
        update={"content_hash": draft_of(contracted).content_hash}
    )
    contracted.when(old).then_refused("date-before-approval", saying="2026-03-02")


@pytest.mark.parametrize("signatories", [(BOTH[0], BOTH[0]), (BOTH[0],), ()])
def test_both_parties_sign(signatories: tuple[Signatory, ...]):
    with pytest.raises(ValidationError):
        SignAmendment.model_validate(
            {
                "amendment": "A-C-1",
                "content_hash": draft_of(drafted()).content_hash,
                "signatories": signatories,
            }
        )
