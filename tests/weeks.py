"""Build events of time: the hours of a person's week, spread over its working days."""

from datetime import date, timedelta
from decimal import Decimal

from contracts.delivery import (
    ApprovedEntry,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
)
from contracts.finance import CostAccrued, CostedWork
from contracts.money import Money
from contracts.values import LineKind
from tests.amounts import eur

WORKDAYS = 5
DAY = Decimal(24)


def entries(
    name: str,
    week: date,
    hours: Decimal | int | str,
    *,
    role: str = "engineer",
    task: str = "build",
    billable: bool = True,
) -> tuple[TimeEntry, ...]:
    """Return hours as one entry a day from a week's Monday to Friday, with ids ``name.0`` onwards.

    A day has several entries where the hours are more than 24 a day.
    """
    left, parts = Decimal(hours), []
    each = min(max((left / WORKDAYS).quantize(Decimal("0.01")), Decimal("0.01")), DAY)
    while left > each:
        parts.append(each)
        left -= each
    parts.append(left)
    return tuple(
        TimeEntry(
            entry=f"{name}.{number}",
            day=week + timedelta(days=number % WORKDAYS),
            task=task,
            role=role,
            hours=part,
            billable=billable,
        )
        for number, part in enumerate(parts)
    )


def submitted(
    name: str,
    week: date,
    hours: Decimal | int | str,
    *,
    person: str = "eve",
    role: str = "engineer",
    task: str = "build",
    billable: bool = True,
    revision: int = 1,
) -> TimeSubmitted:
    """Return hours of a person's week on one task as they are submitted."""
    return TimeSubmitted(
        person=person,
        week=week,
        entries=entries(name, week, hours, role=role, task=task, billable=billable),
        revision=revision,
    )


def approved(
    name: str,
    week: date,
    hours: Decimal | int | str,
    *,
    person: str = "eve",
    role: str = "engineer",
    task: str = "build",
    billable: bool = True,
    kind: LineKind = "delivery",
    line: str | None = None,
    why_not_billed: str | None = None,
) -> TimeApproved:
    """Return hours of a person's week on one task as they are approved."""
    of_week = entries(name, week, hours, role=role, task=task, billable=billable)
    return TimeApproved(
        person=person,
        week=week,
        entries=tuple(ApprovedEntry(**dict(each), kind=kind, line=line) for each in of_week),
        why_not_billed=why_not_billed,
    )


def withdrawn(event: TimeSubmitted) -> TimeWithdrawn:
    """Return the withdrawal of submitted hours."""
    return TimeWithdrawn(
        person=event.person, week=event.week, entries=event.entries, revision=event.revision
    )


def rejected(event: TimeSubmitted, why: str) -> TimeRejected:
    """Return the rejection of submitted hours."""
    return TimeRejected(person=event.person, week=event.week, entries=event.entries, why=why)


def reversal(event: TimeApproved, why: str, reversed_on: date) -> TimeReversed:
    """Return the reversal of approved hours."""
    return TimeReversed(
        person=event.person,
        week=event.week,
        entries=event.entries,
        why=why,
        reversed_on=reversed_on,
    )


def costed(event: TimeApproved, per_hour: str, cumulative: str) -> CostAccrued:
    """Return the cost of approved hours in EUR, at a rate per hour, and the cost to date."""
    works = tuple(
        CostedWork(
            entry=each.entry,
            day=each.day,
            role=each.role,
            kind=each.kind,
            hours=each.hours,
            cost=eur(each.hours * Decimal(per_hour)),
        )
        for each in event.entries
    )
    return CostAccrued(
        person=event.person,
        week=event.week,
        entries=works,
        cost=Money.total((each.cost for each in works), "EUR"),
        cumulative=eur(cumulative),
    )
