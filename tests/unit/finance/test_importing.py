"""Test that Finance takes over the balances of an engagement under way, once, and adds nothing."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts import legal
from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.delivery import EngagementClosed
from contracts.finance import (
    BudgetSet,
    EngagementImported,
    OpeningCostRecorded,
    OpeningRevenue,
)
from contracts.refusals import RefusalCode
from finance.engagement import Engagement
from finance.importing.decisions import ImportEngagement
from finance.service import ENGAGEMENT
from testkit.scenario import Scenario, given, like
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
CONTRACT = legal.EngagementImported.model_validate(
    {
        "source": "crm",
        "external_id": "A1",
        "company": "us",
        "customer": "acme",
        "lines": [
            {
                "line": "work",
                "title": "Work",
                "pricing": "fixed",
                "price": euros(90_000),
                "billing": [
                    {
                        "item": "work",
                        "kind": "on-date",
                        "amount": euros(90_000),
                        "due_on": "2026-12-31",
                    }
                ],
            },
            {
                "line": "care",
                "title": "Care",
                "pricing": "retainer",
                "price": euros(12_000),
                "retainer": {"fee": euros(1_000), "periods": 12, "starts_on": "2026-01-01"},
            },
            {
                "line": "discount",
                "title": "Discount",
                "kind": "discount",
                "pricing": "fixed",
                "price": euros(-2_000),
                "billing": [
                    {
                        "item": "discount",
                        "kind": "on-signature",
                        "amount": euros(-2_000),
                        "reduces": "work",
                    }
                ],
            },
        ],
        "price": euros(100_000),
        "signed_on": "2026-01-12",
        "effective_on": "2026-01-05",
        "starts_on": "2026-01-05",
        "finishes_on": "2026-12-31",
        "payment_terms_days": 30,
        "content_hash": f"sha256:{'c' * 64}",
    }
)
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


BUDGET = like(BudgetSet, price=eur(100_000), lines=CONTRACT.scheduled_lines)


def balances() -> EngagementImported:
    """Return the open event of the import, without its cost and its revenue by cost."""
    entries = {
        "work": [{"item": "work", "amount": euros(40_000)}],
        "care": [{"item": "care", "amount": euros(3_000)}],
        "discount": [{"item": "work", "amount": euros(-1_000)}],
    }
    lines = [{**each, "entries": entries[each["line"]]} for each in WITHOUT_COST["lines"]]
    content = {**WITHOUT_COST, "lines": lines}
    return EngagementImported.model_validate(
        {name: value for name, value in content.items() if name != "cost_to_date"}
    )


def imported(
    contract: legal.EngagementImported = CONTRACT, **different: object
) -> Scenario[Engagement]:
    """Return an engagement that Sales imported and whose contract Legal took over.

    Sales imported it as won unless `different` has another outcome.
    """
    event = IMPORTED.model_copy(update=different)
    return given(ENGAGEMENT, ID).consumed(event, contract).on(TODAY)


def command(**changed: object) -> ImportEngagement:
    """Return the command with other fields."""
    return ImportEngagement.model_validate({**BODY, **changed})


def balances_of(*lines: dict[str, Any]) -> ImportEngagement:
    """Return the command with other lines, and their sums."""
    sums = {
        name: euros(sum(each[name]["amount"] for each in lines))
        for name in ("price", "billed", "paid")
    }
    return command(lines=lines, **sums)


def test_balances_are_taken_over_once_and_cost_in_confidence() -> None:
    assert EngagementImported.channel is FINANCE
    assert OpeningCostRecorded.channel is FINANCE_CONFIDENTIAL
    taken = imported().when(IMPORT).then(balances(), COST, BUDGET)
    taken.then_view(imported=balances(), imported_cost=COST)
    assert ENGAGEMENT.rows(taken.state)["imported"] is True
    assert "imported_cost" not in ENGAGEMENT.views(taken.state)
    taken.when(IMPORT).then_nothing()


def test_nothing_is_billed_or_recognised_by_it() -> None:
    view = imported().after(IMPORT).view
    assert view["invoices"] == []
    assert [each.recognised for each in view["obligations"]] == [None, eur(0)]


def test_cost_can_be_given_later_and_is_then_recorded_once() -> None:
    first = imported().when(ImportEngagement.model_validate(WITHOUT_COST)).then(balances(), BUDGET)
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


def test_amounts_are_in_the_currency_of_the_contract() -> None:
    lines = tuple(
        each.model_copy(update={"price": usd(1), "retainer": None, "billing": ()})
        for each in CONTRACT.lines
    )
    other = CONTRACT.model_copy(update={"lines": lines, "price": usd(3)})
    imported(other).when(IMPORT).then_refused("currency-differs", saying="price: ")
    cost = IMPORT.model_copy(update={"cost_to_date": usd(1)})
    imported().when(cost).then_refused("currency-differs", saying="cost_to_date: ")


def test_balances_are_not_of_the_future() -> None:
    late = IMPORT.model_copy(update={"as_of": date(2026, 4, 20)})
    imported().when(late).then_refused("date-in-future", saying="as_of: ")


def test_balances_wait_for_the_contract_of_legal() -> None:
    waiting = given(ENGAGEMENT, ID).consumed(IMPORTED).on(TODAY)
    waiting.when(IMPORT).then_refused(
        "engagement-not-imported", missing={"engagement-not-imported"}, saying="was skipped here"
    )
    waiting.consumed(CONTRACT).when(IMPORT).then_accepted()


OTHER_LINE = {**CARE, "line": "cares"}
DEARER = {**CARE, "price": euros(12_001)}
BEYOND = {**CARE, "billed": euros(12_001), "recognised": euros(12_001)}
MORE_COST_THAN_PRICE = {**WORK, "recognised": euros(90_001)}
DISCOUNT_BEYOND = {**DISCOUNT, "billed": euros(-2_001)}


@pytest.mark.parametrize(
    ("given_lines", "missing", "saying"),
    [
        ((WORK, DISCOUNT), {"line-missing"}, "lines: the contract of Legal has care, too"),
        ((WORK, OTHER_LINE, DISCOUNT), {"line-unknown", "line-missing"}, "has no line cares"),
        ((WORK, DEARER, DISCOUNT), {"field-differs"}, "lines: care: the price in the contract of"),
        (
            (WORK, BEYOND, DISCOUNT),
            {"billing-beyond-price", "revenue-beyond-price"},
            "lines: care: more than its price, 12,000.00 EUR, was billed",
        ),
        ((MORE_COST_THAN_PRICE, CARE, DISCOUNT), {"revenue-beyond-price"}, "was recognised"),
        ((WORK, CARE, DISCOUNT_BEYOND), {"billing-beyond-price"}, "lines: discount: more than"),
        (
            (WORK, {**CARE, "method": "cost-to-cost"}, DISCOUNT),
            {"method-does-not-fit"},
            "lines: care: of retainer, revenue is recognised over-time",
        ),
    ],
)
def test_balances_that_contradict_the_contract_are_refused(
    given_lines: tuple[dict[str, Any], ...], missing: set[RefusalCode], saying: str
) -> None:
    refused = imported().when(balances_of(*given_lines))
    refused.then_refused("balances-differ", missing=missing, fields={"lines"}, saying=saying)


def test_the_price_of_an_estimated_line_limits_nothing() -> None:
    hourly = {"pricing": "time-and-materials", "estimated": True}
    lines = [each.model_copy(update=hourly) for each in CONTRACT.lines[:1]]
    estimated = CONTRACT.model_copy(update={"lines": (*lines, *CONTRACT.lines[1:])})
    beyond = {**WORK, "billed": euros(90_001), "recognised": None, "method": "as-invoiced"}
    imported(estimated).when(balances_of(beyond, CARE, DISCOUNT)).then_accepted()


def test_balances_are_not_of_before_the_contract() -> None:
    early, first = command(as_of="2026-01-04"), command(as_of="2026-01-05")
    imported().when(early).then_refused(
        "balances-differ",
        missing={"date-before-contract"},
        fields={"as_of"},
        saying="begins on 2026-01-05",
    )
    imported().when(first).then_accepted()


WHY = "The payment of March was left out."
CORRECTED = command(lines=[{**WORK, "paid": euros(40_000)}, CARE, DISCOUNT], paid=euros(43_000))


def test_balances_are_corrected_with_a_reason() -> None:
    taken = imported().after(IMPORT)
    taken.when(CORRECTED).then_refused(
        "already-recorded", fields={"lines", "paid"}, saying="; a correction says why"
    )
    correction = CORRECTED.model_copy(update={"why": WHY})
    event = balances().model_copy(
        update={
            "why": WHY,
            "paid": eur(43_000),
            "lines": (
                balances().lines[0].model_copy(update={"paid": eur(40_000)}),
                *balances().lines[1:],
            ),
        }
    )
    corrected = taken.when(correction).then(event)
    corrected.then_view(imported=event, imported_cost=COST)
    corrected.when(correction).then_nothing()
    corrected.when(CORRECTED).then_nothing()
    corrected.when(IMPORT).then_refused("already-recorded", fields={"lines", "paid"})
    corrected.when(IMPORT.model_copy(update={"why": "It was right."})).then(
        like(EngagementImported, paid=eur(33_000))
    )


def test_the_cost_alone_is_corrected_and_never_left_behind() -> None:
    taken = imported().after(IMPORT)
    cost = command(cost_to_date=euros(26_000), why="Travel was left out.")
    taken.when(cost).then(like(OpeningCostRecorded, cost=eur(26_000), why="Travel was left out."))
    without = command(**{**WITHOUT_COST, "as_of": "2026-03-30", "why": WHY})
    taken.when(without).then_refused("field-missing", fields={"cost_to_date"})
    unknown = imported().after(ImportEngagement.model_validate(WITHOUT_COST))
    unknown.when(without).then(like(EngagementImported, why=WHY))
    first = CORRECTED.model_copy(update={"why": WHY})
    unknown.when(first).then(like(EngagementImported, why=WHY), COST)


@pytest.mark.parametrize("correction", [CORRECTED, command()], ids=["balances", "repeated"])
def test_a_correction_with_revenue_by_cost_gives_the_recorded_cost_again(
    correction: ImportEngagement,
) -> None:
    without = correction.model_copy(update={"why": WHY, "cost_to_date": None})
    refused = imported().after(IMPORT).when(without)
    refused.then_refused("field-missing", fields={"cost_to_date"})


def test_revenue_by_cost_is_corrected_where_no_cost_is_known() -> None:
    first = imported().after(command(cost_to_date=None))
    lines = [{**each, "method": "at-acceptance"} for each in (WORK, DISCOUNT)]
    correction = command(cost_to_date=None, lines=[lines[0], CARE, lines[1]], why=WHY)
    corrected = first.when(correction).then(
        like(EngagementImported, why=WHY),
        like(OpeningCostRecorded, cost=None, lines=(), why=WHY),
        like(BudgetSet, price=eur(100_000)),
    )
    corrected.when(correction).then_nothing()


def test_nothing_is_corrected_before_it_is_taken_over_or_after_the_end() -> None:
    correction = CORRECTED.model_copy(update={"why": WHY})
    imported().when(correction).then_refused("engagement-not-imported", fields={"why"})
    closed = EngagementClosed(closed_on=date(2026, 4, 1))
    imported().consumed(closed).when(IMPORT).then_refused("engagement-over")
    over = imported().after(IMPORT).consumed(closed)
    over.when(correction).then_refused("engagement-over")
    over.when(IMPORT).then_nothing()


def test_a_correction_agrees_with_the_contract_that_legal_corrected() -> None:
    care = CONTRACT.lines[1].model_copy(update={"price": eur(12_001)})
    contract = CONTRACT.model_copy(
        update={"lines": (CONTRACT.lines[0], care, CONTRACT.lines[2]), "why": "A fee was wrong."}
    )
    taken = imported().after(IMPORT).consumed(contract)
    taken.when(CORRECTED.model_copy(update={"why": WHY})).then_refused("balances-differ")
    taken.when(IMPORT).then_nothing()
    right = balances_of(WORK, DEARER, DISCOUNT).model_copy(update={"why": WHY})
    taken.when(right).then_accepted()


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
        (
            {"lines": [{**WORK, "paid": euros(40_001)}]},
            "paid\n  must not be more than was billed, 40,000.00 EUR; both are without tax",
        ),
        (
            {"lines": [{**DISCOUNT, "paid": euros(-1_001)}]},
            "paid\n  must not be more than was billed, -1,000.00 EUR; both are without tax",
        ),
        ({"cost_to_date": euros(-1)}, "must not be negative"),
        ({"price": {"amount": 1, "currency": "EUO"}}, "not an ISO 4217 currency code"),
        ({"price": {"amount": 1, "currency": "USD"}}, "lines\n  must be in USD"),
    ],
)
def test_contradictions_are_refused_with_the_field(changed: dict[str, Any], saying: str) -> None:
    with pytest.raises(ValidationError, match=saying):
        ImportEngagement.model_validate({**BODY, **changed})


UNPAID: dict[str, Any] = {
    "number": "R 2026/17",
    "gross": euros(11_900),
    "open": euros(9_000),
    "issued_on": "2026-03-02",
    "due_on": "2026-04-01",
}


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"open": euros(11_901)}, "open\n  must not be more than `gross`, 11,900.00 EUR"),
        ({"open": {"amount": 1, "currency": "USD"}}, "open\n  must be in EUR"),
        ({"open": euros(0)}, "open\n  Value error, must be more than zero"),
        ({"due_on": "2026-03-01"}, "due_on\n  must not be before 2026-03-02"),
        ({"issued_on": "2026-04-01"}, "receivables\n  must be issued by 2026-03-31"),
        ({"open": euros(8_999)}, "receivables\n  must be 9,000.00 EUR together"),
        ({"number": " "}, "number"),
    ],
)
def test_unpaid_invoices_agree_with_the_balances(changed: dict[str, Any], saying: str) -> None:
    command(receivables=[UNPAID])
    with pytest.raises(ValidationError, match=saying):
        command(receivables=[{**UNPAID, **changed}])


def test_unpaid_invoices_are_distinct_and_of_balances_that_are_unpaid() -> None:
    with pytest.raises(ValidationError, match="R 2026/17 appears more than once"):
        command(receivables=[UNPAID, UNPAID])
    paid = [{**WORK, "paid": euros(40_000)}, CARE, {**DISCOUNT, "paid": euros(-1_000)}]
    with pytest.raises(ValidationError, match="receivables"):
        command(lines=paid, paid=euros(42_000), receivables=[UNPAID])


def test_an_unpaid_invoice_has_the_same_id_after_a_correction() -> None:
    [first] = imported().after(command(receivables=[UNPAID])).view["imported"].receivables
    corrected = command(receivables=[{**UNPAID, "open": euros(9_500)}], why=WHY)
    after = imported().after(command(receivables=[UNPAID])).after(corrected)
    [second] = after.view["imported"].receivables
    assert (second.invoice, second.open) == (first.invoice, eur(9_500))
    [shown] = after.view["opening_receivables"]
    assert (shown.invoice, shown.outstanding) == (first.invoice, eur(9_500))
