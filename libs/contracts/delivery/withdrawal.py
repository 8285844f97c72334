"""Define the withdrawal of something that was recorded by mistake."""

from contracts.values import ShortText, Value


class Withdrawal(Value):
    """The withdrawal of something that was recorded by mistake."""

    why: ShortText
    """Reason of the withdrawal."""
