"""Build Finance's views of an engagement; costs and margins are in the confidential one only."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.commands import Missing
from contracts.decimals import canonical_decimal
from contracts.finance import MarginMeasured, PerformanceMeasured
from contracts.gateway import Disconnect
from contracts.money import Money, Rate
from contracts.values import BillingItem, BillingKind, RevenueMethod, Verdict
from finance import earned_value as ev
from finance.billing import billed_on
from finance.pending import waiting
from finance.rates import CostRates, RateCard
from finance.revenue import contract_asset, contract_liability
from finance.settling import billed, open_points, outstanding, paid
from finance.state import Assessment, Budget, Engagement, Estimate, Invoice
from finance.time_billing import advance_left


class EstimateView(ViewModel):
    """Version of the estimate and its price; hours include contingency."""

    version: int
    hours: str
    price: Money | None
    endorsed: bool


class SowView(ViewModel):
    """Version of the statement of work, and Finance's verdict on it."""

    version: int
    content_hash: str
    price: Money
    won_price: Money | None
    verdict: Verdict | None
    signed_on: date | None


class EntryView(ViewModel):
    """Entry of the billing schedule, with the amounts that fell due and that are left."""

    item: str
    kind: BillingKind
    description: str
    amount: Money
    due: Money
    left: Money
    due_on: date | None


class BudgetView(ViewModel):
    """Budget of the contract, with its amendments."""

    signed_price: Money
    price: Money
    revenue_method: RevenueMethod
    schedule: list[EntryView]
    rates: dict[str, Rate]


class ChangeView(ViewModel):
    """Change, its price, and whether its amendment is in the budget."""

    change: str
    price: Money | None
    verdict: str | None
    in_budget: bool


class InvoiceView(ViewModel):
    """Invoice from its draft on."""

    invoice: str
    number: str | None
    stage: str
    billing_event: str
    item: str | None
    kind: BillingKind
    exception: str | None
    amount: Money
    advance_drawn: Money
    issued_on: date | None
    due_on: date | None
    credited: Money
    paid: Money
    outstanding: Money
    overdue: bool


class EngagementView(ViewModel):
    """Finance's open view of an engagement, without costs and margins."""

    title: str | None
    stage: str
    currency: str | None
    manager: str | None
    kicked_off_on: date | None
    live_on: date | None
    ended: str | None
    early_start_until: date | None
    estimates: list[EstimateView]
    sows: list[SowView]
    budget: BudgetView | None
    changes: list[ChangeView]
    invoices: list[InvoiceView]
    billed: Money | None
    paid: Money | None
    outstanding: Money | None
    overdue: bool
    advance_left: Money | None
    recognised: Money | None
    recognised_to: str | None
    contract_asset: Money | None
    contract_liability: Money | None
    open_points: list[Missing]
    waiting: list[Missing]
    settled_on: date | None
    disconnects: list[Disconnect]


class EarnedValueView(ViewModel):
    """Last measured earned value, with the figures derived from it."""

    measured: PerformanceMeasured
    cost_variance: Money
    schedule_variance: Money
    estimate_at_completion_by_trend: Money | None
    estimate_at_completion_as_planned: Money
    estimate_at_completion_by_cost_and_schedule: Money | None
    to_complete_performance_index: str | None


class ConfidentialView(EngagementView):
    """Finance's view of an engagement with cost, earned value and margins."""

    estimate_costs: dict[int, Money]
    change_costs: dict[str, Money]
    budget_cost: Money | None
    cost_to_date: Money | None
    earned_value: EarnedValueView | None
    margins: MarginMeasured | None


class RateCardView(ViewModel):
    """Newest version of a rate card."""

    rate_card: str
    currency: str | None
    effective_from: date | None
    rates: dict[str, Rate]


class CostRatesNotice(ViewModel):
    """Roles that have a cost rate, and since when; without the rates."""

    cost_rates: str
    currency: str | None
    effective_from: date | None
    roles: list[str]


