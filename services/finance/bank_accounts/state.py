"""State of a bank account: its balance, and what is needed to recognise entries that come again."""

from datetime import date, timedelta
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.money import Money
from contracts.values import Value
from finance.bank_accounts.events import StatementTaken, TakenEntry

KEPT = timedelta(days=14)
"""Age, compared with the last booking day, up to which references are kept.

Older entries are taken for known. One that is not makes the balances differ, and is refused.
"""


class TakenStatement(Value):
    """The balances of a statement; `closing` is None while some of its entries are previews."""

    statement: str
    number: int | None
    opening: Money
    closing: Money | None
    last_booked_on: date | None

    def is_named(self, statement: str, number: int | None) -> bool:
        """Return whether these are the id and number of the statement.

        Some banks give the same id to every statement, with another number.
        """
        return self.statement == statement and (
            self.number == number or self.number is None or number is None
        )


class BankAccount(Part):
    """A bank account.

    `entries` are those taken, in the order of the bank, by booking day and reference
    (``2026-03-02/E-1``), back to `kept_from`, and `statements` those whose last booking day is not
    before that. `number` is the highest number of a statement.
    """

    bank_account: str
    last: Kept[StatementTaken] = None
    number: int = 0
    last_booked_on: date | None = None
    entries: dict[str, tuple[TakenEntry, ...]] = {}
    statements: tuple[TakenStatement, ...] = ()

    @property
    def closing(self) -> Money | None:
        """Return the last closing balance, or None before the first statement."""
        return self.last.closing if self.last else None

    @property
    def kept_from(self) -> date | None:
        """Return the first booking day of which references are kept, or None if of all."""
        return self.last_booked_on - KEPT if self.last_booked_on else None

    def taken(self, entry: str, booked_on: date) -> tuple[TakenEntry, ...]:
        """Return the entries of a reference and a booking day that were taken."""
        return self.entries.get(_key(entry, booked_on), ())

    def of_reference(self, entry: str) -> tuple[TakenEntry, ...]:
        """Return the entries of a reference that were taken, of all booking days that are kept."""
        every = (each for taken in self.entries.values() for each in taken)
        return tuple(each for each in every if each.entry == entry)

    def statement(self, statement: str, number: int | None) -> TakenStatement | None:
        """Return a statement that was taken, or None where it was not, or is not kept."""
        named = (each for each in self.statements if each.is_named(statement, number))
        return next(named, None)

    @on_event
    def _taken(self, event: StatementTaken) -> Self:
        days = [each.booked_on for each in event.entries]
        last = max((*days, *([self.last_booked_on] if self.last_booked_on else ())), default=None)
        after = self.updated(number=max(self.number, event.number or 0), last_booked_on=last)
        first, entries = after.kept_from or date.min, dict(self.entries)
        for each in event.entries:
            key = _key(each.entry, each.booked_on)
            entries[key] = (*entries.get(key, ()), each)
        known = self.statement(event.statement, event.number)
        is_open = event.previews and (known is None or known.closing is None)
        statement = TakenStatement(
            statement=event.statement,
            number=event.number,
            opening=event.opening,
            closing=None if is_open else event.closing,
            last_booked_on=last,
        )
        others = (
            each
            for each in self.statements
            if not each.is_named(event.statement, event.number)
            and (each.last_booked_on or date.min) >= first
        )
        return after.updated(
            entries={key: taken for key, taken in entries.items() if key >= str(first)},
            statements=(*others, statement),
        )


def _key(entry: str, booked_on: date) -> str:
    return f"{booked_on}/{entry}"
