"""Figures of the backlog: what was sold and is not yet recognised as revenue."""

from typing import Final

from contracts.money import Money
from gateway.portfolio.figures.sums import Figures, add
from gateway.view.engagement_view import View

BOOKED: Final = ("contracting", "mobilising", "delivering", "closing")
"""Stages of an engagement that was sold and is not closed."""


def add_backlog(figures: Figures, view: View, currency: str) -> None:
    """Add what is to be recognised of an engagement that was sold."""
    if view.stage not in BOOKED:
        return
    if view.taken_over:
        _add_rest(figures, view, currency)
    elif view.agreed_price is not None:
        recognised = view.recognised or Money.zero(currency)
        backlog = view.agreed_price.amount - recognised.amount
        add(figures, f"{currency}.backlog", backlog)
        if view.legal.signed is not None:
            add(figures, f"{currency}.backlog-clean", backlog)


def _add_rest(figures: Figures, view: View, currency: str) -> None:
    """Add what is to be recognised of an engagement that was taken over; unknown adds nothing."""
    price, before = view.legal.contract_price, view.recognised_before
    if price is not None and before is not None:
        recognised = view.recognised or Money.zero(currency)
        backlog = price.amount - before.amount - recognised.amount
        add(figures, f"{currency}.backlog", backlog)
        add(figures, f"{currency}.backlog-clean", backlog)
