from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.delivery import EstimateEndorsed, EstimateSubmitted, TierChosen
from contracts.money import Money
from contracts.purchases import EstimatedPurchase
from contracts.values import EstimateLine
from delivery.estimates.decisions import EndorseEstimate, SubmitEstimate, scaled
from delivery.management.decisions import AssignManager
from testkit.scenario import like
from tests.amounts import eur, hours
from tests.unit.delivery.builders import ESTIMATED, TEMPLATE, asked, estimated, managed, opened, won

FROM_TEMPLATE = SubmitEstimate(template="web", duration_days=100, contingency=hours(10))
BUILD = EstimateLine(phase="Build", role="developer", hours=hours(80))
LIGHT = TierChosen(tier="light", proposed="standard", reason="Small and known.")


def test_an_estimate_is_made_from_a_template() -> None:
    submitted = asked().when(FROM_TEMPLATE).then(ESTIMATED)
    [estimate] = submitted.view["estimates"]
    assert (estimate.hours, estimate.project_management_hours) == (hours(270), hours(30))
    submitted.when(FROM_TEMPLATE).then_nothing()


def test_a_template_is_scaled() -> None:
    half = FROM_TEMPLATE.model_copy(update={"scale": Decimal("0.5")})
    outcome = asked().when(half).then(like(EstimateSubmitted, version=1, template_version=1))
    assert outcome.view["estimates"][0].hours == hours(135)


@given(st.decimals("0.01", "100", places=2))
def test_scaling_rounds_each_line_by_at_most_half_a_hundredth(scale: Decimal) -> None:
    for before, after in zip(TEMPLATE.estimate, scaled(TEMPLATE, scale), strict=True):
        assert abs(after.hours - before.hours * scale) <= Decimal("0.005")
        assert after.hours == after.hours.quantize(Decimal("0.01"))


def test_given_lines_need_no_known_template() -> None:
    lines = (BUILD, *TEMPLATE.estimate[2:])
    given_lines = SubmitEstimate(template="own", duration_days=10, lines=lines)
    asked().when(given_lines).then(
        like(EstimateSubmitted, lines=lines, template="own", template_version=None)
    )
    unknown = SubmitEstimate(template="own", duration_days=10)
    asked().when(unknown).then_refused("template-unknown", saying="own")


def test_versions_count_up() -> None:
    longer = FROM_TEMPLATE.model_copy(update={"duration_days": 120})
    estimated().when(longer).then(like(EstimateSubmitted, version=2, duration_days=120))


def test_an_estimate_is_submitted_after_the_request_and_before_the_deal_is_won() -> None:
    managed().when(FROM_TEMPLATE).then_refused(
        "estimate-not-requested", missing=["estimate-not-requested"]
    )
    won().when(FROM_TEMPLATE).then_refused("deal-won")


def test_an_estimate_without_hours_is_refused() -> None:
    nothing = BUILD.model_copy(update={"hours": hours(0)})
    command = SubmitEstimate(template="web", duration_days=10, lines=(nothing,))
    asked().when(command).then_refused("estimate-empty", saying="lines: no line has hours")


def test_an_estimate_has_project_management_or_a_reason_for_none() -> None:
    unmanaged = SubmitEstimate(template="own", duration_days=10, lines=(BUILD,))
    asked().when(unmanaged).then_refused("project-management-missing")
    asked().published(LIGHT).when(unmanaged).then(like(EstimateSubmitted, assumptions=()))
    reasoned = unmanaged.model_copy(update={"no_project_management": "The customer leads."})
    asked().when(reasoned).then(
        like(EstimateSubmitted, assumptions=("No project management: The customer leads.",))
    )


def test_the_manager_endorses_the_newest_version_once() -> None:
    endorsed = (
        estimated()
        .when(EndorseEstimate(version=1), by="mara")
        .then(EstimateEndorsed(version=1, manager="mara"))
    )
    endorsed.when(EndorseEstimate(version=1), by="mara").then_nothing()


def test_a_stand_in_endorses_for_the_manager() -> None:
    endorsed = estimated().when(EndorseEstimate(version=1), by="milo", on_behalf_of="mara")
    endorsed.then(EstimateEndorsed(version=1, manager="mara"))


@pytest.mark.parametrize(("by", "version"), [("milo", 1), ("ann", 1)])
def test_only_the_manager_endorses(by: str, version: int) -> None:
    refused = estimated().when(EndorseEstimate(version=version), by=by)
    refused.then_refused("caller-not-manager", saying="mara")


