"""Show the amounts of the portfolio in one reporting currency, at the exchange rates of one day.

The amounts are those of today; the day decides about the rates alone. So a rate of a later day
changes nothing. Each currency's total is converted once.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.context import ReferenceData
from common.exchange import DatedRate, dated_rate
from contracts.decimals import ROUNDING, Number, round_decimal
from contracts.money import Currency, Money
from contracts.reference import LedgerPublished
from contracts.values import Day
from gateway.portfolio.figures import ConfidentialFigures, CurrencyFigures, MarginFigures, Portfolio
from gateway.portfolio.figures.costs import PerformanceFigures


class UsedRate(ViewModel):
    """The exchange rate at which the amounts of a currency are converted."""

    currency: str
    exchange_rate: str
    version: int
    rate: Number
    source: str


class MissingRate(ViewModel):
    """An exchange rate that is missing: no rate of the two currencies is a year old at most."""

    currency: str
    code: str
    sentence: str
    owed_by: str


class ReportedPart(ViewModel):
    """The amount in one currency, and what it is in the reporting currency.

    `original` is null where it is not known or the reader may not see it, `converted` also where
    the exchange rate is missing. The rate is null where nothing is converted.
    """

    currency: str
    original: Number | None
    converted: Number | None
    exchange_rate: str | None
    version: int | None


class ReportedFigure(ViewModel):
    """A figure in the reporting currency; `total` is null where any of its parts is not known."""

    total: Number | None
    parts: list[ReportedPart]


class Reporting(ViewModel):
    """Amounts of the portfolio in one currency, at the rates of the day `on`.

    `figures` have the names of those in `currencies` and `confidential`, such as `backlog` or
    `pipeline.proposal`. `margins` are ratios of their totals.
    """

    currency: Currency
    on: Day
    rates: list[UsedRate]
    missing: list[MissingRate]
    figures: dict[str, ReportedFigure]
    margins: dict[str, Number | None] | None


class ReportedPortfolio(Portfolio):
    """Figures of all engagements, and their amounts in the reporting currency, if one is asked."""

    reporting: Reporting | None = None


def default_day(records: ReferenceData, today: date) -> date:
    """Return the last day of the last month that all companies have closed.

    Where a company has closed none, or no company is known, that of the month before `today`.
    """
    closed = [each.event.closed_to for each in records.all(LedgerPublished)]
    months = [month for month in closed if month is not None]
    if not months or len(months) < len(closed):
        return today.replace(day=1) - timedelta(days=1)
    first = date.fromisoformat(f"{min(months)}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def reported(
    portfolio: Portfolio, records: ReferenceData, currency: str | None, on: date | None = None
) -> ReportedPortfolio:
    """Return the portfolio, with its amounts in a currency where one is given.

    The rates are those of the day `on`, by default of `default_day`.
    """
    fields = {name: getattr(portfolio, name) for name in Portfolio.model_fields}
    if currency is None:
        return ReportedPortfolio(**fields)
    day = on or default_day(records, portfolio.today)
    return ReportedPortfolio(**fields, reporting=_reporting(portfolio, records, currency, day))


def _reporting(portfolio: Portfolio, records: ReferenceData, currency: str, on: date) -> Reporting:
    others = [each.currency for each in portfolio.currencies if each.currency != currency]
    rates = {other: dated_rate(records, other, currency, on) for other in others}
    originals: dict[str, list[tuple[str, Decimal | None]]] = {}
    for figures in (*portfolio.currencies, *(portfolio.confidential or ())):
        for name, amount in _amounts(figures):
            originals.setdefault(name, []).append((figures.currency, amount))
    found = {name: _figure(amounts, currency, rates) for name, amounts in originals.items()}
    return Reporting(
        currency=currency,
        on=on,
        rates=[_used(other, rate) for other, rate in rates.items() if rate is not None],
        missing=[_missing(other, currency, on) for other in others if rates[other] is None],
        figures=found,
        margins=None if portfolio.confidential is None else dict(_margins(found)),
    )


def _amounts(
    figures: CurrencyFigures | ConfidentialFigures,
) -> Iterator[tuple[str, Decimal | None]]:
    """Yield the amounts of a currency by name; counts and ratios are left out."""
    for name, value in figures:
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", each) for part, each in value.items())
        elif isinstance(value, MarginFigures | PerformanceFigures):
            yield from ((f"{name}.{part}", getattr(value, part)) for part in value.amounts)
        elif value is None or isinstance(value, Decimal):
            yield name, value


def _figure(
    amounts: Iterable[tuple[str, Decimal | None]],
    currency: str,
    rates: dict[str, DatedRate | None],
) -> ReportedFigure:
    parts = [_part(each, amount, currency, rates.get(each)) for each, amount in amounts]
    converted = [part.converted for part in parts if part.converted is not None]
    total = sum(converted, Decimal(0)) if len(converted) == len(parts) else None
    return ReportedFigure(total=total, parts=parts)


def _part(
    currency: str, amount: Decimal | None, reporting: str, rate: DatedRate | None
) -> ReportedPart:
    converted = amount if currency == reporting or not amount else None
    used = rate if amount else None
    if amount and used is not None:
        money = Money.nearest(amount, currency, ROUNDING)
        converted = used.converted(money, ROUNDING).amount
    return ReportedPart(
        currency=currency,
        original=amount,
        converted=converted,
        exchange_rate=used.record.subject if used else None,
        version=used.record.sequence if used else None,
    )


def _used(currency: str, rate: DatedRate) -> UsedRate:
    return UsedRate(
        currency=currency,
        exchange_rate=rate.record.subject,
        version=rate.record.sequence,
        rate=rate.record.event.rate,
        source=rate.record.event.source,
    )


def _missing(currency: str, reporting: str, on: date) -> MissingRate:
    return MissingRate(
        currency=currency,
        code="exchange-rate-missing",
        sentence=f"the exchange rate {currency} to {reporting} on {on} is missing",
        owed_by="finance",
    )


def _margins(figures: dict[str, ReportedFigure]) -> Iterator[tuple[str, Decimal | None]]:
    """Yield each margin of the totals, None where revenue or cost is not known or not positive."""
    for name in (
        "margin_sold",
        "margin_billed",
        "margin_recognised",
        "margin_forecast",
        "margin_by_trend",
    ):
        revenue, cost = (figures.get(f"{name}.{part}") for part in ("revenue", "cost"))
        yield name, _margin(revenue, cost)


def _margin(revenue: ReportedFigure | None, cost: ReportedFigure | None) -> Decimal | None:
    earned, spent = revenue and revenue.total, cost and cost.total
    if not isinstance(earned, Decimal) or not isinstance(spent, Decimal) or earned <= 0:
        return None
    return round_decimal((earned - spent) / earned, 4)
