"""Rules about billable work for which no contract line pays."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum

from contracts.billable_work import PayingLines, paying_line
from contracts.lines import HOURLY, ContractLine
from gateway.rules.amounts import agreed_lines, price_of_lines
from gateway.rules.hours import Hours, billable, evidence, total_hours, waiting, worth
from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

rules = Rules()


class _Lacks(Enum):
    """The reason why no line pays for hours."""

    RATE = "rate"
    LINE = "line"
    NAME = "name"


def _unpaid(view: View) -> dict[tuple[_Lacks, str], list[Hours]]:
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
    "work-without-rate", title="Work without a contract rate", owner="legal", after_end=True
)
def work_without_rate(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find billable hours of roles for which the contract has no bill rate on the day."""
    for (lacks, role), found in _unpaid(view).items():
        if lacks is _Lacks.RATE:
            yield rule.disconnect(
                f"{hours(total_hours(found))} of {role} are worked; the contract has no rate for "
                "the role.",
                (_agreed(view), *evidence(found)),
                about=role,
                exposure=price_of_lines(view, [each.line for each in found]),
            )


@rules.register(
    "work-without-line", title="Work that no contract line pays", owner="delivery", after_end=True
)
def work_without_line(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find billable hours whose line the contract does not have, or whose task names no line.

    A line has to be named where several could pay.
    """
    baseline = view.delivery.baseline
    for (lacks, about), found in _unpaid(view).items():
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
            about=f"{lacks.value}.{about}",
            exposure=view.price,
            at_stake=worth(view, found),
        )
