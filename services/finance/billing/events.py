"""Internal events of billing: what is decided, and not published before it has its number."""

from chassis.domain.commands import Missing
from chassis.domain.internal import Internal
from contracts.finance import Credit
from contracts.values import Day, Identifier


class CreditNoteApproved(Credit, Internal):
    """A credit note was approved; it is issued when it has its number."""

    credit_note: Identifier
    """Id of the credit note."""
    issued_on: Day
    """Date of the credit note."""


class DraftChecked(Internal):
    """The conditions for the approval of a draft have changed."""

    invoice: Identifier
    """Id of the draft."""
    missing: tuple[Missing, ...]
    """Conditions that are not met, with who owes them; empty where nothing is missing."""


class NumberRefused(Internal):
    """An approved invoice or credit note got no number and is not issued."""

    invoice: Identifier
    """Id of the invoice that is a draft again, or that the credit note was on."""
    credit_note: Identifier | None = None
    """Id of the credit note, which is withdrawn; null where the invoice got no number."""
    why: str
