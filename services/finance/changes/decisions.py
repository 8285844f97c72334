"""Price changes for the customer.

A change is priced line by line at the rates of the line, and by the rate card in force on the day
of its assessment where the line has none (see `pricing`). Hours that are taken away lower the
price.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.event import Event
from contracts.finance import ChangePriced
from contracts.money import BEYOND_ITEMS, Money
from finance.budgeting.state import Budget
from finance.changes.pricing import priced_change
from finance.changes.state import Assessment, ChangeStatus
from finance.companies.rounding import rounding_on
from finance.engagement import Engagement
from finance.rate_cards.pricing import rate_card_on

capability = Capability[Engagement](__name__)


@capability.react
def prices(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the prices of unpriced assessments, once there is a budget."""
    if state.budget is None:
        return
    for assessment in state.changes.assessments:
        if assessment.price is None:
            priced = price_of(state, assessment, state.budget, context.reference_data)
            if priced:
                yield priced


def price_of(
    state: Engagement, assessment: Assessment, budget: Budget, records: ReferenceData
) -> ChangePriced | None:
    """Return the price of a change; None while that of a line cannot be known."""
    currency, day = state.money, assessment.assessed_on
    card = rate_card_on(records, currency, state.account, day)
    rounding = rounding_on(records, state.company, day)
    listed = card.event.by_role if card else {}
    changes = [
        priced
        for each in assessment.changes
        if (priced := priced_change(each, budget.line(each.line), listed, currency, day, rounding))
    ]
    price = Money.total((each.price_delta for each in changes), currency)
    if len(changes) < len(assessment.changes) or abs(price.amount) >= BEYOND_ITEMS:
        return None
    return ChangePriced(change=assessment.change, changes=tuple(changes), price=price)


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