class CostRatesView(CostRatesNotice):
    """Newest version of the cost rates; `floor` is in percent."""

    rates: dict[str, Rate]
    floor: str | None


LISTED = ("stage", "currency", "billed", "outstanding", "overdue")
"""Fields of `listed` by which engagements can be filtered and sorted."""


def listed(state: Engagement) -> Mapping[str, str | bool | None]:
    """Return the list row of an engagement; amounts are decimals in the engagement's currency."""
    known = state.currency is not None
    return {
        "stage": stage(state),
        "currency": state.currency,
        "billed": canonical_decimal(billed(state).amount) if known else None,
        "outstanding": canonical_decimal(outstanding(state).amount) if known else None,
        "overdue": _overdue(state),
    }


def stage(state: Engagement) -> str:
    """Return the billing stage: open, budgeted, billing or settled."""
    if state.settled_on is not None:
        return "settled"
    if state.budget is None:
        return "open"
    return "billing" if state.issued() else "budgeted"


def engagement_view(state: Engagement) -> EngagementView:
    """Return the open view of an engagement."""
    known = state.currency is not None
    last = max(state.recognised) if state.recognised else None
    recognised = state.recognised[last] if last else Money.zero(state.money) if known else None
    owed = billed(state) if known else None
    return EngagementView(
        title=state.title,
        stage=stage(state),
        currency=state.currency,
        manager=state.manager,
        kicked_off_on=state.kicked_off_on,
        live_on=state.live_on,
        ended=_ended(state),
        early_start_until=state.early_start_until,
        estimates=[_estimate(one) for one in state.estimates.values()],
        sows=[_sow(state, version) for version in sorted(state.sows)],
        budget=_budget(state, state.budget) if state.budget else None,
        changes=[_change(state, one) for one in state.assessments],
        invoices=[_invoice(state, one) for one in state.invoices.values()],
        billed=owed,
        paid=paid(state) if known else None,
        outstanding=outstanding(state) if known else None,
        overdue=_overdue(state),
        advance_left=advance_left(state) if known else None,
        recognised=recognised,
        recognised_to=last,
        contract_asset=contract_asset(recognised, owed) if recognised and owed else None,
        contract_liability=contract_liability(recognised, owed) if recognised and owed else None,
        open_points=list(open_points(state)) if state.budget else [],
        waiting=list(waiting(state)),
        settled_on=state.settled_on,
        disconnects=list(state.disconnects.values()),
    )


def confidential_view(state: Engagement) -> ConfidentialView:
    """Return the view of an engagement with costs and margins."""
    return ConfidentialView(
        **dict(engagement_view(state)),
        estimate_costs={
            one.version: one.cost for one in state.estimates.values() if one.cost is not None
        },
        change_costs={one.change: one.cost for one in state.assessments if one.cost is not None},
        budget_cost=state.budget.cost if state.budget else None,
        cost_to_date=state.cost_to_date,
        earned_value=_earned_value(state.performance) if state.performance else None,
        margins=state.margins,
    )


def rate_card_view(state: RateCard) -> RateCardView:
    """Return the view of a rate card."""
    latest = state.latest
    return RateCardView(
        rate_card=state.rate_card,
        currency=latest.currency if latest else None,
        effective_from=latest.effective_from if latest else None,
        rates={one.role: one.rate for one in latest.rates} if latest else {},
    )


def cost_rates_notice(state: CostRates) -> CostRatesNotice:
    """Return the view of cost rates without the rates, for maintainers who may not see costs."""
    latest = state.latest
    return CostRatesNotice(
        cost_rates=state.cost_rates,
        currency=latest.currency if latest else None,
        effective_from=latest.effective_from if latest else None,
        roles=[one.role for one in latest.rates] if latest else [],
    )


