from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts.delivery import ChangeApproved, ChangeRejected
from contracts.documents import AMENDMENT, content_hash
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementTerminated,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.money import Money
from contracts.refusals import RefusalCode
from contracts.values import BillingItem, Signatory
from legal.amendments.decisions import ChangeView, DraftAmendment, SignAmendment
from legal.amendments.document import amendment_of
from legal.engagement import Engagement
from legal.signing.decisions import RecordSignature
from testkit.scenario import Scenario, like
from tests.unit.legal.builders import (
    ALL,
    BOTH,
    FINISH,
    SIGNED,
    TODAY,
    V1,
    WON,
    agreed,
    assessed,
    deliverable,
    eur,
    filed,
    priced,
    requested,
    sent,
    signature,
    signed,
)


def unpriced() -> Scenario[Engagement]:
    """Return a signed contract with an approved change that Finance has not priced."""
    return signed().consumed(requested(), assessed(added=("manual",)), agreed())


def drafted() -> Scenario[Engagement]:
    """Return a signed contract with the drafted amendment of an approved change."""
    return unpriced().when_consumed(priced(), knowing=ALL).then(like(AmendmentDrafted))


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
    ready = signed().consumed(requested(change), assessed(change, days), agreed(change))
    return ready.when_consumed(priced(change, price), knowing=ALL).then(like(AmendmentDrafted))


# Drafted automatically


def test_an_approved_change_is_drafted_as_it_was_assessed_and_priced():
    event = AmendmentDrafted(
        amendment="A-C-1",
        change="C-1",
        content_hash=content_hash(AMENDMENT, draft_of(drafted())),
        price_delta=eur(3_000),
        finishes_on=day(10),
        scope_delta="And French.",
        deliverables_added=(deliverable("manual"),),
        billing_schedule=(
            BillingItem(
                item="A-C-1",
                kind="on-acceptance",
                amount=eur(3_000),
                deliverables=("manual",),
                description="Amendment A-C-1",
            ),
        ),
    )
    unpriced().when_consumed(priced(), knowing=ALL).then(event)


def test_an_increase_without_a_new_deliverable_is_billed_on_the_new_finish():
    item = draft_of(changed()).billing_schedule[0]
    assert (item.kind, item.due_on, item.amount) == ("on-date", day(10), eur(3_000))


def test_an_increase_of_a_time_and_materials_contract_is_billed_by_time():
    hourly = V1.model_copy(update={"pricing": "time-and-materials"})
    contracted = (
        filed()
        .published(hourly, SIGNED)
        .consumed(requested(), assessed(added=("manual",)), agreed())
    )
    draft = draft_of(
        contracted.when_consumed(priced(), knowing=ALL).then(
            like(
                AmendmentDrafted,
                deliverables_added=(deliverable("manual"),),
                billing_schedule=(
                    BillingItem(
                        item="A-C-1",
                        kind="time",
                        amount=eur(3_000),
                        description="Amendment A-C-1",
                    ),
                ),
            )
        )
    )
    # Counsel may still agree on a fixed price for the addition.
    item = draft.billing_schedule[0].model_copy(
        update={"kind": "on-acceptance", "deliverables": ("manual",)}
    )
    contracted.consumed(priced(), knowing=ALL).when(
        DraftAmendment(change="C-1", billing_schedule=(item,))
    ).then(like(AmendmentDrafted, billing_schedule=(item,)))


@pytest.mark.parametrize("price", [0, -5_000])
def test_a_change_without_a_price_increase_bills_nothing(price: int):
    assert draft_of(changed(price=eur(price))).billing_schedule == ()


def test_a_change_that_is_not_ready_or_not_consistent_is_not_drafted():
    signed().consumed(requested(), assessed()).when_consumed(priced(), knowing=ALL).then_nothing()
    signed().consumed(requested(), agreed()).when_consumed(priced(), knowing=ALL).then_nothing()
    sent().consumed(requested(), assessed(), agreed()).when_consumed(
        priced(), knowing=ALL
    ).then_nothing()
    unpriced().when_consumed(priced(price=eur(-100_001)), knowing=ALL).then_nothing()
    unpriced().when_consumed(priced(price=eur(1, "USD")), knowing=ALL).then_nothing()


