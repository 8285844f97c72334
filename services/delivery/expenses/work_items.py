"""State which expenses wait for their approval."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement
from delivery.policies import approver_of

APPROVE = ItemKind(
    "expense-waiting",
    department="delivery",
    role="engagement-manager",
    command="approve-expense",
    owed_to="delivery",
    blocks=("close-engagement",),
)
APPROVE_OF_MANAGER = ItemKind(
    "expense-waiting",
    department="delivery",
    role="pmo-director",
    command="approve-expense",
    owed_to="delivery",
    blocks=("close-engagement",),
)
"""Expense that the engagement manager spent or submitted, and cannot approve."""
KINDS = (APPROVE, APPROVE_OF_MANAGER)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the expenses that are neither approved nor rejected."""
    for name, waiting in state.expenses.waiting.items():
        expense = waiting.submitted
        approver = approver_of(state, {expense.person, *waiting.submitted_by})
        kind = APPROVE if approver else APPROVE_OF_MANAGER
        yield kind(
            name,
            f"expense {name} of {expense.person} over {expense.amount} waits for approval",
            since=waiting.submitted_on,
            person=approver,
            to_person=expense.person,
        )
