"""Billable expenses that wait for approval, which rules about work find by currency."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from contracts.gateway import Side
from contracts.money import Money
from gateway.rules.rule import EXPENSE_AS_COST, Disconnect, End, Rule
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.expenses import WaitingExpense
from gateway.view.sections.steps import Ref


def waiting_expenses(view: View) -> list[WaitingExpense]:
    """Return the billable expenses that wait for approval, by day."""
    waiting = (each for each in view.delivery.waiting_expenses.values() if each.billable)
    return sorted(waiting, key=lambda each: each.spent_on)


def of_expenses(
    rule: Rule,
    view: View,
    found: Iterable[WaitingExpense],
    why: str,
    evidence: Iterable[Ref | None],
    *,
    other: Side,
    end: End = EXPENSE_AS_COST,
    about: str = "",
    severity: Literal["warning", "serious"] = "warning",
) -> Iterator[Disconnect]:
    """Yield a disconnect for each currency of expenses, whose amount is at stake.

    `why` ends the sentence that begins with the amount, and names no person. `other` is the side
    that contradicts the expenses.
    """
    by_currency: defaultdict[str, list[WaitingExpense]] = defaultdict(list)
    for each in found:
        by_currency[each.amount.currency].append(each)
    proof = tuple(evidence)
    for currency, spent in sorted(by_currency.items()):
        amount = Money.total((each.amount for each in spent), currency)
        yield rule.disconnect(
            f"Expenses of {amount} {why}.",
            (*proof, *(each.said for each in spent)),
            sides=(
                side(
                    "delivery",
                    f"expenses of {amount} submitted",
                    on=min(each.spent_on for each in spent),
                ),
                other,
            ),
            about=".".join(filter(None, (about, "expenses", currency))),
            end=end,
            exposure=view.price,
            at_stake=amount,
            severity=severity,
        )
