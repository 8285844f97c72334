"""Run a change order: request, price, approve, amend the contract, plan again."""

from datetime import timedelta

from local.demo.engagement_run import EngagementRun
from local.demo.reference_data import TEMPLATE
from local.demo.working import Work


async def change_order(run: EngagementRun, work: Work) -> None:
    """Request, assess and approve a change, sign its amendment, and baseline a new plan.

    The scenario's trouble "change-unfollowed" ends it before the amendment is signed.
    """
    scenario, actors = run.scenario, run.actors
    await actors.act(
        "delivery",
        "request-change",
        scenario.manager,
        change="C-1",
        requested_by=run.sponsor,
        description="One more report, by region.",
    )
    hours = max(16, scenario.hours // 20)
    await actors.act(
        "delivery",
        "assess-change",
        scenario.manager,
        change="C-1",
        lines=[{"role": "engineer", "hours": str(hours)}],
        days=7,
        risk="Low: it reuses what is there.",
    )
    await actors.look_until(
        "finance",
        "fred",
        lambda seen: any(each["price"] is not None for each in seen["changes"]),
    )
    await actors.act(
        "delivery", "approve-change", scenario.manager, change="C-1", approved_by=run.sponsor
    )
    drafted = await actors.look_until(
        "legal", "carl", lambda seen: any(each["amendment"] for each in seen["changes"])
    )
    if "change-unfollowed" in scenario.troubles:
        return
    amendment = drafted["changes"][-1]["amendment"]["content"]
    today = actors.today.isoformat()
    await actors.act(
        "legal",
        "sign-amendment",
        "carl",
        amendment=amendment["amendment"],
        content_hash=amendment["content_hash"],
        signatories=[
            {"party": "company", "person": "vera", "signed_on": today},
            {"party": "customer", "person": run.sponsor, "signed_on": today},
        ],
    )
    await _replan(run, work, hours)


async def _replan(run: EngagementRun, work: Work, hours: int) -> None:
    scenario, actors = run.scenario, run.actors
    state = await actors.look("delivery", scenario.manager)
    plan = state["plan"]["draft"]
    starts_on = actors.today + timedelta(days=7)
    task = {
        "task": "change-c-1",
        "title": "Report by region",
        "phase": "Build",
        "starts_on": starts_on.isoformat(),
        "finishes_on": (starts_on + timedelta(days=13)).isoformat(),
        "hours": [{"role": "engineer", "hours": str(hours)}],
    }
    drafted = await actors.act(
        "delivery",
        "draft-plan",
        scenario.manager,
        template=TEMPLATE,
        tasks=[*plan["tasks"], task],
        milestones=plan["milestones"],
        deliverables=plan["deliverables"],
        changes=["C-1"],
    )
    await actors.act(
        "delivery",
        "baseline-plan",
        scenario.manager,
        version=drafted["plan"]["draft"]["version"],
    )
    work.tasks = drafted["plan"]["draft"]["tasks"]
    work.finish += timedelta(days=7)
