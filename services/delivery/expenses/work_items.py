"""State which expenses wait for their approval, and what those wait for that nothing covers.

The conditions are those for which `approve-expense` refuses a billable expense (gate 3).
"""

from collections.abc import Callable, Iterator

from chassis.domain.commands import Missing
from chassis.domain.work_items import ItemKind, WorkItem
from delivery.conditions import Conditions, condition, of_contract, owed
from delivery.coverage import uncovered_expense
from delivery.engagement import Engagement
from delivery.expenses.state import WaitingExpense
from delivery.policies import approver_of, few_of, few_reasons

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
CONDITIONS: Conditions = {
    **of_contract("expense"),
    ("line-unknown", "delivery"): condition(
        "line-unknown", "delivery", "engagement-manager", "reject-expense", blocks="approve-expense"
    ),
}
"""Kinds of the conditions for billable expenses."""
KINDS = (APPROVE, APPROVE_OF_MANAGER, *CONDITIONS.values())


def items(
    state: Engagement, of_person: Callable[[str], bool] = lambda _: True
) -> Iterator[WorkItem]:
    """Yield the expenses that may be approved, and one item for each condition of the others.

    `of_person` returns whether the expenses of a person are wanted.
    """
    uncovered: dict[ItemKind, list[tuple[WaitingExpense, Missing]]] = {}
    for name, waiting in state.expenses.waiting.items():
        if not of_person(waiting.submitted.person):
            continue
        conditions = uncovered_expense(state, waiting.submitted)
        for kind, each in owed(CONDITIONS, conditions, over=state.is_over).items():
            uncovered.setdefault(kind, []).append((waiting, each))
        if not conditions:
            yield _to_approve(state, name, waiting)
    for kind, found in uncovered.items():
        yield _not_covered(state, kind, found)


def _to_approve(state: Engagement, name: str, waiting: WaitingExpense) -> WorkItem:
    expense = waiting.submitted
    approver = approver_of(state, {expense.person, *waiting.submitted_by})
    kind = APPROVE if approver else APPROVE_OF_MANAGER
    return kind(
        name,
        f"expense {name} of {expense.person} over {expense.amount} waits for approval",
        since=waiting.submitted_on,
        person=approver,
        to_person=expense.person,
    )


def _not_covered(
    state: Engagement, kind: ItemKind, found: list[tuple[WaitingExpense, Missing]]
) -> WorkItem:
    people = few_of(waiting.submitted.person for waiting, _ in found)
    number = "1 expense" if len(found) == 1 else f"{len(found)} expenses"
    return kind(
        "expenses",
        f"{number} of {people} cannot be billed: {few_reasons(each for _, each in found)}",
        since=min(waiting.submitted_on for waiting, _ in found),
        person=state.manager if kind.role == "engagement-manager" else None,
        to_person=state.manager,
    )
