"""Figures of costs and margins, for readers with the role `confidential`."""

from collections.abc import Callable
from decimal import Decimal

from chassis.base.view_model import ViewModel
from contracts.decimals import Number, round_decimal
from contracts.values import Margin
from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View


class MarginFigures(ViewModel):
    """Revenue, cost and margin of all engagements that have this margin, in one currency."""

    revenue: Number
    cost: Number
    margin: Number | None


class ConfidentialFigures(ViewModel):
    """Costs and the four margins in one currency, for readers with the role `confidential`.

    `cost_unknown` is the number of approved time entries and expenses that `cost` does not contain,
    because a cost rate or an exchange rate is missing.
    """

    currency: str
    cost: Number
    cost_unknown: int
    project_management_cost: Number
    margin_sold: MarginFigures
    margin_billed: MarginFigures
    margin_recognised: MarginFigures
    margin_forecast: MarginFigures


def add_costs(figures: Figures, view: View, currency: str) -> None:
    """Add an engagement's costs and margins."""
    confidential = view.confidential
    margins = confidential.margins
    _add_margin(figures, "sold", confidential.margin_sold)
    if margins is not None:
        _add_margin(figures, "billed", margins.event.margin_billed)
        _add_margin(figures, "recognised", margins.event.margin_recognised)
        _add_margin(figures, "forecast", margins.event.margin_forecast)
    if confidential.cost is not None:
        add(figures, f"{currency}.cost", confidential.cost.amount)
    if view.cost_unknown:
        add(figures, f"{currency}.cost-unknown", Decimal(view.cost_unknown))
    if confidential.project_management_cost is not None:
        management = confidential.project_management_cost.amount
        add(figures, f"{currency}.project-management-cost", management)


def _add_margin(figures: Figures, which: str, margin: Margin | None) -> None:
    if margin is not None:
        currency = margin.revenue.currency
        add(figures, f"{currency}.margin-{which}.revenue", margin.revenue.amount)
        add(figures, f"{currency}.margin-{which}.cost", margin.cost.amount)


def confidential_figures(figure: Callable[[str], Decimal], currency: str) -> ConfidentialFigures:
    """Return the costs and margins in a currency; `figure` returns a total by its name."""

    def margin(which: str) -> MarginFigures:
        revenue = figure(f"{currency}.margin-{which}.revenue")
        cost = figure(f"{currency}.margin-{which}.cost")
        ratio = round_decimal((revenue - cost) / revenue, 4) if revenue > 0 else None
        return MarginFigures(revenue=revenue, cost=cost, margin=ratio)

    return ConfidentialFigures(
        currency=currency,
        cost=figure(f"{currency}.cost"),
        cost_unknown=int(figure(f"{currency}.cost-unknown")),
        project_management_cost=figure(f"{currency}.project-management-cost"),
        margin_sold=margin("sold"),
        margin_billed=margin("billed"),
        margin_recognised=margin("recognised"),
        margin_forecast=margin("forecast"),
    )
