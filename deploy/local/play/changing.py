"""A change on the way: requested, priced, approved, amended, planned."""

from datetime import timedelta

from local.play.company import TEMPLATE
from local.play.selling import Scene
from local.play.working import Work


async def change_order(scene: Scene, work: Work) -> None:
    """A change request, priced, approved, amended, planned, and built."""
    plot, cast = scene.plot, scene.cast
    await cast.act(
        "delivery",
        "request-change",
        plot.manager,
        change="C-1",
        requested_by=scene.sponsor,
        description="One more report, by region.",
    )
    hours = max(16, plot.hours // 20)
    await cast.act(
        "delivery",
        "assess-change",
        plot.manager,
        change="C-1",
        lines=[{"role": "engineer", "hours": str(hours)}],
        days=7,
        risk="Low: it reuses what is there.",
    )
    await cast.look_until(
        "finance",
        "fred",
        lambda seen: any(each["price"] is not None for each in seen["changes"]),
    )
    await cast.act(
        "delivery", "approve-change", plot.manager, change="C-1", approved_by=scene.sponsor
    )
    drafted = await cast.look_until(
        "legal", "carl", lambda seen: any(each["amendment"] for each in seen["changes"])
    )
    if "change-unfollowed" in plot.troubles:
        return
    amendment = drafted["changes"][-1]["amendment"]["content"]
    today = cast.today.isoformat()
    await cast.act(
        "legal",
        "sign-amendment",
        "carl",
        amendment=amendment["amendment"],
        content_hash=amendment["content_hash"],
        signatories=[
            {"party": "company", "person": "vera", "signed_on": today},
            {"party": "customer", "person": scene.sponsor, "signed_on": today},
        ],
    )
    await _replan(scene, work, hours)


async def _replan(scene: Scene, work: Work, hours: int) -> None:
    plot, cast = scene.plot, scene.cast
    state = await cast.look("delivery", plot.manager)
    plan = state["plan"]["draft"]
    starts_on = cast.today + timedelta(days=7)
    task = {
        "task": "change-c-1",
        "title": "Report by region",
        "phase": "Build",
        "starts_on": starts_on.isoformat(),
        "finishes_on": (starts_on + timedelta(days=13)).isoformat(),
        "hours": [{"role": "engineer", "hours": str(hours)}],
    }
    drafted = await cast.act(
        "delivery",
        "draft-plan",
        plot.manager,
        template=TEMPLATE,
        tasks=[*plan["tasks"], task],
        milestones=plan["milestones"],
        deliverables=plan["deliverables"],
        changes=["C-1"],
    )
    await cast.act(
        "delivery",
        "baseline-plan",
        plot.manager,
        version=drafted["plan"]["draft"]["version"],
    )
    work.tasks = drafted["plan"]["draft"]["tasks"]
    work.finish += timedelta(days=7)
