"""Submit, withdraw, approve and reject expenses, and take back approved ones.

An expense is recorded in any case, and approved as billable only if it is covered
(`delivery.coverage`). It is known here until it is decided; then it has a stream of its own
(`delivery.decided_expenses`), where an approved one is reversed.
"""

from collections.abc import Iterable, Iterator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, NotAllowed, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.pending import Requested
from chassis.domain.requests import Outcome
from chassis.domain.rules import day_begun, unless_recorded
from chassis.domain.work_items import WorkItem
from contracts.delivery import (
    Expense,
    ExpenseApproved,
    ExpenseDetails,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
    ExpenseWithdrawn,
)
from contracts.event import Event
from contracts.money import Money
from contracts.values import ContentHash, Identifier, ShortText
from delivery.coverage import uncovered_expense
from delivery.decided_expenses.requests import KeepExpense
from delivery.engagement import Engagement
from delivery.expenses import work_items
from delivery.expenses.requests import TakeBackExpense
from delivery.expenses.state import EndedExpense, Ending, WaitingExpense
from delivery.policies import (
    known_staff,
    reads_every_expense,
    reads_expense,
    require_not_author,
    require_recordable,
)
from delivery.roles import COST_APPROVERS, MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
keeping = capability.request(KeepExpense, of="expense")
capability.work(work_items.KINDS, work_items.items)


class SubmitExpense(ExpenseDetails, Command):
    """Submit an expense of the caller for approval by another person.

    With the id of an expense that waits for approval, it replaces that. With that of an expense
    that was approved, the same again changes nothing.
    """

    expense: Identifier | None = None
    """Id of the expense that is replaced; null for a new one, which gets an id."""


class WithdrawExpense(Command):
    """Take back a submitted expense of the caller before it is approved or rejected."""

    expense: Identifier
    """Id of the expense."""


class ApproveExpense(Command):
    """Approve a submitted expense; a person cannot approve their own."""

    expense: Identifier
    """Id of the expense."""


class ApproveExpenseAsCost(Command):
    """Approve a billable expense that nothing covers as cost: it is never billed."""

    expense: Identifier
    """Id of the expense."""
    why_not_billed: ShortText
    """Reason for the approval of what the customer does not pay."""


class RejectExpense(Command):
    """Reject a submitted expense and say why; a corrected one may be submitted."""

    expense: Identifier
    """Id of the expense."""
    why: ShortText
    """Reason for the rejection."""


@capability.decide(SubmitExpense, by=WORKERS, stand_in="time")
def submit_expense(state: Engagement, command: SubmitExpense, context: Context) -> Iterable[Event]:
    """Record the expense; no gate refuses it, and none after a termination.

    Raises Refused where the engagement is closed, the person is unknown or not with the company on
    the day, the day has not begun anywhere, the contract has no such line, or the id belongs to no
    expense that waits for approval, or to one that was approved with other content, and NotAllowed
    where it belongs to that of another person.
    """
    require_recordable(state)
    person = context.acting_for
    approved = _ended(state, command.expense, "approved", "approved as cost")
    if approved is not None and command.expense is not None:
        _require_own(command.expense, approved.submitted, context)
        known = ExpenseSubmitted(**dict(approved.submitted))
        again = ExpenseSubmitted(**{**dict(command), "person": person})
        yield from unless_recorded(known, again, f"expense {command.expense}, which {approved},")
        return
    day_begun("spent_on", command.spent_on, context)
    known_staff(context, person, command.spent_on)
    _require_line(state, command)
    replaced = None if command.expense is None else _own_waiting(state, command.expense, context)
    expense = command.expense or context.new_id("X")
    event = ExpenseSubmitted(**{**dict(command), "expense": expense, "person": person})
    if replaced != event:
        yield event


def _require_line(state: Engagement, command: SubmitExpense) -> None:
    if command.line is not None and command.line not in {line.line for line in state.lines}:
        sentence = f"line: the contract has no line {command.line}"
        raise refused_field("line-unknown", "line", sentence)


@capability.decide(WithdrawExpense, by=WORKERS, stand_in="time")
def withdraw_expense(
    state: Engagement, command: WithdrawExpense, context: Context
) -> Iterable[Event]:
    """Take the expense back; what was recorded first, this or a decision, is final.

    Raises Refused where the engagement is closed or none of this id waits for approval, and
    NotAllowed where it is the expense of another person.
    """
    require_recordable(state)
    withdrawn = _ended(state, command.expense, "withdrawn")
    if withdrawn is not None:
        _require_own(command.expense, withdrawn.submitted, context)
        return
    yield ExpenseWithdrawn(**dict(_own_waiting(state, command.expense, context)))


