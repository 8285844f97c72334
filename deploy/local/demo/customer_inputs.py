"""Ask the customer for what they have to provide, and record what comes late."""

from datetime import timedelta

from local.demo.engagement_run import EngagementRun


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


async def receive_inputs(run: EngagementRun, week: int) -> None:
    """Record in the third week of the work that the data came late, and the delay."""
    if week != 3:
        return
    actors, manager = run.actors, run.scenario.manager
    await actors.act("delivery", "receive-customer-input", manager, input="CI-1")
    await actors.act(
        "delivery",
        "record-customer-delay",
        manager,
        days=3,
        cause="The copy of the data came after it was agreed",
        input="CI-1",
        evidence="Reminders of the first and the second week; minutes of the kickoff.",
    )
