"""Run a week of work: who does it, hours logged, progress of tasks, status report."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.reference_data import CONSULTANTS
from local.demo.staffing import people_for

REPORT_EVERY = {"light": 4, "standard": 2, "critical": 1}
"""Weeks from one status report to the next, by the engagement's tier."""


@dataclass(slots=True)
class Work:
    """State of an engagement while its work is done: tasks, hours by role, invoices to be paid."""

    tasks: list[dict[str, Any]]
    changes: list[str] = field(default_factory=list)
    """Ids of the changes that are agreed."""
    worked: dict[str, Decimal] = field(default_factory=dict)
    to_pay: dict[str, tuple[date, dict[str, Any]]] = field(default_factory=dict)
    recognised_to: date | None = None
    finish: date = date.max
    reports: bool = True


def people(run: EngagementRun, role: str) -> tuple[str, ...]:
    """Return the people who do the work of a role on this engagement; the first does most of it."""
    if role == "project-manager":
        return (run.scenario.manager,)
    every = tuple(person for person, _, of in CONSULTANTS if of == role)
    return run.scenario.team.get(role, every)


def tier(run: EngagementRun) -> str:
    """Return the tier of an engagement of this size."""
    hours = run.scenario.hours
    return "light" if hours < 350 else "critical" if hours > 1100 else "standard"


async def allocate(run: EngagementRun, tasks: list[dict[str, Any]]) -> None:
    """Request the planned hours of each role, and allocate a person; again after a new plan."""
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
        await actors.act(
            "delivery",
            "allocate-resource",
            manager,
            request=request,
            person=people(run, role)[0],
            hours=wanted,
            commitment="hard",
        )


async def log_time(run: EngagementRun, work: Work, monday: date) -> None:
    """Log a week's planned hours of the active tasks, varied a little, 45 % more in an overrun."""
    effort = Decimal("1.45") if "overrun" in run.scenario.troubles else Decimal(1)
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
    for role, (task_id, hours) in sorted(by_role.items()):
        varied = hours * effort * Decimal(run.random.randrange(92, 107)) / 100
        rounded = (varied * 4).quantize(Decimal(1)) / 4
        helpers = people(run, role)[: people_for(float(rounded))]
        for each in helpers:
            share = rounded / len(helpers)
            if share > 0:
                await _log_one(run, each, role, task_id, monday, share)
        work.worked[role] = work.worked.get(role, Decimal(0)) + rounded


def _planned(task: dict[str, Any]) -> Decimal:
    return sum((Decimal(line["hours"]) for line in task["hours"]), Decimal(0))


async def _log_one(
    run: EngagementRun, person: str, role: str, task: str, monday: date, hours: Decimal
) -> None:
    actors = run.actors
    entry = f"T-{monday:%y%m%d}-{person}-{role}"
    await actors.act(
        "delivery",
        "submit-time",
        person,
        entry=entry,
        role=role,
        task=task,
        week=monday.isoformat(),
        hours=str(hours.quantize(Decimal("0.01"))),
    )
    approver = "paul" if person == run.scenario.manager else run.scenario.manager
    await actors.act("delivery", "approve-time", approver, entry=entry)


async def progress(run: EngagementRun, work: Work, week: int) -> None:
    """Record the progress of each active task, every second week or with every weekly report."""
    if week % min(2, REPORT_EVERY[tier(run)]):
        return
    slow = Decimal("0.8") if run.scenario.troubles & {"late", "overrun"} else Decimal(1)
    today = run.actors.today
    sunday = today + timedelta(days=6 - today.weekday())  # time is logged for whole weeks
    for task in work.tasks:
        starts, ends = (
            date.fromisoformat(task["starts_on"]),
            date.fromisoformat(task["finishes_on"]),
        )
        if starts > today or ends < today - timedelta(days=14):
            continue
        days = Decimal((min(sunday, ends) - starts).days + 1) / ((ends - starts).days + 1)
        complete = min(Decimal(100), (days * 100 * slow)).quantize(Decimal(1))
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
    schedule = "red" if late > 25 else "amber" if late else "green"
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
        cost="green",
        narrative=(
            "Two interfaces of the customer come later than agreed; we test with samples."
            if schedule != "green"
            else "Work goes on as planned; the next workshop is booked."
        ),
        forecast_finish=(work.finish + timedelta(days=late)).isoformat(),
        estimate_to_complete=str(left.quantize(Decimal("0.01"))),
    )