@capability.decide(ApproveExpense, by=MANAGERS)
def approve_expense(
    state: Engagement, command: ApproveExpense, context: Context
) -> Iterable[Event]:
    """Approve the expense as it was submitted.

    Raises Refused with what is missing where a billable one is not covered; where the caller spent
    or submitted it; and where none of this id waits for approval. The same again changes nothing.
    """
    if _decided(state, command.expense, "approved", context):
        return
    waiting = _deciding(state, command.expense, context)
    gate("expense-not-covered", uncovered_expense(state, waiting.submitted))
    yield ExpenseApproved(**dict(waiting.submitted))
    yield _kept(state, waiting.submitted)


@capability.decide(ApproveExpenseAsCost, by=COST_APPROVERS)
def approve_expense_as_cost(
    state: Engagement, command: ApproveExpenseAsCost, context: Context
) -> Iterable[Event]:
    """Approve an expense that is not covered as not billable.

    Raises Refused where it is covered or not billable, where the caller spent or submitted it, and
    where none of this id waits for approval. The same again changes nothing.
    """
    decided = _decided(state, command.expense, "approved as cost", context)
    if decided is not None:
        known = ExpenseApproved(**dict(decided.submitted), why_not_billed=decided.why)
        again = known.model_copy(update={"why_not_billed": command.why_not_billed})
        yield from unless_recorded(known, again, f"the approval of expense {command.expense}")
        return
    waiting = _deciding(state, command.expense, context)
    if not uncovered_expense(state, waiting.submitted):
        sentence = f"expense {command.expense} is covered or not billable: approve it"
        raise Refused("expense-covered", sentence)
    cost = waiting.submitted.model_copy(update={"billable": False})
    yield ExpenseApproved(**dict(cost), why_not_billed=command.why_not_billed)
    yield _kept(state, cost, why_not_billed=command.why_not_billed)


def _deciding(state: Engagement, expense: str, context: Context) -> WaitingExpense:
    """Return the expense that waits for the decision of another person.

    Raises Refused where none waits, or the caller spent or submitted it.
    """
    require_recordable(state)
    waiting = _waiting(state, expense)
    require_not_author(context, waiting.submitted.person, waiting.submitted_by, "expense")
    return waiting


def _kept(
    state: Engagement,
    expense: Expense,
    *,
    why: str | None = None,
    why_not_billed: str | None = None,
) -> Requested:
    """Return the request to keep a decided expense; each one is decided once."""
    decided = Expense.model_validate(dict(expense))
    keep = KeepExpense(decided=decided, why=why, why_not_billed=why_not_billed)
    subject = f"{state.engagement}.{decided.expense}"
    return keeping(subject, keep, id="expense-decided", item=decided.expense)


@keeping.outcome
def kept(state: Engagement, outcome: Outcome[KeepExpense], context: Context) -> Iterable[Event]:
    """Conclude nothing: the decision is recorded already."""
    return ()


@capability.decide(RejectExpense, by=MANAGERS)
def reject_expense(state: Engagement, command: RejectExpense, context: Context) -> Iterable[Event]:
    """Reject the expense.

    Raises Refused where the caller spent or submitted it, or none of this id waits for approval.
    The same again changes nothing.
    """
    decided = _decided(state, command.expense, "rejected", context)
    if decided is not None:
        known = ExpenseRejected(**dict(decided.submitted), why=decided.why or "")
        again = known.model_copy(update={"why": command.why})
        yield from unless_recorded(known, again, f"the rejection of expense {command.expense}")
        return
    waiting = _deciding(state, command.expense, context)
    yield ExpenseRejected(**dict(waiting.submitted), why=command.why)
    yield _kept(state, waiting.submitted, why=command.why)


@capability.decide(TakeBackExpense, by=None)
def take_back_expense(
    state: Engagement, command: TakeBackExpense, context: Context
) -> Iterable[Event]:
    """Reverse an approved expense. Raises Refused where the engagement is closed."""
    require_recordable(state)
    yield ExpenseReversed(
        **dict(command.approved), why=command.why, reversed_on=command.reversed_on
    )


