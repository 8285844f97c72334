"""Figures of what was imported: deals of a CRM, and engagements that were taken over."""

from decimal import Decimal
from typing import Final

from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View

OUTCOMES: Final = ("open", "won", "lost")


def history(view: View) -> Figures:
    """Return what a deal that no one took up here adds to the figures; it adds to no others."""
    outcome = "lost" if view.sales.is_lost else view.sales.imported_outcome
    figures = {"imported": Decimal(1), f"imported.{outcome}": Decimal(1)}
    value = view.sales.expected_value
    if value is not None:
        add(figures, f"{value.currency}.imported-{outcome}", value.amount)
    return figures


def add_imported(figures: Figures, view: View) -> None:
    """Add that a deal was imported, and the balances of an engagement that was taken over.

    Other amounts do not contain these balances.
    """
    if view.sales.imported_from is not None:
        add(figures, "imported", Decimal(1))
    if not view.taken_over:
        return
    if (price := view.agreed_price) is not None:
        add(figures, f"{price.currency}.imported-price", price.amount)
    if view.finance.imported is not None:
        balances = view.finance.imported.event
        add(figures, f"{balances.billed.currency}.imported-billed", balances.billed.amount)
        add(figures, f"{balances.paid.currency}.imported-paid", balances.paid.amount)