def cost_rates_view(state: CostRates) -> CostRatesView:
    """Return the confidential view of cost rates."""
    latest = state.latest
    return CostRatesView(
        **dict(cost_rates_notice(state)),
        rates={one.role: one.rate for one in latest.rates} if latest else {},
        floor=str(latest.floor) if latest else None,
    )


def _ended(state: Engagement) -> str | None:
    ends = (
        (state.lost_on, "lost"),
        (state.terminated_on, "terminated"),
        (state.closed_on, "closed"),
    )
    return next((how for ended, how in ends if ended is not None), None)


def _overdue(state: Engagement) -> bool:
    return any(invoice.overdue for invoice in state.issued())


def _estimate(estimate: Estimate) -> EstimateView:
    return EstimateView(
        version=estimate.version,
        hours=str(sum(line.hours for line in estimate.with_contingency)),
        price=estimate.price,
        endorsed=estimate.endorsed,
    )


def _sow(state: Engagement, version: int) -> SowView:
    sow = state.sows[version]
    return SowView(
        version=version,
        content_hash=sow.content_hash,
        price=sow.price,
        won_price=state.won.price if state.won else None,
        verdict=state.reviews.get(version),
        signed_on=state.signed_on if version == state.signed_version else None,
    )


def _budget(state: Engagement, budget: Budget) -> BudgetView:
    return BudgetView(
        signed_price=budget.signed_price,
        price=budget.price,
        revenue_method=budget.revenue_method,
        schedule=[_entry(state, item) for item in budget.schedule],
        rates={one.role: one.rate for one in budget.rates},
    )


def _entry(state: Engagement, item: BillingItem) -> EntryView:
    due = billed_on(state, item.item)
    return EntryView(
        item=item.item,
        kind=item.kind,
        description=item.description,
        amount=item.amount,
        due=due,
        left=item.amount - due,
        due_on=item.due_on,
    )


def _change(state: Engagement, assessment: Assessment) -> ChangeView:
    return ChangeView(
        change=assessment.change,
        price=assessment.price,
        verdict=state.verdicts.get(assessment.change),
        in_budget=any(one.change == assessment.change for one in state.applied),
    )


def _invoice(state: Engagement, invoice: Invoice) -> InvoiceView:
    billing_event = state.billing_events.get(invoice.billing_event)
    return InvoiceView(
        invoice=invoice.invoice,
        number=invoice.number,
        stage=invoice.stage,
        billing_event=invoice.billing_event,
        item=billing_event.item if billing_event else None,
        kind=invoice.kind,
        exception=billing_event.exception if billing_event else None,
        amount=invoice.amount,
        advance_drawn=invoice.advance_drawn,
        issued_on=invoice.issue_on if invoice.stage in {"issued", "voided"} else None,
        due_on=invoice.due_on,
        credited=invoice.credited,
        paid=invoice.paid,
        outstanding=invoice.outstanding,
        overdue=invoice.overdue,
    )


def _earned_value(measured: PerformanceMeasured) -> EarnedValueView:
    currency = measured.budget_at_completion.currency
    bac, pv = measured.budget_at_completion.amount, measured.planned_value.amount
    earned, ac = measured.earned_value.amount, measured.actual_cost.amount
    trend = ev.estimate_at_completion_by_trend(bac, earned, ac)
    both = ev.estimate_at_completion_by_cost_and_schedule(bac, earned, ac, pv)
    needed = ev.to_complete_performance_index(bac, earned, ac)

    def money(amount: Decimal) -> Money:
        return Money.nearest(amount, currency)

    return EarnedValueView(
        measured=measured,
        cost_variance=money(ev.cost_variance(earned, ac)),
        schedule_variance=money(ev.schedule_variance(earned, pv)),
        estimate_at_completion_by_trend=None if trend is None else money(trend),
        estimate_at_completion_as_planned=money(
            ev.estimate_at_completion_as_planned(bac, earned, ac)
        ),
        estimate_at_completion_by_cost_and_schedule=None if both is None else money(both),
        to_complete_performance_index=None if needed is None else str(needed),
    )
