"""Define purchases: what is bought for an engagement beside the hours of its people.

Every amount here is the one that the customer is charged for the purchase. What the company pays
for it is confidential: Finance computes it by its cost rates.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from contracts.money import Money, NotNegativeMoney, PositiveMoney
from contracts.values import DistinctBy, ShortText, Value
from contracts.vocabularies import OPEN, Unlisted

PurchaseKind = Annotated[Literal["expenses", "licence", "subcontractor"] | Unlisted, OPEN]
"""Kind of a purchase: travel and other expenses, a licence, or the work of a subcontractor."""


class PlannedPurchase(Value):
    """Purchases of one kind that are planned, in total."""

    kind: PurchaseKind
    """Kind of the purchases."""
    amount: NotNegativeMoney
    """Amount that the customer is charged for them, before discounts."""


class EstimatedPurchase(Value):
    """Line of an estimate for a thing that is bought."""

    title: ShortText
    """Thing that is bought."""
    kind: PurchaseKind
    """Kind of the purchase."""
    phase: ShortText
    """Name of the phase in which it is needed."""
    amount: PositiveMoney
    """Amount that the customer is charged for it; the cost to the company is confidential."""


def _in_one_currency(
    purchases: tuple[EstimatedPurchase, ...],
) -> tuple[EstimatedPurchase, ...]:
    currencies = sorted({each.amount.currency for each in purchases})
    if len(currencies) > 1:
        raise ValueError(f"must be in one currency, not in {' and '.join(currencies)}")
    return purchases


EstimatedPurchases = Annotated[
    tuple[EstimatedPurchase, ...],
    Field(max_length=200),
    DistinctBy("title"),
    AfterValidator(_in_one_currency),
]
"""Purchases with different titles, in one currency, at most 200."""
PlannedPurchases = Annotated[tuple[PlannedPurchase, ...], Field(max_length=20), DistinctBy("kind")]
"""Planned purchases of different kinds."""


def purchases_by_kind(
    purchases: Iterable[PlannedPurchase | EstimatedPurchase],
) -> Mapping[PurchaseKind, Money]:
    """Return the sums of purchases by kind; raises CurrencyMismatch where they cannot be added."""
    totals: dict[PurchaseKind, Money] = {}
    for each in purchases:
        known = totals.get(each.kind)
        totals[each.kind] = known + each.amount if known else each.amount
    return totals
