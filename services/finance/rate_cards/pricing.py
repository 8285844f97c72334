"""Price hours by a rate card: ``standard-EUR`` for an engagement in euro."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from chassis.domain.context import ReferenceData
from contracts.event import Recorded
from contracts.money import BEYOND_ITEMS, Rate
from contracts.reference import RateCardPublished
from contracts.values import LineKind, PricedLine


def rate_card_id(currency: str) -> str:
    """Return the id of the rate card for engagements in a currency."""
    return f"standard-{currency}"


def rate_card_on(
    records: ReferenceData, currency: str, day: date
) -> Recorded[RateCardPublished] | None:
    """Return the rate card in force on a day, or None."""
    card = records.on(RateCardPublished, rate_card_id(currency), day)
    return card if card and card.event.currency == currency else None


def priced_lines(
    hours: Iterable[tuple[str, LineKind, Decimal]], rates: Mapping[str, Rate]
) -> tuple[PricedLine, ...] | None:
    """Return hours x rate, one line per role and kind, rounded to the minor unit.

    None where a role has no rate, or where a line's amount exceeds the maximum of an item.
    """
    totals: dict[tuple[str, LineKind], Decimal] = {}
    for role, kind, amount in hours:
        totals[role, kind] = totals.get((role, kind), Decimal(0)) + amount
    if any(
        role not in rates or (rates[role] * total).amount >= BEYOND_ITEMS
        for (role, _), total in totals.items()
    ):
        return None
    return tuple(
        PricedLine(
            role=role,
            kind=kind,
            hours=total,
            rate=rates[role],
            amount=rates[role] * total,
        )
        for (role, kind), total in totals.items()
    )
