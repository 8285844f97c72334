"""Figures of what is billed, paid, outstanding and recognised as revenue."""

from decimal import Decimal

from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View


def add_billing(figures: Figures, view: View, currency: str) -> None:
    """Add an engagement's invoices, payments and recognised revenue."""
    if view.finance.invoices:
        add(figures, f"{currency}.billed", view.finance.billed(currency).amount)
        add(figures, f"{currency}.paid", view.finance.paid(currency).amount)
    for invoice in view.finance.receivables():
        add(figures, f"{currency}.outstanding", invoice.outstanding.amount)
        if invoice.overdue is not None:
            add(figures, f"{currency}.overdue", invoice.outstanding.amount)
    recognised = view.recognised
    if recognised is not None:
        add(figures, f"{currency}.recognised", recognised.amount)
    if view.finance.recognises_by_cost:
        # From an open event, so that no confidential one changes what other readers see.
        add(figures, f"{currency}.recognised-by-cost", Decimal(1))
