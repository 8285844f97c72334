"""State of a bank account: its balance, and what is needed to recognise entries that come again."""

from datetime import date, timedelta
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.money import Money
from finance.bank_accounts.events import StatementTaken

KEPT = timedelta(days=14)
"""Age, compared with the last booking day, up to which references are kept.

Older entries are taken for known. One that is not makes the balances differ, and is refused.
"""


class BankAccount(Part):
    """A bank account.

    `entries` are the amounts of the entries taken, in the order of the bank, by booking day and
    reference (``2026-03-02/E-1``), back to `kept_from`. `number` is the highest number of a
    statement.
    """

    bank_account: str
    last: Kept[StatementTaken] = None
    number: int = 0
    last_booked_on: date | None = None
    entries: dict[str, tuple[Money, ...]] = {}

    @property
    def closing(self) -> Money | None:
        """Return the last closing balance, or None before the first statement."""
        return self.last.closing if self.last else None

    @property
    def kept_from(self) -> date | None:
        """Return the first booking day of which references are kept, or None if of all."""
        return self.last_booked_on - KEPT if self.last_booked_on else None

    def taken(self, entry: str, booked_on: date) -> tuple[Money, ...]:
        """Return the amounts of the entries of a reference and a booking day that were taken."""
        return self.entries.get(_key(entry, booked_on), ())

    @on_event
    def _taken(self, event: StatementTaken) -> Self:
        days = [each.booked_on for each in event.entries]
        last = max((*days, *([self.last_booked_on] if self.last_booked_on else ())), default=None)
        after = self.updated(number=max(self.number, event.number or 0), last_booked_on=last)
        first, entries = str(after.kept_from or ""), dict(self.entries)
        for each in event.entries:
            key = _key(each.entry, each.booked_on)
            entries[key] = (*entries.get(key, ()), each.amount)
        return after.updated(
            entries={key: amounts for key, amounts in entries.items() if key >= first}
        )


def _key(entry: str, booked_on: date) -> str:
    return f"{booked_on}/{entry}"
