"""Figures of disconnects: their number by severity, and what is at stake."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from gateway.portfolio.figures.sums import Figures, add
from gateway.rules import Disconnect


def add_disconnects(
    figures: Figures, disconnects: Iterable[Disconnect], waived: Iterable[str]
) -> None:
    """Add an engagement's disconnects; `waived` are ids of those that are accepted."""
    accepted = frozenset(waived)
    for each in disconnects:
        prefix = "disconnects-confidential" if each.confidential else "disconnects"
        if each.finding in accepted:
            add(figures, f"{prefix}.waived", Decimal(1))
            continue
        add(figures, f"{prefix}.{each.severity}", Decimal(1))
        if each.confidential:
            continue
        if each.at_stake is None:
            add(figures, "at-stake-unknown", Decimal(1))
        else:
            add(figures, f"{each.at_stake.currency}.at-stake", each.at_stake.amount)


def disconnect_counts(count: Callable[[str], int], *, with_confidential: bool) -> dict[str, int]:
    """Return the number of disconnects by kind; `count` returns a total by its name."""

    def counted(kind: str) -> int:
        confidential = count(f"disconnects-confidential.{kind}") if with_confidential else 0
        return count(f"disconnects.{kind}") + confidential

    return {kind: counted(kind) for kind in ("serious", "warning", "waived")}