def _waiting(state: Engagement, expense: str) -> WaitingExpense:
    if expense not in state.expenses.waiting:
        ended = _ended(state, expense)
        why = f"it {ended}" if ended else "decided, withdrawn or unknown"
        sentence = f"expense: {expense} does not wait for approval: {why}"
        raise refused_field("expense-not-waiting", "expense", sentence)
    return state.expenses.waiting[expense]


def _own_waiting(state: Engagement, expense: str, context: Context) -> ExpenseSubmitted:
    """Return an expense of the caller that waits; raises NotAllowed on that of another person."""
    ended = _ended(state, expense)
    if ended is not None:
        _require_own(expense, ended.submitted, context)
    submitted = _waiting(state, expense).submitted
    _require_own(expense, submitted, context)
    return submitted


def _require_own(name: str, expense: Expense, context: Context) -> None:
    if expense.person != context.acting_for:
        sentence = f"only who spent expense {name}, or a stand-in for their time, may do this"
        raise NotAllowed("expense-not-own", sentence)


def _ended(state: Engagement, expense: str | None, *endings: Ending) -> EndedExpense | None:
    """Return what became of an expense, if that is known and one of the endings, or any."""
    known = state.expenses.ended.get(expense or "")
    return known if known and (not endings or known.ending in endings) else None


def _decided(
    state: Engagement, expense: str, ending: Ending, context: Context
) -> EndedExpense | None:
    """Return the expense if another person decided so before; raises Refused for its author."""
    require_recordable(state)
    known = _ended(state, expense, ending)
    if known is not None:
        require_not_author(context, known.submitted.person, (), "expense")
    return known


class WaitingExpenseView(Expense):
    """An expense that waits for approval, and what is missing before it can be billed.

    Without anything missing it waits for the engagement manager.
    """

    missing: tuple[Missing, ...]


class ExpensesView(ViewModel):
    """Expenses that wait for approval by the manager, and totals of approved ones by currency.

    `waiting` has those that the reader may see, as in `GET /expenses`; `waiting_number` counts all.
    Decided expenses are in `GET /expenses`.
    """

    waiting: tuple[WaitingExpenseView, ...]
    waiting_number: int
    approved: tuple[Money, ...]


class ExpenseFields(ViewModel):
    """Expenses in the view of an engagement."""

    expenses: ExpensesView


@capability.view
def expenses_view(state: Engagement) -> ExpenseFields:
    """Return the expenses for the view of an engagement."""
    known = state.expenses
    return ExpenseFields(
        expenses=ExpensesView(
            waiting=tuple(_waiting_views(state)),
            waiting_number=len(known.waiting),
            approved=tuple(total for _, total in sorted(known.approved.items())),
        )
    )


@capability.narrow("expenses")
def expenses_of_reader(view: ExpensesView, state: Engagement, context: Context) -> ExpensesView:
    """Return the expenses without those of people whose expenses the reader may not see."""
    seen = tuple(each for each in view.waiting if reads_expense(state, each.person, context))
    return view.model_copy(update={"waiting": seen})


@capability.narrow("work")
def work_of_reader(
    items: tuple[WorkItem, ...], state: Engagement, context: Context
) -> tuple[WorkItem, ...]:
    """Return the work items without those about expenses that the reader may not see."""
    if reads_every_expense(context):
        return items
    others = (each for each in items if each.kind not in work_items.KINDS)
    return (
        *others,
        *work_items.items(state, lambda person: reads_expense(state, person, context)),
    )


def reads_receipt(
    state: Engagement, uploaded_by: str, receipt: ContentHash, context: Context
) -> bool:
    """Return whether the actor may see a receipt: as an expense of the person who uploaded it.

    Who may see an expense that waits may see its receipt also where a stand-in uploaded it, who
    then submitted the expense.
    """
    waiting = (
        each.submitted.person
        for each in state.expenses.waiting.values()
        if each.submitted.receipt == receipt and uploaded_by in each.submitted_by
    )
    return any(reads_expense(state, person, context) for person in (uploaded_by, *waiting))


def _waiting_views(state: Engagement) -> Iterator[WaitingExpenseView]:
    for each in state.expenses.waiting.values():
        missing = uncovered_expense(state, each.submitted)
        yield WaitingExpenseView(**dict(each.submitted), missing=missing)
