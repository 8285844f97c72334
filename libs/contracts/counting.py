"""Write a count with its noun, in the singular or the plural."""

from decimal import Decimal


def counted(count: int | Decimal, one: str, many: str | None = None) -> str:
    """Return a count and its noun: 1 day, 2 days, 1,000 days, 1 item is open, 2 items are open.

    Without `many`, the plural ends with an s.
    """
    return f"{count:,} {of_number(count, one, many or one + 's')}"


def of_number(count: int | Decimal, one: str, many: str) -> str:
    """Return the word for one where the count is 1, else the word for many."""
    return one if abs(count) == 1 else many
