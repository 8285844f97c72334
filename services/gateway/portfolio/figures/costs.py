"""Figures of costs and margins, for readers with the role `confidential`."""

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

from chassis.base.view_model import ViewModel
from contracts.decimals import Number, round_decimal
from contracts.money import Money
from contracts.values import Margin
from gateway.portfolio.figures.backlog import BOOKED
from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View


class MarginFigures(ViewModel):
    """Revenue, cost and margin of all engagements that have this margin, in one currency.

    `without` is the number of engagements that should have it: they have such an amount, or run,
    and what the margin needs is not known.
    """

    amounts: ClassVar[tuple[str, ...]] = ("revenue", "cost")

    revenue: Number
    cost: Number
    margin: Number | None
    without: int


class PerformanceFigures(ViewModel):
    """Earned value of all engagements with a measured status report, each as of its newest one.

    An index whose divisor is zero is null. `without` is the number of engagements that run and have
    no measured report.
    """

    amounts: ClassVar[tuple[str, ...]] = (
        "budget_at_completion",
        "planned_value",
        "earned_value",
        "actual_cost",
    )

    budget_at_completion: Number
    planned_value: Number
    earned_value: Number
    actual_cost: Number
    cost_performance_index: Number | None
    schedule_performance_index: Number | None
    without: int


class ConfidentialFigures(ViewModel):
    """Costs, margins and earned value in one currency, for readers with the role `confidential`.

    The margins on billed and on recognised revenue are of the same amounts as `billed` and
    `recognised` in `CurrencyFigures`; no figure contains opening balances but those of the margins
    sold and expected.
    `cost_unknown` is the number of approved time entries and expenses that `cost` does not contain,
    because a cost rate or an exchange rate is missing. Contract assets and liabilities are those of
    each engagement at the end of its last booked month; `contract_balances_unknown` is the number
    of contracts that they do not contain, because their revenue is not recognised to that month.
    `expected_losses` are provided for.
    """

    currency: str
    cost: Number
    cost_unknown: int
    project_management_cost: Number
    contract_assets: Number
    contract_liabilities: Number
    contract_balances_unknown: int
    expected_losses: Number
    margin_sold: MarginFigures
    margin_billed: MarginFigures
    margin_recognised: MarginFigures
    margin_forecast: MarginFigures
    margin_by_trend: MarginFigures
    performance: PerformanceFigures


def add_costs(figures: Figures, view: View, currency: str) -> None:
    """Add an engagement's costs and margins."""
    confidential, expected = view.confidential, view.confidential.expected
    runs = view.stage in BOOKED
    _add_margin(figures, currency, "sold", confidential.margin_sold, due=runs)
    _add_margin(
        figures, currency, "billed", _billed(view, currency), due=_has_bills(view, currency)
    )
    _add_margin(figures, currency, "recognised", _recognised(view), due=view.recognised is not None)
    forecast = expected.event.margin_forecast if expected else None
    _add_margin(figures, currency, "forecast", forecast, due=runs)
    trend = expected.event.margin_by_trend if expected else None
    _add_margin(figures, currency, "by-trend", trend, due=runs)
    _add_performance(figures, view, currency, due=runs)
    if confidential.cost is not None:
        add(figures, f"{currency}.cost", confidential.cost.amount)
    if view.cost_unknown:
        add(figures, f"{currency}.cost-unknown", Decimal(view.cost_unknown))
    if confidential.project_management_cost is not None:
        management = confidential.project_management_cost.amount
        add(figures, f"{currency}.project-management-cost", management)
    for balance in confidential.balances:
        if balance.contract_asset is None or balance.contract_liability is None:
            add(figures, f"{currency}.contract-balances-unknown", Decimal(1))
        else:
            add(figures, f"{currency}.contract-assets", balance.contract_asset.amount)
            add(figures, f"{currency}.contract-liabilities", balance.contract_liability.amount)
    for loss in confidential.expected_losses.values():
        add(figures, f"{currency}.expected-losses", loss.amount)


