"""The last act: accepted, live, reviewed, settled, closed."""

from datetime import timedelta

from local.play.paying import invoices, money
from local.play.selling import Curtain, Scene
from local.play.working import Work, report


async def finish(scene: Scene, work: Work) -> None:
    """Deliverables accepted, the last invoices paid, the review held, the engagement closed."""
    plot, cast = scene.plot, scene.cast
    for task in work.tasks:
        await cast.act(
            "delivery",
            "progress-task",
            plot.manager,
            task=task["task"],
            complete="100",
            remaining_hours="0",
        )
    if plot.change:
        await cast.act("delivery", "implement-change", plot.manager, change="C-1")
    for index, deliverable in enumerate(scene.deliverables):
        await _accept(scene, deliverable["deliverable"], rejected=plot.rejection and index == 0)
    await report(scene, work, plot.weeks)
    await _reach_milestones(scene)
    await scene.after(2)
    await cast.act("delivery", "go-live", plot.manager)
    await _invoices_due(scene, work)
    await scene.after(5)
    await cast.act("delivery", "send-survey", plot.manager, survey="S-1", contacts=[scene.sponsor])
    if "loose-ends" in plot.troubles:
        await cast.act(
            "delivery",
            "raise-issue",
            plot.manager,
            item="I-9",
            title="Search is slow with a year of data",
            severity="high",
            owner=plot.manager,
        )
    await scene.after(6)
    await cast.act(
        "delivery",
        "answer-survey",
        plot.manager,
        survey="S-1",
        answered_by=scene.sponsor,
        satisfaction={"quality": plot.satisfaction, "communication": min(5, plot.satisfaction + 1)},
        recommend=plot.satisfaction * 2 - 1,
        comment="We always knew where we stood.",
    )
    await cast.act(
        "delivery",
        "hold-pir",
        plot.manager,
        went_well=["The manager was there from the first call."],
        went_badly=["Test data came late."],
    )
    if "loose-ends" in plot.troubles:
        raise Curtain
    await _settle(scene, work)


async def _accept(scene: Scene, deliverable: str, *, rejected: bool) -> None:
    plot, cast = scene.plot, scene.cast
    submission = 1
    content = f"{plot.title}: {deliverable}"
    await cast.act(
        "delivery", "submit-deliverable", plot.manager, deliverable=deliverable, content=content
    )
    if rejected:
        await scene.after(3)
        await cast.act(
            "delivery",
            "reject-deliverable",
            plot.manager,
            deliverable=deliverable,
            submission=1,
            rejected_by=scene.sponsor,
            why="Two of the agreed fields are missing in the export.",
        )
        await scene.after(4)
        submission = 2
        await cast.act(
            "delivery",
            "submit-deliverable",
            plot.manager,
            deliverable=deliverable,
            content=f"{content}, second delivery",
        )
    await scene.after(2)
    await cast.act(
        "delivery",
        "accept-deliverable",
        plot.manager,
        deliverable=deliverable,
        submission=submission,
        accepted_by=scene.sponsor,
    )


async def _reach_milestones(scene: Scene) -> None:
    state = await scene.cast.look("delivery", scene.plot.manager)
    for each in state["plan"]["milestones"]:
        if each["reached_on"] is None:
            await scene.cast.act(
                "delivery",
                "reach-milestone",
                scene.plot.manager,
                milestone=each["planned"]["milestone"],
            )


async def _invoices_due(scene: Scene, work: Work) -> None:
    """Wait until Finance has heard of the acceptances and drafted what they make due."""
    if not scene.plot.time_and_materials:
        wanted = len(scene.schedule)
        await scene.cast.look_until("finance", "fred", lambda seen: len(seen["invoices"]) >= wanted)
    await invoices(scene, work)


async def _settle(scene: Scene, work: Work) -> None:
    """Month after month until the customer has paid everything; then close."""
    cast, plot = scene.cast, scene.plot
    while True:
        first = (cast.today.replace(day=1) + timedelta(days=32)).replace(day=4)
        soonest = min((day for day, _ in work.to_pay.values()), default=first)
        await scene.on(max(cast.today + timedelta(days=1), min(first, soonest)))
        await money(scene, work)
        state = await cast.look("finance", "fred")
        if not state["open_points"] and not work.to_pay:
            break
    await cast.act("finance", "settle-account", "fred")
    await scene.after(2)
    await cast.act("delivery", "close-engagement", plot.manager)
