"""Keep the time that waits for approval, and the approved hours."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from contracts import delivery
from contracts.decimals import Number
from contracts.event import Recorded
from gateway.formatting import day, hours, listed, words
from gateway.view.sections.sentences import Names, if_given
from gateway.view.sections.steps import FieldPaths, PartSteps, Ref, ref


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """Hours of a person on a task on a day that are submitted and not decided."""

    day: date
    task: str
    role: str
    hours: Number
    billable: bool


@dataclass(slots=True)
class WaitingWeek:
    """Entries by id of a person's week that are submitted and not decided.

    `beyond_weekly_hours` are the hours by which the whole week, over all engagements, exceeds the
    person's weekly hours; None where it does not.
    """

    person: str
    week: date
    entries: dict[str, WaitingEntry]
    said: Ref
    beyond_weekly_hours: Number | None = None


@dataclass(slots=True)
class Worked:
    """Approved hours of a week, all and billable, and the first event that contains any.

    `billable_by_day` has the billable ones by day and then by contract line, empty where none is
    named, and role, with a slash between them.
    """

    first: Ref
    hours: Number = Decimal(0)
    billable: Number = Decimal(0)
    billable_by_day: dict[date, dict[str, Number]] = field(default_factory=dict)


class Fields(Protocol):
    """Fields of the section that these steps change."""

    waiting: dict[str, WaitingWeek]
    approved_hours: Number
    approved_works: int
    project_management_hours: Number
    hours_by_line: dict[str, Number]
    weeks: dict[date, Worked]


steps = PartSteps[Fields]()

_ENTRY = {"role", "hours", "billable", "kind", "line"}
_ENTRIES: FieldPaths = {
    "week": True,
    "entries": {"__all__": dict.fromkeys(_ENTRY, True)},
    "reversed_on": True,
}
"""Fields of a week that every reader sees: hours by role, without person, days and notes."""


def _worked(entries: Iterable[delivery.TimeEntry]) -> str:
    """Return the hours of each role, such as "24 h as engineer and 8 h as architect"."""
    by_role: dict[str, Decimal] = {}
    for each in entries:
        by_role[each.role] = by_role.get(each.role, Decimal(0)) + each.hours
    return listed(f"{hours(number)} as {words(role)}" for role, number in by_role.items())


def _of_week(event: delivery.SubmittedWeek | delivery.ApprovedWeek, names: Names) -> str:
    worked, person = _worked(event.entries), names.person(event.person)
    return f"{worked} of {person} in the week of {day(event.week)}"


def _anonymous(event: delivery.SubmittedWeek | delivery.ApprovedWeek, outcome: str) -> str:
    return f"{_worked(event.entries)} in the week of {day(event.week)} {outcome}."


steps.of_person(delivery.TimeSubmitted, _ENTRIES, lambda event, _: _anonymous(event, "submitted"))
steps.of_person(
    delivery.WeekMeasured,
    {"week": True},
    lambda event, _: f"A person's hours in the week of {day(event.week)} changed.",
)
steps.of_person(delivery.TimeWithdrawn, _ENTRIES, lambda event, _: _anonymous(event, "withdrawn"))
steps.of_person(delivery.TimeRejected, _ENTRIES, lambda event, _: _anonymous(event, "not approved"))
steps.of_person(delivery.TimeApproved, _ENTRIES, lambda event, _: _anonymous(event, "approved"))
steps.of_person(
    delivery.TimeReversed,
    _ENTRIES,
    lambda event, _: _anonymous(event, f"reversed on {day(event.reversed_on)}"),
)
steps.describe(
    delivery.TimeSubmitted,
    lambda event, names: (
        f"{names.person(event.person)} submitted {_worked(event.entries)} in the week of "
        f"{day(event.week)}{if_given(', which has {} too many', event.beyond_weekly_hours, hours)}."
    ),
)


@steps.on(delivery.TimeSubmitted)
def _time_submitted(section: Fields, recorded: Recorded[delivery.TimeSubmitted]) -> None:
    event = recorded.event
    section.waiting[_person_week(event)] = WaitingWeek(
        event.person,
        event.week,
        {
            each.entry: WaitingEntry(each.day, each.task, each.role, each.hours, each.billable)
            for each in event.entries
        },
        ref(recorded),
        event.beyond_weekly_hours,
    )


steps.describe(
    delivery.WeekMeasured,
    lambda event, names: (
        f"The week of {day(event.week)} of {names.person(event.person)} has "
        f"{hours(event.beyond_weekly_hours) if event.beyond_weekly_hours else 'no hours'} too many"
        " now."
    ),
)


@steps.on(delivery.WeekMeasured)
def _week_measured(section: Fields, recorded: Recorded[delivery.WeekMeasured]) -> None:
    waiting = section.waiting.get(_person_week(recorded.event))
    if waiting is not None:
        waiting.beyond_weekly_hours = recorded.event.beyond_weekly_hours


steps.describe(
    delivery.TimeWithdrawn,
    lambda event, names: (
        f"{names.person(event.person)} withdrew {_worked(event.entries)} in the week of "
        f"{day(event.week)}."
    ),
)
steps.describe(
    delivery.TimeRejected,
    lambda event, names: f"{_of_week(event, names)} not approved: “{event.why}”",
)


@steps.on(delivery.TimeWithdrawn, delivery.TimeRejected)
def _time_not_waiting(
    section: Fields, recorded: Recorded[delivery.TimeWithdrawn | delivery.TimeRejected]
) -> None:
    _decide(section, recorded.event)


steps.describe(
    delivery.TimeApproved,
    lambda event, names: (
        f"{_of_week(event, names)} approved{if_given(' as cost: “{}”', event.why_not_billed)}."
    ),
)


@steps.on(delivery.TimeApproved)
def _time(section: Fields, recorded: Recorded[delivery.TimeApproved]) -> None:
    event = recorded.event
    _decide(section, event)
    said = ref(recorded)
    section.approved_works += len(event.entries)
    for entry in event.entries:
        _count(section, event.week, entry, entry.hours, said)


steps.describe(
    delivery.TimeReversed,
    lambda event, names: (
        f"{_of_week(event, names)} reversed on {day(event.reversed_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.TimeReversed)
def _time_reversed(section: Fields, recorded: Recorded[delivery.TimeReversed]) -> None:
    event, said = recorded.event, ref(recorded)
    section.approved_works -= len(event.entries)
    for entry in event.entries:
        _count(section, event.week, entry, -entry.hours, said)


def _count(
    section: Fields, week: date, entry: delivery.ApprovedEntry, hours: Decimal, said: Ref
) -> None:
    """Add the hours of an approved entry to the totals; negative ones of a reversed entry."""
    section.approved_hours += hours
    if entry.kind == "project-management":
        section.project_management_hours += hours
    if entry.line is not None:
        _add(section.hours_by_line, entry.line, hours)
    worked = section.weeks.setdefault(week, Worked(said))
    worked.hours += hours
    if entry.billable:
        worked.billable += hours
        of_day = worked.billable_by_day.setdefault(entry.day, {})
        _add(of_day, f"{entry.line or ''}/{entry.role}", hours)
        if not of_day:
            del worked.billable_by_day[entry.day]
    if not worked.hours:
        del section.weeks[week]


def _add(totals: dict[str, Decimal], key: str, amount: Decimal) -> None:
    """Add to a total, and remove one that becomes zero."""
    total = totals.get(key, Decimal(0)) + amount
    if total:
        totals[key] = total
    else:
        totals.pop(key, None)


def _person_week(event: delivery.PersonWeek) -> str:
    return f"{event.person}/{event.week.isoformat()}"


def _decide(
    section: Fields,
    event: delivery.TimeApproved | delivery.TimeRejected | delivery.TimeWithdrawn,
) -> None:
    """Remove the entries of an event from those that wait."""
    key = _person_week(event)
    waiting = section.waiting.get(key)
    if waiting is not None:
        for each in event.entries:
            waiting.entries.pop(each.entry, None)
        if not waiting.entries:
            del section.waiting[key]
