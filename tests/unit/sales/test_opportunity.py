"""Decisions on opportunities."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.delivery import EngagementClosed, ManagerAssigned
from contracts.legal import EngagementTerminated
from contracts.reference import PersonPublished
from contracts.refusals import RefusalCode
from contracts.sales import (
    DealLost,
    DealReopened,
    EstimateRequested,
    OpportunityAdvanced,
    OpportunityImported,
    OpportunityOpened,
    OpportunityQualified,
    OpportunityUpdated,
)
from sales.opportunity.decisions import (
    AdoptOpportunity,
    AdvanceOpportunity,
    LoseDeal,
    QualifyOpportunity,
    ReopenDeal,
    RequestEstimate,
    UpdateOpportunity,
)
from sales.proposals.decisions import SubmitProposal
from tests.amounts import eur, usd
from tests.unit.sales.builders import (
    ACME,
    OPEN,
    OPENED,
    PORTAL,
    RECORDS,
    SELLERS,
    new,
    opened,
    submitted,
    won,
)

QUALIFY = QualifyOpportunity(
    budget=True, authority=True, need=True, timing=False, score=Decimal(70)
)
REQUEST = RequestEstimate(
    scope_summary="A portal.", deliverables=(PORTAL,), wanted_finish=date(2026, 6, 30)
)
ADVANCE = AdvanceOpportunity(pipeline_stage="proposing", probability=Decimal(60))
ADOPT = AdoptOpportunity(account="acme", contacts=("cleo",), expected_close=date(2026, 2, 1))
LOSE = LoseDeal(reason="price", competitor="Globex")
REOPEN = ReopenDeal(why="They asked again.")
IMPORTED = OpportunityImported(
    source="crm",
    external_id="A1",
    account=None,
    title="Portal",
    product="Portal",
    owner="ann",
    outcome="open",
    pipeline_stage="qualifying",
    opened_on=date(2025, 11, 3),
    closed_on=None,
    value=usd(500),
)


def test_an_opportunity_is_opened_for_a_published_account() -> None:
    new().when(OPEN, by="ann").then(OPENED).then_view(
        stage="prospecting", opened_on=date(2026, 1, 5), expected_value=eur(20_000)
    )


def test_an_unknown_account_is_refused_with_the_field_name() -> None:
    new().knowing().when(OPEN).then_refused("account-unknown", saying="account: no account 'acme'")


NOBODY: tuple[tuple[str, RefusalCode], ...] = (
    ("dora", "person-unknown"),
    ("lea", "person-not-with-company"),
)
LEFT = PersonPublished(
    person="lea", name="Lea", department="sales", left=OPEN.expected_close.replace(year=2025)
)


@pytest.mark.parametrize(("owner", "code"), NOBODY)
def test_the_owner_of_an_opportunity_is_a_person_of_the_company(
    owner: str, code: RefusalCode
) -> None:
    there = new().knowing(*RECORDS, LEFT)
    by_nobody = OPEN.model_copy(update={"owner": owner})
    there.when(by_nobody).then_refused(code, fields={"owner"})
    given_away = UPDATE.model_copy(update={"owner": owner})
    there.after(OPEN).when(given_away).then_refused(code, fields={"owner"})
    unknown = there.published(IMPORTED.model_copy(update={"owner": owner}))
    unknown.when(ADOPT).then_refused(code, fields={"owner"})
    unknown.when(ADOPT.model_copy(update={"owner": "bo"})).then_accepted()


def test_an_owner_who_has_left_since_may_stay_while_the_rest_changes() -> None:
    left = SELLERS[0].model_copy(update={"left": LEFT.left})
    same = UPDATE.model_copy(update={"owner": OPEN.owner})
    opened().knowing(ACME, left).when(same).then_accepted()


def test_an_equal_opening_changes_nothing_and_a_different_one_is_refused() -> None:
    opened().when(OPEN).then_nothing()
    opened().when(OPEN.model_copy(update={"title": "Other"})).then_refused(
        "already-recorded", fields={"title"}, saying="the opportunity is recorded"
    )


def test_an_expected_close_in_the_past_is_refused() -> None:
    new().on(date(2026, 4, 1)).when(OPEN).then_refused(
        "expected-close-passed", saying="expected_close: 2026-03-31"
    )


def test_a_negative_expected_value_is_invalid() -> None:
    with pytest.raises(ValidationError, match="expected_value"):
        OPEN.model_validate(
            {**OPEN.model_dump(), "expected_value": {"amount": -1, "currency": "EUR"}}
        )


UPDATE = UpdateOpportunity(
    **{**dict(OPEN), "title": "Portal and app", "owner": "bea", "region": "North"}
)


def test_all_details_of_an_opportunity_are_updated() -> None:
    updated = opened().when(UPDATE).then(OpportunityUpdated(**dict(UPDATE)))
    updated.then_view(title="Portal and app", owner="bea", region="North", next_step=None)
    updated.when(UPDATE).then_nothing()
    updated.when(OPEN).then_nothing()
    back = UPDATE.model_copy(update={"title": OPEN.title})
    updated.when(back).then(OpportunityUpdated(**dict(back)))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account": "globex"}, "account-differs"),
        ({"expected_value": usd(20_000)}, "currency-differs"),
        ({"expected_close": date(2026, 1, 4)}, "expected-close-passed"),
    ],
)
def test_an_update_keeps_account_and_currency_and_looks_ahead(
    change: dict[str, object], code: RefusalCode
) -> None:
    opened().when(UPDATE.model_copy(update=change)).then_refused(code)


def test_an_expected_close_that_has_passed_since_may_stay() -> None:
    opened().on(date(2026, 6, 1)).when(UPDATE).then(OpportunityUpdated(**dict(UPDATE)))


def test_after_the_deal_is_won_only_value_and_close_are_fixed() -> None:
    dearer = UPDATE.model_copy(update={"expected_value": eur(30_000)})
    won().when(dearer).then_refused("deal-won")
    won().when(UPDATE).then(OpportunityUpdated(**dict(UPDATE)))


def test_an_opportunity_that_is_lost_or_not_opened_is_not_updated() -> None:
    opened().after(LOSE).when(UPDATE).then_refused("engagement-over")
    new().when(UPDATE).then_refused("opportunity-not-adopted")


def test_the_latest_qualification_applies_and_an_equal_one_changes_nothing() -> None:
    qualified = opened().when(QUALIFY).then(OpportunityQualified(**dict(QUALIFY)))
    qualified.then_view(stage="qualifying").when(QUALIFY).then_nothing()
    better = QUALIFY.model_copy(update={"score": Decimal(90)})
    later = qualified.after(ADVANCE).when(better).then(OpportunityQualified(**dict(better)))
    later.then_view(stage="proposing")


def test_an_opportunity_moves_through_the_pipeline_in_both_directions() -> None:
    advanced = opened().when(ADVANCE).then(OpportunityAdvanced(**dict(ADVANCE)))
    advanced.then_view(stage="proposing", probability=Decimal(60)).when(ADVANCE).then_nothing()
    back = AdvanceOpportunity(pipeline_stage="qualifying", probability=Decimal(20))
    advanced.when(back).then(OpportunityAdvanced(**dict(back))).then_view(stage="qualifying")


def test_an_estimate_is_requested_once_for_each_content() -> None:
    asked = opened().when(REQUEST).then(EstimateRequested(**dict(REQUEST)))
    asked.when(REQUEST).then_nothing()
    wider = REQUEST.model_copy(update={"scope_summary": "A portal and an app."})
    asked.when(wider).then(EstimateRequested(**dict(wider)))


def test_a_wanted_finish_in_the_past_is_refused() -> None:
    opened().on(date(2026, 7, 1)).when(REQUEST).then_refused(
        "wanted-finish-passed", saying="wanted_finish"
    )


def test_repeated_deliverables_are_refused_with_the_field_name() -> None:
    with pytest.raises(ValidationError, match=r"deliverables\n.*portal appears more than once"):
        RequestEstimate(scope_summary="A portal.", deliverables=(PORTAL, PORTAL))


@pytest.mark.parametrize("stage", [opened, lambda: opened().after(ADVANCE), submitted])
def test_a_deal_can_be_lost_at_any_stage_before_it_is_won(stage) -> None:
    lost = (
        stage()
        .when(LOSE)
        .then(DealLost(reason="price", competitor="Globex", lost_on=date(2026, 1, 5)))
    )
    lost.then_view(stage="lost").on(date(2026, 2, 1)).when(LOSE).then_nothing()
    lost.when(LoseDeal(reason="scope")).then_refused("already-recorded", saying="the loss is")
    lost.when(ADVANCE).then_refused("engagement-over", saying="lost on 2026-01-05")
    lost.when(OPEN).then_refused("engagement-over", saying="lost on 2026-01-05")


def test_a_deal_is_not_lost_in_the_future() -> None:
    tomorrow = LOSE.model_copy(update={"lost_on": date(2026, 1, 6)})
    # The day begins first in UTC+14.
    before = opened().on(datetime(2026, 1, 5, 9, 59, tzinfo=UTC))
    before.when(tomorrow).then_refused("date-in-future", saying="lost_on")
    begun = opened().on(datetime(2026, 1, 5, 10, tzinfo=UTC))
    begun.when(tomorrow).then_accepted().then_view(stage="lost")


@pytest.mark.parametrize("stage", [opened, lambda: opened().after(ADVANCE), submitted])
def test_a_lost_deal_is_reopened_at_the_stage_before_the_loss(stage) -> None:
    before = stage()
    lost = before.after(LOSE)
    event = DealReopened(
        why="They asked again.", lost_on=date(2026, 1, 5), reopened_on=date(2026, 1, 20)
    )
    again = lost.on(date(2026, 1, 20)).when(REOPEN).then(event)
    again.then_view(stage=before.view["stage"], lost=None)
    again.when(REOPEN).then_refused("deal-not-lost")
    again.when(QUALIFY).then_accepted()
    twice = again.when(LOSE).then(
        DealLost(reason="price", competitor="Globex", lost_on=date(2026, 1, 20))
    )
    twice.when(REOPEN).then_accepted().then_view(stage=before.view["stage"])


def test_only_a_lost_deal_is_reopened_on_a_day_between_the_loss_and_today() -> None:
    for scenario in (new(), opened(), won()):
        scenario.when(REOPEN).then_refused("deal-not-lost")
    lost = opened().after(LOSE).on(date(2026, 1, 20))
    refusals: dict[str, RefusalCode] = {
        "2026-01-04": "date-before-record",
        "2026-01-22": "date-in-future",
    }
    for day, code in refusals.items():
        command = ReopenDeal.model_validate({"why": "They asked again.", "reopened_on": day})
        lost.when(command).then_refused(code, saying="reopened_on")


@pytest.mark.parametrize("command", [QUALIFY, ADVANCE, REQUEST, LOSE, SubmitProposal(version=1)])
def test_commands_are_refused_before_the_opening_and_after_the_end(command) -> None:
    assigned = ManagerAssigned(manager="emma", assigned_on=date(2026, 1, 6))
    new().consumed(assigned).when(command).then_refused("opportunity-not-opened")
    won().when(command).then_refused("deal-won")
    ended = EngagementTerminated(reason="mutual", terminated_on=date(2026, 4, 1))
    won().consumed(ended).when(command).then_refused("engagement-over", saying="terminated on")
    closed = EngagementClosed(closed_on=date(2026, 8, 1))
    won().consumed(closed).when(command).then_refused("engagement-over", saying="closed on")


class TestImportedOpen:
    imported = new().published(IMPORTED)

    def test_it_can_be_qualified_advanced_and_lost(self) -> None:
        moved = self.imported.then_view(stage="qualifying", opened_on=date(2025, 11, 3))
        moved.when(QUALIFY).then_accepted().when(ADVANCE).then_accepted()
        moved.when(LOSE).then_accepted().then_view(stage="lost")

    def test_an_estimate_is_requested_after_adoption(self) -> None:
        self.imported.when(REQUEST).then_refused("opportunity-not-adopted", saying="adopt it first")
        known = self.imported.when(ADOPT).then(
            OpportunityOpened(
                account="acme",
                title="Portal",
                contacts=("cleo",),
                expected_value=usd(500),
                expected_close=date(2026, 2, 1),
                owner="ann",
            )
        )
        known.then_view(opened_on=date(2025, 11, 3), stage="qualifying")
        known.when(ADOPT).then_nothing()
        known.when(REQUEST).then_accepted()
        otherwise = ADOPT.model_copy(update={"title": "Other"})
        known.when(otherwise).then_refused(
            "already-recorded", fields={"title"}, saying="the opportunity is recorded"
        )

    def test_what_an_equal_adoption_omits_is_as_it_was_adopted(self) -> None:
        given = ADOPT.model_copy(update={"title": "Shop", "owner": "bo", "expected_value": usd(7)})
        least = AdoptOpportunity(expected_close=ADOPT.expected_close)
        self.imported.after(given).when(least).then_nothing()

    def test_values_missing_in_the_crm_are_required(self) -> None:
        bare = new().published(IMPORTED.model_copy(update={"value": None}))
        bare.when(AdoptOpportunity(expected_close=date(2026, 2, 1))).then_refused(
            "adoption-incomplete", missing={"field-missing"}, fields={"account", "expected_value"}
        )
        bare.when(ADOPT.model_copy(update={"expected_value": eur(5)})).then_accepted()

    def test_what_the_crm_expects_is_shown_and_adopted(self) -> None:
        expects = {"expected_close": date(2026, 2, 1), "probability": 40, "region": "West"}
        imported = new().published(IMPORTED.model_copy(update=expects)).then_view(**expects)
        without = AdoptOpportunity(account="acme")
        adopted = imported.when(without).then_accepted()
        adopted.then_view(expected_close=date(2026, 2, 1), region="West", probability=40)
        self.imported.when(without).then_refused("adoption-incomplete", fields={"expected_close"})

    def test_adoption_is_checked_like_an_opening(self) -> None:
        self.imported.when(ADOPT.model_copy(update={"account": "globex"})).then_refused(
            "account-unknown", saying="account: no account 'globex'"
        )
        self.imported.on(date(2026, 3, 1)).when(ADOPT).then_refused("expected-close-passed")
        opened().when(ADOPT).then_refused("opportunity-not-imported")
        self.imported.when(OPEN).then_refused("opportunity-imported")

    def test_adoption_keeps_the_currency(self) -> None:
        self.imported.when(ADOPT.model_copy(update={"expected_value": eur(5)})).then_refused(
            "currency-differs", saying="expected_value: is in EUR, but"
        )

    def test_an_opportunity_imported_as_won_is_over(self) -> None:
        ended = IMPORTED.model_copy(update={"outcome": "won", "closed_on": date(2025, 12, 1)})
        over = new().published(ended).then_view(stage="won", expected_value=usd(500))
        for command in (ADOPT, QUALIFY, LOSE):
            over.when(command).then_refused("engagement-over", saying="won on 2025-12-01")


class TestImportedLost:
    imported = new().published(
        IMPORTED.model_copy(update={"outcome": "lost", "closed_on": date(2025, 12, 1)})
    )

    def test_it_is_over_until_it_is_reopened(self) -> None:
        self.imported.then_view(stage="lost").when(QUALIFY).then_refused("engagement-over")
        event = DealReopened(
            why="They asked again.", lost_on=date(2025, 12, 1), reopened_on=date(2026, 1, 5)
        )
        again = self.imported.when(REOPEN).then(event).then_view(stage="qualifying")
        again.when(REOPEN).then_refused("deal-not-lost")
        again.when(REQUEST).then_refused("opportunity-not-adopted")
        adopted = again.when(ADOPT).then_accepted().when(REQUEST).then_accepted()
        lost = adopted.when(LOSE).then_accepted().then_view(stage="lost")
        lost.when(REOPEN).then_accepted().then_view(stage="qualifying")

    def test_a_loss_without_a_day_is_reopened_on_any_day(self) -> None:
        undated = IMPORTED.model_copy(update={"outcome": "lost", "opened_on": None})
        command = REOPEN.model_copy(update={"reopened_on": date(2020, 1, 1)})
        new().published(undated).when(command).then(
            DealReopened(why="They asked again.", lost_on=None, reopened_on=date(2020, 1, 1))
        )

    def test_a_deal_imported_as_won_is_not_reopened(self) -> None:
        ended = IMPORTED.model_copy(update={"outcome": "won", "closed_on": date(2025, 12, 1)})
        new().published(ended).when(REOPEN).then_refused("deal-not-lost")


def test_the_currency_is_that_of_the_opening() -> None:
    assert opened().state.opportunity.currency == "EUR"
    assert opened().view["expected_value"] == eur(20_000)
