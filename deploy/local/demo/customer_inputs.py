"""Ask the customer for what they have to provide, and record what comes late."""

from datetime import timedelta

from local.demo.engagement_run import EngagementRun
from local.demo.mistakes import act_twice


async def ask_for_inputs(run: EngagementRun) -> None:
    """Ask the sponsor for a copy of the data, at the kickoff."""
    await run.actors.act(
        "delivery",
        "request-customer-input",
        run.scenario.manager,
        input="CI-1",
        description="Copy of last year's data on the test system",
        requested_from=run.sponsor,
        due_on=(run.actors.today + timedelta(days=7)).isoformat(),
    )
    if run.scenario.mistakes:
        await _ask_by_mistake(run)


async def _ask_by_mistake(run: EngagementRun) -> None:
    """Ask for something that the customer has provided already, and withdraw that."""
    actors, manager = run.actors, run.scenario.manager
    await actors.act(
        "delivery",
        "request-customer-input",
        manager,
        input="CI-2",
        description="List of the testers",
        requested_from=run.sponsor,
        due_on=(actors.today + timedelta(days=7)).isoformat(),
    )
    why = "The list was part of the minutes."
    await actors.act("delivery", "withdraw-customer-input", manager, input="CI-2", why=why)


async def receive_inputs(run: EngagementRun, week: int) -> None:
    """Record in the third week of the work that the data came late, and the delay."""
    if week != 3:
        return
    arrival = {"input": "CI-1"}
    why = "It was the data of another year."
    await act_twice(run, "receive-customer-input", "reopen-customer-input", arrival, why)
    delay = {
        "days": 3,
        "cause": "The copy of the data came after it was agreed",
        "input": "CI-1",
        "evidence": "Reminders of the first and the second week; minutes of the kickoff.",
    }
    actors, manager = run.actors, run.scenario.manager
    if run.scenario.mistakes:
        await actors.act(
            "delivery", "record-customer-delay", manager, **{**delay, "delay": "CD-1", "days": 30}
        )
        why = "The days of the whole month were counted."
        await actors.act("delivery", "withdraw-customer-delay", manager, delay="CD-1", why=why)
    await actors.act("delivery", "record-customer-delay", manager, **delay)