def test_a_new_manager_endorses_again() -> None:
    endorsed = estimated().after(EndorseEstimate(version=1), by="mara")
    handed_over = endorsed.after(AssignManager(manager="milo"))
    handed_over.when(EndorseEstimate(version=1), by="milo").then(
        EstimateEndorsed(version=1, manager="milo")
    )


def test_what_cannot_be_endorsed() -> None:
    opened().when(EndorseEstimate(version=1), by="mara").then_refused("manager-not-assigned")
    asked().when(EndorseEstimate(version=1), by="mara").then_refused("estimate-unknown")
    twice = estimated().after(FROM_TEMPLATE.model_copy(update={"duration_days": 120}))
    twice.when(EndorseEstimate(version=1), by="mara").then_refused(
        "estimate-superseded", saying="2"
    )


TRAVEL = EstimatedPurchase(title="Travel", kind="expenses", phase="Build", amount=eur(2_400))
LICENCE = EstimatedPurchase(title="Database", kind="licence", phase="Build", amount=eur("3600.50"))


def test_an_estimate_has_purchases_beside_hours() -> None:
    command = FROM_TEMPLATE.model_copy(update={"purchases": (TRAVEL, LICENCE)})
    submitted = (
        asked().when(command).then(ESTIMATED.model_copy(update={"purchases": (TRAVEL, LICENCE)}))
    )
    [estimate] = submitted.view["estimates"]
    assert (estimate.hours, estimate.submitted.purchases) == (hours(270), (TRAVEL, LICENCE))
    submitted.when(command).then_nothing()
    submitted.when(FROM_TEMPLATE).then(like(EstimateSubmitted, version=2, purchases=()))


def test_scale_and_contingency_leave_purchases_as_they_are() -> None:
    half = FROM_TEMPLATE.model_copy(update={"scale": Decimal("0.5"), "purchases": (TRAVEL,)})
    asked().when(half).then(like(EstimateSubmitted, purchases=(TRAVEL,)))


def test_an_estimate_may_have_purchases_only() -> None:
    nothing = BUILD.model_copy(update={"hours": hours(0)})
    command = SubmitEstimate(
        template="own",
        duration_days=10,
        lines=(nothing,),
        purchases=(LICENCE,),
        no_project_management="A licence is resold.",
    )
    asked().when(command).then(like(EstimateSubmitted, purchases=(LICENCE,)))


def test_purchases_are_in_the_currency_of_the_engagement() -> None:
    foreign = TRAVEL.model_copy(update={"amount": Money(amount=Decimal(1), currency="USD")})
    command = FROM_TEMPLATE.model_copy(update={"purchases": (foreign,)})
    asked().when(command).then_refused("currency-differs", saying="purchases: is in USD")


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": {"amount": "-1", "currency": "EUR"}},
        {"amount": {"amount": "0", "currency": "EUR"}},
        {"amount": {"amount": "10.005", "currency": "EUR"}},
        {"amount": {"amount": "100000000000000", "currency": "EUR"}},
        {"amount": {"amount": "1", "currency": "EUX"}},
        {"amount": "1"},
        {"kind": "travel"},
        {"kind": "expense"},
        {"title": " "},
        {"phase": ""},
        {"hours": "3"},
    ],
)
def test_purchases_that_are_none_are_refused_by_field(changed: dict[str, object]) -> None:
    purchase = {**LICENCE.model_dump(mode="json"), **changed}
    with pytest.raises(ValidationError) as refused:
        SubmitEstimate.model_validate(
            {"template": "own", "duration_days": 10, "purchases": [purchase]}
        )
    [error] = refused.value.errors()
    assert error["loc"][:3] == ("purchases", 0, next(iter(changed)))


@pytest.mark.parametrize(
    ("second", "saying"),
    [
        ({"kind": "subcontractor"}, "Database appears more than once"),
        ({"title": "Storage", "amount": {"amount": "1", "currency": "USD"}}, "in one currency"),
    ],
)
def test_purchases_have_different_titles_and_one_currency(
    second: dict[str, object], saying: str
) -> None:
    one = LICENCE.model_dump(mode="json")
    with pytest.raises(ValidationError, match=saying):
        SubmitEstimate.model_validate(
            {"template": "own", "duration_days": 10, "purchases": [one, {**one, **second}]}
        )
