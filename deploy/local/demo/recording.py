"""Record the time of a week on an engagement: submit it on people's sheets, and decide on it."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import ROUND_CEILING, Decimal

from local.demo.driver import CommandRefused
from local.demo.engagement_run import EngagementRun
from local.demo.staffing import DAY, QUARTER, days_of, spread
from local.demo.timesheets import Hours, Lines, sheet_id

Logged = Mapping[str, Lines]
"""Lines of a week on the engagement, by person."""


def lines_of(
    run: EngagementRun, person: str, role: str, task: str, monday: date, hours: Decimal
) -> Lines:
    """Return lines with a person's hours on a task, on days for which the person is reserved.

    They come after the hours of the role that the person's sheet has.
    """
    engagement = run.actors.engagement
    share = run.scenario.team[role].get(monday, {}).get(person)
    before = run.actors.driver.timesheets.lines(person, monday, engagement)
    used = sum((Decimal(each["hours"]) for each in before if each["role"] == role), Decimal(0))
    after = Decimal(share.after if share else 0) / QUARTER
    return tuple(
        {
            "day": day.isoformat(),
            "task": task,
            "role": role,
            "hours": str(part),
        }
        for day, part in spread(
            person,
            run.scenario.home,
            monday,
            hours,
            after.to_integral_value(ROUND_CEILING) * QUARTER + used,
        )
    )


async def record(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Submit the lines of a week, and approve them."""
    await submit(run, monday, logged)
    await approve(run, monday, logged)
    run.recorded |= dict.fromkeys((person, monday) for person in logged)


async def submit(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Add the lines to the people's sheets, which are then submitted."""
    for person, lines in logged.items():
        run.actors.driver.timesheets.log(person, monday, run.actors.engagement, lines)
    await run.actors.later()


async def approve(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Approve the week: the manager that of the others, the PMO director that of the manager."""
    weeks: dict[str, list[dict[str, str]]] = {}
    for person in logged:
        weeks.setdefault(_approver(run, person), []).append(_week(person, monday))
    for approver, bodies in weeks.items():
        await run.actors.act_on_many("delivery", "approve-time", approver, bodies)


async def approve_as_cost(run: EngagementRun, monday: date, logged: Logged, why: str) -> None:
    """Let the PMO director approve hours of a week that the customer does not pay."""
    for person in logged:
        week = _week(person, monday)
        await run.actors.act("delivery", "approve-time-as-cost", "paul", **week, why_not_billed=why)


def _approver(run: EngagementRun, person: str) -> str:
    return "paul" if person == run.scenario.manager else run.scenario.manager


def _week(person: str, monday: date) -> dict[str, str]:
    return {"person": person, "week": monday.isoformat()}


async def _correct(run: EngagementRun, monday: date, person: str, lines: Lines) -> None:
    """Submit other lines of a person in place of those that were."""
    run.actors.driver.timesheets.forget(person, monday, run.actors.engagement)
    await submit(run, monday, {person: lines})


async def _rejected(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Let someone enter the hours of the whole week, which are rejected and corrected.

    With a training the week is too long, until they take that back.
    """
    person, lines = next(iter(logged.items()))
    days = days_of(person, run.scenario.home, monday)
    whole = tuple(
        {
            **lines[0],
            "day": day.isoformat(),
            "hours": str(DAY),
        }
        for day in days
    )
    await submit(run, monday, {**logged, person: whole})
    await _trained(run, person, monday, days)
    why = "These are the hours of the whole week, not those of this engagement."
    week = _week(person, monday)
    await run.actors.act("delivery", "reject-time", _approver(run, person), **week, why=why)
    await _correct(run, monday, person, lines)
    await approve(run, monday, logged)


async def _trained(run: EngagementRun, person: str, monday: date, days: Sequence[date]) -> None:
    """Let someone enter a training on some days, and withdraw it.

    Nothing more happens where another engagement of the week does the same at the same time.
    """
    entries = [{"day": day.isoformat(), "hours": "2"} for day in days]
    commands: Iterable[tuple[str, Mapping[str, object]]] = (
        ("save-timesheet", {"internal": [{"code": "training", "entries": entries}]}),
        ("submit-timesheet", {}),
        ("withdraw-timesheet", {"internal": ["training"]}),
        ("save-timesheet", {"internal": [{"code": "training", "entries": []}]}),
    )
    sheet = sheet_id(person, monday)
    with suppress(CommandRefused):
        for command, body in commands:
            await run.actors.driver.act_on_timesheet(person, sheet, command, body)


async def _withdrawn(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Let someone withdraw a week that was submitted with another task, and submit it again."""
    person, lines = next(iter(logged.items()))
    wrong = tuple({**line, "task": "initiation"} for line in lines)
    await submit(run, monday, {**logged, person: wrong})
    await run.actors.driver.act_on_timesheet(
        person,
        sheet_id(person, monday),
        "withdraw-timesheet",
        {"engagements": [run.actors.engagement]},
    )
    await _correct(run, monday, person, lines)
    await approve(run, monday, logged)


async def _reversed(run: EngagementRun, monday: date, logged: Logged) -> None:
    """Reverse the approved entries of someone, who then enters them with what was done."""
    await record(run, monday, logged)
    person = next(iter(logged))
    entries = [entry for entry, _ in await _approved(run, person, monday)]
    await redo(run, person, monday, entries)


async def redo(run: EngagementRun, person: str, monday: date, entries: Collection[str]) -> None:
    """Reverse approved entries of a person's week, and record them with what was done."""
    lines = tuple(
        {**line, "note": "Tests of the interface"}
        for entry, line in await _approved(run, person, monday)
        if entry in entries
    )
    why = "The customer's time report needs to say what was done."
    await run.actors.driver.act_on_timesheet(
        _approver(run, person),
        sheet_id(person, monday),
        "reverse-time",
        {"entries": [*entries], "why": why},
    )
    await record(run, monday, {person: lines})


async def approved_entries(run: EngagementRun) -> list[tuple[str, date, str]]:
    """Return the approved entries of the engagement: the person, the Monday and the id of each.

    Those that were recorded again are left out.
    """
    return [
        (person, monday, entry)
        for person, monday in run.recorded
        for entry, line in await _approved(run, person, monday)
        if line["note"] is None
    ]


async def _approved(run: EngagementRun, person: str, monday: date) -> list[tuple[str, Hours]]:
    """Return the approved entries of a person's week on the engagement, with their ids."""
    seen = await run.actors.driver.read(
        "delivery", f"/timesheets/{sheet_id(person, monday)}", _approver(run, person), {}
    )
    return [
        (entry["entry"], {name: entry[name] for name in ("day", "task", "role", "hours", "note")})
        for line in seen.json()["lines"]
        if line["engagement"] == run.actors.engagement
        for entry in line["entries"]
        if entry["status"] == "approved"
    ]


MISTAKES: Mapping[int, Callable[[EngagementRun, date, Logged], Awaitable[None]]] = {
    2: _rejected,
    3: _withdrawn,
    4: _reversed,
}
"""The mistake that is made with the time of a week, by its number from 1."""
