"""The portfolio's figures: what each engagement contributes, and how totals become a portfolio.

A contribution is a flat map of figure names to numbers. So totals are updated by addition and
subtraction, per partition, and reading them needs no engagement. The name of an amount begins with
its currency; amounts are never added across currencies.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from chassis.base.view_model import ViewModel
from contracts.decimals import ROUNDING, Number, round_decimal
from contracts.money import Money
from contracts.survey_scores import (
    customer_satisfaction,
    is_detractor,
    is_promoter,
    is_satisfied,
    net_promoter_score,
)
from contracts.values import Margin
from gateway.portfolio.imported import OUTCOMES, history
from gateway.rules import Disconnect
from gateway.view.engagement_view import STAGES, View

Figures = dict[str, Decimal]
"""Figures by name (``stage.delivering``, ``EUR.backlog``); an absent figure is zero."""

UTILISATION_WEEKS = 4
_BOOKED = ("contracting", "mobilising", "delivering", "closing")
_ZERO = Decimal(0)


def contribution(
    view: View, disconnects: Iterable[Disconnect], waived: Iterable[str] = ()
) -> Figures:
    """Return what an engagement adds to the figures; `waived` are ids of disconnects."""
    if view.is_history:
        return history(view)
    figures: Figures = {f"stage.{view.stage}": Decimal(1)}
    if view.sales.imported_from is not None:
        figures["imported"] = Decimal(1)
    currency = view.currency
    if view.taken_over:
        _imported(figures, view)
    if currency is not None:
        _amounts(figures, view, currency)
    _quality(figures, view)
    accepted = frozenset(waived)
    for each in disconnects:
        prefix = "disconnects-confidential" if each.confidential else "disconnects"
        if each.finding in accepted:
            _add(figures, f"{prefix}.waived", Decimal(1))
            continue
        _add(figures, f"{prefix}.{each.severity}", Decimal(1))
        if each.confidential:
            continue
        if each.at_stake is None:
            _add(figures, "at-stake-unknown", Decimal(1))
        else:
            _add(figures, f"{each.at_stake.currency}.at-stake", each.at_stake.amount)
    for week, worked in view.delivery.weeks.items():
        _add(figures, f"week.{week.isoformat()}", worked.billable)
    return figures


def _amounts(figures: Figures, view: View, currency: str) -> None:
    stage, price = view.stage, view.price
    if view.taken_over:
        _backlog_left(figures, view, currency)
    elif price is not None:
        if stage in ("opportunity", "proposal"):
            _add(figures, f"{currency}.pipeline.{stage}", price.amount)
            if view.sales.probability is not None:
                weighted = price.amount * view.sales.probability / 100
                _add(figures, f"{currency}.pipeline-weighted", weighted)
        elif stage in _BOOKED:
            recognised = view.recognised or Money.zero(currency)
            backlog = price.amount - recognised.amount
            _add(figures, f"{currency}.backlog", backlog)
            if view.legal.signed is not None:
                _add(figures, f"{currency}.backlog-clean", backlog)
    _billing(figures, view, currency)
    _costs(figures, view, currency)


def _backlog_left(figures: Figures, view: View, currency: str) -> None:
    """Add what is to be recognised of an engagement that was taken over; unknown adds nothing."""
    price, before = view.legal.contract_price, view.recognised_before
    if price is not None and before is not None and view.stage in _BOOKED:
        recognised = view.recognised or Money.zero(currency)
        backlog = price.amount - before.amount - recognised.amount
        _add(figures, f"{currency}.backlog", backlog)
        _add(figures, f"{currency}.backlog-clean", backlog)


def _imported(figures: Figures, view: View) -> None:
    """Add the balances of an engagement that was taken over, apart from all other amounts."""
    if view.price is not None:
        _add(figures, f"{view.price.currency}.imported-price", view.price.amount)
    if view.finance.imported is not None:
        balances = view.finance.imported.event
        _add(figures, f"{balances.billed.currency}.imported-billed", balances.billed.amount)
        _add(figures, f"{balances.paid.currency}.imported-paid", balances.paid.amount)


def _billing(figures: Figures, view: View, currency: str) -> None:
    if view.finance.invoices:
        _add(figures, f"{currency}.billed", view.finance.billed(currency).amount)
        _add(figures, f"{currency}.paid", view.finance.paid(currency).amount)
    for invoice in view.finance.receivables():
        _add(figures, f"{currency}.outstanding", invoice.outstanding.amount)
        if invoice.overdue is not None:
            _add(figures, f"{currency}.overdue", invoice.outstanding.amount)
    recognised = view.recognised
    if recognised is not None:
        _add(figures, f"{currency}.recognised", recognised.amount)
    if view.finance.recognises_by_cost:
        # From an open event, so that no confidential one changes what other readers see.
        _add(figures, f"{currency}.recognised-by-cost", Decimal(1))


def _costs(figures: Figures, view: View, currency: str) -> None:
    confidential = view.confidential
    margins = confidential.margins
    _margin(figures, "sold", confidential.margin_sold)
    if margins is not None:
        _margin(figures, "billed", margins.event.margin_billed)
        _margin(figures, "recognised", margins.event.margin_recognised)
        _margin(figures, "forecast", margins.event.margin_forecast)
    if confidential.cost is not None:
        _add(figures, f"{currency}.cost", confidential.cost.amount)
    if view.cost_unknown:
        _add(figures, f"{currency}.cost-unknown", Decimal(view.cost_unknown))
    if confidential.project_management_cost is not None:
        management = confidential.project_management_cost.amount
        _add(figures, f"{currency}.project-management-cost", management)


def _margin(figures: Figures, which: str, margin: Margin | None) -> None:
    if margin is not None:
        currency = margin.revenue.currency
        _add(figures, f"{currency}.margin-{which}.revenue", margin.revenue.amount)
        _add(figures, f"{currency}.margin-{which}.cost", margin.cost.amount)


def _quality(figures: Figures, view: View) -> None:
    delivery = view.delivery
    if view.stage in ("mobilising", "delivering", "closing") and delivery.rag is not None:
        _add(figures, f"rag.{delivery.rag}", Decimal(1))
    if view.on_hold:
        _add(figures, "on-hold", Decimal(1))
    surveys = delivery.surveys.values()
    for score in chain.from_iterable(survey.satisfaction for survey in surveys):
        _add(figures, "csat.answers", Decimal(1))
        if is_satisfied(score):
            _add(figures, "csat.satisfied", Decimal(1))
    for score in chain.from_iterable(survey.recommend for survey in surveys):
        _add(figures, "nps.answers", Decimal(1))
        if is_promoter(score):
            _add(figures, "nps.promoters", Decimal(1))
        elif is_detractor(score):
            _add(figures, "nps.detractors", Decimal(1))
    _add(figures, "hours.approved", delivery.approved_hours)
    _add(figures, "hours.project-management", delivery.project_management_hours)


def _add(figures: Figures, name: str, amount: Decimal) -> None:
    if amount:
        figures[name] = figures.get(name, _ZERO) + amount


def replace_contribution(
    totals: Figures, before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> None:
    """Replace an engagement's earlier contribution to the totals by its new one."""
    if before == after:
        return
    for name, amount in before.items():
        totals[name] = totals.get(name, _ZERO) - amount
    for name, amount in after.items():
        totals[name] = totals.get(name, _ZERO) + amount
    for name in before:
        if not totals[name]:
            del totals[name]


