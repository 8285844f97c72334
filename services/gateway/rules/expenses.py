"""Billable expenses that wait for approval, which rules about work find by currency."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from contracts.channels import Department
from contracts.money import Money
from gateway.rules.rule import Disconnect, Rule
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
    about: str = "",
    owner: Department | None = None,
    severity: Literal["warning", "serious"] = "warning",
) -> Iterator[Disconnect]:
    """Yield a disconnect for each currency of expenses, whose amount is at stake.

    `why` ends the sentence that begins with the amount, and names no person.
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
            about=".".join(filter(None, (about, "expenses", currency))),
            owner=owner,
            exposure=view.price,
            at_stake=amount,
            severity=severity,
        )
