"""Compute what of the approved work of an engagement is billed, held and written down.

Delivery publishes the work, Finance what it bills and withholds. The amounts are those that Finance
shows once both are in the view.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.billable_work import BilledHours, unbilled_hours, worth_of_hours
from contracts.lines import HOURLY
from contracts.money import Money, Rate
from gateway.view.engagement_view import View
from gateway.view.sections.finance.budget import Budget
from gateway.view.sections.finance.lines import BilledLine
from gateway.view.sections.finance.withheld_work import WithheldWork


@dataclass(frozen=True, slots=True)
class LineWork:
    """Worth of the approved work of a line that is on no invoice and no draft, at its rates.

    Work that is held or written down is not part of `unbilled`. `written_down` contains what edits
    of drafts took off their lines.
    """

    line: str
    unbilled: Money
    held: Money
    written_down: Money


def approved_work(view: View) -> list[LineWork]:
    """Return the unbilled work of each line by time and materials or at cost in the budget."""
    budget = view.finance.budget
    if budget is None:
        return []
    finance, nothing = view.finance, Money.zero(budget.price.currency)
    withheld = (*finance.held.values(), *finance.written_down.values())
    works = _worked(view, withheld)
    bills: dict[str, list[BilledLine]] = {}
    for each in finance.time_lines():
        bills.setdefault(each.line, []).append(each)
    held = _worth_by_line(finance.held.values())
    written_down = _worth_by_line(finance.written_down.values())
    for name, lines in bills.items():
        lowered = Money.total((each.written_down for each in lines), nothing.currency)
        written_down[name] = written_down.get(name, nothing) + lowered
    return [
        LineWork(
            line=line.line,
            unbilled=_unbilled(works.get(line.line, _Work()), bills.get(line.line, ()), budget),
            held=held.get(line.line, nothing),
            written_down=written_down.get(line.line, nothing),
        )
        for line in budget.lines
        if line.pricing in HOURLY
    ]


@dataclass(slots=True)
class _Work:
    """Hours of a line by role, rate and day, and its expenses, without what is withheld."""

    hours: dict[tuple[str, Rate], dict[date, Decimal]] = field(default_factory=dict)
    expenses: Decimal = Decimal(0)


def _worked(view: View, withheld: Iterable[WithheldWork]) -> dict[str, _Work]:
    """Return the work by line; work of no line, or without a rate, is left out."""
    budget = view.finance.budget
    works: dict[str, _Work] = {}
    if budget is None:
        return works
    hours = [
        *_approved_hours(view),
        *((each.line, each.role, each.on, -(each.hours or 0)) for each in withheld if each.role),
    ]
    for name, role, on, number in hours:
        line = budget.paying_line(name, role, on)
        rate = line.rate_on(role, on) if line is not None else None
        if line is not None and rate is not None:
            days = works.setdefault(line.line, _Work()).hours.setdefault((role, rate), {})
            days[on] = days.get(on, Decimal(0)) + number
    expenses = [
        *view.delivery.billable_expenses.items(),
        *view.finance.converted_expenses.items(),
    ]
    for key, spent in expenses:
        name, day = key.split("/")[:2]
        paying = budget.paying_line(name or None, None, date.fromisoformat(day))
        if paying is not None and spent.currency == budget.price.currency:
            works.setdefault(paying.line, _Work()).expenses += spent.amount
    for each in withheld:
        if each.role is None:
            works.setdefault(each.line, _Work()).expenses -= each.worth.amount
    return works


def _approved_hours(view: View) -> Iterator[tuple[str | None, str, date, Decimal]]:
    """Yield approved billable hours with the named line, the role and the day."""
    for week in view.delivery.weeks.values():
        for day, by_role in week.billable_by_day.items():
            for key, number in by_role.items():
                line, _, role = key.partition("/")
                yield line or None, role, day, number


def _unbilled(work: _Work, bills: Collection[BilledLine], budget: Budget) -> Money:
    hours = (BilledHours(each.role, each.rate, each.hours, each.days) for each in bills)
    left = unbilled_hours(work.hours, hours)
    currency = budget.price.currency
    billed = Money.total((each.amount for each in bills if each.role is None), currency)
    expenses = Money(amount=max(work.expenses - billed.amount, Decimal(0)), currency=currency)
    return worth_of_hours(left, currency, budget.rounding) + expenses


def _worth_by_line(works: Iterable[WithheldWork]) -> dict[str, Money]:
    worth: dict[str, Money] = {}
    for each in works:
        known = worth.get(each.line)
        worth[each.line] = known + each.worth if known else each.worth
    return worth
