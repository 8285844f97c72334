"""Schedule linked tasks on working days, and find the critical path. Pure functions.

Source: the critical path method with precedence diagramming (PMI, Practice Standard for
Scheduling): a forward pass over the links gives the earliest days, a backward pass from the finish
of the plan the latest ones; tasks between whose days there is no float are critical.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter

from chassis.domain.working_days import WorkingDays
from contracts.values import PlannedTask


@dataclass(frozen=True, slots=True)
class TaskDates:
    """Earliest and latest days of a task, by its links and the finish of the plan."""

    starts_on: date
    finishes_on: date
    latest_start: date
    latest_finish: date
    total_float: int
    """Working days by which the task may be late without moving the finish of the plan."""

    @property
    def critical(self) -> bool:
        """True if any delay of the task moves the finish of the plan."""
        return not self.total_float


class _Calendar:
    """The working days from a day on, by their number from 0."""

    def __init__(self, days: WorkingDays, first: date) -> None:
        self._days = days
        self._listed = [days.add(first, 0)]

    def number(self, day: date) -> int:
        """Return the number of a day, or of the next working day."""
        return self._days.between(self._listed[0], self._days.add(day, 0)) - 1

    def day(self, number: int) -> date:
        while len(self._listed) <= number:
            self._listed.append(self._days.add(self._listed[-1], 1))
        return self._listed[number]


def link_contradictions(tasks: Iterable[PlannedTask]) -> list[str]:
    """Return a sentence for each link to an unknown task, and for a cycle of links."""
    tasks = tuple(tasks)
    known = {task.task for task in tasks}
    wrong = [
        f"task {task.task} follows task {link.task}, which the plan does not list"
        for task in tasks
        for link in task.after
        if link.task not in known
    ]
    try:
        _in_order(tasks)
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        wrong.append(f"tasks follow each other in a circle: {cycle}")
    return wrong


def network(tasks: Sequence[PlannedTask], days: WorkingDays) -> Mapping[str, TaskDates]:
    """Return the dates of each task of a plan without contradictions, by task.

    A task takes as many working days as it has between its planned days, at least one. It starts on
    its planned start at the earliest, and where it follows other tasks as soon as they allow:
    finish-to-start means after the last day of the other one, start-to-start from its first day on,
    each plus a lag in working days (minus where it is negative).
    """
    if not tasks:
        return {}
    calendar = _Calendar(days, min(task.starts_on for task in tasks))
    by_id = {task.task: task for task in tasks}
    length = {task.task: max(days.between(task.starts_on, task.finishes_on), 1) for task in tasks}
    order = _in_order(tasks)
    start: dict[str, int] = {}
    for name in order:
        task = by_id[name]
        allowed = [calendar.number(task.starts_on)]
        for link in task.after:
            from_finish = length[link.task] if link.kind == "finish-to-start" else 0
            allowed.append(start[link.task] + from_finish + link.lag_days)
        start[name] = max(allowed)
    last = max(start[name] + length[name] - 1 for name in order)
    latest = {name: last - length[name] + 1 for name in order}
    for name in reversed(order):
        for link in by_id[name].after:
            from_finish = length[link.task] if link.kind == "finish-to-start" else 0
            latest[link.task] = min(latest[link.task], latest[name] - link.lag_days - from_finish)
    return {
        name: TaskDates(
            starts_on=calendar.day(start[name]),
            finishes_on=calendar.day(start[name] + length[name] - 1),
            latest_start=calendar.day(latest[name]),
            latest_finish=calendar.day(latest[name] + length[name] - 1),
            total_float=latest[name] - start[name],
        )
        for name in by_id
    }


def scheduled(tasks: Sequence[PlannedTask], days: WorkingDays) -> tuple[PlannedTask, ...]:
    """Return the tasks, those that follow others moved to the days that `network` gives."""
    dates = network(tasks, days)
    return tuple(
        task.model_copy(
            update={
                "starts_on": dates[task.task].starts_on,
                "finishes_on": dates[task.task].finishes_on,
            }
        )
        if task.after
        else task
        for task in tasks
    )


def _in_order(tasks: Iterable[PlannedTask]) -> list[str]:
    """Return the tasks, each after those that it follows; raises CycleError for a cycle."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    known = {task.task for task in tasks}
    for task in tasks:
        sorter.add(task.task, *(link.task for link in task.after if link.task in known))
    return list(sorter.static_order())
