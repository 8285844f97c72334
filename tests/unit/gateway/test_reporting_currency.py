"""The portfolio in one reporting currency: at the rates of a day, beside the originals."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.reference import ExchangeRatePublished, LedgerPublished, Reference
from gateway.portfolio.figures import Portfolio, build_portfolio
from gateway.portfolio.reporting import ReportedPortfolio, Reporting, reported
from testkit.matchers import RecordsOf
from tests.unit.finance.builders import exchange

TODAY = date(2026, 4, 20)
MARCH_31 = date(2026, 3, 31)
TOTALS = {
    "EUR.backlog": Decimal(1_000),
    "USD.backlog": Decimal("2180.55"),
    "JPY.backlog": Decimal(300_000),
    "USD.pipeline.proposal": Decimal(-10),
    "EUR.margin-sold.revenue": Decimal(1_000),
    "EUR.margin-sold.cost": Decimal(500),
    "USD.margin-sold.revenue": Decimal(1_100),
    "USD.margin-sold.cost": Decimal(1_100),
}


def rate(pair: str, value: str, day: date) -> ExchangeRatePublished:
    base, quote = pair.split("-")
    return exchange(value, day, base, quote)


# Invented rates, quoted as the ECB does: units of each currency for one euro.
RATES = (
    rate("EUR-USD", "1.1", date(2026, 3, 30)),
    rate("EUR-USD", "1.0905", MARCH_31),
    rate("EUR-JPY", "160", MARCH_31),
)


def portfolio(*, confidential: bool = True) -> Portfolio:
    return build_portfolio(TOTALS, TODAY, None, with_confidential=confidential)


def in_euros(*records: Reference, on: date | None = MARCH_31, **more: bool) -> Reporting:
    shown = reported(portfolio(**more), RecordsOf(records), "EUR", on).reporting
    assert shown is not None
    return shown


def test_amounts_are_shown_in_the_reporting_currency_beside_the_originals() -> None:
    shown = in_euros(*RATES)
    backlog = shown.figures["backlog"]
    assert backlog.total == Decimal("4874.59")  # 1,000 + 2,180.55 / 1.0905 + 300,000 / 160
    assert [
        (each.currency, each.original, each.converted, each.exchange_rate, each.version)
        for each in backlog.parts
    ] == [
        ("EUR", 1_000, 1_000, None, None),
        ("JPY", 300_000, 1_875, "EUR-JPY-2026-03-31", 1),
        ("USD", Decimal("2180.55"), Decimal("1999.59"), "EUR-USD-2026-03-31", 1),
    ]
    assert shown.figures["pipeline.proposal"].total == Decimal("-9.17")
    assert {(each.currency, each.rate, each.source) for each in shown.rates} == {
        ("USD", Decimal("1.0905"), "ECB"),
        ("JPY", Decimal(160), "ECB"),
    }
    assert shown.missing == []
    originals = {each.currency: each.backlog for each in portfolio().currencies}
    assert originals == {each.currency: each.original for each in backlog.parts}


@pytest.mark.parametrize(
    ("on", "euros"),
    [(date(2020, 12, 30), "8142.66"), (date(2020, 12, 31), "8149.30")],
)
def test_published_rates_give_the_published_price_of_a_dollar(on: date, euros: str) -> None:
    """Report of dpa-AFX on the foreign exchange market, 31 December 2020.

    The ECB set the reference rate at 1.2271 dollars after 1.2281 on the day before; the dollar cost
    0.8149 euros after 0.8143.
    """
    records = RecordsOf(
        [
            rate("EUR-USD", "1.2281", date(2020, 12, 30)),
            rate("EUR-USD", "1.2271", date(2020, 12, 31)),
        ]
    )
    dollars = build_portfolio({"USD.billed": Decimal(10_000)}, TODAY, None, with_confidential=False)
    shown = reported(dollars, records, "EUR", on).reporting
    assert shown is not None
    assert shown.figures["billed"].total == Decimal(euros)


@pytest.mark.parametrize(
    "later",
    [
        (rate("EUR-USD", "9", date(2026, 4, 1)),),
        (rate("EUR-USD", "8", date(2026, 4, 1)), rate("EUR-USD", "7", date(2026, 4, 1))),
        (rate("USD-EUR", "0.5", TODAY), rate("JPY-EUR", "0.5", TODAY)),
    ],
    ids=["new", "corrected", "opposite"],
)
def test_a_rate_of_a_later_day_leaves_the_answer_of_an_earlier_day_as_it_is(
    later: tuple[ExchangeRatePublished, ...],
) -> None:
    before = in_euros(*RATES).model_dump_json()
    assert in_euros(*RATES, *later).model_dump_json() == before
    assert in_euros(*RATES, *later, on=TODAY).model_dump_json() != before


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        (RATES[:2], "JPY"),
        (RATES[2:], "USD"),
        ((*RATES[:2], rate("EUR-JPY", "160", date(2025, 3, 29))), "JPY"),
        ((*RATES[:2], rate("EUR-JPY", "160", date(2026, 4, 1))), "JPY"),
        ((*RATES[:2], rate("USD-JPY", "150", MARCH_31)), "JPY"),
    ],
    ids=["none", "other", "too-old", "too-late", "by-a-third-currency"],
)
def test_a_missing_rate_makes_the_figure_unknown_and_is_named(
    records: tuple[ExchangeRatePublished, ...], missing: str
) -> None:
    shown = in_euros(*records)
    assert shown.figures["backlog"].total is None
    assert [(each.currency, each.code, each.owed_by) for each in shown.missing] == [
        (missing, "exchange-rate-missing", "finance")
    ]
    assert f"{missing} to EUR on 2026-03-31" in shown.missing[0].sentence
    [part] = [each for each in shown.figures["backlog"].parts if each.currency == missing]
    assert (part.converted, part.exchange_rate) == (None, None)
    assert part.original is not None
    # Nothing is billed in any currency: no rate is needed for that.
    assert shown.figures["billed"].total == 0


def test_what_a_reader_may_not_see_is_unknown_and_margins_are_left_out() -> None:
    totals = TOTALS | {"USD.recognised-by-cost": Decimal(1)}
    hidden = build_portfolio(totals, TODAY, None, with_confidential=False)
    shown = reported(hidden, RecordsOf(RATES), "EUR", MARCH_31).reporting
    assert shown is not None
    assert shown.figures["backlog"].total is None
    assert shown.margins is None
    assert not [name for name in shown.figures if "margin" in name or "cost" in name]


def test_the_margin_is_that_of_the_converted_totals() -> None:
    shown = in_euros(rate("EUR-USD", "1.1", MARCH_31), RATES[2])
    assert shown.figures["margin_sold.revenue"].total == 2_000
    assert shown.figures["margin_sold.cost"].total == 1_500
    assert shown.margins == {
        "margin_sold": Decimal("0.25"),
        "margin_billed": None,
        "margin_recognised": None,
        "margin_forecast": None,
        "margin_by_trend": None,
    }


def closed(company: str, month: str | None) -> LedgerPublished:
    return LedgerPublished(ledger=company, closed_to=month, closing=None)


@pytest.mark.parametrize(
    ("ledgers", "day"),
    [
        ((), date(2026, 3, 31)),
        ((closed("de", "2026-02"), closed("us", "2026-03")), date(2026, 2, 28)),
        ((closed("de", "2025-12"),), date(2025, 12, 31)),
        ((closed("de", None), closed("us", "2026-02")), date(2026, 3, 31)),
    ],
    ids=["no-ledger", "the-earlier", "december", "one-never"],
)
def test_the_day_is_that_of_the_last_closed_month_unless_one_is_given(
    ledgers: tuple[LedgerPublished, ...], day: date
) -> None:
    assert in_euros(*RATES, *ledgers, on=None).on == day


def test_without_a_currency_the_portfolio_has_its_own_currencies_alone() -> None:
    shown = reported(portfolio(), RecordsOf(RATES), None)
    assert isinstance(shown, ReportedPortfolio)
    assert shown.reporting is None
    assert shown.model_dump(exclude={"reporting"}) == portfolio().model_dump()
