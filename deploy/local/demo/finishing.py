"""Finish an engagement: acceptance, go-live, survey, review, settlement, closing."""

from datetime import timedelta

from local.demo.billing import invoices, money
from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.mistakes import act_twice
from local.demo.obligations import meet_obligation
from local.demo.surveying import answer_surveys, send_surveys
from local.demo.working import Work, report


async def finish(run: EngagementRun, work: Work) -> None:
    """Complete the tasks, have the deliverables accepted, hold the review, settle and close.

    The scenario's trouble "loose-ends" leaves an issue open and raises EndOfDemo after the review.
    """
    scenario, actors = run.scenario, run.actors
    for task in work.tasks:
        await actors.act(
            "delivery",
            "progress-task",
            scenario.manager,
            task=task["task"],
            complete="100",
            remaining_hours="0",
        )
    for change in work.changes:
        await actors.act("delivery", "implement-change", scenario.manager, change=change)
    for index, deliverable in enumerate(run.deliverables):
        await _accept(run, deliverable["deliverable"], rejected=scenario.rejection and index == 0)
    await report(run, work, scenario.weeks)
    await _reach_milestones(run)
    await run.after(2)
    why = "Only the test system was switched on."
    await act_twice(run, "go-live", "withdraw-go-live", {}, why)
    await _invoices_due(run, work)
    await run.after(5)
    await send_surveys(run)
    if "loose-ends" in scenario.troubles:
        await actors.act(
            "delivery",
            "raise-issue",
            scenario.manager,
            item="I-9",
            title="Search is slow with a year of data",
            severity="high",
            owner=scenario.manager,
            due_on=(actors.today + timedelta(days=14)).isoformat(),
        )
    await run.after(6)
    await answer_surveys(run)
    await actors.act(
        "delivery",
        "hold-pir",
        scenario.manager,
        went_well=["The manager was there from the first call."],
        went_badly=["Test data came late."],
    )
    if "loose-ends" in scenario.troubles:
        raise EndOfDemo
    await _settle(run, work)


async def _accept(run: EngagementRun, deliverable: str, *, rejected: bool) -> None:
    scenario, actors = run.scenario, run.actors
    submission = 1
    content = f"{scenario.title}: {deliverable}"
    await actors.act(
        "delivery", "submit-deliverable", scenario.manager, deliverable=deliverable, content=content
    )
    if rejected:
        await run.after(3)
        await actors.act(
            "delivery",
            "reject-deliverable",
            scenario.manager,
            deliverable=deliverable,
            submission=1,
            rejected_by=run.sponsor,
            why="Two of the agreed fields are missing in the export.",
        )
        await run.after(4)
        submission = 2
        await actors.act(
            "delivery",
            "submit-deliverable",
            scenario.manager,
            deliverable=deliverable,
            content=f"{content}, second delivery",
        )
    await run.after(2)
    acceptance = {
        "deliverable": deliverable,
        "submission": submission,
        "accepted_by": run.sponsor,
    }
    why = "The letter accepted another deliverable."
    await act_twice(run, "accept-deliverable", "withdraw-acceptance", acceptance, why)


async def _reach_milestones(run: EngagementRun) -> None:
    state = await run.actors.look("delivery", run.scenario.manager)
    for each in state["plan"]["milestones"]:
        if each["reached_on"] is None:
            milestone = {"milestone": each["planned"]["milestone"]}
            why = "One of its deliverables was still missing."
            await act_twice(run, "reach-milestone", "withdraw-milestone", milestone, why)


async def _invoices_due(run: EngagementRun, work: Work) -> None:
    """Wait until Finance has drafted the invoices of all acceptances, and approve them."""
    await run.actors.look_until(
        "finance",
        "fred",
        lambda seen: all(
            float(each["left"]["amount"]) == 0
            for each in seen["budget"]["schedule"]
            if each["kind"] == "on-acceptance"
        ),
    )
    await invoices(run, work)


async def _settle(run: EngagementRun, work: Work) -> None:
    """Record payments month by month until everything is paid, settle the account, and close."""
    actors, scenario = run.actors, run.scenario
    while True:
        first = (actors.today.replace(day=1) + timedelta(days=32)).replace(day=4)
        soonest = min((day for day, _ in work.to_pay.values()), default=first)
        await run.on(max(actors.today + timedelta(days=1), min(first, soonest)))
        await money(run, work)
        state = await actors.look("finance", "fred")
        if not state["open_points"] and not work.to_pay:
            break
    await actors.act("finance", "settle-account", "fred")
    await meet_obligation(run, "customer")
    await run.after(2)
    await actors.act("delivery", "close-engagement", scenario.manager)
