"""Rules about billable work for which no contract line pays: hours and expenses."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum

from contracts.billable_work import PayingLines, paying_line
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money
from contracts.reference import Tolerances
from gateway.formatting import listed
from gateway.rules.amounts import agreed_lines, price_of_lines, total
from gateway.rules.expenses import of_expenses, waiting_expenses
from gateway.rules.hours import (
    Hours,
    billable,
    evidence,
    side_of,
    total_hours,
    waiting,
    worth,
)
from gateway.rules.rule import (
    EXPENSE_AS_COST,
    TIME_AS_COST,
    Disconnect,
    End,
    Rule,
    Rules,
    hours,
)
from gateway.rules.sides import of_agreement, side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.expenses import WaitingExpense
from gateway.view.sections.finance.budget import Budget
from gateway.view.sections.legal import Amendment
from gateway.view.sections.steps import Ref

rules = Rules()


class _Lacks(Enum):
    """The reason why no line pays for hours."""

    RATE = "rate"
    LINE = "line"
    NAME = "name"


def unpaid(view: View) -> dict[tuple[_Lacks, str], list[Hours]]:
    """Return the billable hours for which no line pays, by the reason, and by role or line.

    Only lines by time and materials or at cost need rates. Hours that name no line are compared
    with those only.
    """
    lines, budget = agreed_lines(view), view.finance.budget
    paying = budget.paying if budget is not None else PayingLines().after(lines)
    reasons: dict[tuple[str | None, str, date], _Lacks | None] = {}
    found: defaultdict[tuple[_Lacks, str], list[Hours]] = defaultdict(list)
    for each in (*waiting(view), *billable(view)):
        if not each.billable or not lines:
            continue
        key = each.line, each.role, each.day
        if key not in reasons:
            reasons[key] = _lacking(lines, paying, *key)
        lacks = reasons[key]
        if lacks is not None:
            about = each.line if lacks is _Lacks.LINE and each.line else each.role
            found[lacks, about].append(each)
    return found


def _lacking(
    lines: Sequence[ContractLine], paying: PayingLines, name: str | None, role: str, on: date
) -> _Lacks | None:
    line = paying_line(lines, paying, name, role, on)
    if line is not None:
        unrated = line.pricing in HOURLY and line.rate_on(role, on) is None
        return _Lacks.RATE if unrated else None
    if name is not None:
        return _Lacks.LINE
    hourly = [each for each in lines if each.pricing in HOURLY]
    rated = [each for each in hourly if each.rate_on(role, on) is not None]
    if len(rated) > 1:
        return _Lacks.NAME
    return _Lacks.RATE if hourly else None


def _agreed(view: View) -> Ref | None:
    return view.legal.agreed or (view.sales.won.said if view.sales.won else None)


@rules.register(
    "work-without-rate",
    title="Work without a contract rate",
    owner="sales",
    command="request-change",
    command_of="delivery",
    after_end=True,
)
def work_without_rate(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find billable hours of roles for which the contract has no bill rate on the day.

    Sales agrees with the customer on a change that adds it. After the end of the engagement,
    Delivery approves them as cost.
    """
    for (lacks, role), found in unpaid(view).items():
        if lacks is _Lacks.RATE:
            yield rule.disconnect(
                f"{hours(total_hours(found))} of {role} are worked; the contract has no rate for "
                "the role.",
                (_agreed(view), *evidence(found)),
                sides=(
                    of_agreement(view, f"no rate for {role} in the contract"),
                    side_of(found, f"of {role} worked"),
                ),
                about=role,
                end=TIME_AS_COST if view.over else None,
                exposure=price_of_lines(view, [each.line for each in found]),
            )


