"""Figures of imported history: deals that a CRM had and no one took up here."""

from decimal import Decimal
from typing import Final

from gateway.view.engagement_view import View

OUTCOMES: Final = ("open", "won", "lost")


def history(view: View) -> dict[str, Decimal]:
    """Return what a deal of imported history adds to the figures; it adds to no others."""
    outcome = "lost" if view.sales.is_lost else view.sales.imported_outcome
    figures = {"imported": Decimal(1), f"imported.{outcome}": Decimal(1)}
    value = view.sales.expected_value
    if value is not None and value.amount:
        figures[f"{value.currency}.imported-{outcome}"] = value.amount
    return figures
