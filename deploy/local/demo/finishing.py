"""Finish an engagement: acceptance, go-live, survey, review, settlement, closing."""

from datetime import date, timedelta
from decimal import Decimal

from local.demo.billing import give_back, invoices, money
from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.milestones import take_steps
from local.demo.mistakes import act_twice
from local.demo.obligations import meet_obligation
from local.demo.recording import lines_of, record
from local.demo.scenarios import LATE_HOURS
from local.demo.surveying import answer_surveys, send_surveys
from local.demo.working import Work, people, report


async def finish(run: EngagementRun, work: Work) -> None:
    """Complete the tasks, have the deliverables accepted, hold the review, settle and close.

    The trouble "loose-ends" leaves an issue open and raises EndOfDemo before the closing.
    """
    scenario, actors = run.scenario, run.actors
    for task in work.tasks:
        if task["task"] in work.done:
            continue
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
    await take_steps(run, work, date.max)
    await report(run, work, scenario.weeks)
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
    await settle(run, work)
    if "loose-ends" in scenario.troubles:
        raise EndOfDemo
    if "late-hours" in scenario.incidents:
        await _submit_late_hours(run, work)
        await settle(run, work)
    await meet_obligation(run, "customer")
    await run.after(2)
    await actors.act("delivery", "close-engagement", scenario.manager)


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


async def settle(run: EngagementRun, work: Work) -> None:
    """Record payments month by month until everything is paid, and settle the account."""
    actors = run.actors
    await invoices(run, work)
    while True:
        first = (actors.today.replace(day=1) + timedelta(days=32)).replace(day=4)
        soonest = min((day for day, _ in work.to_pay.values()), default=first)
        await run.on(max(actors.today + timedelta(days=1), min(first, soonest)))
        await money(run, work)
        state = await actors.look("finance", "fred")
        left = {each["code"] for each in state["open_points"]}
        if left <= {"cap-spent"} and not work.to_pay:
            break
    if "credited" in run.scenario.incidents:
        await give_back(run, state["invoices"])
    why = {"why_not_billed": "The cap is what was agreed."} if left else {}
    await actors.act("finance", "settle-account", "fred", **why)


async def _submit_late_hours(run: EngagementRun, work: Work) -> None:
    """Approve forgotten hours of the last week, which reopens the account, and bill them."""
    actors = run.actors
    await run.after(1)
    monday = run.finishes_on - timedelta(days=7)
    role = "engineer"
    task = next(each["task"] for each in reversed(work.tasks) if each["hours"][0]["role"] == role)
    person = people(run, role, monday)[0]
    late = lines_of(run, person, role, task, monday, Decimal(LATE_HOURS))
    await record(run, monday, {person: late})
    month = f"{actors.today:%Y-%m}"
    await actors.look_until("finance", "fred", lambda seen: seen["settled_on"] is None)
    await actors.act("finance", "bill-time", "fred", month=month)
    await invoices(run, work)
