"""Recognise revenue by month, by the method of the budget (see `earned`)."""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import RevenueRecognised
from contracts.money import Money
from contracts.values import FIRST_DAY, Month
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.calendar_months import after, end_of, month_of, require_over
from finance.engagement import Engagement
from finance.policies import require_budget
from finance.revenue.earned import earned_to, unmeasured_changes
from finance.roles import ACCOUNTING
from finance.time_billing.unbilled import worth

capability = Capability[Engagement](__name__)


class RecogniseRevenue(Command):
    """Recognise the revenue of a month that is over, once, in order of months.

    The first month is that of the signature; the next is the one after the last recognised.
    """

    month: Month


@capability.decide(RecogniseRevenue, by=ACCOUNTING)
def recognise_revenue(
    state: Engagement, command: RecogniseRevenue, context: Context
) -> Iterable[Event]:
    """Record the revenue earned to the end of the month, less what was recognised before.

    Raises Refused where the month is not the next one or not over, or where a cost or rate is
    unknown.
    """
    budget = require_budget(state)
    following = _next_month(state)
    if command.month < following:
        raise Refused(
            "month-recognised",
            f"revenue of {command.month} is recognised already, or before the contract;"
            f" the next month is {following}",
        )
    if command.month > following:
        raise Refused(
            "month-out-of-order", f"{following} has to be recognised before {command.month}"
        )
    require_over(command.month, context.today)
    day = end_of(command.month)
    gate("revenue-not-measurable", _missing(state, budget, day))
    cumulative = earned_to(state, budget, day)
    yield RevenueRecognised(
        month=command.month,
        method=budget.revenue_method,
        amount=cumulative - state.revenue.recognised(state.money),
        cumulative=cumulative,
    )


def contract_asset(recognised: Money, billed: Money) -> Money:
    """Return the contract asset: recognised less billed, at least zero (IFRS 15.107)."""
    return recognised - min(recognised, billed)


def contract_liability(recognised: Money, billed: Money) -> Money:
    """Return the contract liability: billed less recognised, at least zero (IFRS 15.106)."""
    return billed - min(recognised, billed)


def _next_month(state: Engagement) -> Month:
    last = state.revenue.last
    return after(last.month) if last else month_of(state.contract.signed_on or FIRST_DAY)


def _missing(state: Engagement, budget: Budget, day: date) -> Iterable[Missing]:
    if isinstance(budget.revenue_method, Unlisted):
        sentence = f"this release does not know the revenue method {budget.revenue_method}"
        yield Missing("method-unknown", sentence, "finance")
    if budget.revenue_method == "at-acceptance":
        for item in budget.unlisted:
            sentence = f"this release does not know when {item.item} ({item.kind}) is due"
            yield Missing("billing-kind-unknown", sentence, "finance")
    if budget.revenue_method == "cost-to-cost":
        if budget.cost is None:
            yield Missing("cost-unknown", "what the budgeted hours cost is not known", "finance")
        if state.work.costed(state.money) is None:
            yield Missing("cost-unknown", "what some approved work cost is not known", "finance")
        for change in unmeasured_changes(state, budget, day):
            yield Missing("cost-unknown", f"what {change} will cost is not known", "finance")
    if budget.revenue_method == "as-invoiced" and (
        worth(state.work.entries, budget.rate_by_role, state.money) is None
    ):
        yield Missing(
            "rate-not-contracted", "the contract has no rate for some approved time", "legal"
        )


class RevenueFields(ViewModel):
    """Recognised revenue, against what was billed, in the view of an engagement."""

    recognised: Money | None
    recognised_to: str | None
    contract_asset: Money | None
    contract_liability: Money | None


@capability.view
def revenue_view(state: Engagement) -> RevenueFields:
    """Return the recognised revenue for the view of an engagement."""
    last, currency = state.revenue.last, state.currency
    recognised = state.revenue.recognised(currency) if currency else None
    billed = state.billing.billed(currency) if currency else None
    return RevenueFields(
        recognised=recognised,
        recognised_to=last.month if last else None,
        contract_asset=contract_asset(recognised, billed) if recognised and billed else None,
        contract_liability=contract_liability(recognised, billed)
        if recognised and billed
        else None,
    )
