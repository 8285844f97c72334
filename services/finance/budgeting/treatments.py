"""Decide how an amendment is accounted for. Source: IFRS 15.18-21."""

from collections.abc import Iterable

from contracts.finance import TreatmentChosen
from contracts.legal import AmendmentSigned
from contracts.lines import LineChange, Treatment
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.engagement import Engagement

REASONS: dict[Treatment, str] = {
    "separate": "It only adds distinct lines at their stand-alone prices (IFRS 15.20).",
    "prospective": "It only changes lines whose hours or months are distinct (IFRS 15.21(a)).",
    "catch-up": "It changes fixed lines, which are one obligation (IFRS 15.21(b)).",
}
"""Reason for the usual treatment of an amendment."""


def usual_treatment(state: Engagement, budget: Budget, amendment: AmendmentSigned) -> Treatment:
    """Return how an amendment is accounted for without a choice.

    The price at which Finance priced a new line is its stand-alone price.
    """
    priced = state.changes.priced(amendment.change)
    prices = {each.line: each.price_delta for each in (priced.prices if priced else ())}
    at_price = all(prices.get(each.line) == each.price_delta for each in amendment.changes)
    if at_price and only_adds(amendment.changes):
        return "separate"
    return "catch-up" if _changes_fixed_lines(budget, amendment.changes) else "prospective"


def chosen_treatment(
    state: Engagement, budget: Budget, amendment: AmendmentSigned
) -> TreatmentChosen | None:
    """Return the choice for an amendment; None where it does not fit what was signed."""
    chosen = state.budgeting.treatments.get(amendment.amendment)
    if chosen is None or misfit(budget, amendment.changes, chosen.treatment):
        return None
    return chosen


def misfit(budget: Budget, changes: Iterable[LineChange], treatment: Treatment) -> str | None:
    """Return why a treatment does not fit the changes of an amendment, or None where it does.

    Whether the price of a new line is its stand-alone price is for the accountant to judge.
    """
    changes = tuple(changes)
    match treatment:
        case "separate" if not only_adds(changes):
            return "only an amendment that adds lines, and changes none, is a contract of its own"
        case "catch-up" if not _changes_fixed_lines(budget, changes):
            return "hours and months are distinct: only fixed lines are corrected to date"
        case "separate" | "catch-up" | "prospective":
            return None
        case Unlisted():
            return f"this release does not know the treatment {treatment}"


def only_adds(changes: Iterable[LineChange]) -> bool:
    """Return whether changes add lines and change none."""
    return all(each.new for each in changes)


def _changes_fixed_lines(budget: Budget, changes: Iterable[LineChange]) -> bool:
    pricing = {line.line: line.pricing for line in budget.lines}
    pricing |= {each.line: each.new.pricing for each in changes if each.new}
    return any(pricing.get(each.line) == "fixed" for each in changes)
