"""Add and subtract figures by name; an absent figure is zero."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

Figures = dict[str, Decimal]
"""Figures by name (``stage.delivering``, ``EUR.backlog``); an absent figure is zero."""

ZERO: Final = Decimal(0)


def add(figures: Figures, name: str, amount: Decimal) -> None:
    """Add an amount to a figure; zero adds no figure."""
    if amount:
        figures[name] = figures.get(name, ZERO) + amount


def replace_contribution(
    totals: Figures, before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> None:
    """Replace an engagement's earlier contribution to the totals by its new one."""
    if before == after:
        return
    for name, amount in before.items():
        totals[name] = totals.get(name, ZERO) - amount
    for name, amount in after.items():
        totals[name] = totals.get(name, ZERO) + amount
    for name in before:
        if not totals[name]:
            del totals[name]


def sum_figures(parts: Iterable[Mapping[str, Decimal]]) -> Figures:
    """Return the sum of the figures of several partitions or engagements."""
    totals: Figures = {}
    for part in parts:
        for name, amount in part.items():
            add(totals, name, amount)
    return totals
