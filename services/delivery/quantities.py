"""Hours and shares: zero, and one rule for percentages."""

from decimal import Decimal

from contracts.decimals import round_decimal

ZERO = Decimal(0)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return a part in percent of the whole, with two decimals; None where the whole is zero."""
    return round_decimal(part / whole * 100, 2) if whole else None
