"""Hours that rules about work compare: those that wait for approval, and approved billable ones.

Of an engagement that has ended only those that wait are compared: they still need a decision.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.gateway import Side
from contracts.lines import ContractLine
from contracts.money import Money
from gateway.rules.amounts import rate_of_work, value_of_hours
from gateway.rules.rule import hours
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a role on a day, and the event that contains them.

    The task is None where the hours are approved, which names the line of the task.
    """

    day: date
    role: str
    hours: Decimal
    said: Ref
    task: str | None = None
    line: str | None = None
    billable: bool = True


def waiting(view: View) -> Iterator[Hours]:
    """Yield the hours that wait for approval."""
    lines = view.delivery.tasks.lines
    for week in view.delivery.waiting.values():
        for each in week.entries.values():
            line = lines.get(each.task)
            yield Hours(each.day, each.role, each.hours, week.said, each.task, line, each.billable)


def billable(view: View) -> Iterator[Hours]:
    """Yield the approved billable hours by day, line and role; none after the end."""
    for week in view.delivery.weeks.values() if not view.over else ():
        for on, by_role in week.billable_by_day.items():
            for key, number in by_role.items():
                line, _, role = key.partition("/")
                yield Hours(on, role, number, week.first, line=line or None)


def total_hours(found: Iterable[Hours]) -> Decimal:
    """Return the sum of hours."""
    return sum((each.hours for each in found), Decimal(0))


def worth(view: View, found: Iterable[Hours], lines: Sequence[ContractLine] = ()) -> Money | None:
    """Return billable hours x bill rate in total; None where a rate is unknown.

    Hours that were never to be billed are worth nothing. `lines` replace those of the contract.
    """
    billed = [each for each in found if each.billable]
    if not billed and view.currency is not None:
        return Money.zero(view.currency)
    return value_of_hours(
        (each.hours, rate_of_work(view, each.line, each.role, each.day, lines)) for each in billed
    )


def evidence(found: Iterable[Hours]) -> list[Ref]:
    """Return the events that contain hours, each once, by the day of the work."""
    return list({each.said.event: each.said for each in sorted(found, key=day_of)}.values())


def side_of(found: Sequence[Hours], verb: str = "submitted") -> Side:
    """Return what Delivery states about work: its hours and its first day.

    It names no author: that may be the person who worked.
    """
    return side("delivery", f"{hours(total_hours(found))} {verb}", on=min(map(day_of, found)))


def day_of(found: Hours) -> date:
    """Return the day of the work."""
    return found.day
