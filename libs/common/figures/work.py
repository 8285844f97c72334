"""Compute utilisation, realisation, the age of work in progress, and hours of project management.

Rows are approved work; a reversed entry is no row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.figures.ages import Age, by_age
from common.figures.figure import Figure, Known, added, divided, number_of, total
from contracts.money import Money


@dataclass(frozen=True, slots=True)
class Billed:
    """An amount that an invoice bills for work; zero where it was decided never to bill it.

    Of a credit note, the amount is negative; `to_bill_again` is true of one after which the work
    waits for another invoice. Without tax.
    """

    day: date
    amount: Money
    to_bill_again: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """Hours of a person on a day, or an expense, which has no hours. Amounts are without tax.

    `standard` is the value at the company's standard rate, `worth` what the contract pays for it,
    `billed` what was billed of it.
    """

    day: date
    person: str
    role: str | None
    phase: str | None
    line: str | None
    hours: Decimal
    billable: bool
    project_management: bool
    standard: Known[Money]
    worth: Known[Money]
    billed: tuple[Billed, ...] = ()

    def waits(self, as_of: date) -> bool:
        """Return whether the work is billable and not billed at the end of a day."""
        bills = [each for each in self.billed if each.day <= as_of]
        return self.billable and self.day <= as_of and (not bills or bills[-1].to_bill_again)


@dataclass(frozen=True, slots=True)
class Available:
    """Hours that a person can work in a day, or a week that begins on it: calendar less leave."""

    day: date
    person: str
    role: str | None
    hours: Known[Decimal]


def utilisation(
    works: Iterable[Work], availability: Iterable[Available], first: date, as_of: date
) -> Figure[Decimal]:
    """Return billable over available hours of the days from `first` to `as_of`.

    A ratio with four decimals; unknown where no hours were available.
    """
    billable = added(
        (each.hours for each in works if each.billable and first <= each.day <= as_of), as_of
    )
    available = added((each.hours for each in availability if first <= each.day <= as_of), as_of)
    return divided(billable, available, f"no hours were available from {first} to {as_of}")


def realisation(works: Iterable[Work], currency: str, first: date, as_of: date) -> Figure[Decimal]:
    """Return what is billed over the standard value, of the billable work of some days.

    A ratio with four decimals: above one where the contract pays more than the standard rates.
    Work that is not billed yet lowers it until it is. Unknown where a standard value is, or where
    no work has one. Raises CurrencyMismatch where an amount is not in `currency`.
    """
    recorded = [each for each in works if each.billable and first <= each.day <= as_of]
    bills = (bill.amount for each in recorded for bill in each.billed if bill.day <= as_of)
    standard = total((each.standard for each in recorded), currency, as_of)
    return divided(
        number_of(total(bills, currency, as_of)),
        number_of(standard),
        f"no billable work has a standard value from {first} to {as_of}",
    )


def work_in_progress(works: Iterable[Work], currency: str, as_of: date) -> dict[Age, Figure[Money]]:
    """Return what the contract pays for work that is not billed, by the days since the work.

    The rows are of contract lines that bill work: a fixed price is billed by its schedule, whether
    or not there is work on it.

    The classes are ``same-day`` and those of `AGES`. Raises CurrencyMismatch where an amount is not
    in `currency`.
    """
    waiting = (((as_of - each.day).days, each.worth) for each in works if each.waits(as_of))
    return by_age(waiting, "same-day", currency, as_of)


@dataclass(frozen=True, slots=True)
class ManagementHours:
    """Hours of project management, and their share of all hours, a ratio with four decimals."""

    hours: Figure[Decimal]
    share: Figure[Decimal]


def project_management(works: Iterable[Work], first: date, as_of: date) -> ManagementHours:
    """Return the hours of project management from `first` to `as_of`, and their share."""
    recorded = [each for each in works if first <= each.day <= as_of]
    hours = added((each.hours for each in recorded if each.project_management), as_of)
    all_hours = added((each.hours for each in recorded), as_of)
    nothing = f"no hours are recorded from {first} to {as_of}"
    return ManagementHours(hours, divided(hours, all_hours, nothing))