def sum_figures(parts: Iterable[Mapping[str, Decimal]]) -> Figures:
    """Return the sum of the figures of several partitions or engagements."""
    totals: Figures = {}
    for part in parts:
        for name, amount in part.items():
            _add(totals, name, amount)
    return totals


class CurrencyFigures(ViewModel):
    """The portfolio in one currency; amounts are decimal numbers in it.

    `paid`, `outstanding` and `overdue` are with tax, all other amounts without. Backlog is what
    was sold and is not yet recognised as revenue. Backlog and recognised revenue
    are null for readers without the role `confidential` where an engagement's revenue is recognised
    in proportion to cost, since they would reveal it. `imported_price`, `imported_billed` and
    `imported_paid` are those of engagements that were taken over while they were under way, and
    `imported_history` are values of deals in a CRM, by outcome; no other amount contains them.
    """

    currency: str
    pipeline: dict[str, Number]
    pipeline_weighted: Number
    backlog: Number | None
    backlog_clean: Number | None
    billed: Number
    paid: Number
    outstanding: Number
    overdue: Number
    recognised: Number | None
    at_stake: Number
    imported_price: Number
    imported_billed: Number
    imported_paid: Number
    imported_history: dict[str, Number]


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


class Portfolio(ViewModel):
    """Figures of all engagements.

    Imported history, deals that a CRM had and no one took up here, is a part of its own
    (`imported_history`, by outcome): `engagements`, stages and all other figures are without it.
    Disconnects that would reveal costs or margins count only for readers with the role
    `confidential`. Utilisation is approved billable hours over available hours of Delivery's people
    in the four full weeks before `today`, as a ratio; customer satisfaction is in percent, the net
    promoter score in points. A figure that is not known is null. `at_stake_unknown` is the
    number of open disconnects whose amount is not known; no currency's `at_stake` includes them.
    """

    today: date
    engagements: int
    imported: int
    imported_history: dict[str, int]
    by_stage: dict[str, int]
    on_hold: int
    rag: dict[str, int]
    disconnects: dict[str, int]
    at_stake_unknown: int
    currencies: list[CurrencyFigures]
    confidential: list[ConfidentialFigures] | None
    utilisation: Number | None
    customer_satisfaction: Number | None
    net_promoter_score: Number | None
    approved_hours: Number
    project_management_hours: Number


