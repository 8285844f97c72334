"""Submit the deliverables of a milestone, have them accepted, and reach it, on the due day."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from local.demo.billing import invoices
from local.demo.engagement_run import EngagementRun
from local.demo.mistakes import act_twice
from local.demo.staffing import working_days
from local.demo.working import Work

Milestone = dict[str, Any]
_LATE = timedelta(days=21)
"""Delay of the milestones after the first one in late engagements and in those that overrun."""


def plan_milestones(run: EngagementRun, work: Work) -> None:
    """Plan the steps that lead to each milestone of the baseline."""
    for place, milestone in enumerate(work.milestones):
        due = _workday_until(run, date.fromisoformat(milestone["due_on"]))
        slow = place > 0 and bool(run.scenario.troubles & {"late", "overrun"})
        day = due + _LATE if slow else due
        if slow:
            why = f"Milestone {milestone['title']} is missed: two interfaces came late."
            work.plan(due, partial(_miss, work, why))
        name = milestone["milestone"]
        work.plan(_workday_until(run, day - timedelta(days=3)), partial(_submit, run, work, name))
        work.plan(day, partial(_decide, run, work, name))


async def _miss(work: Work, why: str) -> None:
    work.missed = why


async def take_steps(run: EngagementRun, work: Work, until: date) -> None:
    """Take the planned steps up to a day, each on its day."""
    while step := work.next_step(until):
        await run.on(max(run.actors.today, step[0]))
        await step[1]()


def _owed(run: EngagementRun, work: Work, milestone: str) -> list[str]:
    """Return the deliverables of a milestone that are still owed."""
    owed = {each["deliverable"] for each in run.deliverables}
    planned = next(each for each in work.milestones if each["milestone"] == milestone)
    return [name for name in planned["deliverables"] if name in owed]


async def _submit(run: EngagementRun, work: Work, milestone: str) -> None:
    for name in _owed(run, work, milestone):
        await submit(run, name, f"{run.scenario.title}: {name}")


async def submit(run: EngagementRun, deliverable: str, content: str) -> None:
    """Submit a deliverable."""
    await run.actors.act(
        "delivery",
        "submit-deliverable",
        run.scenario.manager,
        deliverable=deliverable,
        content=content,
    )


async def _decide(run: EngagementRun, work: Work, milestone: str) -> None:
    """Have the deliverables of a milestone accepted, and reach it.

    In a scenario with a rejection, the first deliverable is rejected, and the milestone missed.
    """
    names = _owed(run, work, milestone)
    first = run.deliverables[0]["deliverable"]
    if run.scenario.rejection and first in names:
        others = [name for name in names if name != first]
        await accept(run, others)
        await _reject(run, first)
        title = run.deliverables[0]["title"]
        work.missed = f"The milestone is missed by a week: {title} has no export of two fields."
        today = run.actors.today
        again = f"{run.scenario.title}: {first}, second delivery"
        work.plan(today + timedelta(days=5), partial(submit, run, first, again))
        work.plan(
            today + timedelta(days=7), partial(_accept_and_reach, run, work, milestone, [first], 2)
        )
        return
    await _accept_and_reach(run, work, milestone, names)


async def _accept_and_reach(
    run: EngagementRun, work: Work, milestone: str, names: list[str], submission: int = 1
) -> None:
    owed = _owed(run, work, milestone)
    await accept(run, [name for name in names if name in owed], submission)
    why = "One of its deliverables was still missing."
    await act_twice(run, "reach-milestone", "withdraw-milestone", {"milestone": milestone}, why)
    if names:
        await invoices(run, work)


async def _reject(run: EngagementRun, deliverable: str) -> None:
    await run.actors.act(
        "delivery",
        "reject-deliverable",
        run.scenario.manager,
        deliverable=deliverable,
        submission=1,
        rejected_by=run.sponsor,
        why="Two of the agreed fields are missing in the export.",
    )


async def accept(run: EngagementRun, deliverables: list[str], submission: int = 1) -> None:
    """Record that the sponsor accepts deliverables."""
    for name in deliverables:
        acceptance = {
            "deliverable": name,
            "submission": submission,
            "accepted_by": run.sponsor,
        }
        why = "The letter accepted another deliverable."
        await act_twice(run, "accept-deliverable", "withdraw-acceptance", acceptance, why)


def _workday_until(run: EngagementRun, day: date) -> date:
    """Return a day, or the last working day before it."""
    days = working_days(run.scenario.home)
    return day if days.is_working(day) else days.add(day, -1)
