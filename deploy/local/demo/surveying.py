"""Ask the customer whether they are satisfied, and whether they would recommend the company."""

from local.demo.engagement_run import EngagementRun


async def send_surveys(run: EngagementRun) -> None:
    """Ask the sponsor for their satisfaction and, in detail, whether they recommend the company."""
    await run.actors.act(
        "delivery",
        "send-survey",
        run.scenario.manager,
        survey="S-1",
        kind="csat",
        phase="Build",
        questions=[
            {"question": "quality", "text": "Does the solution do what you expected?"},
            {"question": "communication", "text": "Did you always know the status?"},
        ],
        contacts=[run.sponsor],
    )
    if not run.scenario.detailed:
        return
    await run.actors.act(
        "delivery",
        "send-survey",
        run.scenario.manager,
        survey="S-2",
        kind="nps",
        phase="Whole engagement",
        contacts=[run.sponsor],
    )


async def answer_surveys(run: EngagementRun) -> None:
    """Record the sponsor's answers, by the scenario's satisfaction (1 to 5)."""
    satisfaction = run.scenario.satisfaction
    await run.actors.act(
        "delivery",
        "answer-survey",
        run.scenario.manager,
        survey="S-1",
        answered_by=run.sponsor,
        satisfaction={"quality": satisfaction, "communication": min(5, satisfaction + 1)},
        comment="We always knew the status.",
    )
    if not run.scenario.detailed:
        return
    await run.actors.act(
        "delivery",
        "answer-survey",
        run.scenario.manager,
        survey="S-2",
        answered_by=run.sponsor,
        recommend=satisfaction * 2 - 1,
    )
