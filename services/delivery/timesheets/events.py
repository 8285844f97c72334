"""Internal events of a timesheet, and the entries that they contain."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from chassis.domain.internal import Internal
from chassis.domain.pending import Refusal
from contracts.delivery import ApprovedEntry, HoursOfDay, TimeEntry
from contracts.values import (
    FIRST_DAY,
    LAST_DAY,
    Day,
    Hours,
    Identifier,
    LineKind,
    ProjectRole,
    ShortText,
    TotalHours,
    Value,
    Version,
    YesNo,
)

InternalCode = Literal["leave", "training", "presales", "other"]
"""Code of time that belongs to no engagement."""


def _of_a_week(subject: str) -> str:
    try:
        monday = date.fromisoformat(subject[-10:])
    except ValueError:
        raise ValueError("must end in a day that exists") from None
    if monday.weekday() or not FIRST_DAY <= monday <= LAST_DAY:
        raise ValueError("must end in a Monday, the first day of the week")
    return subject


TimesheetId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=75
    ),
    AfterValidator(_of_a_week),
    Field(examples=["dev.2026-04-06"]),
]
"""Subject of a timesheet: the person and the Monday of the week."""


class DraftEntry(Value):
    """Hours of a day: on a task of an engagement or, without a task, for an internal code."""

    day: Day
    task: Identifier | None = None
    role: ProjectRole | None = None
    hours: HoursOfDay
    billable: YesNo = True
    activity: ShortText | None = None
    note: ShortText | None = None


EntryStatus = Literal["requested", "waiting", "approved", "reversing"]
"""Status of an entry: its engagement is asked to take it; it waits for approval; it is approved;
its engagement is asked to reverse it."""


class SheetEntry(DraftEntry):
    """An entry that was submitted, with its id; kind and line are known once it is approved."""

    entry: Identifier
    status: EntryStatus
    kind: LineKind = "delivery"
    line: Identifier | None = None


class ReturnedEntry(DraftEntry):
    """An entry that was rejected or reversed, and why."""

    entry: Identifier
    how: Literal["rejected", "reversed"]
    why: ShortText


class SavedLine(Value):
    """The draft of a line: an engagement or an internal code, which `name` is the id of."""

    name: str
    entries: tuple[DraftEntry, ...]


class SubmittedLine(Value):
    """The entries of a line that were submitted, and the ids of those that they replace."""

    name: str
    entries: tuple[SheetEntry, ...]
    replaces: tuple[Identifier, ...] = ()


class TimesheetSaved(Internal):
    """The drafts of lines were saved, in place of those before; an empty one is dropped."""

    lines: tuple[SavedLine, ...]


class TimesheetSubmitted(Internal):
    """The drafts were submitted: engagements are asked to take theirs."""

    revision: Version
    weekly_hours: Hours
    """Hours that the person works in a week by their record."""
    beyond_weekly_hours: TotalHours | None = None
    """Hours of the whole week that exceed them, of which the engagements are told."""
    lines: tuple[SubmittedLine, ...]


class TimeTaken(Internal):
    """An engagement recorded the entries of the last submission, with their roles."""

    engagement: str
    entries: tuple[TimeEntry, ...]
    replaced: tuple[Identifier, ...]


class WeekTold(Internal):
    """Engagements are told by how many hours the week exceeds the person's weekly hours now."""

    number: Version
    beyond_weekly_hours: TotalHours | None
    engagements: tuple[str, ...]


class WeekNoted(Internal):
    """An engagement has noted how long the week is."""

    engagement: str


class WithdrawalBegun(Internal):
    """Entries that wait are taken back: engagements are asked to give back theirs."""

    number: Version
    lines: tuple[str, ...]


class TimeGivenBack(Internal):
    """Entries were given back; those that are not named were approved or rejected before."""

    name: str
    entries: tuple[Identifier, ...]


class DecisionNoted(Internal):
    """Entries were approved, or rejected and why."""

    approved: tuple[ApprovedEntry, ...] = ()
    rejected: tuple[Identifier, ...] = ()
    why: ShortText | None = None


class InternalTimeApproved(Internal):
    """Entries of internal codes were approved."""

    entries: tuple[Identifier, ...]


class ReversalBegun(Internal):
    """Engagements are asked to reverse approved entries."""

    number: Version
    entries: tuple[Identifier, ...]


class TimeReopened(Internal):
    """Approved entries were reversed: the right ones may be saved and submitted."""

    entries: tuple[Identifier, ...]
    why: ShortText


class TimesheetRefused(Internal):
    """An engagement refused what it was asked for."""

    engagement: str
    refusal: Refusal
