"""Assign approved work to the lines of the contract."""

from collections.abc import Iterable
from datetime import date

from contracts.lines import HOURLY, ContractLine
from contracts.money import Rate
from finance.budgeting.obligations import FIXED
from finance.budgeting.state import Budget
from finance.work.state import Work


def line_for(budget: Budget, line: str | None, role: str | None, on: date) -> ContractLine | None:
    """Return the line that work of a role on a day belongs to, or None; expenses have no role.

    It is the named line. Without one it is, for time, the only line by time and materials or at
    cost that has a rate for the role on the day; for expenses the only line of kind expenses, or
    else the only line by time and materials or at cost.
    """
    if line is not None:
        return budget.line(line)
    if role is not None:
        return _only(each for each in budget.hourly_lines if each.rate_on(role, on))
    expenses = [each for each in budget.lines if each.kind == "expenses"]
    return _only(expenses or budget.hourly_lines)


def line_of(budget: Budget, work: Work) -> ContractLine | None:
    """Return the line that approved work belongs to, or None (see `line_for`)."""
    return line_for(budget, work.line, work.role, work.on)


def rate_of(line: ContractLine, work: Work) -> Rate | None:
    """Return the rate at which a line bills time; None for expenses, and where it has no rate."""
    return line.rate_on(work.role, work.on) if work.role is not None else None


def unassigned(budget: Budget, works: Iterable[Work]) -> tuple[Work, ...]:
    """Return the billable work that cannot be billed because its line or its rate is unknown.

    On a contract without lines by time and materials or at cost, no work is billed; unassigned is
    only what names a line that the contract lacks.
    """
    return tuple(work for work in works if work.billable and _is_unassigned(budget, work))


def _is_unassigned(budget: Budget, work: Work) -> bool:
    line = line_of(budget, work)
    if line is None:
        return work.line is not None or bool(budget.hourly_lines)
    return line.pricing in HOURLY and work.role is not None and rate_of(line, work) is None


def obligation_for(budget: Budget, line: str | None, role: str | None, on: date) -> str | None:
    """Return the obligation that the cost of work of a role on a day belongs to.

    Work on no line belongs to the fixed lines, or else to the only obligation; None where there are
    several.
    """
    found = line_for(budget, line, role, on)
    return obligation_of(budget, found.line if found else line)


def obligation_of(budget: Budget, line: str | None) -> str | None:
    """Return the obligation of a line; that of no line is the fixed one, or else the only one."""
    for each in budget.obligations:
        if line is None and (each.obligation == FIXED or len(budget.obligations) == 1):
            return each.obligation
        if line in each.lines:
            return each.obligation
    return None


def _only(lines: Iterable[ContractLine]) -> ContractLine | None:
    found = tuple(lines)
    return found[0] if len(found) == 1 else None
