"""Set and amend the budget of an engagement: its hours and price.

The budget follows from the version of the statement of work that both parties signed; its hours are
those of the proposal's estimate, with contingency. An amendment changes it by the change order that
also changes the plan. Amendments are applied in the order of their signature.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import (
    BudgetAmended,
    BudgetSet,
    RevenueMethodChoice,
    RevenueMethodChosen,
)
from contracts.money import Money, Rate
from contracts.values import BillingItem, BillingKind, Pricing, RevenueMethod
from contracts.vocabularies import Unlisted
from finance.budgeting.schedule import schedule_after
from finance.engagement import Engagement
from finance.policies import require_running
from finance.roles import ACCOUNTING

capability = Capability[Engagement](__name__)

USUAL_METHOD: dict[str, RevenueMethod] = {
    "fixed-price": "cost-to-cost",
    "time-and-materials": "as-invoiced",
}
"""Revenue method by pricing, unless another was chosen before the budget was set."""


class ChooseRevenueMethod(RevenueMethodChoice, Command):
    """Choose the revenue method before the budget is set; it is never switched.

    Without a choice, a fixed price is recognised cost-to-cost, and time and materials as invoiced.
    As-invoiced is allowed for time and materials only: elsewhere an invoice does not measure what
    the customer received (IFRS 15.B16).
    """


@capability.decide(ChooseRevenueMethod, by=ACCOUNTING)
def choose_revenue_method(
    state: Engagement, command: ChooseRevenueMethod, context: Context
) -> Iterable[Event]:
    """Record the method; the pricing must be known and the budget not set.

    Raises Refused where the engagement is over, the budget is set, no statement of work is drafted,
    or the method does not fit its pricing.
    """
    budget, chosen, sows = state.budget, state.budgeting.chosen, state.contract.sows
    known = budget.revenue_method if budget else chosen.method if chosen else None
    if command.method == known:
        return
    require_running(state)
    if budget is not None:
        raise Refused(
            "method-fixed",
            f"the budget was set with {budget.revenue_method}; a method is never switched",
        )
    if not sows:
        raise Refused("sow-unknown", "the method depends on the pricing: wait for Legal's draft")
    pricing = sows[max(sows)].pricing
    if not _fits(command.method, pricing):
        raise Refused("method-does-not-fit", f"{command.method} does not fit {pricing}")
    yield RevenueMethodChosen(**dict(command))


@capability.react
def set_budget(state: Engagement, context: Context) -> Iterable[Event]:
    """Set the budget once the contract and its sources are known."""
    sow, estimates = state.contract.sow, state.estimates
    version = estimates.of_proposal.get(sow.proposal_version) if sow else None
    estimate = estimates.by_version.get(version) if version else None
    if state.budget or not sow or not estimate or state.currency != sow.price.currency:
        return
    if isinstance(sow.pricing, Unlisted):
        return  # nothing that depends on the pricing is computed before a release that knows it
    chosen = state.budgeting.chosen
    fits = chosen is not None and _fits(chosen.method, sow.pricing)
    yield BudgetSet(
        price=sow.price,
        hours=estimate.with_contingency,
        revenue_method=chosen.method if chosen and fits else USUAL_METHOD[sow.pricing],
        billing_schedule=sow.billing_schedule,
        rates=sow.rates,
    )


@capability.react
def amend_budget(state: Engagement, context: Context) -> Iterable[Event]:
    """Apply the first signed amendment that is not in the budget, once its change is priced."""
    waiting, budget, billing = state.budgeting.waiting, state.budget, state.billing
    if not waiting or budget is None or state.contract.sow is None:
        return
    amendment = waiting[0]
    assessment, currency = state.changes.priced(amendment.change), budget.price.currency
    if assessment is None or amendment.price_delta.currency != currency:
        return
    yield BudgetAmended(
        change=amendment.change,
        amendment=amendment.amendment,
        price=max(Money.zero(currency), budget.price + amendment.price_delta),
        hours_delta=assessment.hours,
        billing_schedule=schedule_after(
            budget.schedule,
            amendment,
            hourly=state.contract.hourly,
            invoiced=lambda item: billing.invoiced_on_item(item, currency),
            credited=lambda item: billing.credited_on_item(item, currency),
        ),
    )


def _fits(method: RevenueMethod, pricing: Pricing) -> bool:
    return method != "as-invoiced" or pricing == "time-and-materials"


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


class BudgetFields(ViewModel):
    """The budget in the view of an engagement."""

    budget: BudgetView | None


@capability.view
def budget_view(state: Engagement) -> BudgetFields:
    """Return the budget for the view of an engagement."""
    budget = state.budget
    if budget is None:
        return BudgetFields(budget=None)
    return BudgetFields(
        budget=BudgetView(
            signed_price=budget.signed_price,
            price=budget.price,
            revenue_method=budget.revenue_method,
            schedule=[_entry(state, item) for item in budget.schedule],
            rates=dict(budget.rate_by_role),
        )
    )


def _entry(state: Engagement, item: BillingItem) -> EntryView:
    due = state.billing.due_on_item(item.item, state.money)
    return EntryView(
        item=item.item,
        kind=item.kind,
        description=item.description,
        amount=item.amount,
        due=due,
        left=item.amount - due,
        due_on=item.due_on,
    )
