"""Keep the RAID log of an engagement: risks, issues, actions, assumptions and decisions."""

from datetime import timedelta
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.mistakes import act_twice

_RISK: dict[str, Any] = {
    "item": "R-1",
    "title": "Key users are busy with the year's end",
    "probability": "30",
    "impact": "medium",
    "response": "Workshops are booked six weeks ahead.",
}
_ACTION: dict[str, Any] = {"item": "A-1", "title": "Name the testers of each department"}
_ASSUMPTION: dict[str, Any] = {
    "item": "AS-1",
    "title": "The customer's test system has a copy of real data",
}
_ISSUE: dict[str, Any] = {
    "item": "I-1",
    "title": "The test system is reset every night",
    "severity": "low",
}


async def begin_log(run: EngagementRun) -> None:
    """Raise a risk, an action and an assumption at the kickoff."""
    await _act(run, "raise-risk", **_RISK, due_on=_in(run, 21))
    await _act(run, "raise-action", **_ACTION, due_on=_in(run, 10))
    await _act(run, "raise-assumption", **_ASSUMPTION, check_on=_in(run, 14))


async def keep_log(run: EngagementRun, week: int) -> None:
    """Update, raise and close the items that are due in a week of the work, counted from 1."""
    match week:
        case 1:
            why = "The customer's architect looked at it."
            checked = {**_ASSUMPTION, "check_on": _in(run, 0), "validity": "confirmed"}
            await _act(run, "update-assumption", **checked, why=why)
            why = "Two departments are still missing."
            await _act(run, "update-action", **_ACTION, due_on=_in(run, 7), why=why)
            decision = {
                "item": "D-1",
                "title": "Test with a copy of real data",
                "rationale": "It shows what samples hide.",
            }
            manager = run.scenario.manager
            await run.actors.act("delivery", "record-decision", manager, **decision)
            if run.scenario.mistakes:
                await _decide_elsewhere(run)
        case 2:
            await _close(run, "A-1", "All testers are named.")
            why = "All workshops have taken place."
            risk = {**_RISK, "probability": "10", "due_on": _in(run, 14)}
            await _act(run, "update-risk", **risk, why=why)
            await _act(run, "raise-issue", **_ISSUE, due_on=_in(run, 14))
        case 3:
            why = "Test results were lost twice."
            issue = {**_ISSUE, "severity": "medium", "due_on": _in(run, 7)}
            await _act(run, "update-issue", **issue, why=why)
            solved = "The customer keeps the data until the tests are done."
            closing = {"item": "I-1", "resolution": solved}
            why = "The data were lost once more."
            await act_twice(run, "close-raid-item", "reopen-raid-item", closing, why)
        case 4:
            await _close(run, "R-1", "The year's end is over.")
        case _:
            pass


async def _act(run: EngagementRun, command: str, **body: Any) -> None:
    manager = run.scenario.manager
    await run.actors.act("delivery", command, manager, **body, owner=manager)


async def _decide_elsewhere(run: EngagementRun) -> None:
    """Record a decision of another engagement, and withdraw it."""
    actors, manager = run.actors, run.scenario.manager
    decision = {"item": "D-2", "title": "Print the forms", "rationale": "The trade asks for it."}
    await actors.act("delivery", "record-decision", manager, **decision)
    why = "It was decided for another engagement."
    await actors.act("delivery", "withdraw-raid-item", manager, item="D-2", why=why)


async def _close(run: EngagementRun, item: str, resolution: str) -> None:
    await run.actors.act(
        "delivery", "close-raid-item", run.scenario.manager, item=item, resolution=resolution
    )


def _in(run: EngagementRun, days: int) -> str:
    return (run.actors.today + timedelta(days=days)).isoformat()
