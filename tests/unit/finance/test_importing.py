"""Test that Finance takes over the balances of an engagement under way, once, and adds nothing."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.finance import EngagementImported, OpeningCostRecorded, OpeningRevenue
from finance.engagement import Engagement
from finance.importing.decisions import ImportEngagement
from finance.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.amounts import eur, usd
from tests.unit.finance.builders import ID
from tests.unit.imported import IMPORTED

TODAY = date(2026, 4, 8)


def euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


WORK = {
    "line": "work",
    "price": euros(90_000),
    "billed": euros(40_000),
    "paid": euros(30_000),
    "method": "cost-to-cost",
    "recognised": euros(45_000),
}
CARE = {
    "line": "care",
    "price": euros(12_000),
    "billed": euros(3_000),
    "paid": euros(3_000),
    "method": "over-time",
    "recognised": euros(2_000),
}
DISCOUNT = {
    "line": "discount",
    "price": euros(-2_000),
    "billed": euros(-1_000),
    "paid": euros(0),
    "method": "cost-to-cost",
    "recognised": None,
}
BODY: dict[str, Any] = {
    "source": "crm",
    "external_id": "A1",
    "as_of": "2026-03-31",
    "lines": [WORK, CARE, DISCOUNT],
    "price": euros(100_000),
    "billed": euros(42_000),
    "paid": euros(33_000),
    "cost_to_date": euros(25_000),
}
IMPORT = ImportEngagement.model_validate(BODY)
UNKNOWN = {**WORK, "recognised": None}
WITHOUT_COST = {**BODY, "cost_to_date": None, "lines": [UNKNOWN, CARE, DISCOUNT]}
COST = OpeningCostRecorded(
    as_of=date(2026, 3, 31),
    cost=eur(25_000),
    lines=(OpeningRevenue(line="work", recognised=eur(45_000)),),
)


def balances() -> EngagementImported:
    """Return the open event of the import, without its cost and its revenue by cost."""
    return EngagementImported.model_validate(
        {name: value for name, value in WITHOUT_COST.items() if name != "cost_to_date"}
    )


def imported(**different: object) -> Scenario[Engagement]:
    """Return an engagement that Sales imported, as won unless `different` has another outcome."""
    event = IMPORTED.model_copy(update=different)
    return given(ENGAGEMENT, ID).consumed(event).on(TODAY)


def test_balances_are_taken_over_once_and_cost_in_confidence() -> None:
    assert EngagementImported.channel is FINANCE
    assert OpeningCostRecorded.channel is FINANCE_CONFIDENTIAL
    taken = imported().when(IMPORT).then(balances(), COST)
    taken.then_view(imported=balances(), imported_cost=COST)
    assert ENGAGEMENT.rows(taken.state)["imported"] is True
    assert "imported_cost" not in ENGAGEMENT.views(taken.state)
    taken.when(IMPORT).then_nothing()


def test_nothing_is_billed_or_recognised_by_it() -> None:
    view = imported().after(IMPORT).view
    assert (view["invoices"], view["budget"], view["obligations"]) == ([], None, [])


def test_cost_can_be_given_later_and_is_then_recorded_once() -> None:
    first = imported().when(ImportEngagement.model_validate(WITHOUT_COST)).then(balances())
    later = first.when(IMPORT).then(COST)
    later.when(ImportEngagement.model_validate(WITHOUT_COST)).then_nothing()


@pytest.mark.parametrize("field", ["as_of", "lines"])
def test_other_balances_are_refused_with_the_field(field: str) -> None:
    care = {**CARE, "recognised": euros(2_001)}
    other = {"as_of": "2026-03-30", "lines": [WORK, care, DISCOUNT]}
    command = ImportEngagement.model_validate({**BODY, field: other[field]})
    imported().after(IMPORT).when(command).then_refused("already-recorded", fields={field})


def test_another_cost_is_refused_without_the_recorded_one() -> None:
    command = ImportEngagement.model_validate({**BODY, "cost_to_date": euros(25_001)})
    imported().after(IMPORT).when(command).then_refused(
        "already-recorded", fields={"cost"}, saying="is recorded with another value"
    )


def test_sales_imported_the_opportunity_as_won_from_this_record() -> None:
    given(ENGAGEMENT, ID).when(IMPORT).then_refused("opportunity-not-imported")
    imported(outcome="lost").when(IMPORT).then_refused("deal-not-won")
    imported(outcome="open").when(IMPORT).then_refused("deal-not-won")
    imported(source="erp").when(IMPORT).then_refused("source-differs", saying="source: ")


def test_amounts_are_in_the_currency_of_the_opportunity() -> None:
    imported(value=usd(1)).when(IMPORT).then_refused("currency-differs", saying="price: ")
    cost = IMPORT.model_copy(update={"cost_to_date": usd(1)})
    imported().when(cost).then_refused("currency-differs", saying="cost_to_date: ")


def test_balances_are_not_of_the_future() -> None:
    late = IMPORT.model_copy(update={"as_of": date(2026, 4, 20)})
    imported().when(late).then_refused("date-in-future", saying="as_of: ")


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"price": euros(99_999)}, "price\n  must be the sum of the lines, 100,000.00 EUR"),
        ({"billed": euros(0)}, "billed\n  must be the sum of the lines, 42,000.00 EUR"),
        ({"paid": euros(42_000)}, "paid\n  must be the sum of the lines, 33,000.00 EUR"),
        ({"lines": [WORK, WORK]}, "work appears more than once"),
        ({"lines": [{**WORK, "billed": euros(-1)}]}, "billed\n  must not be negative"),
        ({"lines": [{**WORK, "recognised": euros(-1)}]}, "recognised\n  must not be negative"),
        ({"lines": [{**DISCOUNT, "paid": euros(1)}]}, "paid\n  must not be positive on a discount"),
        (
            {"lines": [{**WORK, "paid": {"amount": 1, "currency": "USD"}}]},
            "paid\n  must be in EUR",
        ),
        ({"cost_to_date": euros(-1)}, "must not be negative"),
        ({"price": {"amount": 1, "currency": "EUO"}}, "not an active ISO 4217 currency code"),
        ({"price": {"amount": 1, "currency": "USD"}}, "lines\n  must be in USD"),
    ],
)
def test_contradictions_are_refused_with_the_field(changed: dict[str, Any], saying: str) -> None:
    with pytest.raises(ValidationError, match=saying):
        ImportEngagement.model_validate({**BODY, **changed})