def build_portfolio(
    totals: Mapping[str, Decimal],
    today: date,
    available_hours: Decimal | None,
    *,
    with_confidential: bool,
) -> Portfolio:
    """Return the portfolio of these totals on a day (UTC).

    `available_hours` are those of Delivery's people in `utilisation_weeks`, None where unknown.
    Costs and margins are left out unless the reader may see them.
    """

    def figure(name: str) -> Decimal:
        return totals.get(name, _ZERO)

    def count(name: str) -> int:
        return int(figure(name))

    def disconnects(kind: str) -> int:
        confidential = count(f"disconnects-confidential.{kind}") if with_confidential else 0
        return count(f"disconnects.{kind}") + confidential

    currencies = sorted({name[:3] for name in totals if name[3:4] == "." and name[:3].isupper()})
    return Portfolio(
        today=today,
        engagements=sum(count(f"stage.{stage}") for stage in STAGES),
        imported=count("imported"),
        imported_history={outcome: count(f"imported.{outcome}") for outcome in OUTCOMES},
        by_stage={stage: count(f"stage.{stage}") for stage in STAGES},
        on_hold=count("on-hold"),
        rag={colour: count(f"rag.{colour}") for colour in ("green", "amber", "red")},
        at_stake_unknown=count("at-stake-unknown"),
        disconnects={kind: disconnects(kind) for kind in ("serious", "warning", "waived")},
        currencies=[
            _currency(figure, currency, with_confidential=with_confidential)
            for currency in currencies
        ],
        confidential=(
            [_confidential(figure, currency) for currency in currencies]
            if with_confidential
            else None
        ),
        utilisation=_utilisation(totals, today, available_hours),
        customer_satisfaction=customer_satisfaction(
            figure("csat.satisfied"), figure("csat.answers"), 1
        ),
        net_promoter_score=net_promoter_score(
            figure("nps.promoters"), figure("nps.detractors"), figure("nps.answers"), 1
        ),
        approved_hours=figure("hours.approved"),
        project_management_hours=figure("hours.project-management"),
    )


def _currency(
    figure: Callable[[str], Decimal], currency: str, *, with_confidential: bool
) -> CurrencyFigures:
    def amount(name: str) -> Decimal:
        return figure(f"{currency}.{name}")

    hidden = not with_confidential and bool(amount("recognised-by-cost"))

    def of_revenue(name: str) -> Decimal | None:
        return None if hidden else amount(name)

    return CurrencyFigures(
        currency=currency,
        pipeline={stage: amount(f"pipeline.{stage}") for stage in ("opportunity", "proposal")},
        pipeline_weighted=Money.nearest(amount("pipeline-weighted"), currency, ROUNDING).amount,
        backlog=of_revenue("backlog"),
        backlog_clean=of_revenue("backlog-clean"),
        billed=amount("billed"),
        paid=amount("paid"),
        outstanding=amount("outstanding"),
        overdue=amount("overdue"),
        recognised=of_revenue("recognised"),
        at_stake=amount("at-stake"),
        imported_price=amount("imported-price"),
        imported_billed=amount("imported-billed"),
        imported_paid=amount("imported-paid"),
        imported_history={outcome: amount(f"imported-{outcome}") for outcome in OUTCOMES},
    )


def _confidential(figure: Callable[[str], Decimal], currency: str) -> ConfidentialFigures:
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


def utilisation_weeks(today: date) -> list[date]:
    """Return the Mondays of the last four full weeks before a day."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in range(1, UTILISATION_WEEKS + 1)]


def _utilisation(
    totals: Mapping[str, Decimal], today: date, available_hours: Decimal | None
) -> Decimal | None:
    weeks = utilisation_weeks(today)
    billable = sum((totals.get(f"week.{week.isoformat()}", _ZERO) for week in weeks), _ZERO)
    return round_decimal(billable / available_hours, 4) if available_hours else None
