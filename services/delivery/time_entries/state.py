"""State of the time on an engagement: entries that wait, and totals of the approved ones.

An entry that is decided leaves the state; the timesheet of its person and week keeps it. So the
state grows with the weeks in progress, the tasks and the days before the contract takes effect.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import (
    ApprovedEntry,
    PersonWeek,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
    WeekMeasured,
)
from contracts.event import Recorded
from contracts.legal import EngagementImported, SowDrafted, SowSigned
from contracts.values import LineKind
from delivery.quantities import ZERO

HoursByRole = Mapping[str, Decimal]
"""Hours by role."""


class WaitingWeek(PersonWeek):
    """The entries of a person's week that are neither approved nor rejected.

    `submitted_by` are the person who submitted them and, if that was a stand-in, whom they act for.
    `beyond_weekly_hours` are those of the whole week beyond the person's weekly hours, as the
    timesheet stated last.
    `submitted_on` is the day (UTC) of the last submission.
    """

    revision: int
    beyond_weekly_hours: Decimal | None
    submitted_on: date
    submitted_by: tuple[str, ...]
    entries: tuple[TimeEntry, ...]

    def without(self, entries: Iterable[TimeEntry]) -> "WaitingWeek":
        """Return the week without some of its entries."""
        gone = {each.entry for each in entries}
        left = tuple(each for each in self.entries if each.entry not in gone)
        return self.model_copy(update={"entries": left})


class Time(Part):
    """Entries that wait for approval by person and week, and totals of approved hours.

    `before_contract` has the approved billable hours by day and role of days that no signed
    contract covers, which the caps of early starts limit. `covered_from` is the effective day of
    the signed contract or of one that was taken over, `effective` has that of each version of the
    statement of work.
    """

    waiting: dict[str, WaitingWeek] = {}
    by_task: dict[str, Decimal] = {}
    by_kind: dict[LineKind, Decimal] = {}
    before_contract: dict[date, dict[str, Decimal]] = {}
    effective: dict[int, date] = {}
    covered_from: date | None = None

    @on_event
    def _drafted(self, event: SowDrafted) -> Self:
        return self.updated(effective={**self.effective, event.version: event.effective_on})

    @on_event
    def _signed(self, event: SowSigned) -> Self:
        return self._covered_from(self.effective.get(event.version, event.signed_on))

    @on_event
    def _contract_imported(self, event: EngagementImported) -> Self:
        return self._covered_from(event.effective_on)

    def _covered_from(self, since: date) -> Self:
        earlier = {day: hours for day, hours in self.before_contract.items() if day < since}
        return self.updated(covered_from=since, before_contract=earlier)

    @on_event
    def _submitted(self, recorded: Recorded[TimeSubmitted]) -> Self:
        event = recorded.event
        by = (recorded.actor, recorded.on_behalf_of)
        week = WaitingWeek(
            person=event.person,
            week=event.week,
            revision=event.revision,
            beyond_weekly_hours=event.beyond_weekly_hours,
            submitted_on=recorded.occurred_at.date(),
            submitted_by=tuple(each for each in by if each is not None),
            entries=event.entries,
        )
        return self.updated(waiting={**self.waiting, sheet_of(event): week})

    @on_event
    def _measured(self, event: WeekMeasured) -> Self:
        name = sheet_of(event)
        update = {"beyond_weekly_hours": event.beyond_weekly_hours}
        week = self.waiting[name].model_copy(update=update)
        return self.updated(waiting={**self.waiting, name: week})

    @on_event
    def _decided(self, event: TimeWithdrawn | TimeRejected | TimeApproved) -> Self:
        name = sheet_of(event)
        left = self.waiting[name].without(event.entries)
        others = {key: each for key, each in self.waiting.items() if key != name}
        return self.updated(waiting={**others, name: left} if left.entries else others)

    @on_event
    def _approved(self, event: TimeApproved) -> Self:
        return self._counted(event.entries, 1)

    @on_event
    def _reversed(self, event: TimeReversed) -> Self:
        return self._counted(event.entries, -1)

    @property
    def approved_hours(self) -> Decimal:
        """Return all approved hours, without those that were reversed."""
        return sum(self.by_kind.values(), ZERO)

    def outside_contract(self) -> HoursByRole:
        """Return the approved billable hours by role that no contract covers."""
        return total_by_role(
            (role, hours)
            for by_role in self.before_contract.values()
            for role, hours in by_role.items()
        )

    def _counted(self, entries: Iterable[ApprovedEntry], sign: int) -> Self:
        """Return the state with the hours of entries added to its totals, or taken away."""
        by_task, by_kind, by_day = dict(self.by_task), dict(self.by_kind), self.before_contract
        for entry in entries:
            hours = sign * entry.hours
            by_task[entry.task] = by_task.get(entry.task, ZERO) + hours
            by_kind[entry.kind] = by_kind.get(entry.kind, ZERO) + hours
            if entry.billable and (self.covered_from is None or entry.day < self.covered_from):
                of_day = by_day.get(entry.day, {})
                by_role = {**of_day, entry.role: of_day.get(entry.role, ZERO) + hours}
                by_day = {**by_day, entry.day: by_role}
        return self.updated(
            by_task={task: hours for task, hours in by_task.items() if hours},
            by_kind={kind: hours for kind, hours in by_kind.items() if hours},
            before_contract=by_day,
        )


def sheet_of(week: PersonWeek) -> str:
    """Return the subject of the timesheet of a person and week."""
    return f"{week.person}.{week.week}"


def total_by_role(hours: Iterable[tuple[str, Decimal]]) -> HoursByRole:
    """Return the sum of hours by role."""
    totals: dict[str, Decimal] = {}
    for role, number in hours:
        totals[role] = totals.get(role, ZERO) + number
    return totals
