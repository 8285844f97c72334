"""Run the delivery: requirements, plan, resources, kickoff, and the work week by week."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.demo.billing import bill_at_another_rate, bill_early, invoices, money
from local.demo.changing import add_report, decline, take_away
from local.demo.customer_inputs import ask_for_inputs, receive_inputs
from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.finishing import settle
from local.demo.milestones import plan_milestones, take_steps
from local.demo.mistakes import act_twice
from local.demo.obligations import meet_obligation
from local.demo.purchasing import claim, reimburse, spend
from local.demo.questions import ask_and_answer
from local.demo.raid_log import begin_log, keep_log
from local.demo.recording import approve_as_cost, lines_of, submit
from local.demo.reference_data import TEMPLATE
from local.demo.scenarios import Scenario
from local.demo.working import (
    REPORT_EVERY,
    Work,
    allocate,
    log_time,
    people,
    progress,
    report,
    tier,
)


async def mobilise(run: EngagementRun) -> Work:
    """Sign off the requirements, baseline the plan, allocate people, and hold the kickoff."""
    scenario, actors = run.scenario, run.actors
    await run.on(max(run.starts_on - timedelta(days=6), actors.today + timedelta(days=1)))
    await actors.act(
        "delivery", "submit-brd", scenario.manager, content=f"Requirements of {scenario.title}."
    )
    await run.after(2)
    await actors.act("delivery", "sign-off-brd", scenario.manager, version=1, signed_by=run.sponsor)
    drafted = await _plan(run)
    tasks = drafted["plan"]["draft"]["tasks"]
    await actors.act(
        "delivery", "baseline-plan", scenario.manager, version=drafted["plan"]["draft"]["version"]
    )
    await allocate(run, tasks)
    await run.on(max(run.starts_on, actors.today))
    attendees = [scenario.manager, scenario.seller, run.sponsor]
    why = "The minutes were those of another engagement."
    await act_twice(run, "hold-kickoff", "withdraw-kickoff", {"attendees": attendees}, why)
    if scenario.detailed:
        await begin_log(run)
        await ask_for_inputs(run)
        await ask_and_answer(run)
    milestones = drafted["plan"]["draft"]["milestones"]
    work = Work(tasks=tasks, milestones=milestones, finish=run.finishes_on)
    plan_milestones(run, work)
    await invoices(run, work)
    return work


async def _plan(run: EngagementRun) -> dict[str, Any]:
    scenario, actors = run.scenario, run.actors
    options: dict[str, Any] = {"starts_on": run.starts_on.isoformat()}
    if "deliverable-forgotten" in scenario.troubles:
        options["deliverables"] = run.deliverables[:-1]
    drafted = await actors.act_and_see(
        "delivery", "draft-plan", scenario.manager, template=TEMPLATE, **options
    )
    if scenario.troubles & {"overplanned", "management-cut"}:
        draft = drafted["plan"]["draft"]
        tasks = [_replanned(task, scenario) for task in draft["tasks"]]
        drafted = await actors.act_and_see(
            "delivery",
            "draft-plan",
            scenario.manager,
            template=TEMPLATE,
            tasks=tasks,
            milestones=draft["milestones"],
            deliverables=draft["deliverables"],
        )
    return drafted


def _replanned(task: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Return the task with hours that differ from those sold, by the scenario's troubles."""
    factor = Decimal("1.35") if "overplanned" in scenario.troubles else Decimal(1)
    if task["kind"] == "project-management" and "management-cut" in scenario.troubles:
        factor = Decimal("0.5")
    hours = [
        {**line, "hours": str((Decimal(line["hours"]) * factor).quantize(Decimal("0.01")))}
        for line in task["hours"]
    ]
    return {**task, "hours": hours}


