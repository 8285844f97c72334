"""Assign approved work to the lines of the contract."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from chassis.domain.commands import Missing
from contracts.lines import ContractLine
from contracts.money import Money, Rate
from contracts.values import Conversion
from finance.budgeting.obligations import FIXED
from finance.budgeting.state import Budget
from finance.work.state import Work


@dataclass(frozen=True, slots=True)
class LineWork:
    """Approved billable work of a line: hours by role, rate and day, and expenses by day.

    Expenses are those in the currency of the line; `converted` are the others by id, with their
    day, as far as they are converted.
    """

    line: ContractLine
    hours: dict[tuple[str, Rate], dict[date, Decimal]] = field(default_factory=dict)
    expenses: dict[date, Money] = field(default_factory=dict)
    converted: dict[str, tuple[date, Conversion]] = field(default_factory=dict)

    def worth(self, until: date = date.max) -> Decimal:
        """Return the value of the work dated up to a day, not rounded."""
        time = (
            rate.amount * hours
            for (_, rate), of_day in self.hours.items()
            for on, hours in of_day.items()
            if on <= until
        )
        return sum(time, Decimal(0)) + self.spent(until)

    def spent(self, until: date = date.max) -> Decimal:
        """Return the expenses dated up to a day, also those that were converted."""
        expenses = [each.amount for on, each in self.expenses.items() if on <= until]
        expenses += [each.converted.amount for on, each in self.converted.values() if on <= until]
        return sum(expenses, Decimal(0))


@dataclass(frozen=True, slots=True)
class Assigned:
    """Approved billable work by line; `nowhere` is what cannot be billed because it has no line.

    That is also work whose line has no rate for its role. On a contract without lines by time and
    materials or at cost, no work is billed; nowhere is only what names a line that the contract
    does not have.
    """

    lines: dict[str, LineWork]
    nowhere: tuple[Work, ...]


def assigned(budget: Budget, works: Iterable[Work]) -> Assigned:
    """Return approved billable work by line, without what is written down."""
    lines = {line.line: LineWork(line) for line in budget.hourly_lines}
    found: dict[tuple[str | None, str | None, date], tuple[ContractLine | None, Rate | None]] = {}
    nowhere: list[Work] = []
    for work in works:
        if not work.billable or work.written_down:
            continue
        key = work.line, work.role, work.on
        if key not in found:
            line = budget.paying_line(*key)
            rate = line.rate_on(work.role, work.on) if line and work.role is not None else None
            found[key] = line, rate
        line, rate = found[key]
        of_line = lines.get(line.line) if line else None
        if of_line is None or (work.role is not None and rate is None):
            if of_line or (line is None and (lines or work.line is not None)):
                nowhere.append(work)
        elif work.role is not None and rate is not None:
            hours = of_line.hours.setdefault((work.role, rate), {})
            hours[work.on] = hours.get(work.on, Decimal(0)) + work.hours
        elif work.conversion is not None:
            of_line.converted[work.entry] = work.on, work.conversion
        elif expense := work.expense_in(budget.currency):
            before = of_line.expenses.get(work.on, Money.zero(budget.currency))
            of_line.expenses[work.on] = before + expense
    return Assigned(lines, tuple(nowhere))


def missing_line(work: Work) -> Missing:
    """Return why approved work cannot be billed: it belongs to no line, or its role has no rate."""
    if work.role is None:
        return Missing(
            "work-unassigned",
            f"the expense {work.entry} of {work.amount} belongs to no line of the contract",
            "delivery",
        )
    if work.line is None:
        return Missing(
            "rate-not-contracted",
            f"no line, or more than one, has a rate for {work.role} on {work.on}:"
            f" {work.hours} h ({work.entry})",
            "legal",
        )
    return Missing(
        "rate-not-contracted",
        f"line {work.line} has no rate for {work.role} on {work.on}: {work.hours} h ({work.entry})",
        "legal",
    )


def obligation_for(budget: Budget, line: str | None, role: str | None, on: date) -> str | None:
    """Return the obligation that the cost of work of a role on a day belongs to.

    Work on no line belongs to the fixed lines, or else to the only obligation; None where there are
    several.
    """
    found = budget.paying_line(line, role, on)
    return obligation_of(budget, found.line if found else line)


def obligation_of(budget: Budget, line: str | None) -> str | None:
    """Return the obligation of a line; that of no line is the fixed one, or else the only one."""
    for each in budget.obligations:
        if line is None and (each.obligation == FIXED or len(budget.obligations) == 1):
            return each.obligation
        if line in each.lines:
            return each.obligation
    return None
