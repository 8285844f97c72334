"""Figures of disconnects: their number by severity, and what is at stake."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from gateway.portfolio.figures.sums import ZERO, Figures, add
from gateway.rules import Disconnect
from gateway.view.engagement_view import View


def add_disconnects(
    figures: Figures, view: View, disconnects: Iterable[Disconnect], waived: Iterable[str]
) -> None:
    """Add an engagement's disconnects; `waived` are ids of those that are accepted.

    What is at stake is without confidential disconnects.
    """
    accepted = frozenset(waived)
    stakes: list[Disconnect] = []
    for each in disconnects:
        prefix = "disconnects-confidential" if each.confidential else "disconnects"
        if each.finding in accepted:
            add(figures, f"{prefix}.waived", Decimal(1))
            continue
        add(figures, f"{prefix}.{each.severity}", Decimal(1))
        if not each.confidential:
            stakes.append(each)
    _add_stakes(figures, view, stakes)


def _add_stakes(figures: Figures, view: View, disconnects: Iterable[Disconnect]) -> None:
    """Add the sum of what disconnects state as at stake, and what that is together, by currency.

    Together, of work that is late only the longest delay counts, since it contains the others, and
    in the currency of the price all is at most the price.
    """
    price = view.price
    delay: defaultdict[str, Decimal] = defaultdict(Decimal)
    together: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in disconnects:
        if each.at_stake is None:
            add(figures, "at-stake-unknown", Decimal(1))
            continue
        currency, amount = each.at_stake.currency, each.at_stake.amount
        add(figures, f"{currency}.at-stake-sum", amount)
        if each.is_late:
            delay[currency] = max(delay[currency], amount)
        else:
            together[currency] += amount
    for currency, longest in delay.items():
        together[currency] += longest
    for currency, amount in together.items():
        is_limited = price is not None and price.currency == currency
        limit = max(price.amount, ZERO) if price is not None and is_limited else amount
        add(figures, f"{currency}.at-stake", min(amount, limit))


def disconnect_counts(count: Callable[[str], int], *, with_confidential: bool) -> dict[str, int]:
    """Return the number of disconnects by kind; `count` returns a total by its name."""

    def counted(kind: str) -> int:
        confidential = count(f"disconnects-confidential.{kind}") if with_confidential else 0
        return count(f"disconnects.{kind}") + confidential

    return {kind: counted(kind) for kind in ("serious", "warning", "waived")}
