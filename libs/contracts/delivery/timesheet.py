"""Define the events of time: a person's hours in a week on one engagement, entry by entry.

A person's week is one timesheet over all engagements. Each engagement records its part of it. Every
event is of one person and week, and holds its entries whole, so that no reader needs an earlier
event to understand it.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.decimals import CANONICAL
from contracts.event import Event
from contracts.money import invalid
from contracts.values import (
    Day,
    DistinctBy,
    Identifier,
    LineKind,
    PersonId,
    ProjectRole,
    ShortText,
    TotalHours,
    Value,
    Version,
    Week,
    YesNo,
)

MOST_ENTRIES = 200
"""Maximum number of entries of one person, week and engagement."""

HoursOfDay = Annotated[
    Decimal, Field(gt=0, le=24, max_digits=4, decimal_places=2, allow_inf_nan=False), CANONICAL
]
"""Hours of one entry: more than 0, at most 24, with up to two decimals."""


class TimeEntry(Value):
    """Hours on one task on one day."""

    entry: Identifier
    """Id of the time entry; no other entry of any person has it."""
    day: Day
    """Day of the work, where the person worked."""
    task: Identifier
    """Id of a task of the plan, or `initiation` or `project-management`.

    A task that is not in the plan is recorded, and is not approved as billable.
    """
    role: ProjectRole
    """Role on the engagement, such as `architect`, which the person holds."""
    hours: HoursOfDay
    """Hours worked."""
    billable: YesNo = True
    """True if the hours can be billed to the customer."""
    activity: ShortText | None = None
    """Kind of activity, such as `travel`; null where none is stated."""
    note: ShortText | None = None
    """Description of the work, as it appears on the time report; null where nothing is noted."""


class ApprovedEntry(TimeEntry):
    """A time entry as it was approved."""

    kind: LineKind = "delivery"
    """Kind of work, as the plan has it for the task."""
    line: Identifier | None = None
    """Id of the contract line, as the plan has it for the task; null where it names none."""


E = TypeVar("E", bound=TimeEntry)
Entries = Annotated[
    tuple[E, ...], Field(min_length=1, max_length=MOST_ENTRIES), DistinctBy("entry")
]
"""Different entries of one person, week and engagement, at least one."""


class PersonWeek(Value):
    """A person and a calendar week."""

    person: PersonId
    """Person who worked; another person may have submitted the entries (see `actor`)."""
    week: Week
    """Monday of the calendar week."""


class SubmittedWeek(PersonWeek):
    """Entries of a person's week on one engagement, as they were submitted."""

    entries: Entries[TimeEntry]
    """The entries, each with a day of the week."""

    @model_validator(mode="after")
    def _in_week(self) -> Self:
        _require_week(self.week, self.entries)
        return self


class ApprovedWeek(PersonWeek):
    """Entries of a person's week on one engagement, as they were approved."""

    entries: Entries[ApprovedEntry]
    """The approved entries, each with a day of the week."""

    @model_validator(mode="after")
    def _in_week(self) -> Self:
        _require_week(self.week, self.entries)
        return self


def _require_week(week: date, entries: Iterable[TimeEntry]) -> None:
    for place, entry in enumerate(entries):
        if not 0 <= (entry.day - week).days < 7:
            raise invalid(f"entries.{place}.day", f"must be in the week of {week}", entry.day)


class TimeSubmitted(SubmittedWeek, Event, channel=DELIVERY, consumed_by=("finance",)):
    """The entries of a person's week on the engagement were submitted for approval.

    Published by Delivery. They replace those of the same person and week that were submitted before
    and are neither approved nor rejected.
    """

    revision: Version
    """Revision of the timesheet, which each submission raises."""
    beyond_weekly_hours: TotalHours | None = None
    """Hours by which the whole week, over all engagements and internal codes, exceeds those that
    the person works in a week; null where it does not."""


class WeekMeasured(PersonWeek, Event, channel=DELIVERY):
    """A person's week became longer or shorter while entries of it wait for approval.

    Published by Delivery where hours on another engagement or an internal code were added or taken
    away. It replaces what was stated with the submission.
    """

    beyond_weekly_hours: TotalHours | None = None
    """Hours by which the whole week, over all engagements and internal codes, exceeds those that
    the person works in a week now; null where it does not."""


class TimeWithdrawn(SubmittedWeek, Event, channel=DELIVERY, consumed_by=("finance",)):
    """Submitted entries were taken back by the person before they were approved.

    Published by Delivery.
    """

    revision: Version
    """Revision of the timesheet that is taken back."""


class TimeApproved(ApprovedWeek, Event, channel=DELIVERY, consumed_by=("finance",)):
    """Submitted entries were approved.

    Published by Delivery. Finance accrues their cost and bills the billable ones.
    """

    why_not_billed: ShortText | None = None
    """Why entries that nothing covers were approved as cost; null where they are covered.

    All entries are not billable then.
    """


class TimeRejected(SubmittedWeek, Event, channel=DELIVERY, consumed_by=("finance",)):
    """Submitted entries were rejected; their hours are neither billed nor counted as cost.

    Published by Delivery. The person corrects the timesheet and submits it again.
    """

    why: ShortText
    """Reason for the rejection."""


class TimeReversed(ApprovedWeek, Event, channel=DELIVERY, consumed_by=("finance",)):
    """Approved entries were wrong and are taken back whole.

    Published by Delivery. Finance reverses their cost; what was billed is credited or billed again.
    The person's timesheet of the week is open again.
    """

    why: ShortText
    """Reason of the reversal."""
    reversed_on: Day
    """Day on which the mistake was found."""