async def build(run: EngagementRun, work: Work) -> None:
    """Record time, progress, reports and money week by week, and the scenario's special events.

    Raises EndOfDemo where the scenario's engagement is terminated.
    """
    scenario = run.scenario
    monday = run.starts_on - timedelta(days=run.starts_on.weekday())
    for week in range(1, scenario.weeks + 1):
        friday = monday + timedelta(days=4)
        await take_steps(run, work, friday)
        await run.on(friday)
        await log_time(run, work, monday)
        await spend(run, week, friday)
        await progress(run, work, week)
        if scenario.detailed:
            await keep_log(run, week)
            await receive_inputs(run, week)
        if week == 2:
            await _second_week(run, monday)
        if week % REPORT_EVERY[tier(run)] == 0:
            await report(run, work, week)
        await money(run, work)
        if scenario.change and week == scenario.change_week:
            await add_report(run, work)
        if scenario.cut and week == scenario.cut_week:
            await take_away(run, work)
        if "change-declined" in scenario.incidents and week == scenario.change_week + 1:
            await decline(run)
        if "billed-early" in scenario.troubles and week == scenario.change_week + 1:
            await bill_early(run)
        if "bill-rate" in scenario.troubles and week == 4:
            await bill_at_another_rate(run)
        if scenario.outcome == "terminated" and week == scenario.weeks // 2:
            await _terminate(run, work)
            raise EndOfDemo
        monday += timedelta(days=7)


async def _terminate(run: EngagementRun, work: Work) -> None:
    """Terminate the contract, review the engagement, and settle its account."""
    await run.actors.act(
        "legal",
        "terminate-engagement",
        "carl",
        reason="convenience",
        comment="The customer was taken over and stopped all projects.",
        decided_by="vera",
    )
    await _hand_over(run, work)
    await run.after(3)
    await run.actors.act(
        "delivery",
        "hold-pir",
        run.scenario.manager,
        went_well=["What was built until then is documented and handed over."],
        went_badly=["Nothing told us of the takeover."],
    )
    await settle(run, work)


async def _hand_over(run: EngagementRun, work: Work) -> None:
    """Let an engineer document the work in the week after the end of the contract, at our cost."""
    today = run.actors.today
    monday = today + timedelta(days=7 - today.weekday())
    person = people(run, "engineer", monday)[0]
    task = next(each["task"] for each in work.tasks if each["hours"][0]["role"] == "engineer")
    lines = lines_of(run, person, "engineer", task, monday, Decimal(4))
    await run.on(date.fromisoformat(str(lines[-1]["day"])))
    await submit(run, monday, {person: lines})
    why = "The contract has ended, and we owe the customer nothing undocumented."
    await approve_as_cost(run, monday, {person: lines}, why)


async def _second_week(run: EngagementRun, monday: date) -> None:
    await meet_obligation(run, "company")
    if "travel" in run.scenario.incidents:
        await _travel(run, monday)
    if "forecast-chosen" in run.scenario.incidents:
        await run.actors.act(
            "delivery",
            "choose-forecast-method",
            run.scenario.manager,
            method="as-planned",
            reason="The first weeks took longer because access was late; the rest is as planned.",
        )
    if run.scenario.hold:
        await _hold(run)


async def _hold(run: EngagementRun) -> None:
    """Put the engagement on hold on a Friday, and resume it on the Monday after it."""
    actors, manager = run.actors, run.scenario.manager
    reason = "The customer's data centre moves over the weekend."
    await actors.act("delivery", "put-on-hold", manager, reason=reason)
    await run.after(3)
    await actors.act("delivery", "resume", manager)


async def _travel(run: EngagementRun, monday: date) -> None:
    """Spend money of an analyst abroad, in that currency; the price includes it.

    The analyst claims a dinner as well, which is rejected, another one, which the analyst takes
    back, and the journey twice.
    """
    currency = "USD" if run.scenario.customer.currency == "EUR" else "EUR"
    manager, analyst = run.scenario.manager, people(run, "analyst", monday)[0]
    spent = {"spent_on": (monday + timedelta(days=1)).isoformat(), "billable": False}
    journey = {
        **spent,
        "amount": {"amount": "180", "currency": currency},
        "description": "A workshop abroad: train, and a night",
        "category": "travel",
    }
    dinner = {
        **spent,
        "amount": {"amount": "85", "currency": currency},
        "description": "Dinner",
        "category": "meals",
    }
    await reimburse(run, analyst, manager, journey)
    private = await claim(run, analyst, dinner)
    why = "A dinner among colleagues is private."
    await run.actors.act("delivery", "reject-expense", manager, expense=private, why=why)
    another = await claim(run, analyst, dinner)
    await run.actors.act("delivery", "withdraw-expense", analyst, expense=another)
    again = await reimburse(run, analyst, manager, journey)
    await run.actors.driver.act_on(
        "delivery",
        f"expenses/{run.actors.engagement}.{again}",
        manager,
        "reverse-expense",
        {"why": "It is the same journey."},
    )
