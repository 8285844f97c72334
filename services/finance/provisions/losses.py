"""Expected losses of contracts as values, in the currency of the engagement."""

from decimal import Decimal

from contracts.values import Value

NOTHING = Decimal(0)


class Loss(Value):
    """An expected loss, and the part of it by which the contract asset is written down.

    In the engagement's currency; one of both may be negative where it is a change.
    """

    expected: Decimal = NOTHING
    written_down: Decimal = NOTHING

    def plus(self, other: "Loss", sign: int = 1) -> "Loss":
        """Return the sum, or the difference where `sign` is -1."""
        return Loss(
            expected=self.expected + sign * other.expected,
            written_down=self.written_down + sign * other.written_down,
        )
