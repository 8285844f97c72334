"""Name the work that no line pays for, and the obligations that work belongs to."""

from datetime import date

from chassis.domain.commands import Missing
from finance.budgeting.obligations import FIXED
from finance.budgeting.state import Budget
from finance.work.works import Work


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
