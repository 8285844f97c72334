"""List what is missing before a month of an engagement may be closed."""

from collections.abc import Iterable
from datetime import date

from chassis.domain.commands import Missing
from contracts.counting import counted
from contracts.decimals import canonical_decimal
from contracts.values import Month
from finance.calendar_months import end_of, month_of
from finance.engagement import Engagement
from finance.exchange_rates.missing import missing_rate
from finance.periods.state import NOTHING
from finance.revenue.months import next_month, next_open_month
from finance.time_billing.assignment import missing_line
from finance.time_billing.unbilled import of_unknown_worth, unassigned


def missing_numbers(state: Engagement, month: Month) -> Iterable[Missing]:
    """Yield the approved invoices and credit notes of a month, or before, without a number.

    They are issued within seconds, or withdrawn. Until then the month cannot be booked.
    """
    end = end_of(month)
    for invoice in state.billing.live:
        if invoice.stage == "approved" and invoice.issue_on and invoice.issue_on <= end:
            sentence = f"{invoice.invoice} of {invoice.issue_on} waits for its number"
            yield Missing("invoice-not-issued", sentence, "finance")
        for note in invoice.credits_approved:
            if note.issued_on <= end:
                sentence = f"{note.credit_note} of {note.issued_on} waits for its number"
                yield Missing("credit-note-not-issued", sentence, "finance")


def missing_before_closing(state: Engagement, month: Month) -> Iterable[Missing]:
    """Yield what is missing to the end of a month, but for what is missing in confidence.

    That are approvals of time and expenses, drafts, exchange rates, lines and rates of approved
    work or the contract that has them, and open revenue.
    """
    end = end_of(month)
    for person, waiting in state.periods.waiting.items():
        hours = sum((each for day, each in waiting.items() if day <= end), NOTHING)
        if hours:
            last = max(day for day in waiting if day <= end)
            sentence = f"{canonical_decimal(hours)} h of {person} up to {last} wait for approval"
            yield Missing("time-waiting", sentence, "delivery")
    for expense in state.periods.waiting_expenses.values():
        if expense.spent_on <= end:
            sentence = (
                f"{expense.amount} spent by {expense.person} on {expense.spent_on}"
                f" ({expense.expense}) wait for approval"
            )
            yield Missing("expense-waiting", sentence, "delivery")
    for invoice in state.billing.live:
        due_on = state.billing.events[invoice.billing_event].due_on
        if invoice.stage == "drafted" and due_on <= end:
            sentence = (
                f"draft {invoice.invoice} over {invoice.amount}, due {due_on}, is not approved"
            )
            yield Missing("invoice-not-issued", sentence, "finance")
    for work, amount in state.work.unconverted(state.currency) if state.currency else ():
        if work.on <= end:
            yield missing_rate(work.entry, amount, state.money, work.on)
    if state.contract.terminated is None:
        yield from map(missing_line, (work for work in unassigned(state) if work.on <= end))
    if state.budget is None and state.end is None and (works := of_unknown_worth(state, month)):
        approved = counted(len(works), "approved work has", "approved works have")
        sentence = f"{approved} no line: no contract is signed and budgeted"
        yield Missing("budget-not-set", sentence, "legal")
    yield from _missing_revenue(state, month, by_cost=False)


def missing_in_confidence(state: Engagement, month: Month) -> Iterable[Missing]:
    """Yield the costs and revenue by cost that are missing to the end of a month. Confidential."""
    end = end_of(month)
    for work in state.work.without_cost:
        if work.role is not None and work.on <= end:
            sentence = f"{work.hours} h of {work.role} on {work.on} ({work.entry}) have no cost"
            yield Missing("work-uncosted", sentence, "finance")
    yield from _missing_revenue(state, month, by_cost=True)
    if stale := _older_forecast(state, end):
        yield Missing("forecast-outdated", stale, "delivery")


def _missing_revenue(state: Engagement, month: Month, *, by_cost: bool) -> Iterable[Missing]:
    """Yield the obligations, by the method, whose revenue is not recognised to a month.

    A settled account has no revenue of months after the settlement.
    """
    budget, settled_on = state.budget, state.settlement.settled_on
    last = min(month, month_of(settled_on)) if settled_on else month
    for each in budget.obligations if budget else ():
        if budget is not None and (each.method == "cost-to-cost") == by_cost:
            following = next_open_month(state, budget, each)
            if following <= month and next_month(state, budget, each) <= last:
                sentence = f"the revenue of {each.obligation} in {following} is not recognised"
                yield Missing("revenue-unrecognised", sentence, "finance")


def _older_forecast(state: Engagement, end: date) -> str | None:
    """Return what cost came after the last measured forecast, up to a day, or None."""
    if not state.performance.forecasts:
        return None
    on = state.performance.forecasts[-1].on
    totals = state.work.totals
    later = totals.cost_to(end) - totals.cost_to(min(on, end))
    if later <= 0:
        return None
    return f"the last forecast is of {on}, and cost of days after it is accrued"
