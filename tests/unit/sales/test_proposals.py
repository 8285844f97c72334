"""Decisions on proposals: draft, approve an exception, submit, revise, win."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.delivery import EstimateEndorsed, ManagerAssigned
from contracts.finance import EstimatePriced
from contracts.lines import BillingItem, ContractLine, ProposedLine, total_price
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, PlannedPurchase
from contracts.refusals import RefusalCode
from contracts.sales import (
    DealWon,
    LineBilling,
    ProposalDrafted,
    ProposalExceptionApproved,
    ProposalRevised,
    ProposalSubmitted,
)
from sales.engagement import Engagement
from sales.proposals.decisions import (
    ApproveException,
    DraftProposal,
    ReviseProposal,
    SubmitProposal,
    WinDeal,
)
from testkit.scenario import Scenario, like, permutations_agree
from tests.amounts import eur, usd
from tests.unit.sales.builders import (
    BUILD,
    CARE,
    DRAFT,
    ENDORSED,
    ESTIMATE,
    LINES,
    MANAGEMENT,
    MANAGER,
    OPENED,
    PORTAL,
    PRICED,
    SUPPORT,
    TRAINING,
    WIN,
    line,
    new,
    opened,
    priced,
    ready,
    reviewed,
    submitted,
    won,
    work,
)

SUBMIT = SubmitProposal(version=1)
REVISE = ReviseProposal(version=1, reason="The customer wants less.")
REVIEWED = reviewed()
TRAVEL = line("travel", 1_500, kind="expenses", pricing="at-cost")
LICENCE = line(
    "licence",
    3_400,
    kind="licence",
    purchases=(PlannedPurchase(kind="licence", amount=eur(3_000)),),
)
WITHOUT_MANAGEMENT = {"lines": LINES[:1], "price": eur(15_000)}
APPROVE = ApproveException(version=1, why="The customer is new.")


def optional_discount() -> dict[str, object]:
    return {**line("discount", -1, kind="discount").model_dump(), "optional": True}


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
    current().when(drafted(method="All at once.")).then_refused(
        "proposal-open", saying="revise it first"
    )


def test_a_proposal_is_in_the_currency_of_the_engagement() -> None:
    dollars = drafted(lines=(line("build", 1_000, "USD"),), price=usd(1_000))
    opened().when(dollars).then_refused("currency-differs", saying="price: is in USD")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"price": {"amount": 16_999, "currency": "EUR"}}, "price"),
        ({"lines": (*LINES, line("test", 1, "USD"))}, "lines"),
        ({"lines": (line("build", 0),)}, "lines"),
        ({"lines": (line("build", 1, optional=True),)}, "lines"),
        ({"lines": (BUILD, BUILD)}, "lines"),
        ({"lines": (BUILD, optional_discount())}, "lines"),
        ({"lines": (line("build", 1, deliverables=("app",)),)}, "lines"),
        (
            {
                "lines": (
                    line("all", 5, deliverables=("portal", "training"), optional=True),
                    line("fee", 1),
                )
            },
            "lines",
        ),
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
    st.lists(st.tuples(st.integers(1, 5_000), st.booleans()), min_size=1, max_size=20)
)
def test_the_price_is_always_the_sum_of_the_lines_that_are_not_optional(offered) -> None:
    lines = tuple(
        line(f"line-{number}", price, optional=optional)
        for number, (price, optional) in enumerate([*offered, (1, False)])
    )
    outcome = opened().when(read(lines=lines, price=None))
    required = sum(price for price, optional in offered if not optional) + 1
    outcome.then(like(ProposalDrafted, price=eur(required)))


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
                "proposal-not-reviewed",
            ],
            saying="estimate 1 is not priced by Finance",
        )

    @pytest.mark.parametrize(
        ("events", "missing"),
        [
            ([ESTIMATE, PRICED, REVIEWED], {"manager-not-assigned", "estimate-not-endorsed"}),
            ([MANAGER, ESTIMATE, PRICED, REVIEWED], {"estimate-not-endorsed"}),
            ([MANAGER, ESTIMATE, ENDORSED, REVIEWED], {"estimate-not-priced"}),
            ([MANAGER, ESTIMATE, ENDORSED, PRICED], {"proposal-not-reviewed"}),
            (
                [MANAGER, ESTIMATE, ENDORSED, PRICED, reviewed(floor="unknown")],
                {"proposal-floor-unknown"},
            ),
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
            missing={"estimate-not-endorsed", "estimate-not-priced", "proposal-not-reviewed"},
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
        estimate = PRICED.model_copy(update={"lines": (priced("architect", 100, 150),)})
        prepared = opened().consumed(MANAGER, ESTIMATE, ENDORSED, estimate, reviewed())
        idle = MANAGEMENT.model_copy(update={"hours": ()})
        zero = MANAGEMENT.model_copy(update={"hours": (work("project-manager", 0),)})
        for lines in (LINES[:1], (BUILD, idle), (BUILD, zero)):
            prepared.after(drafted(lines=lines, price=None)).when(SUBMIT).then_refused(
                "proposal-not-ready", missing={"project-management-missing"}
            )
        waived = drafted(**WITHOUT_MANAGEMENT, project_management_waiver="The customer manages it.")
        prepared.after(waived).when(SUBMIT).then_accepted()

    def test_project_management_that_the_customer_may_leave_out_does_not_count(self) -> None:
        optional = MANAGEMENT.model_copy(update={"optional": True})
        offered = drafted(lines=(BUILD, optional), price=None)
        ready().after(REVISE).after(offered).consumed(reviewed(2)).when(
            SubmitProposal(version=2)
        ).then_refused("proposal-not-ready", missing={"project-management-missing"})

    def test_time_and_materials_requires_a_rate_for_each_role(self) -> None:
        hourly = SUPPORT.model_copy(
            update={"hours": (work("architect", 100), work("project-manager", 20))}
        )
        offered = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED, reviewed())
        waived = {"project_management_waiver": "The customer manages it.", "price": None}
        unrated = offered.after(drafted(lines=(hourly,), **waived))
        unrated.when(SUBMIT).then_refused(
            "proposal-not-ready", missing={"rates-missing"}, saying="project-manager"
        )
        rates = (
            *hourly.rates,
            hourly.rates[0].model_copy(update={"role": "project-manager"}),
        )
        rated = hourly.model_copy(update={"rates": rates})
        offered.after(drafted(lines=(rated,), **waived)).when(SUBMIT).then_accepted()

    def test_an_expired_version_is_not_submitted(self) -> None:
        last = ready().on(date(2026, 2, 28))
        last.when(SUBMIT).then_accepted()
        late = ready().on(date(2026, 3, 1))
        late.when(SUBMIT).then_refused("proposal-expired", saying="submitted_on: 2026-03-01")
        dated = SubmitProposal(version=1, submitted_on=date(2026, 2, 28))
        late.when(dated).then_accepted()

    def test_a_withdrawn_or_unknown_version_is_not_submitted(self) -> None:
        ready().after(REVISE).when(SUBMIT).then_refused("proposal-withdrawn")
        ready().when(SubmitProposal(version=2)).then_refused("proposal-unknown")
        ready().when(SubmitProposal(version=1, submitted_on=date(2026, 2, 1))).then_refused(
            "date-in-future", saying="submitted_on"
        )


class TestException:
    """Versions that a sales manager must approve before they are submitted."""

    def test_a_price_below_the_floor_needs_an_exception(self) -> None:
        below = ready().consumed(reviewed(floor="below"))
        below.when(SUBMIT).then_refused("proposal-not-ready", missing={"proposal-below-floor"})
        event = ProposalExceptionApproved(**dict(APPROVE), grounds=("below-floor",))
        approved = below.when(APPROVE, by="sam").then(event)
        approved.when(SUBMIT).then_accepted()
        approved.when(APPROVE, by="sam").then_nothing()
        approved.when(ApproveException(version=1, why="Other"), by="sam").then_refused(
            "already-recorded", fields={"why"}
        )

    def test_the_author_does_not_approve_and_nothing_is_approved_in_advance(self) -> None:
        ready().when(APPROVE, by="sam").then_refused("exception-not-needed")
        below = ready().consumed(reviewed(floor="below"))
        below.when(APPROVE, by="someone").then_refused("approver-is-author", saying="someone")
        below.when(ApproveException(version=2, why="Why")).then_refused("proposal-unknown")
        below.after(REVISE).when(APPROVE, by="sam").then_refused("proposal-withdrawn")
        won().when(APPROVE, by="sam").then_refused("deal-won")

    def test_an_exception_covers_one_version_and_its_grounds(self) -> None:
        below = ready().consumed(reviewed(floor="below")).after(APPROVE, by="sam")
        again = below.after(REVISE).after(DRAFT).consumed(reviewed(2, "below"))
        again.when(SubmitProposal(version=2)).then_refused(
            "proposal-not-ready", missing={"proposal-below-floor"}
        )
        other = opened().consumed(MANAGER, ESTIMATE, ENDORSED, MORE).after(DRAFT)
        other = other.consumed(reviewed()).after(APPROVE, by="sam").consumed(reviewed(1, "below"))
        other.when(SUBMIT).then_refused("proposal-not-ready", missing={"proposal-below-floor"})
        both = ("below-floor", "hours-differ")
        approved = other.when(APPROVE, by="sam").then(like(ProposalExceptionApproved, grounds=both))
        approved.when(SUBMIT).then_accepted()

    def test_a_third_price_of_one_estimate_needs_an_exception(self) -> None:
        def repriced(prices: list[int], estimate: int = 1) -> Scenario[Engagement]:
            scenario = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED)
            for version, price in enumerate(prices, 1):
                if version > 1:
                    scenario = scenario.after(REVISE.model_copy(update={"version": version - 1}))
                lines = (BUILD.model_copy(update={"price": eur(price)}), MANAGEMENT)
                last = version == len(prices)
                offered = drafted(lines=lines, price=None, estimate_version=1 if last else estimate)
                scenario = scenario.after(offered).consumed(reviewed(version))
            return scenario

        for accepted in ([10, 20], [10, 20, 10], [10, 20, 20], [10, 20, 30, 20]):
            repriced(accepted).when(SubmitProposal(version=len(accepted))).then_accepted()
        for refused in ([10, 20, 30], [10, 20, 30, 40]):
            repriced(refused).when(SubmitProposal(version=len(refused))).then_refused(
                "proposal-not-ready", missing={"proposal-repriced"}
            )
        repriced([10, 20, 30], estimate=2).when(SubmitProposal(version=3)).then_accepted()

    def test_an_offer_of_the_same_price_with_other_hours_is_another_one(self) -> None:
        """Otherwise hours could be moved to an optional line until the floor is found."""
        scenario = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED)
        for version, optional in enumerate((10, 20, 30), 1):
            if version > 1:
                scenario = scenario.after(REVISE.model_copy(update={"version": version - 1}))
            part = BUILD.model_copy(update={"hours": (work("architect", 100 - optional),)})
            more = line("more", 1_000, hours=(work("architect", optional),), optional=True)
            scenario = scenario.after(drafted(lines=(part, MANAGEMENT, more), price=None))
            submit = scenario.when(SubmitProposal(version=version))
            missing: set[RefusalCode] = {"proposal-not-reviewed"}
            if version == 3:
                missing.add("proposal-repriced")
            submit.then_refused("proposal-not-ready", missing=missing)
        [*_, shown] = scenario.view["proposals"]
        assert [each.owed_by for each in shown.waits_for] == ["sales", "sales"]

    @pytest.mark.parametrize(
        ("lines", "saying"),
        [
            ((BUILD.model_copy(update={"hours": (work("architect", 99),)}), MANAGEMENT), "99"),
            ((*LINES, line("test", 1, hours=(work("tester", 1),))), "tester 1 instead of 0"),
            ((*LINES, SUPPORT), "architect 130 instead of 100"),
            ((*LINES, SUPPORT.model_copy(update={"optional": True})), "architect 130"),
        ],
    )
    def test_hours_that_differ_from_the_estimate_need_an_exception(self, lines, saying) -> None:
        offered = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED, reviewed())
        offered = offered.after(drafted(lines=lines, price=None))
        offered.when(SUBMIT).then_refused(
            "proposal-not-ready", missing={"proposal-hours-differ"}, saying=saying
        )
        offered.after(APPROVE, by="sam").when(SUBMIT).then_accepted()

    def test_hours_are_compared_by_role_over_all_lines(self) -> None:
        half = BUILD.model_copy(update={"hours": (work("architect", 70),)})
        split = drafted(lines=(half, MANAGEMENT, SUPPORT, CARE), price=None)
        offered = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED, reviewed())
        offered.after(split).when(SUBMIT).then_accepted()

    @pytest.mark.parametrize(
        ("offered", "saying"),
        [
            ((), "expenses 0.00 EUR instead of 1,500.00 EUR, licence 0.00 EUR instead of 3,000"),
            ((TRAVEL,), "licence 0.00 EUR instead of 3,000.00 EUR"),
            ((TRAVEL, LICENCE, TRAVEL.model_copy(update={"line": "more"})), "expenses 3,000.00"),
        ],
    )
    def test_purchases_that_differ_from_the_estimate_need_an_exception(
        self, offered, saying
    ) -> None:
        asked = opened().consumed(MANAGER, ESTIMATE, BUYING, ENDORSED, reviewed())
        asked = asked.after(drafted(lines=(*LINES, *offered), price=None))
        asked.when(SUBMIT).then_refused(
            "proposal-not-ready", missing={"proposal-purchases-differ"}, saying=saying
        )
        approved = asked.when(APPROVE, by="sam").then(
            like(ProposalExceptionApproved, grounds=("purchases-differ",))
        )
        approved.when(SUBMIT).then_accepted()

    def test_purchases_are_compared_by_kind_over_all_lines_whatever_these_cost(self) -> None:
        asked = opened().consumed(MANAGER, ESTIMATE, BUYING, ENDORSED, reviewed())
        apart = drafted(lines=(*LINES, TRAVEL, LICENCE), price=None)
        asked.after(apart).when(SUBMIT).then_accepted()
        parts = (
            PlannedPurchase(kind="licence", amount=eur(1_000)),
            PlannedPurchase(kind="expenses", amount=eur(1_500)),
        )
        inside = BUILD.model_copy(update={"purchases": parts})
        rest = LICENCE.model_copy(
            update={"purchases": (PlannedPurchase(kind="licence", amount=eur(2_000)),)}
        )
        asked.after(drafted(lines=(inside, MANAGEMENT, rest), price=None)).when(
            SUBMIT
        ).then_accepted()

    def test_purchases_of_a_line_are_in_its_currency_and_of_different_kinds(self) -> None:
        for purchases in (
            (PlannedPurchase(kind="licence", amount=usd(1)),),
            (PlannedPurchase(kind="licence", amount=eur(1)),) * 2,
        ):
            with pytest.raises(ValidationError):
                line("licence", 1, purchases=purchases)


MORE: EstimatePriced = PRICED.model_copy(
    update={"lines": (*PRICED.lines, priced("tester", 10, 100))}
)


BUYING: EstimatePriced = PRICED.model_copy(
    update={
        "purchases": (
            EstimatedPurchase(title="Travel", kind="expenses", phase="Build", amount=eur(1_500)),
            EstimatedPurchase(title="Base", kind="licence", phase="Build", amount=eur(2_000)),
            EstimatedPurchase(title="Tools", kind="licence", phase="Build", amount=eur(1_000)),
        ),
        "price": eur(21_500),
    }
)


class TestWinning:
    def test_the_deal_has_the_content_of_the_submitted_version(self) -> None:
        build = ContractLine(
            **BUILD.model_dump(exclude={"optional", "billing"}), billing=WIN.billing[0].billing
        )
        usual = BillingItem(
            item="management",
            kind="on-date",
            amount=eur(2_000),
            due_on=DRAFT.promised_finish,
            description="management",
        )
        management = ContractLine(
            **MANAGEMENT.model_dump(exclude={"optional", "billing"}), billing=(usual,)
        )
        deal = DealWon(
            proposal_version=1,
            company="concord",
            lines=(build, management),
            price=eur(17_000),
            deliverables=DRAFT.deliverables,
            starts_on=DRAFT.promised_start,
            finishes_on=DRAFT.promised_finish,
            payment_terms_days=30,
            won_on=date(2026, 1, 5),
        )
        done = submitted().when(WIN).then(deal).then_view(stage="won")
        done.on(date(2026, 2, 1)).when(WIN).then_nothing()
        done.when(WIN.model_copy(update={"payment_terms_days": 14})).then_refused(
            "already-recorded", fields={"payment_terms_days"}, saying="the deal is recorded"
        )
        done.when(REVISE).then_refused("deal-won")

    def test_a_version_is_won_while_it_is_valid(self) -> None:
        late = submitted().on(date(2026, 3, 1))
        late.when(WIN).then_refused("proposal-expired", saying="won_on: 2026-03-01")
        last = WIN.model_copy(update={"won_on": date(2026, 2, 28)})
        done = late.when(last).then(like(DealWon, won_on=date(2026, 2, 28)))
        done.when(WIN).then_nothing()

    def test_only_a_submitted_version_can_be_won(self) -> None:
        ready().when(WIN).then_refused("proposal-not-submitted")
        submitted().after(REVISE).when(WIN).then_refused("proposal-withdrawn")
        again = submitted().after(REVISE).after(DRAFT).consumed(reviewed(2))
        again = again.after(SubmitProposal(version=2))
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
        ("item", "missing", "saying"),
        [
            (
                BillingItem(item="rest", kind="on-signature", amount=eur("7999.99")),
                "billing-schedule-differs",
                "adds up to 14,999.99 EUR, its price is 15,000.00 EUR",
            ),
            (
                BillingItem(
                    item="rest", kind="on-acceptance", amount=eur(8_000), deliverables=("app",)
                ),
                "deliverable-unknown",
                "line build names app",
            ),
            (
                BillingItem(item="management", kind="on-signature", amount=eur(8_000)),
                "id-repeated",
                "management is the id of 2 billing entries",
            ),
        ],
    )
    def test_billing_fits_price_and_deliverables(self, item, missing, saying) -> None:
        submitted().when(billed("build", ADVANCE, item)).then_refused(
            "deal-inconsistent", missing=[missing], fields=["billing"], saying=saying
        )

    @pytest.mark.parametrize(
        ("item", "saying"),
        [
            (
                BillingItem(item="rest", kind="on-signature", amount=usd(8_000)),
                "billing: line build: billing must be in EUR",
            ),
            (BillingItem(item="rest", kind="time", amount=eur(8_000)), "time-and-materials"),
            (BillingItem(item="rest", kind="period", amount=eur(8_000)), "for retainers only"),
        ],
    )
    def test_billing_fits_the_line(self, item, saying) -> None:
        submitted().when(billed("build", ADVANCE, item)).then_refused(
            "line-inconsistent", saying=saying
        )

    @pytest.mark.parametrize("optional", [False, True])
    @pytest.mark.parametrize("line", [BUILD, SUPPORT, CARE], ids=lambda each: each.pricing)
    def test_a_proposed_billing_adds_up_to_the_price_of_its_line(
        self, line: ProposedLine, optional: bool
    ) -> None:
        kind = {"fixed": "on-signature", "time-and-materials": "time", "retainer": "period"}
        kinds = kind[line.pricing]
        whole = BillingItem.model_validate({"item": "all", "kind": kinds, "amount": line.price})
        less = whole.model_copy(update={"amount": line.price - eur(1)})

        def draft(item: BillingItem) -> DraftProposal:
            billed = line.model_copy(update={"billing": (item,), "optional": optional})
            others = (each for each in LINES if each.line != line.line)
            return DraftProposal(**{**dict(DRAFT), "lines": (billed, *others), "price": None})

        opened().when(draft(less)).then_refused(
            "billing-schedule-differs",
            fields={"lines"},
            saying=f"line {line.line} adds up to {less.amount}, its price is {line.price}",
        )
        opened().when(draft(whole)).then_accepted()

    def test_only_lines_of_the_deal_are_billed(self) -> None:
        submitted().when(billed("other", ADVANCE)).then_refused("line-unknown", saying="other")

    def test_repeated_items_are_refused_with_the_field_name(self) -> None:
        with pytest.raises(ValidationError, match=r"billing\n.*advance appears more than"):
            LineBilling(line="build", billing=(ADVANCE, ADVANCE))
        build = WIN.billing[0]
        with pytest.raises(ValidationError, match=r"billing\n.*build appears more than"):
            WinDeal(proposal_version=1, billing=(build, build))

    @hypothesis_given(st.lists(st.integers(1, 100_000_000), min_size=1, max_size=12))
    def test_a_deal_is_won_if_and_only_if_its_billing_adds_up(self, cents) -> None:
        items = (
            BillingItem(
                item=f"part-{number}",
                kind="on-signature",
                amount=Money(amount=Decimal(part).scaleb(-2), currency="EUR"),
            )
            for number, part in enumerate(cents)
        )
        outcome = submitted().when(billed("build", *items))
        assert (outcome.refusal is None) == (sum(cents) == 15_000_00)


ADVANCE = WIN.billing[0].billing[0]


def billed(name: str, *items: BillingItem) -> WinDeal:
    return WinDeal(proposal_version=1, billing=(LineBilling(line=name, billing=items),))


def offering(*lines: ProposedLine) -> Scenario[Engagement]:
    """Return an engagement whose submitted proposal has these lines beside those of DRAFT."""
    offered = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED, reviewed())
    needed = offered.after(drafted(lines=(*LINES, *lines), price=None))
    if needed.view["proposals"][0].waits_for:
        needed = needed.after(APPROVE, by="sam")
    return needed.after(SUBMIT)


OPTION = line("training", 3_000, optional=True, deliverables=("training",))


class TestMixedDeal:
    """Deals with lines by time and materials, retainers, options and discounts."""

    def test_each_line_is_billed_as_usual_for_its_pricing(self) -> None:
        [deal] = offering(SUPPORT, CARE).when(WIN).events
        assert isinstance(deal, DealWon)
        assert [
            (each.line, [(item.kind, item.amount) for item in each.billing]) for each in deal.lines
        ] == [
            ("build", [("on-signature", eur(7_000)), ("on-acceptance", eur(8_000))]),
            ("management", [("on-date", eur(2_000))]),
            ("support", [("time", eur(4_500))]),
            ("care", [("period", eur(6_000))]),
        ]
        assert deal.price == total_price(deal.lines, "EUR") == eur(27_500)

    def test_an_option_is_part_of_the_deal_where_the_customer_chose_it(self) -> None:
        offered = offering(OPTION)
        without = offered.when(WIN).then(like(DealWon, price=eur(17_000), deliverables=(PORTAL,)))
        assert [each.line for each in without.view["won"].lines] == ["build", "management"]
        chosen = WIN.model_copy(update={"options": ("training",)})
        whole = offered.when(chosen).then(
            like(DealWon, price=eur(20_000), deliverables=(PORTAL, TRAINING))
        )
        assert whole.view["won"].lines[-1].billing[0].deliverables == ("training",)
        whole.when(chosen).then_nothing()
        whole.when(WIN).then_refused("already-recorded")
        for other in ("build", "hosting"):
            offered.when(WIN.model_copy(update={"options": (other,)})).then_refused(
                "line-unknown", saying=f"options: {other}"
            )
        offered.when(billed("training", ADVANCE)).then_refused("line-unknown", saying="training")

    def test_a_discount_names_the_entries_that_it_reduces(self) -> None:
        offered = offering(line("discount", -1_000, kind="discount"))
        offered.when(WIN).then_refused(
            "deal-inconsistent", missing=["billing-schedule-differs"], saying="line discount"
        )

        def reducing(**reductions: int) -> WinDeal:
            items = tuple(
                BillingItem(
                    item=f"less-{name}", kind="on-signature", amount=eur(-amount), reduces=name
                )
                for name, amount in reductions.items()
            )
            discount = LineBilling(line="discount", billing=items)
            return WIN.model_copy(update={"billing": (*WIN.billing, discount)})

        offered.when(reducing(advance=400, management=600)).then(like(DealWon, price=eur(16_000)))
        offered.when(reducing(rest=1_000)).then_refused(
            "deal-inconsistent", missing=["billing-item-unknown"], saying="rest"
        )
        large = offering(line("discount", -7_001, kind="discount"))
        large.when(reducing(advance=7_001)).then_refused(
            "deal-inconsistent", missing=["discount-too-large"], saying="advance"
        )

    @hypothesis_given(
        st.lists(st.tuples(st.integers(1, 9_999), st.booleans(), st.booleans()), max_size=6)
    )
    def test_the_lines_of_a_deal_add_up_to_its_price_and_are_billed_whole(self, options) -> None:
        lines = tuple(
            line(f"o-{number}", price, optional=optional)
            for number, (price, optional, _) in enumerate(options)
        )
        chosen = tuple(
            f"o-{number}"
            for number, (_, optional, taken) in enumerate(options)
            if optional and taken
        )
        [deal] = offering(*lines).when(WIN.model_copy(update={"options": chosen})).events
        assert isinstance(deal, DealWon)
        sold = sum(price for price, optional, taken in options if taken or not optional)
        assert deal.price == total_price(deal.lines, "EUR") == eur(17_000 + sold)
        assert all(each.billed == each.price for each in deal.lines)


def test_the_order_of_other_departments_events_does_not_matter() -> None:
    permutations_agree(new(), OPENED, ESTIMATE, PRICED, MANAGER, ENDORSED, reviewed())
    assert won().view["stage"] == "won"
