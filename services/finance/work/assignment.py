"""Assign approved work to the lines of the contract."""

from decimal import Decimal

from contracts.lines import HOURLY
from finance.budgeting.state import Budget
from finance.work.works import Work


def assigned(budget: Budget, work: Work) -> Work:
    """Return a work with the line that pays for it, and the line that its cost belongs to.

    A work is unassigned that cannot be billed because it has no line, or because its line has no
    rate for its role. Before the first line by time and materials or at cost was signed, no work is
    billed, the fixed price pays for it; unassigned is only what names a line that the contract does
    not have. What an invoice bills, or a person withholds, stays with its line.
    """
    if work.bills or work.held or work.written_down:
        return work
    line = budget.paying_line(work.line, work.role, work.on)
    rate = line.rate_on(work.role, work.on) if line and work.role is not None else None
    hourly = line is not None and line.pricing in HOURLY
    pays = line is not None and hourly and (work.role is None or rate is not None)
    lost = hourly or (line is None and (work.line is not None or budget.bills_work_of(work.on)))
    return work.changed(
        paid_by=line.line if line and pays and work.billable else None,
        rate=rate if pays else None,
        spent=_spent(budget, work) if pays else None,
        is_unassigned=work.billable and lost and not pays,
        costs=line.line if line else work.line,
    )


def _spent(budget: Budget, work: Work) -> Decimal | None:
    expense = work.expense_in(budget.currency)
    return expense.amount if expense else None
