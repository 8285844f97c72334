"""Constants and rounding of hours and shares."""

from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")


def rounded(number: Decimal) -> Decimal:
    """Return the number rounded half-even to two decimals."""
    return number.quantize(CENT, ROUND_HALF_EVEN)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return a part in percent of the whole, with two decimals; None where the whole is zero."""
    return rounded(part / whole * 100) if whole else None
