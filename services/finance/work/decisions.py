"""Convert expenses in other currencies, once, at the exchange rate in force on their day.

While no rate is known, cost and price of an expense are unknown (`exchange-rate-missing`).
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from common.exchange import convert
from contracts.event import Event
from contracts.finance import ConvertedExpense, ExpenseConversionReversed, ExpenseConverted
from contracts.values import Conversion
from finance.engagement import Engagement
from finance.policies import rounding_of
from finance.work.works import Work

capability = Capability[Engagement](__name__)


@capability.react
def conversions(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the conversions of the expenses whose exchange rate is known."""
    if state.currency is None:
        return
    records = context.reference_data
    for work, amount in state.work.unconverted(state.currency):
        rounding = rounding_of(state, records, work.on)
        conversion = convert(records, amount, state.currency, work.on, rounding)
        if conversion is not None:
            yield ExpenseConverted(**dict(_converted(work, conversion)))


@capability.react
def conversions_reversed(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the reversals of conversions of expenses whose approval was reversed, after the cost's.

    The event that reverses the cost contains the conversion.
    """
    for work in state.work.reversed.values():
        if work.conversion is not None and work.cost is None:
            yield ExpenseConversionReversed(**dict(_converted(work, work.conversion)))


def _converted(work: Work, conversion: Conversion) -> ConvertedExpense:
    return ConvertedExpense(
        expense=work.entry,
        spent_on=work.on,
        line=work.line,
        billable=work.billable,
        conversion=conversion,
    )
