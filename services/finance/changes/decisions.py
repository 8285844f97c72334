"""Price changes for the customer.

A change is priced line by line at the rates of the line, and by the rate card in force on the day
of its assessment where the line has none (see `pricing`). Hours that are taken away lower the
price.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money
from finance.changes.pricing import price_of
from finance.changes.state import ChangeStatus
from finance.engagement import Engagement

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
