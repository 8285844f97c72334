"""State of time entries and expenses."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    PlanBaselined,
    PlanDrafted,
    TimeApproved,
    TimeRejected,
    TimeSubmitted,
)
from contracts.event import Recorded
from contracts.values import Identifier, LineKind, PlannedTask, Value
from delivery.quantities import ZERO

TASKS_BEFORE_BASELINE: dict[str, LineKind] = {
    "initiation": "delivery",
    "project-management": "project-management",
}
"""Tasks that accept time before the first baseline, and the kind of work each one is."""


class Task(Value):
    """The kind of work of a task, and the contract line that pays for it, where one is named."""

    kind: LineKind
    line: Identifier | None = None


class WaitingTime(Value):
    """A time entry that is neither approved nor rejected, who submitted it, and its task."""

    submitted: TimeSubmitted
    submitted_by: str
    task: Task


class Timesheet(Part):
    """Time entries that await approval, decided entries, totals of hours, and expenses.

    `weeks` counts waiting and approved hours by person and week (its Monday), `roles` by role and
    week; `by_task` and `by_kind` count approved hours only. `tasks` are those of the baseline,
    before the first one those of the newest draft.
    """

    waiting: dict[str, WaitingTime] = {}
    decided: dict[str, Literal["approved", "rejected"]] = {}
    weeks: dict[str, dict[date, Decimal]] = {}
    roles: dict[str, dict[date, Decimal]] = {}
    by_task: dict[str, Decimal] = {}
    by_kind: dict[LineKind, Decimal] = {}
    expenses: Annotated[dict[str, ExpenseApproved], Keep("expense")] = {}
    tasks: dict[str, Task] = {}
    is_baselined: bool = False

    @on_event
    def _drafted(self, event: PlanDrafted) -> Self:
        return self if self.is_baselined else self.updated(tasks=_tasks(event.tasks))

    @on_event
    def _baselined(self, event: PlanBaselined) -> Self:
        return self.updated(tasks=_tasks(event.tasks), is_baselined=True)

    @on_event
    def _submitted(self, recorded: Recorded[TimeSubmitted]) -> Self:
        event = recorded.event
        task = self.tasks.get(event.task) or Task(
            kind=TASKS_BEFORE_BASELINE.get(event.task, "delivery")
        )
        entry = WaitingTime(submitted=event, submitted_by=recorded.actor, task=task)
        waiting = {**self.waiting, event.entry: entry}
        return self.updated(waiting=waiting, **self._with_hours(event, event.hours))

    @on_event
    def _approved(self, event: TimeApproved) -> Self:
        return self._decided(event.entry, "approved").updated(
            by_task={**self.by_task, event.task: self.by_task.get(event.task, ZERO) + event.hours},
            by_kind={**self.by_kind, event.kind: self.by_kind.get(event.kind, ZERO) + event.hours},
        )

    @on_event
    def _rejected(self, event: TimeRejected) -> Self:
        submitted = self.waiting[event.entry].submitted
        logged = self._with_hours(submitted, -submitted.hours)
        return self._decided(event.entry, "rejected").updated(**logged)

    @property
    def approved_hours(self) -> Decimal:
        """Return all approved hours."""
        return sum(self.by_kind.values(), ZERO)

    def in_week(self, person: str, week: date) -> Decimal:
        """Return the hours that a person logged in a week, without rejected ones."""
        return self.weeks.get(person, {}).get(week, ZERO)

    def before(self, day: date | None, *, after: date | None = None) -> dict[str, Decimal]:
        """Return waiting and approved hours by role, of weeks between two days.

        The weeks ended before `day` and began after `after`. A bound that is None excludes no week.
        """
        return {
            role: sum(
                (
                    hours
                    for week, hours in weeks.items()
                    if (day is None or last_day(week) < day) and (after is None or week > after)
                ),
                ZERO,
            )
            for role, weeks in self.roles.items()
        }

    def _with_hours(
        self, entry: TimeSubmitted, hours: Decimal
    ) -> dict[str, dict[str, dict[date, Decimal]]]:
        """Return the fields that count hours by week, with some added to an entry's week."""
        return {
            "weeks": _added(self.weeks, entry.person, entry.week, hours),
            "roles": _added(self.roles, entry.role, entry.week, hours),
        }

    def _decided(self, entry: str, decision: Literal["approved", "rejected"]) -> Self:
        waiting = {name: each for name, each in self.waiting.items() if name != entry}
        return self.updated(waiting=waiting, decided={**self.decided, entry: decision})


def _added(
    weeks: dict[str, dict[date, Decimal]], name: str, week: date, hours: Decimal
) -> dict[str, dict[date, Decimal]]:
    known = weeks.get(name, {})
    return {**weeks, name: {**known, week: known.get(week, ZERO) + hours}}


def last_day(week: date) -> date:
    """Return the Sunday of a week that is given by its Monday."""
    return week + timedelta(days=6)


def _tasks(tasks: Iterable[PlannedTask]) -> dict[str, Task]:
    return {task.task: Task(kind=task.kind, line=task.line) for task in tasks}
