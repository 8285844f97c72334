"""Internal events of a decided expense, and the id of its stream."""

from typing import Annotated

from pydantic import Field, StringConstraints

from chassis.domain.internal import Internal
from chassis.domain.pending import Refusal
from contracts.delivery import Expense
from contracts.values import ShortText, Version

ExpenseId = Annotated[
    str,
    StringConstraints(
        pattern=r"^E-[0-9A-HJKMNP-TV-Z]{13}\.[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", max_length=80
    ),
    Field(examples=["E-0D5R2K8WQ3V7X.X-0D5R2K8WQ3"]),
]
"""Subject of a decided expense: the engagement and the id of the expense within it."""


class ExpenseDecided(Internal):
    """The engagement approved or rejected the expense."""

    decided: Expense
    """The expense."""
    why: ShortText | None = None
    """Reason of the rejection; null where the expense was approved."""
    why_not_billed: ShortText | None = None
    """Reason of the approval as cost; null where it was approved as submitted, or rejected."""


class ExpenseReversalBegun(Internal):
    """The engagement was asked to reverse the expense."""

    number: Version
    """Number of the attempt."""
    why: ShortText
    """Reason of the reversal."""


class ExpenseReversalEnded(Internal):
    """The engagement reversed the expense, or refused."""

    refusal: Refusal | None = None
    """Why it was refused; null where the expense is reversed."""
