"""Price hours by a rate card: the account's in the currency, else the standard one."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.money import BEYOND_ITEMS, Rate
from contracts.reference import RateCardPublished
from contracts.values import LineKind, PricedLine

STANDARD = "standard"


def rate_card_id(currency: str, account: str | None = None) -> str:
    """Return the id of an account's rate card in a currency, or of the standard one."""
    return f"{account or STANDARD}-{currency}"


def rate_card_on(
    records: ReferenceData, currency: str, account: str | None, day: date
) -> Recorded[RateCardPublished] | None:
    """Return the rate card in force on a day: the account's, else the standard one, else None."""
    for owner in dict.fromkeys((account, None)):
        card = records.on(RateCardPublished, rate_card_id(currency, owner), day)
        if card and card.event.currency == currency and card.event.account == owner:
            return card
    return None


def priced_lines(
    hours: Iterable[tuple[str, LineKind, Decimal]],
    rates: Mapping[str, Rate],
    rounding: Rounding,
) -> tuple[PricedLine, ...] | None:
    """Return hours x rate, one line per role and kind, rounded to the minor unit by a policy.

    None where a role has no rate, or where a line's amount exceeds the maximum of an item.
    """
    totals: dict[tuple[str, LineKind], Decimal] = {}
    for role, kind, amount in hours:
        totals[role, kind] = totals.get((role, kind), Decimal(0)) + amount
    if any(
        role not in rates or rates[role].for_hours(total, rounding).amount >= BEYOND_ITEMS
        for (role, _), total in totals.items()
    ):
        return None
    return tuple(
        PricedLine(
            role=role,
            kind=kind,
            hours=total,
            rate=rates[role],
            amount=rates[role].for_hours(total, rounding),
        )
        for (role, kind), total in totals.items()
    )