def test_the_signature_of_the_contract_drafts_waiting_amendments():
    waiting = sent().consumed(requested(), assessed(), priced(), agreed(), knowing=ALL)

    def by(party: str) -> RecordSignature:
        return RecordSignature.model_validate(
            {"party": party, "person": party, "content_hash": V1.content_hash}
        )

    waiting.after(by("company")).when(by("customer")).then(
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
        .when_consumed(priced(price=eur(4_000)), knowing=ALL)
        .then(like(AmendmentDrafted, amendment="A-C-1", price_delta=eur(4_000)))
    )
    dearer.when_consumed(assessed(days=20)).then(like(AmendmentDrafted, finishes_on=day(20)))
    drafted().when_consumed(priced(), knowing=ALL).then_nothing()


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
    item = BillingItem(item="B-9", kind="time", amount=eur(3_000))
    command = DraftAmendment(change="C-1", scope_delta="French.", billing_schedule=(item,))
    other = (
        drafted()
        .when(command)
        .then(
            like(
                AmendmentDrafted,
                scope_delta="French.",
                billing_schedule=(item,),
                finishes_on=day(10),
            )
        )
    )
    other.when(command).then_nothing()
    assert draft_of(other).content_hash != draft_of(drafted()).content_hash


@pytest.mark.parametrize(
    ("terms", "missing"),
    [
        ({"price_delta": eur(-100_001)}, ["price-below-zero"]),
        ({"price_delta": eur(3_000, "USD")}, ["currency-differs"]),
        ({"finishes_on": date(2026, 3, 31)}, ["finish-before-start"]),
        ({"deliverables_added": (deliverable("portal"),)}, ["id-repeated"]),
        ({"deliverables_descoped": ("tower",)}, ["deliverable-unknown"]),
        (
            {"billing_schedule": (BillingItem(item="B", kind="time", amount=eur(1)),)},
            ["billing-schedule-differs"],
        ),
        (
            {"billing_schedule": (BillingItem(item="B-1", kind="time", amount=eur(3_000)),)},
            ["id-repeated"],
        ),
        (
            {
                "deliverables_descoped": ("design",),
                "billing_schedule": (
                    BillingItem(
                        item="B",
                        kind="on-acceptance",
                        amount=eur(3_000),
                        deliverables=("design",),
                    ),
                ),
            },
            ["deliverable-unknown"],
        ),
    ],
)
def test_an_inconsistent_amendment_is_refused(terms: dict[str, object], missing: list[RefusalCode]):
    command = DraftAmendment.model_validate({"change": "C-1", **terms})
    drafted().when(command).then_refused("amendment-inconsistent", missing=missing)


def test_ids_are_not_repeated_within_an_amendment():
    twice = {"deliverables_added": (deliverable("x"), deliverable("x"))}
    with pytest.raises(ValidationError, match=r"deliverables_added\n.*x appears more than once"):
        DraftAmendment.model_validate({"change": "C-1", **twice})
    item = BillingItem(item="B", kind="time", amount=eur(1_500))
    with pytest.raises(ValidationError, match=r"billing_schedule\n.*B appears more than once"):
        DraftAmendment.model_validate({"change": "C-1", "billing_schedule": (item, item)})
    assessment = signed().consumed(requested(), assessed(added=("x", "x")), agreed())
    assessment.when_consumed(priced(), knowing=ALL).then_nothing()


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
                price_delta=eur(3_000),
                finishes_on=day(10),
                deliverables_added=(deliverable("manual"),),
                billing_schedule=draft.billing_schedule,
                signatories=later,
                signed_on=TODAY,
            )
        )
    )
    contract = after.view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(103_000), day(10))
    assert [one.deliverable for one in contract.deliverables] == ["design", "portal", "manual"]
    assert contract.billing_schedule == (*WON.billing_schedule, *draft.billing_schedule)
    after.when(command).then_nothing()
    after.when(command.model_copy(update={"signatories": later[::-1]})).then_nothing()


def test_a_descoped_deliverable_and_a_price_reduction_change_the_contract():
    scenario = signed().consumed(requested(), assessed(days=-5, descoped=("design",)), agreed())
    cut = scenario.when_consumed(priced(price=eur(-20_000)), knowing=ALL).then(
        like(AmendmentDrafted)
    )
    contract = cut.after(sign(cut)).view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(80_000), day(-5))
    assert [one.deliverable for one in contract.deliverables] == ["portal"]
    assert contract.billing_schedule == WON.billing_schedule


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
    drafted().consumed(priced(price=eur(9_000)), knowing=ALL).when(sign(drafted())).then_refused(
        "amendment-inconsistent", missing=["amendment-outdated"]
    )
    tomorrow = (BOTH[0], signature("customer", date(2026, 3, 3)))
    drafted().when(sign(drafted()).model_copy(update={"signatories": tomorrow})).then_refused(
        "date-in-future"
    )


