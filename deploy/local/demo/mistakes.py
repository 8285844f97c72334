"""Record something by mistake and withdraw it, where the scenario has mistakes."""

from typing import Any

from local.demo.engagement_run import EngagementRun


async def act_twice(
    run: EngagementRun, command: str, withdrawal: str, body: dict[str, Any], why: str
) -> None:
    """Send a command; in a scenario with mistakes withdraw it on the same day and send it again.

    `withdrawal` is the command that withdraws; it gets the fields of the body that name what is
    withdrawn.
    """
    actors, manager = run.actors, run.scenario.manager
    if run.scenario.mistakes:
        named = {name: body[name] for name in _NAMES if name in body}
        await actors.act("delivery", command, manager, **body)
        await actors.act("delivery", withdrawal, manager, **named, why=why)
    await actors.act("delivery", command, manager, **body)


_NAMES = ("milestone", "deliverable", "submission", "item", "input")
