"""The second act: mobilised, kicked off, built week by week."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from local.play.changing import change_order
from local.play.company import TEMPLATE
from local.play.paying import bill_at_another_rate, bill_early, invoices, money
from local.play.plots import Plot
from local.play.selling import Curtain, Scene
from local.play.working import REPORT_EVERY, Work, log_time, person, progress, report, tier


async def mobilise(scene: Scene) -> Work:
    """Requirements signed off, the plan baselined, people given, the kickoff held."""
    plot, cast = scene.plot, scene.cast
    await scene.on(max(scene.starts_on - timedelta(days=6), cast.today + timedelta(days=1)))
    await cast.act("delivery", "submit-brd", plot.manager, content=f"Requirements of {plot.title}.")
    await scene.after(2)
    await cast.act("delivery", "sign-off-brd", plot.manager, version=1, signed_by=scene.sponsor)
    drafted = await _plan(scene)
    tasks = drafted["plan"]["draft"]["tasks"]
    await cast.act(
        "delivery", "baseline-plan", plot.manager, version=drafted["plan"]["draft"]["version"]
    )
    await _allocate(scene, tasks)
    await scene.on(max(scene.starts_on, cast.today))
    attendees = [plot.manager, plot.seller, scene.sponsor]
    await cast.act("delivery", "hold-kickoff", plot.manager, attendees=attendees)
    await cast.act(
        "delivery",
        "raise-risk",
        plot.manager,
        item="R-1",
        title="Key users are busy with the year's end",
        probability="30",
        impact="medium",
        owner=plot.manager,
        response="Workshops are booked six weeks ahead.",
    )
    work = Work(tasks=tasks, finish=scene.finishes_on)
    await invoices(scene, work)
    return work


async def _plan(scene: Scene) -> dict[str, Any]:
    plot, cast = scene.plot, scene.cast
    options: dict[str, Any] = {"starts_on": scene.starts_on.isoformat()}
    if "deliverable-forgotten" in plot.troubles:
        options["deliverables"] = scene.deliverables[:-1]
    drafted = await cast.act("delivery", "draft-plan", plot.manager, template=TEMPLATE, **options)
    if plot.troubles & {"overplanned", "management-cut"}:
        draft = drafted["plan"]["draft"]
        tasks = [_replanned(task, plot) for task in draft["tasks"]]
        drafted = await cast.act(
            "delivery",
            "draft-plan",
            plot.manager,
            template=TEMPLATE,
            tasks=tasks,
            milestones=draft["milestones"],
            deliverables=draft["deliverables"],
        )
    return drafted


def _replanned(task: dict[str, Any], plot: Plot) -> dict[str, Any]:
    """The task as somebody plans it who does not look at what was sold."""
    factor = Decimal("1.35") if "overplanned" in plot.troubles else Decimal(1)
    if task["kind"] == "project-management" and "management-cut" in plot.troubles:
        factor = Decimal("0.5")
    hours = [
        {**line, "hours": str((Decimal(line["hours"]) * factor).quantize(Decimal("0.01")))}
        for line in task["hours"]
    ]
    return {**task, "hours": hours}


async def _allocate(scene: Scene, tasks: list[dict[str, Any]]) -> None:
    cast, manager = scene.cast, scene.plot.manager
    share = Decimal("0.6") if "underallocated" in scene.plot.troubles else Decimal(1)
    by_role: dict[str, Decimal] = {}
    for task in tasks:
        for line in task["hours"]:
            by_role[line["role"]] = by_role.get(line["role"], Decimal(0)) + Decimal(line["hours"])
    for number, (role, hours) in enumerate(sorted(by_role.items()), start=1):
        wanted = (hours * share).quantize(Decimal("0.01"))
        await cast.act(
            "delivery",
            "request-resource",
            manager,
            request=f"Q-{number}",
            role=role,
            hours=str(wanted),
            starts_on=scene.starts_on.isoformat(),
            finishes_on=scene.finishes_on.isoformat(),
        )
        await cast.act(
            "delivery",
            "allocate-resource",
            manager,
            request=f"Q-{number}",
            person=person(scene, role),
            commitment="hard",
        )


async def build(scene: Scene, work: Work) -> None:
    """Week by week: time, progress, reports, money, and a change on the way."""
    plot = scene.plot
    monday = scene.starts_on - timedelta(days=scene.starts_on.weekday())
    for week in range(1, plot.weeks + 1):
        await scene.on(monday + timedelta(days=4))
        await log_time(scene, work, monday)
        await progress(scene, work, week)
        if week % REPORT_EVERY[tier(scene)] == 0:
            await report(scene, work, week)
        await money(scene, work)
        if plot.change and week == max(3, plot.weeks // 3):
            await change_order(scene, work)
        if "billed-early" in plot.troubles and week == max(4, plot.weeks // 3):
            await bill_early(scene)
        if "bill-rate" in plot.troubles and week == 4:
            await bill_at_another_rate(scene)
        if plot.outcome == "terminated" and week == plot.weeks // 2:
            await scene.cast.act(
                "legal",
                "terminate-engagement",
                "carl",
                reason="convenience",
                comment="The customer was taken over and stopped all projects.",
                decided_by="vera",
            )
            raise Curtain
        monday += timedelta(days=7)
