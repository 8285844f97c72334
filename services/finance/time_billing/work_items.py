"""State which approved work waits to be billed, and which invoices bill work that was reversed."""

from collections.abc import Iterator, Mapping

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.refusals import RefusalCode
from finance.calendar_months import end_of, month_of
from finance.engagement import Engagement
from finance.time_billing.assignment import missing_line
from finance.time_billing.reversals import missing_credit, to_credit
from finance.time_billing.unbilled import (
    beyond_cap,
    billable,
    billable_now,
    first_beyond_cap,
    unassigned,
)
from finance.work.works import Work

BILL = ItemKind(
    "time-unbilled",
    department="finance",
    role="project-accountant",
    command="bill-time",
    owed_to="finance",
    blocks=("settle-account",),
)
WRITE_DOWN = ItemKind(
    "cap-spent",
    department="finance",
    role="controller",
    command="write-down-work",
    owed_to="finance",
    blocks=("settle-account",),
)
CREDIT = ItemKind(
    "reversed-work-billed",
    department="finance",
    role="controller",
    command="issue-credit-note",
    owed_to="customer",
    blocks=("settle-account",),
)
EXPENSE_WITHOUT_LINE = ItemKind(
    "work-unassigned",
    department="delivery",
    role="engagement-manager",
    command="reverse-expense",
    stream="expense",
    owed_to="finance",
    blocks=("settle-account",),
)
ROLE_WITHOUT_RATE = ItemKind(
    "rate-not-contracted",
    department="legal",
    role="contract-manager",
    command="draft-amendment",
    owed_to="finance",
    blocks=("settle-account",),
)
NAMING_WORKS = (CREDIT, EXPENSE_WITHOUT_LINE, ROLE_WITHOUT_RATE)
"""Kinds of items whose sentences name single works."""
KINDS = (BILL, WRITE_DOWN, *NAMING_WORKS)

_UNASSIGNED: Mapping[RefusalCode, ItemKind] = {
    each.code: each for each in (EXPENSE_WITHOUT_LINE, ROLE_WITHOUT_RATE)
}


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the lines with work to bill, or beyond their cap, invoices to credit, work on no line.

    Work is to be billed by the end of the month in which it was done. What is beyond a cap is not
    owed any more once the account is settled: the settlement states its worth.
    """
    budget = state.budget
    if budget is None:
        return
    for line in budget.hourly_lines:
        amount = billable_now(state, budget, line)
        if amount.amount > 0:
            first = min(each.on for each in billable(state, line.line))
            yield BILL(
                line.line,
                f"approved work over {amount} on line {line.line} is not billed",
                since=first,
                due=end_of(month_of(first)),
            )
        beyond = beyond_cap(state, budget, line)
        if beyond.amount > 0 and state.settlement.settled is None:
            sentence = (
                f"approved work over {beyond} on line {line.line} is beyond its cap of"
                f" {line.price}: write it down, or request a change (`request-change` of delivery)"
                " that raises it"
            )
            yield WRITE_DOWN(line.line, sentence, since=first_beyond_cap(state, budget, line))
    for invoice, works, amount in to_credit(state):
        sentence = missing_credit(invoice, works, amount).sentence
        since = state.work.to_credit_on.get(invoice.invoice)
        yield CREDIT(invoice.invoice, sentence, since=since)
    found: dict[RefusalCode, list[Work]] = {}
    for work in unassigned(state) if not state.contract.terminated else ():
        found.setdefault(missing_line(work).code, []).append(work)
    for code, works_of_code in found.items():
        first_work = works_of_code[0]
        more = f", and {len(works_of_code) - 1} more" if len(works_of_code) > 1 else ""
        yield _UNASSIGNED[code](
            "work",
            missing_line(first_work).sentence + more,
            since=min(each.on for each in works_of_code),
        )
