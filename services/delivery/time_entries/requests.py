"""Name what timesheets request of engagements: take, give back and reverse time, measure a week."""

from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command
from contracts.delivery import ApprovedWeek, Entries, PersonWeek, TimeEntry
from contracts.values import Day, Identifier, ProjectRole, ShortText, TotalHours, Version

MOST_NAMED = 1_000
EntryIds = Annotated[tuple[Identifier, ...], Field(max_length=MOST_NAMED)]
"""Ids of time entries."""


class RecordedEntry(TimeEntry):
    """A time entry of a timesheet, with or without its role."""

    role: ProjectRole | None = None  # type: ignore[assignment]
    """Role on the engagement; null where it follows from the allocation or the task."""


class TakeTime(PersonWeek, Command):
    """Record the entries of a revision of a person's timesheet.

    `replaces` are the entries that wait for approval and are replaced. `beyond_weekly_hours` are
    the hours of the whole week that exceed the person's weekly hours.
    """

    revision: Version
    beyond_weekly_hours: TotalHours | None = None
    entries: Entries[RecordedEntry]
    replaces: EntryIds = ()


class MeasureWeek(PersonWeek, Command):
    """Record by how many hours a week with entries that wait exceeds the person's weekly hours."""

    beyond_weekly_hours: TotalHours | None = None


class GiveBackTime(PersonWeek, Command):
    """Give back those entries that are neither approved nor rejected."""

    revision: Version
    entries: EntryIds


class TakeBackTime(ApprovedWeek, Command):
    """Reverse approved entries; the timesheet gives each one once."""

    why: ShortText
    reversed_on: Day
