"""Run a week of work: who does it, hours logged, progress of tasks, status report."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from operator import itemgetter
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.recording import MISTAKES, lines_of, record
from local.demo.staffing import QUARTER, Share
from local.demo.timesheets import Lines

REPORT_EVERY = {"light": 4, "standard": 2, "critical": 1}
"""Weeks from one status report to the next, by the engagement's tier."""


Step = tuple[date, Callable[[], Awaitable[None]]]
"""A day, and what is done on it."""


@dataclass(slots=True)
class Work:
    """State of an engagement while its work is done: tasks, hours by role, invoices to be paid."""

    tasks: list[dict[str, Any]]
    milestones: list[dict[str, Any]]
    changes: list[str] = field(default_factory=list)
    """Ids of the changes that are agreed."""
    left: dict[str, Decimal] = field(default_factory=dict)
    """Hours by role for which no one had time yet."""
    agenda: list[Step] = field(default_factory=list)
    """Steps on days to come, beside the work of each week."""
    done: set[str] = field(default_factory=set)
    """Ids of the tasks that are known to be complete."""
    missed: str | None = None
    """Why a milestone was missed, until it is reported."""
    voided: bool = False
    """True if an invoice was voided."""
    corrected: bool = False
    """True if billed time was corrected."""
    payments: int = 0
    """Number of payments of the customer."""
    to_pay: dict[str, tuple[date, dict[str, Any]]] = field(default_factory=dict)
    recognised_to: date | None = None
    finish: date = date.max

    def plan(self, day: date, act: Callable[[], Awaitable[None]]) -> None:
        """Plan a step for a day."""
        self.agenda.append((day, act))

    def next_step(self, until: date) -> Step | None:
        """Remove and return the earliest step up to a day, or None if there is none."""
        due = [each for each in self.agenda if each[0] <= until]
        if not due:
            return None
        step = min(due, key=itemgetter(0))
        self.agenda.remove(step)
        return step


def people(run: EngagementRun, role: str, monday: date) -> tuple[str, ...]:
    """Return the people of a role who work on the engagement in a week.

    In a week without any, they are those of all weeks.
    """
    by_week = run.scenario.team[role]
    return tuple(by_week.get(monday) or _over_all_weeks(by_week))