def _has_bills(view: View, currency: str) -> bool:
    return bool(view.finance.invoices) and view.finance.billed(currency).amount != 0


def _billed(view: View, currency: str) -> Margin | None:
    """Return the margin on what is billed to date; None while some cost is not known."""
    if view.cost_unknown or not _has_bills(view, currency):
        return None
    cost = view.confidential.cost or Money.zero(currency)
    return _margin(view.finance.billed(currency), cost)


def _recognised(view: View) -> Margin | None:
    """Return the margin on recognised revenue, with cost to the end of the same month."""
    revenue, month = view.recognised, view.recognised_to
    if view.cost_unknown or revenue is None or month is None:
        return None
    costs = view.confidential.cost_by_month.items()
    cost = Money.total((each for name, each in costs if name <= month), revenue.currency)
    return _margin(revenue, cost)


def _margin(revenue: Money, cost: Money) -> Margin:
    return Margin(revenue=revenue, cost=cost, margin=_ratio(revenue.amount, cost.amount))


def _ratio(revenue: Decimal, cost: Decimal) -> Decimal | None:
    return round_decimal((revenue - cost) / revenue, 4) if revenue > 0 else None


def _add_performance(figures: Figures, view: View, currency: str, *, due: bool) -> None:
    if view.confidential.performance is None:
        add(figures, f"{currency}.performance.without", Decimal(due))
        return
    measured = view.confidential.performance.event
    add(figures, f"{currency}.performance.bac", measured.budget_at_completion.amount)
    add(figures, f"{currency}.performance.pv", measured.planned_value.amount)
    add(figures, f"{currency}.performance.ev", measured.earned_value.amount)
    add(figures, f"{currency}.performance.ac", measured.actual_cost.amount)


def _add_margin(
    figures: Figures, currency: str, which: str, margin: Margin | None, *, due: bool
) -> None:
    if margin is None:
        add(figures, f"{currency}.margin-{which}.without", Decimal(due))
    else:
        add(figures, f"{currency}.margin-{which}.revenue", margin.revenue.amount)
        add(figures, f"{currency}.margin-{which}.cost", margin.cost.amount)


def confidential_figures(figure: Callable[[str], Decimal], currency: str) -> ConfidentialFigures:
    """Return the costs and margins in a currency; `figure` returns a total by its name."""

    def margin(which: str) -> MarginFigures:
        revenue = figure(f"{currency}.margin-{which}.revenue")
        cost = figure(f"{currency}.margin-{which}.cost")
        without = int(figure(f"{currency}.margin-{which}.without"))
        ratio = _ratio(revenue, cost)
        return MarginFigures(revenue=revenue, cost=cost, margin=ratio, without=without)

    def index(part: Decimal, whole: Decimal) -> Decimal | None:
        return round_decimal(part / whole, 4) if whole else None

    names = ("bac", "pv", "ev", "ac", "without")
    bac, pv, ev, ac, without = (figure(f"{currency}.performance.{name}") for name in names)

    return ConfidentialFigures(
        currency=currency,
        cost=figure(f"{currency}.cost"),
        cost_unknown=int(figure(f"{currency}.cost-unknown")),
        project_management_cost=figure(f"{currency}.project-management-cost"),
        contract_assets=figure(f"{currency}.contract-assets"),
        contract_liabilities=figure(f"{currency}.contract-liabilities"),
        contract_balances_unknown=int(figure(f"{currency}.contract-balances-unknown")),
        expected_losses=figure(f"{currency}.expected-losses"),
        margin_sold=margin("sold"),
        margin_billed=margin("billed"),
        margin_recognised=margin("recognised"),
        margin_forecast=margin("forecast"),
        margin_by_trend=margin("by-trend"),
        performance=PerformanceFigures(
            budget_at_completion=bac,
            planned_value=pv,
            earned_value=ev,
            actual_cost=ac,
            cost_performance_index=index(ev, ac),
            schedule_performance_index=index(ev, pv),
            without=int(without),
        ),
    )
