"""Price changes for the customer.

A change is priced at the contracted rate of each role, and by the rate card in force on the day of
its assessment where the contract has none.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.event import Event
from contracts.finance import ChangePriced
from contracts.money import BEYOND_ITEMS, Money
from finance.budgeting.state import Budget
from finance.changes.state import Assessment, ChangeStatus
from finance.companies.rounding import rounding_on
from finance.engagement import Engagement
from finance.rate_cards.pricing import priced_lines, rate_card_on

capability = Capability[Engagement](__name__)

PROJECT_MANAGER = "project-manager"


@capability.react
def prices(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the prices of unpriced assessments, once there is a budget."""
    if state.budget is None:
        return
    for assessment in state.changes.assessments:
        if assessment.price is None:
            priced = _price(state, assessment, state.budget, context.reference_data)
            if priced:
                yield priced


def _price(
    state: Engagement, assessment: Assessment, budget: Budget, records: ReferenceData
) -> ChangePriced | None:
    """Return the price of a change at contracted rates, else at the rate card's.

    Only hours have a price: a removed deliverable does not lower it. None where a role has no rate,
    or where the price exceeds the maximum of a contract item.
    """
    currency, day = state.money, assessment.assessed_on
    card = rate_card_on(records, currency, state.account, day)
    listed = card.event.by_role if card else {}
    lines = priced_lines(
        (
            (
                line.role,
                "project-management" if line.role == PROJECT_MANAGER else "delivery",
                line.hours,
            )
            for line in assessment.lines
        ),
        {**listed, **budget.rate_by_role},
        rounding_on(records, state.company, day),
    )
    if lines is None:
        return None
    price = Money.total((line.amount for line in lines), currency)
    if price.amount >= BEYOND_ITEMS:
        return None
    return ChangePriced(change=assessment.change, lines=lines, price=price)


class ChangeView(ViewModel):
    """Change, its price, and whether its amendment is in the budget."""

    change: str
    price: Money | None
    verdict: ChangeStatus | None
    in_budget: bool


class ChangeFields(ViewModel):
    """The changes in the view of an engagement."""

    changes: list[ChangeView]


@capability.view
def changes_view(state: Engagement) -> ChangeFields:
    """Return the changes for the view of an engagement."""
    applied = {each.change for each in state.budgeting.applied}
    return ChangeFields(
        changes=[
            ChangeView(
                change=assessment.change,
                price=assessment.price,
                verdict=state.changes.status.get(assessment.change),
                in_budget=assessment.change in applied,
            )
            for assessment in state.changes.assessments
        ]
    )
