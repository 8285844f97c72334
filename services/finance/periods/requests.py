"""Name what the ledger of a company requests of engagements: check a month, and book it."""

from chassis.domain.commands import Command
from contracts.values import Identifier, Month, ShortText


class CheckPeriod(Command):
    """Say what is missing before the month may be closed."""

    company: Identifier
    month: Month


class BookPeriod(Command):
    """Book the month; with `accepted`, a controller's reason, although something is missing."""

    company: Identifier
    month: Month
    accepted: ShortText | None = None