def _over_all_weeks(by_week: Mapping[date, Mapping[str, Share]]) -> dict[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for of_week in by_week.values():
        for person, share in of_week.items():
            total[person] += Decimal(share.hours)
    return dict(total)


def _shares(
    hours: Decimal, most: Mapping[str, Decimal], unit: Decimal
) -> Iterator[tuple[str, Decimal]]:
    """Yield each person's part of the hours, in whole units, in proportion to the most they have.

    What is left by rounding goes to those who have more time, and the rest of it to the first one.
    """
    total, parts = sum(most.values(), Decimal(0)), {}
    for person, weight in most.items():
        part = hours * weight / total
        parts[person] = (part / unit).to_integral_value(ROUND_FLOOR) * unit
    left = hours - sum(parts.values())
    for person, part in parts.items():
        more = min(most[person] - part, left)
        parts[person] += more
        left -= more
    for person, part in parts.items():
        if part + left > 0:
            yield person, part + left
        left = Decimal(0)


def tier(run: EngagementRun) -> str:
    """Return the tier of an engagement of this size."""
    hours = run.scenario.hours
    return "light" if hours < 350 else "critical" if hours > 1100 else "standard"


async def allocate(run: EngagementRun, tasks: list[dict[str, Any]]) -> None:
    """Request the planned hours of each role, and allocate its people; again after a new plan."""
    actors, manager = run.actors, run.scenario.manager
    share = Decimal("0.6") if "underallocated" in run.scenario.troubles else Decimal(1)
    by_role: dict[str, Decimal] = {}
    for task in tasks:
        for line in task["hours"]:
            by_role[line["role"]] = by_role.get(line["role"], Decimal(0)) + Decimal(line["hours"])
    for role, hours in sorted(by_role.items()):
        wanted = str((hours * share).quantize(Decimal("0.01")))
        request = f"Q-{role}"
        if request not in run.requests:
            run.requests.add(request)
            await actors.act(
                "delivery",
                "request-resource",
                manager,
                request=request,
                role=role,
                hours=wanted,
                starts_on=run.starts_on.isoformat(),
                finishes_on=run.finishes_on.isoformat(),
            )
        by_week = run.scenario.team[role]
        most = {person: round(each, 2) for person, each in _over_all_weeks(by_week).items()}
        for person, part in _shares(Decimal(wanted), most, Decimal("0.01")):
            weeks = [monday for monday, of_week in by_week.items() if person in of_week]
            first, last = max(run.starts_on, min(weeks)), max(weeks) + timedelta(days=6)
            # The mistake of a manager: all hours in the first week, corrected at once.
            mistaken = [first + timedelta(days=6)] if run.scenario.mistakes else []
            for finish in (*mistaken, last):
                await actors.act(
                    "delivery",
                    "allocate-resource",
                    manager,
                    request=request,
                    person=person,
                    hours=str(part),
                    starts_on=first.isoformat(),
                    finishes_on=finish.isoformat(),
                    commitment="hard",
                )


async def log_time(run: EngagementRun, work: Work, monday: date) -> None:
    """Log a week's planned hours of the active tasks, varied a little, 45 % more in an overrun.

    Hours for which no one has time are left to the next week. In a scenario with mistakes, people
    make one each in the second, third and fourth week, and correct it.
    """
    effort = Decimal("1.45") if "overrun" in run.scenario.troubles else Decimal(1)
    logged: dict[str, Lines] = {}
    for role, (task, hours) in sorted(_due(work, monday).items()):
        varied = hours * effort * Decimal(run.random.randrange(92, 107)) / 100
        wanted = work.left.pop(role, Decimal(0)) + _in_quarters(varied)
        helpers = run.scenario.team[role].get(monday, {})
        most = {person: _whole_quarters(share.hours) for person, share in helpers.items()}
        rounded = min(wanted, sum(most.values(), Decimal(0)))
        if wanted > rounded:
            work.left[role] = wanted - rounded
        for person, part in _shares(rounded, most, QUARTER):
            mine = lines_of(run, person, role, task, monday, part)
            logged[person] = (*logged.get(person, ()), *mine)
    week = (monday - run.starts_on).days // 7 + 1
    mistake = MISTAKES.get(week) if run.scenario.mistakes else None
    await (mistake if mistake is not None and logged else record)(run, monday, logged)


def _in_quarters(hours: Decimal) -> Decimal:
    return (hours / QUARTER).quantize(Decimal(1)) * QUARTER


def _whole_quarters(hours: float) -> Decimal:
    return (Decimal(hours) / QUARTER).to_integral_value(ROUND_FLOOR) * QUARTER


def _due(work: Work, monday: date) -> dict[str, tuple[str, Decimal]]:
    """Return by role a task and the planned hours of a week."""
    sunday = monday + timedelta(days=6)
    by_role: dict[str, tuple[str, Decimal]] = {}
    for task in work.tasks:
        starts, ends = (
            date.fromisoformat(task["starts_on"]),
            date.fromisoformat(task["finishes_on"]),
        )
        overlap = (min(ends, sunday) - max(starts, monday)).days + 1
        if overlap <= 0:
            continue
        for line in task["hours"]:
            planned = Decimal(line["hours"]) * overlap / ((ends - starts).days + 1)
            name, hours = by_role.get(line["role"], (task["task"], Decimal(0)))
            by_role[line["role"]] = (name, hours + planned)
    return by_role


def _planned(task: dict[str, Any]) -> Decimal:
    return sum((Decimal(line["hours"]) for line in task["hours"]), Decimal(0))


async def progress(run: EngagementRun, work: Work, week: int) -> None:
    """Record the progress of each active task that has changed, in the weeks of reports."""
    if week % REPORT_EVERY[tier(run)] and week != run.scenario.weeks:
        return
    slow = Decimal("0.8") if run.scenario.troubles & {"late", "overrun"} else Decimal(1)
    today = run.actors.today
    sunday = today + timedelta(days=6 - today.weekday())  # time is logged for whole weeks
    for task in work.tasks:
        starts, ends = (
            date.fromisoformat(task["starts_on"]),
            date.fromisoformat(task["finishes_on"]),
        )
        if starts > sunday or task["task"] in work.done:
            continue
        days = Decimal((min(sunday, ends) - starts).days + 1) / ((ends - starts).days + 1)
        complete = min(Decimal(100), (days * 100 * slow)).quantize(Decimal(1))
        if complete == 100:
            work.done.add(task["task"])
        remaining = (_planned(task) * (100 - complete) / 100).quantize(Decimal("0.01"))
        await run.actors.act(
            "delivery",
            "progress-task",
            run.scenario.manager,
            task=task["task"],
            complete=str(complete),
            remaining_hours=str(remaining),
        )


async def report(run: EngagementRun, work: Work, week: int) -> None:
    """Publish the status report with the manager's colours; none for the trouble "silent"."""
    scenario, actors = run.scenario, run.actors
    if "silent" in scenario.troubles and week > 4:
        return
    late = 10 + 2 * week if "late" in scenario.troubles and week > 3 else 0
    schedule = "red" if late > 25 else "amber" if late or work.missed else "green"
    if not scenario.troubles and scenario.seed % 5 == 0 and week < scenario.weeks // 2:
        schedule = "amber"
    total = sum((_planned(task) for task in work.tasks), Decimal(0))
    left = total * (scenario.weeks - week) / scenario.weeks
    await actors.act(
        "delivery",
        "publish-status-report",
        scenario.manager,
        scope="green",
        schedule=schedule,
        cost="amber" if late else "green",
        narrative=work.missed
        or (
            "Two interfaces of the customer come later than agreed; we test with samples."
            if schedule != "green"
            else "Work goes on as planned; the next workshop is booked."
        ),
        forecast_finish=(work.finish + timedelta(days=late)).isoformat(),
        estimate_to_complete=str(left.quantize(Decimal("0.01"))),
    )
    work.missed = None
