"""Bill approved time at contracted rates, and expenses, up to the contract's cap.

Gate 5 (``amount-not-billable``): only approved time, at the contracted rate, up to the cap. Time is
billed by the accountant's command ``bill-time`` and not by a deadline at the end of the month,
since imported history arrives late and a month would be billed before its hours are approved.
"""

from collections.abc import Iterable
from datetime import date

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money
from contracts.values import Month
from finance.budgeting.state import Budget
from finance.calendar_months import end_of, require_begun
from finance.engagement import Engagement
from finance.policies import require_budget, require_open_account
from finance.roles import ACCOUNTING
from finance.time_billing.unbilled import (
    advance_left,
    time_billed,
    unbilled_expenses,
    unbilled_hours,
)

capability = Capability[Engagement](__name__)


class BillTime(Command):
    """Bill approved, unbilled time and expenses up to the end of a month that has begun.

    A week belongs to the month of its Monday. Time approved later is billed with the next month.
    """

    month: Month


@capability.decide(BillTime, by=ACCOUNTING)
def bill_time(state: Engagement, command: BillTime, context: Context) -> Iterable[Event]:
    """Record the billing events and drafts of a month's approved time, if gate 5 is open.

    Raises Refused where there is no budget, the account is settled, the month has not begun, or
    nothing can be billed.
    """
    budget = require_budget(state)
    require_open_account(state)
    require_begun(command.month, context.today)
    until = end_of(command.month)
    gate("amount-not-billable", _not_billable(state, budget, until))
    events = tuple(time_billed(state, budget, command.month, context.today))
    if not events:
        gate("amount-not-billable", [_nothing_to_bill(state, budget)])
    yield from events


def _not_billable(state: Engagement, budget: Budget, until: date) -> Iterable[Missing]:
    hours, rates = unbilled_hours(state, until), budget.rate_by_role
    if not budget.time_items:
        yield Missing("time-item-missing", "the billing schedule has no entry that bills time")
        return
    if not hours and unbilled_expenses(state, until).amount == 0:
        yield Missing(
            "work-not-approved",
            f"no approved time or expense up to {until} waits to be billed",
            "delivery",
        )
    for role in hours:
        if role not in rates:
            yield Missing("rate-not-contracted", f"the contract has no rate for {role}", "legal")


def _nothing_to_bill(state: Engagement, budget: Budget) -> Missing:
    left = advance_left(state)
    if left.amount > 0:
        return Missing(
            "work-covered-by-advance",
            f"the advance, of which {left} is left, covers all unbilled work",
        )
    cap = Money.total((item.amount for item in budget.time_items), state.money)
    return Missing(
        "cap-spent", f"the contract's cap of {cap} for time leaves nothing to bill", "legal"
    )
