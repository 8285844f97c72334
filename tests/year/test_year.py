"""Test that what was reported for a month stays, and that departments and gateway agree."""

from collections import defaultdict
from decimal import Decimal

import pytest

from contracts.money import Money
from tests.year.lives import Figures, lived
from tests.year.seeds import SEEDS


@pytest.mark.parametrize("seed", SEEDS)
def test_the_report_of_each_month_is_the_same_at_the_end(seed: int) -> None:
    life = lived(seed)
    told = life.told()
    assert set(told) == set(life.reports)
    assert len(told) >= 6
    for month, report in life.reports.items():
        assert told[month] == report, f"seed {seed}, {month}: {life.scenario}"


def _amount(figure: Money | dict[str, str] | None) -> Decimal:
    """Return the amount of money of a view, 0 where it is unknown."""
    if figure is None:
        return Decimal(0)
    return figure.amount if isinstance(figure, Money) else Decimal(figure["amount"])


def _sum(periods: list[Figures], name: str) -> Decimal:
    return sum((Decimal(each[name]["amount"]) for each in periods), Decimal(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_months_departments_and_gateway_agree(seed: int) -> None:
    life = lived(seed)
    seen, shown, currency = life.finance(), life.show(), life.scenario.customer.currency
    finance, confidential = shown.finance, shown.confidential
    of_gateway = {
        "billed": finance.billed(currency).amount,
        "paid": finance.paid(currency).amount,
        "written_off": finance.written_off(currency).amount,
        "outstanding": finance.outstanding(currency).amount,
        "recognised": _amount(finance.recognised) + _amount(confidential.recognised),
        "cost_to_date": sum(
            (each.amount for each in confidential.cost_by_month.values()), Decimal(0)
        ),
    }
    assert of_gateway == {name: _amount(seen[name]) for name in of_gateway}, life.scenario

    booked, costed = seen["periods"], seen["periods_costed"]
    assert seen["unbooked_by_month"] == []
    of_months = {
        "billed": _sum(booked, "billed") - _sum(booked, "credited"),
        "paid": _sum(booked, "paid"),
        "written_off": _sum(booked, "written_off"),
        "outstanding": _amount(booked[-1]["receivables"]),
        "recognised": _sum(booked, "recognised") + _sum(costed, "recognised_by_cost"),
        "cost_to_date": _sum(costed, "cost"),
    }
    assert of_months == of_gateway, life.scenario


@pytest.mark.parametrize("seed", SEEDS)
def test_each_month_of_the_ledger_is_the_booking_of_its_engagement(seed: int) -> None:
    life = lived(seed)
    for month, report in life.told().items():
        [totals] = report["ledger"]["totals"]
        booked, costed = report["booked"], report["costed"]
        assert booked == report["shown"], month
        assert costed == report["shown costs"], month
        assert {name: totals[name] for name in totals if name in booked} == {
            name: booked[name] for name in totals if name in booked
        }, f"seed {seed}, {month}: {life.scenario}"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_postings_of_each_month_balance_and_come_to_what_was_booked(seed: int) -> None:
    life = lived(seed)
    posted = {each.month: each for each in life.world.posted}
    booked = 0
    for month, report in life.told().items():
        openly, costs = report["booked"], report["costed"]
        if openly is None:
            continue
        booked += 1
        accounts = defaultdict[str, Decimal](Decimal)
        in_books = Decimal(0)
        entries = posted[month].entries if month in posted else ()
        for line in (line for entry in entries for line in entry.lines):
            accounts[line.account] += line.amount.amount
            assert line.base is not None, f"seed {seed}, {month}: {life.scenario}"
            in_books += line.base.amount
        owed = _amount(openly["receivables"]) - _amount(openly["receivables_before"])
        earned = _amount(openly["recognised"]) + _amount(costs["recognised_by_cost"])
        assert {
            "all": sum(accounts.values()),
            "in the currency of the books": in_books,
            "receivables": accounts["receivables"],
            "revenue": accounts["revenue"],
            "write-offs": accounts["write-offs"],
            "cost": accounts["cost"],
            "expected losses": accounts["expected-losses"],
        } == {
            "all": 0,
            "in the currency of the books": 0,
            "receivables": owed - _amount(openly["taken_over"]),
            "revenue": -earned,
            "write-offs": _amount(openly["written_off"]),
            "cost": _amount(costs["cost"]),
            "expected losses": _amount(costs["loss"]),
        }, f"seed {seed}, {month}: {life.scenario}"
    assert booked


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_that_is_zero_is_zero_in_the_currency_of_the_books(seed: int) -> None:
    life = lived(seed)
    amounts, in_books = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for posted in life.world.posted:
        for line in (line for entry in posted.entries for line in entry.lines):
            assert line.base is not None
            amounts[line.account] += line.amount.amount
            in_books[line.account] += line.base.amount
        zero = {name for name, each in amounts.items() if not each} - {"exchange-differences"}
        assert {name: in_books[name] for name in zero} == dict.fromkeys(zero, 0), (
            f"seed {seed}, {posted.month}: {life.scenario}"
        )


def test_the_year_has_three_currencies_and_corrections_of_each_kind() -> None:
    lives = [lived(seed) for seed in range(20)]
    assert {each.company for each in lives} == {"concord-de", "concord-us", "concord-uk"}
    happened = {type(event.event).__name__ for life in lives for event in life.events}
    assert happened >= {
        "TimeReversed",
        "CreditNoteIssued",
        "InvoiceVoided",
        "PaymentDeallocated",
        "WriteOffRecorded",
    }