def test_signing_one_amendment_moves_the_finish_of_another_open_one():
    first = changed("C-1", days=10)
    both = first.consumed(requested("C-2"), assessed("C-2", 3), agreed("C-2"))
    both = both.when_consumed(priced("C-2", eur(500)), knowing=ALL).then(
        like(AmendmentDrafted, finishes_on=day(3))
    )
    stale = sign(both, "A-C-2")
    moved = both.when(sign(both, "A-C-1")).then(
        like(AmendmentSigned, amendment="A-C-1"),
        like(AmendmentDrafted, amendment="A-C-2", finishes_on=day(13), price_delta=eur(500)),
    )
    assert draft_of(moved, "A-C-2").billing_schedule[0].due_on == day(13)
    moved.when(stale).then_refused("content-differs")
    contract = moved.after(sign(moved, "A-C-2")).view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (eur(103_500), day(13))


def test_moving_a_draft_keeps_the_terms_of_counsel():
    both = changed("C-1").consumed(requested("C-2"), assessed("C-2", 0), agreed("C-2"))
    both = both.when_consumed(priced("C-2"), knowing=ALL).then_accepted()
    both = both.after(DraftAmendment(change="C-2", scope_delta="As agreed.", finishes_on=day(4)))
    moved = draft_of(both.after(sign(both, "A-C-1")), "A-C-2")
    assert (moved.scope_delta, moved.finishes_on) == ("As agreed.", day(14))
    assert moved.content_hash == content_hash(AMENDMENT, moved)


def test_one_deliverable_is_descoped_once():
    both = signed().consumed(
        requested("C-1"),
        assessed("C-1", descoped=("design",)),
        agreed("C-1"),
        requested("C-2"),
        assessed("C-2", descoped=("design",)),
        agreed("C-2"),
    )
    both = both.when_consumed(priced("C-1"), priced("C-2"), knowing=ALL).then_accepted()
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
        scenario = scenario.consumed(requested(name), assessed(name, days), agreed(name))
        scenario = scenario.when_consumed(priced(name, eur(price)), knowing=ALL).then_accepted()
    random.shuffle(names)
    for name in names:
        scenario = scenario.after(sign(scenario, f"A-{name}"))
    contract = scenario.view["contract"]
    assert contract
    assert contract.price == eur(100_000 + sum(price for price, _ in changes))
    assert contract.finishes_on == day(sum(days for _, days in changes))
    billed = sum((item.amount.amount for item in contract.billing_schedule), Decimal(0))
    assert billed == 100_000 + sum(max(price, 0) for price, _ in changes)


def test_drafting_and_signing_are_refused_after_the_end():
    over = drafted().published(EngagementTerminated(reason="breach", terminated_on=TODAY))
    commands: tuple[Command, ...] = (DraftAmendment(change="C-1"), sign(drafted()))
    for command in commands:
        over.when(command).then_refused("engagement-over")
    over.when_consumed(
        requested("C-2"), assessed("C-2"), agreed("C-2"), priced("C-2"), knowing=ALL
    ).then_nothing()


def test_an_amendment_is_not_signed_before_the_contract_and_the_approval_of_its_change():
    def of(day: date) -> SignAmendment:
        signatories = (signature("company", date(2026, 1, 5)), signature("customer", day))
        return sign(drafted()).model_copy(update={"signatories": signatories})

    drafted().when(of(date(2026, 3, 1))).then_refused("date-before-approval", saying="2026-03-02")
    drafted().when(of(TODAY)).then(like(AmendmentSigned, signed_on=TODAY))
    # East of UTC the customer may have agreed on the next day.
    tomorrow = agreed().model_copy(update={"approved_on": date(2026, 3, 3)})
    east = signed().consumed(requested(), assessed(added=("manual",)), tomorrow)
    east.when_consumed(priced(), knowing=ALL).then_accepted().when(of(TODAY)).then_accepted()
    fifth = date(2026, 3, 5)
    late = agreed().model_copy(update={"approved_on": fifth})
    later = signed().consumed(requested(), assessed(added=("manual",))).on(fifth).consumed(late)
    later = later.when_consumed(priced(), knowing=ALL).then_accepted()
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
