"""Judge whether an engagement may be closed (gate 7)."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal

from chassis.domain.commands import Missing
from contracts.counting import counted
from contracts.delivery import ActionItem, IssueItem
from delivery.engagement import Engagement
from delivery.quantities import ZERO

Shows = Callable[[str], bool]
"""Return whether something of a person may be named."""


def _everybody(_: str) -> bool:
    return True


def not_closable(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing before the engagement may be closed (gate 7).

    A signed amendment that is not in the budget counts, even if the account is settled: the amended
    budget reopens the account.
    """
    for name, deliverable in state.owed.items():
        if not state.acceptance.is_accepted(name):
            how = "not accepted" if name in state.acceptance.submitted else "not submitted"
            sentence = f"deliverable {name} ({deliverable.title}) is {how}"
            yield Missing("deliverable-not-accepted", sentence, "delivery")
    for change, amendment in state.contract.amendments.items():
        if change not in state.contract.budget_amended:
            sentence = f"amendment {amendment.amendment} is signed and not in the budget"
            yield Missing("budget-not-amended", sentence, "finance")
    if state.closing.settled is None:
        yield Missing("account-not-settled", "the account is not settled", "finance")
    elif state.contract.bills_time:
        yield from _approved_since_settlement(state)
    yield from not_decided(state)
    for issue in state.raid.open(IssueItem):
        sentence = f"issue {issue.item} ({issue.title}) is open"
        yield Missing("issue-open", sentence, "delivery")
    for action in state.raid.open(ActionItem):
        sentence = f"action {action.item} ({action.title}), due on {action.due_on}, is open"
        yield Missing("action-open", sentence, "delivery")
    yield from _obligations_open(state)
    if state.closing.review is None:
        yield Missing("pir-not-held", "no post-implementation review was held", "delivery")
    if not state.surveys.sent:
        yield Missing("survey-not-sent", "no survey was sent to the customer", "delivery")


def _obligations_open(state: Engagement) -> Iterator[Missing]:
    for name, owed in state.contract.obligations.items():
        due = f", due on {owed.due_on}," if owed.due_on else ""
        sentence = f"obligation {name} of the {owed.owed_by} (clause {owed.clause}){due} is open"
        yield Missing("obligation-open", sentence, "legal")


def _approved_since_settlement(state: Engagement) -> Iterator[Missing]:
    """Yield what is missing if billable work was approved or reversed after the settlement.

    Finance had not processed that when it settled, so something may have to be billed or credited.
    """
    if state.closing.last_billable > state.closing.settled_heard:
        sentence = "the account was settled without work that was approved or reversed since"
        yield Missing("account-not-settled", f"{sentence}: settle it again", "finance")


def not_decided(
    state: Engagement, *, shows_time: Shows = _everybody, shows_expenses: Shows = _everybody
) -> Iterator[Missing]:
    """Yield what is missing while time and expenses wait for approval.

    `shows_time` and `shows_expenses` return whether those of a person may be named.
    """
    if state.time.waiting:
        yield _time_waiting(state, shows_time)
    hidden = False
    for expense in state.expenses.waiting.values():
        person = expense.submitted.person
        if shows_expenses(person):
            sentence = f"expense {expense.submitted.expense} of {person} waits for approval"
            yield Missing("expense-waiting", sentence, "delivery")
        else:
            hidden = True
    if hidden:
        yield Missing("expense-waiting", "expenses of others wait for approval", "delivery")


def _time_waiting(state: Engagement, shows: Shows) -> Missing:
    hours: defaultdict[str, Decimal] = defaultdict(Decimal)
    number = 0
    for week in state.time.waiting.values():
        number += len(week.entries)
        hours[week.person] += sum((each.hours for each in week.entries), ZERO)
    entries = counted(number, "time entry waits", "time entries wait")
    named = [
        f"{counted(total, 'hour')} of {person}" for person, total in hours.items() if shows(person)
    ]
    if len(named) < len(hours):
        named.append("time of others")
    return Missing("time-waiting", f"{entries} for approval: {', '.join(named)}", "delivery")
