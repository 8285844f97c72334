"""Decisions on proposals: draft, submit, revise, win."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.delivery import EstimateEndorsed, ManagerAssigned
from contracts.money import Money
from contracts.sales import DealWon, ProposalDrafted, ProposalRevised, ProposalSubmitted
from contracts.values import BillingItem, RoleRate
from sales.proposals.decisions import DraftProposal, ReviseProposal, SubmitProposal, WinDeal
from testkit.scenario import like, permutations_agree
from tests.unit.sales.builders import (
    DRAFT,
    ENDORSED,
    ESTIMATE,
    LINES,
    MANAGER,
    OPENED,
    PORTAL,
    PRICED,
    WIN,
    eur,
    line,
    new,
    opened,
    per_hour,
    ready,
    submitted,
    usd,
    won,
)

SUBMIT = SubmitProposal(version=1)
REVISE = ReviseProposal(version=1, reason="The customer wants less.")
WITHOUT_MANAGEMENT = {"lines": LINES[:1], "price": eur(15_000)}


def drafted(**changed: object) -> DraftProposal:
    return DRAFT.model_copy(update=changed)


def read(**changed: object) -> DraftProposal:
    return DraftProposal.model_validate({**DRAFT.model_dump(), **changed})


def test_a_proposal_gets_the_next_version_number() -> None:
    first = opened().when(DRAFT).then(ProposalDrafted(**dict(DRAFT), version=1))
    first.when(DRAFT).then_nothing()
    revised = first.when(REVISE).then(ProposalRevised(**dict(REVISE)))
    revised.when(REVISE).then_nothing()
    revised.when(DRAFT).then(like(ProposalDrafted, version=2)).then_view(
        delivery__promised_finish=date(2026, 6, 30)
    )


def test_the_price_is_computed_where_it_is_not_given() -> None:
    opened().when(drafted(price=None)).then(like(ProposalDrafted, price=eur(17_000)))


@pytest.mark.parametrize("current", [ready, submitted])
def test_the_current_version_must_be_revised_first(current) -> None:
    current().when(drafted(pricing="time-and-materials")).then_refused(
        "proposal-open", saying="revise it first"
    )


def test_a_proposal_is_in_the_currency_of_the_engagement() -> None:
    dollars = drafted(lines=(line("architect", 10, 100, currency="USD"),), price=usd(1_000))
    opened().when(dollars).then_refused("currency-differs", saying="price: is in USD")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price": {"amount": 16_999, "currency": "EUR"}}, "price"),
        ({"lines": (*LINES, line("tester", 1, 1, currency="USD"))}, "lines"),
        ({"lines": (line("architect", 0, 1),)}, "lines"),
        ({"lines": ()}, "lines"),
        ({"deliverables": (PORTAL, PORTAL)}, "deliverables"),
        ({"promised_finish": date(2026, 3, 1)}, "promised_finish"),
        ({"project_management_waiver": "  "}, "project_management_waiver"),
        ({"version": 7}, "version"),
    ],
)
def test_invalid_drafts_are_refused_with_the_field_name(changed, field) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**changed)
    assert [error["loc"][0] for error in refused.value.errors()] == [field]


@hypothesis_given(
    st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 900)), min_size=1, max_size=20)
)
def test_the_price_is_always_the_sum_of_the_lines(work) -> None:
    lines = tuple(line("architect", hours, rate) for hours, rate in work)
    outcome = opened().when(read(lines=lines, price=None))
    outcome.then(like(ProposalDrafted, price=eur(sum(hours * rate for hours, rate in work))))


class TestGate:
    """Gate 1: the preconditions of submitting a proposal."""

    def test_a_proposal_that_meets_all_preconditions_is_submitted(self) -> None:
        done = (
            ready().when(SUBMIT).then(ProposalSubmitted(version=1, submitted_on=date(2026, 1, 5)))
        )
        done.on(date(2026, 1, 9)).when(SUBMIT).then_nothing()
        other_day = SubmitProposal(version=1, submitted_on=date(2026, 1, 6))
        done.on(date(2026, 1, 9)).when(other_day).then_refused(
            "already-recorded", fields={"submitted_on"}, saying="the submission of version 1"
        )

    def test_all_missing_preconditions_are_listed(self) -> None:
        opened().after(drafted(**WITHOUT_MANAGEMENT)).when(SUBMIT).then_refused(
            "proposal-not-ready",
            missing=[
                "manager-not-assigned",
                "estimate-not-endorsed",
                "estimate-not-priced",
                "project-management-missing",
            ],
            saying="estimate 1 is not priced by Finance",
        )

    @pytest.mark.parametrize(
        ("events", "missing"),
        [
            ([ESTIMATE, PRICED], {"manager-not-assigned", "estimate-not-endorsed"}),
            ([MANAGER, ESTIMATE, PRICED], {"estimate-not-endorsed"}),
            ([MANAGER, ESTIMATE, ENDORSED], {"estimate-not-priced"}),
        ],
    )
    def test_each_precondition_is_required(self, events, missing) -> None:
        opened().consumed(*events).after(DRAFT).when(SUBMIT).then_refused(
            "proposal-not-ready", missing=missing
        )

    def test_only_the_estimate_of_the_proposal_counts(self) -> None:
        on_second = (
            opened()
            .consumed(MANAGER, ESTIMATE, ENDORSED, PRICED)
            .after(drafted(estimate_version=2))
        )
        on_second.when(SUBMIT).then_refused(
            "proposal-not-ready",
            missing={"estimate-not-endorsed", "estimate-not-priced"},
            saying="estimate 2",
        )

    def test_the_current_manager_must_have_endorsed(self) -> None:
        changed = ready().consumed(ManagerAssigned(manager="paul", assigned_on=date(2026, 1, 8)))
        changed.when(SUBMIT).then_refused(
            "proposal-not-ready",
            missing={"estimate-not-endorsed"},
            saying="endorsed by emma, but the manager is now paul",
        )
        changed.consumed(EstimateEndorsed(version=1, manager="paul")).when(SUBMIT).then_accepted()

    def test_project_management_is_a_line_or_waived_with_a_reason(self) -> None:
        prepared = opened().consumed(MANAGER, ESTIMATE, ENDORSED, PRICED)
        for bare in (
            drafted(**WITHOUT_MANAGEMENT),
            drafted(
                lines=(LINES[0], line("project-manager", 0, 1, "project-management")), price=None
            ),
        ):
            prepared.after(bare).when(SUBMIT).then_refused(
                "proposal-not-ready", missing={"project-management-missing"}
            )
        waived = drafted(**WITHOUT_MANAGEMENT, project_management_waiver="The customer manages it.")
        prepared.after(waived).when(SUBMIT).then_accepted()

    def test_a_withdrawn_or_unknown_version_is_not_submitted(self) -> None:
        ready().after(REVISE).when(SUBMIT).then_refused("proposal-withdrawn")
        ready().when(SubmitProposal(version=2)).then_refused("proposal-unknown")
        ready().when(SubmitProposal(version=1, submitted_on=date(2026, 2, 1))).then_refused(
            "date-in-future", saying="submitted_on"
        )


class TestWinning:
    def test_the_deal_has_the_content_of_the_submitted_version(self) -> None:
        deal = DealWon(
            proposal_version=1,
            price=eur(17_000),
            pricing="fixed-price",
            deliverables=DRAFT.deliverables,
            starts_on=DRAFT.promised_start,
            finishes_on=DRAFT.promised_finish,
            billing_schedule=WIN.billing_schedule,
            payment_terms_days=30,
            won_on=date(2026, 1, 5),
        )
        done = submitted().when(WIN).then(deal).then_view(stage="won")
        done.on(date(2026, 2, 1)).when(WIN).then_nothing()
        done.when(WIN.model_copy(update={"payment_terms_days": 14})).then_refused(
            "already-recorded", fields={"payment_terms_days"}, saying="the deal is recorded"
        )
        done.when(REVISE).then_refused("deal-won")

    def test_only_a_submitted_version_can_be_won(self) -> None:
        ready().when(WIN).then_refused("proposal-not-submitted")
        submitted().after(REVISE).when(WIN).then_refused("proposal-withdrawn")
        again = submitted().after(REVISE).after(DRAFT).after(SubmitProposal(version=2))
        again.when(WIN).then_refused("proposal-withdrawn")
        again.when(WIN.model_copy(update={"proposal_version": 2})).then_accepted()

    def test_a_deal_is_won_after_its_submission_and_not_in_the_future(self) -> None:
        early = WIN.model_copy(update={"won_on": date(2026, 1, 4)})
        submitted().when(early).then_refused("date-before-submission", saying="won_on")
        late = WIN.model_copy(update={"won_on": date(2026, 1, 8)})
        submitted().when(late).then_refused("date-in-future", saying="won_on")

    def test_other_dates_can_be_agreed_in_order(self) -> None:
        later = WIN.model_copy(update={"finishes_on": date(2026, 9, 1)})
        agreed = like(DealWon, starts_on=date(2026, 3, 2), finishes_on=date(2026, 9, 1))
        won = submitted().when(later).then(agreed)
        won.then_view(delivery__promised_finish=date(2026, 9, 1)).when(WIN).then_nothing()
        before = WIN.model_copy(update={"finishes_on": date(2026, 3, 1)})
        submitted().when(before).then_refused("finish-before-start", saying="finishes_on")

    @pytest.mark.parametrize(
        ("item", "code", "saying"),
        [
            (
                BillingItem(item="rest", kind="on-signature", amount=eur("9999.99")),
                "billing-schedule-differs",
                "16,999.99 EUR, but the price is 17,000.00 EUR",
            ),
            (
                BillingItem(item="rest", kind="on-signature", amount=usd(10_000)),
                "currency-differs",
                "billing_schedule rest: is in USD",
            ),
            (
                BillingItem(
                    item="rest", kind="on-acceptance", amount=eur(10_000), deliverables=("app",)
                ),
                "deliverable-unknown",
                "rest waits for app",
            ),
        ],
    )
    def test_a_billing_schedule_fits_price_and_deliverables(self, item, code, saying) -> None:
        schedule = (WIN.billing_schedule[0], item)
        submitted().when(WIN.model_copy(update={"billing_schedule": schedule})).then_refused(
            code, saying=saying
        )

    def test_repeated_items_are_refused_with_the_field_name(self) -> None:
        item = WIN.billing_schedule[0]
        with pytest.raises(ValidationError, match=r"billing_schedule\n.*advance appears more than"):
            WinDeal(proposal_version=1, billing_schedule=(item, item))

    def test_time_and_materials_requires_a_rate_for_each_role(self) -> None:
        sold = (
            opened()
            .consumed(MANAGER, ESTIMATE, PRICED, ENDORSED)
            .after(drafted(pricing="time-and-materials"))
            .after(SUBMIT)
        )
        architect = RoleRate(role="architect", rate=per_hour(150))
        manager = RoleRate(role="project-manager", rate=per_hour(100))
        some = WIN.model_copy(update={"rates": (architect,)})
        sold.when(some).then_refused("rates-missing", saying="project-manager")
        sold.when(some.model_copy(update={"rates": (architect, manager)})).then_accepted()
        dollars = RoleRate(role="project-manager", rate=per_hour(100, "USD"))
        sold.when(some.model_copy(update={"rates": (architect, dollars)})).then_refused(
            "currency-differs", saying="rates project-manager"
        )

    @hypothesis_given(st.lists(st.integers(1, 100_000_000), min_size=1, max_size=12))
    def test_a_deal_is_won_if_and_only_if_its_schedule_adds_up(self, cents) -> None:
        schedule = tuple(
            BillingItem(
                item=f"part-{number}",
                kind="on-signature",
                amount=Money(amount=Decimal(part).scaleb(-2), currency="EUR"),
            )
            for number, part in enumerate(cents)
        )
        outcome = submitted().when(WIN.model_copy(update={"billing_schedule": schedule}))
        assert (outcome.refusal is None) == (sum(cents) == 17_000_00)


def test_the_order_of_other_departments_events_does_not_matter() -> None:
    permutations_agree(new(), OPENED, ESTIMATE, PRICED, MANAGER, ENDORSED)
    assert won().view["stage"] == "won"