@rules.register(
    "work-without-line",
    title="Work that no contract line pays",
    owner="delivery",
    command="draft-plan",
    after_end=True,
)
def work_without_line(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find billable work whose line the contract does not have, or whose task names no line.

    A line has to be named where several could pay. Expenses that wait need only a line that was
    signed by their day, if they name one.
    """
    baseline = view.delivery.baseline
    for (lacks, about), found in unpaid(view).items():
        if lacks is _Lacks.RATE:
            continue
        why = (
            f"are on line {about}, which the contract does not have"
            if lacks is _Lacks.LINE
            else f"of {about} are on tasks without a line, and several lines could pay them"
        )
        yield rule.disconnect(
            f"{hours(total_hours(found))} {why}.",
            (_agreed(view), baseline.said if baseline else None, *evidence(found)),
            sides=(
                of_agreement(
                    view,
                    f"no line {about} in the contract"
                    if lacks is _Lacks.LINE
                    else f"several lines with a rate for {about}",
                ),
                side_of(found, f"on line {about}" if lacks is _Lacks.LINE else "without a line"),
            ),
            end=TIME_AS_COST if view.over else None,
            about=f"{lacks.value}.{about}",
            exposure=view.price,
            at_stake=worth(view, found),
        )
    known = {each.line for each in agreed_lines(view)}
    spent: defaultdict[str, list[WaitingExpense]] = defaultdict(list)
    for each in waiting_expenses(view):
        if each.line is not None and (each.line not in known or _is_early(view, each)):
            spent[each.line].append(each)
    for line, expenses in spent.items():
        amendment = _added_by(view, line) if line in known else None
        yield from of_expenses(
            rule,
            view,
            expenses,
            f"are on line {line}, which the contract does not have"
            if amendment is None
            else f"are on line {line}, which amendment {amendment.amendment} adds that was signed"
            " later",
            (amendment.signed if amendment else _agreed(view),),
            other=side("legal", f"line {line} signed", amendment.signed)
            if amendment
            else of_agreement(view, f"no line {line} in the contract"),
            end=EXPENSE_AS_COST if amendment else End("delivery", "reject-expense"),
            about=f"{_Lacks.LINE.value}.{line}",
        )


def _added_by(view: View, line: str | None) -> Amendment | None:
    """Return the signed amendment that adds a line; None where it was not added."""
    return next(
        (
            amendment
            for amendment in view.legal.signed_amendments()
            if any(each.line == line and each.new for each in amendment.changes)
        ),
        None,
    )


def _is_early(view: View, expense: WaitingExpense) -> bool:
    """Return whether an expense is of a day before the signature that added its line."""
    amendment = _added_by(view, expense.line)
    signed_on = amendment.signed_on if amendment else None
    return signed_on is not None and signed_on > expense.spent_on


@rules.register(
    "expense-not-billed",
    title="Billable expense that is not billed",
    owner="delivery",
    command="reverse-expense",
)
def expense_not_billed(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find expenses that are approved as billable, and that neither a line nor its price pays.

    Lines by time and materials or at cost bill expenses. A fixed price or a fee pays those of a
    line that plans purchases, as it pays the hours that it plans.
    """
    budget = view.finance.budget
    if budget is None:
        return
    found: defaultdict[str, list[Money]] = defaultdict(list)
    reasons: dict[str, str] = {}
    for key, amount in view.delivery.billable_expenses.items():
        name, on, _ = key.split("/")
        why = _why_not_billed(budget, name or None, date.fromisoformat(on))
        if why is not None:
            found[name].append(amount)
            reasons.setdefault(name, why)
    for name, amounts in found.items():
        spent = {
            currency: Money.total((each for each in amounts if each.currency == currency), currency)
            for currency in sorted({each.currency for each in amounts})
        }
        yield rule.disconnect(
            f"Expenses of {listed(map(str, spent.values()))} are approved as billable; "
            f"{reasons[name]}.",
            (view.delivery.billable_expense.get(name), budget.said),
            sides=(
                side(
                    "delivery",
                    f"expenses of {listed(map(str, spent.values()))} approved as billable",
                    view.delivery.billable_expense.get(name),
                ),
                side("finance", reasons[name], budget.said),
            ),
            about=name or None,
            exposure=price_of_lines(view, [name or None]),
            at_stake=total(spent.values()),
        )


def _why_not_billed(budget: Budget, name: str | None, on: date) -> str | None:
    """Return why an expense of a day is not billed; None where a line or its price pays for it."""
    line = budget.paying_line(name, None, on)
    if line is not None:
        paid = line.pricing in HOURLY or line.kind == "expenses" or line.planned_purchases
        return (
            None if paid else f"the price of line {line.line} contains no expenses and bills none"
        )
    if name is not None:
        return f"the contract has no line {name}"
    if budget.bills_work_of(on):
        return "they name no line, and none or several could bill them"
    planned = any(each.planned_purchases for each in budget.lines)
    return None if planned else "the price of the contract contains no expenses and bills none"
