"""The second act: from the kickoff to the final sign-off, week by week."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.play.company import CONSULTANTS, TEMPLATE
from local.play.selling import Curtain, Scene

REPORT_EVERY = {"light": 4, "standard": 2, "critical": 1}


@dataclass(slots=True)
class Work:
    """What the people of an engagement remember while they do the work."""

    tasks: list[dict[str, Any]]
    worked: dict[str, Decimal] = field(default_factory=dict)
    to_pay: dict[str, tuple[date, dict[str, Any]]] = field(default_factory=dict)
    recognised_to: date | None = None
    finish: date = date.max
    reports: bool = True


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
    await _invoices(scene, work)
    return work


async def _plan(scene: Scene) -> dict[str, Any]:
    plot, cast = scene.plot, scene.cast
    options: dict[str, Any] = {"starts_on": scene.starts_on.isoformat()}
    if plot.trouble == "deliverable-forgotten":
        options["deliverables"] = scene.deliverables[:-1]
    drafted = await cast.act("delivery", "draft-plan", plot.manager, template=TEMPLATE, **options)
    factors = {"overplanned": Decimal("1.25"), "management-cut": Decimal(1)}
    if plot.trouble in factors:
        draft = drafted["plan"]["draft"]
        tasks = [_replanned(task, plot.trouble, factors[plot.trouble]) for task in draft["tasks"]]
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


def _replanned(task: dict[str, Any], trouble: str, factor: Decimal) -> dict[str, Any]:
    if trouble == "management-cut":
        if task["kind"] != "project-management":
            return task
        factor = Decimal("0.5")
    hours = [
        {**line, "hours": str((Decimal(line["hours"]) * factor).quantize(Decimal("0.01")))}
        for line in task["hours"]
    ]
    return {**task, "hours": hours}


async def _allocate(scene: Scene, tasks: list[dict[str, Any]]) -> None:
    cast, manager = scene.cast, scene.plot.manager
    share = Decimal("0.6") if scene.plot.trouble == "underallocated" else Decimal(1)
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
            person=_person(scene, role),
            commitment="hard",
        )


def _person(scene: Scene, role: str) -> str:
    if role == "project-manager":
        return scene.plot.manager
    people = [person for person, _, of in CONSULTANTS if of == role]
    return people[scene.plot.seed % len(people)]


async def build(scene: Scene, work: Work) -> None:
    """Week by week: time, progress, reports, money, and a change on the way."""
    plot = scene.plot
    monday = scene.starts_on - timedelta(days=scene.starts_on.weekday())
    for week in range(1, plot.weeks + 1):
        await scene.on(monday + timedelta(days=4))
        await _log_time(scene, work, monday)
        await _progress(scene, work, week)
        if week % REPORT_EVERY[_tier(scene)] == 0:
            await _report(scene, work, week)
        await _money(scene, work)
        if plot.change and week == max(3, plot.weeks // 3):
            await _change(scene, work)
        if plot.trouble == "billed-early" and week == max(4, plot.weeks // 3):
            await _bill_early(scene)
        if plot.trouble == "bill-rate" and week == 4:
            await _bill_at_another_rate(scene)
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


def _tier(scene: Scene) -> str:
    hours = scene.plot.hours
    return "light" if hours < 350 else "critical" if hours > 1100 else "standard"


async def _log_time(scene: Scene, work: Work, monday: date) -> None:
    """Who worked on what in a week: planned hours of the active tasks, more where it overruns."""
    effort = Decimal("1.45") if scene.plot.trouble == "overrun" else Decimal(1)
    sunday = monday + timedelta(days=6)
    by_role: dict[str, tuple[str, Decimal]] = {}
    for task in work.tasks:
        starts, ends = (
            date.fromisoformat(task["starts_on"]),
            date.fromisoformat(task["finishes_on"]),
        )
        overlap = (min(ends, sunday) - max(starts, monday)).days + 1
        if overlap <= 0:
            continue
        for line in task["hours"]:
            planned = Decimal(line["hours"]) * overlap / ((ends - starts).days + 1)
            name, hours = by_role.get(line["role"], (task["task"], Decimal(0)))
            by_role[line["role"]] = (name, hours + planned)
    for role, (task_id, hours) in sorted(by_role.items()):
        varied = hours * effort * Decimal(scene.random.randrange(92, 107)) / 100
        rounded = (varied * 4).quantize(Decimal(1)) / 4
        person = _person(scene, role)
        people = [person] if rounded <= 60 else [person, _second(scene, role)]
        for each in people:
            share = rounded / len(people)
            if share > 0:
                await _log_one(scene, each, role, task_id, monday, share)
        work.worked[role] = work.worked.get(role, Decimal(0)) + rounded


def _days(task: dict[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(task["starts_on"]), date.fromisoformat(task["finishes_on"])


def _planned(task: dict[str, Any]) -> Decimal:
    return sum((Decimal(line["hours"]) for line in task["hours"]), Decimal(0))


async def _log_one(
    scene: Scene, person: str, role: str, task: str, monday: date, hours: Decimal
) -> None:
    cast = scene.cast
    entry = f"T-{monday:%y%m%d}-{person}-{role}"
    await cast.act(
        "delivery",
        "submit-time",
        person,
        entry=entry,
        role=role,
        task=task,
        week=monday.isoformat(),
        hours=str(hours.quantize(Decimal("0.01"))),
    )
    approver = "paul" if person == scene.plot.manager else scene.plot.manager
    await cast.act("delivery", "approve-time", approver, entry=entry)


def _second(scene: Scene, role: str) -> str:
    people = [person for person, _, of in CONSULTANTS if of == role]
    return people[(scene.plot.seed + 1) % len(people)] if len(people) > 1 else people[0]


async def _progress(scene: Scene, work: Work, week: int) -> None:
    slow = Decimal("0.8") if scene.plot.trouble in {"late", "overrun"} else Decimal(1)
    today = scene.cast.today
    for task in work.tasks:
        starts, ends = (
            date.fromisoformat(task["starts_on"]),
            date.fromisoformat(task["finishes_on"]),
        )
        if starts > today or ends < today - timedelta(days=7) or week % 2:
            continue
        days = Decimal((min(today, ends) - starts).days + 1) / ((ends - starts).days + 1)
        complete = min(Decimal(100), (days * 100 * slow)).quantize(Decimal(1))
        remaining = (_planned(task) * (100 - complete) / 100).quantize(Decimal("0.01"))
        await scene.cast.act(
            "delivery",
            "progress-task",
            scene.plot.manager,
            task=task["task"],
            complete=str(complete),
            remaining_hours=str(remaining),
        )


async def _report(scene: Scene, work: Work, week: int) -> None:
    plot, cast = scene.plot, scene.cast
    if plot.trouble == "silent" and week > 4:
        return
    late = 10 + 2 * week if plot.trouble == "late" and week > 3 else 0
    schedule = "red" if late > 25 else "amber" if late else "green"
    if plot.trouble is None and plot.seed % 5 == 0 and week < plot.weeks // 2:
        schedule = "amber"
    total = sum((_planned(task) for task in work.tasks), Decimal(0))
    left = total * (plot.weeks - week) / plot.weeks
    await cast.act(
        "delivery",
        "publish-status-report",
        plot.manager,
        scope="green",
        schedule=schedule,
        cost="green",
        narrative=(
            "Two interfaces of the customer come later than agreed; we test with samples."
            if schedule != "green"
            else "Work goes on as planned; the next workshop is booked."
        ),
        forecast_finish=(work.finish + timedelta(days=late)).isoformat(),
        estimate_to_complete=str(left.quantize(Decimal("0.01"))),
    )


async def _money(scene: Scene, work: Work) -> None:
    """Month by month: revenue recognised, invoices approved, payments received."""
    today = scene.cast.today
    first = today.replace(day=1)
    if work.recognised_to != first and today.day > 2:
        month = f"{first - timedelta(days=1):%Y-%m}"
        signed_month = f"{scene.starts_on - timedelta(days=10):%Y-%m}"
        state = await scene.cast.look("finance", "fred")
        done = state["recognised_to"]
        if month >= signed_month and (done is None or done < month):
            await _recognise(scene, done, month)
        if scene.plot.time_and_materials and month >= f"{scene.starts_on:%Y-%m}":
            await scene.cast.try_to("finance", "bill-time", "fred", month=month)
        work.recognised_to = first
        await _invoices(scene, work)
    for invoice, (day, amount) in list(work.to_pay.items()):
        if day <= today:
            await scene.cast.act(
                "finance",
                "record-payment",
                "fred",
                invoice=invoice,
                amount=amount,
                received_on=day.isoformat(),
            )
            del work.to_pay[invoice]


async def _recognise(scene: Scene, done: str | None, month: str) -> None:
    state = await scene.cast.look_until("finance", "fred", lambda seen: seen["budget"] is not None)
    signed = next(sow["signed_on"] for sow in state["sows"] if sow["signed_on"])
    upcoming = _next_month(done) if done else signed[:7]
    while upcoming <= month:
        await scene.cast.act("finance", "recognise-revenue", "fred", month=upcoming)
        upcoming = _next_month(upcoming)


def _next_month(month: str) -> str:
    first = date.fromisoformat(f"{month}-01")
    return f"{(first + timedelta(days=32)):%Y-%m}"


async def _invoices(scene: Scene, work: Work) -> None:
    """Approve what is drafted, and remember when the customer will pay it."""
    cast = scene.cast
    state = await cast.look_until("finance", "fred", lambda seen: seen["budget"] is not None)
    drafted = [each for each in state["invoices"] if each["stage"] == "drafted"]
    for invoice in drafted:
        await cast.act("finance", "approve-invoice", "dora", invoice=invoice["invoice"])
    if drafted:
        names = {each["invoice"] for each in drafted}
        state = await cast.look_until(
            "finance",
            "fred",
            lambda seen: all(
                each["number"] for each in seen["invoices"] if each["invoice"] in names
            ),
        )
        for invoice in state["invoices"]:
            if invoice["invoice"] in names:
                due = date.fromisoformat(invoice["due_on"])
                paid_on = due + timedelta(days=scene.plot.days_late_paying)
                work.to_pay[invoice["invoice"]] = (paid_on, invoice["amount"])


async def _change(scene: Scene, work: Work) -> None:
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
    if plot.trouble == "change-unfollowed":
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
    )
    await cast.act(
        "delivery",
        "baseline-plan",
        plot.manager,
        version=drafted["plan"]["draft"]["version"],
        changes=["C-1"],
    )
    work.tasks = drafted["plan"]["draft"]["tasks"]
    work.finish += timedelta(days=7)


async def _bill_early(scene: Scene) -> None:
    entry = scene.schedule[1]
    state = await scene.cast.act(
        "finance",
        "bill-outside-schedule",
        "dora",
        item=entry["item"],
        lines=[{"description": "Billed at the quarter's end", "amount": entry["amount"]}],
        reason="The quarter closes; Delivery expects acceptance within days.",
    )
    await _approve_new(scene, state)


async def _bill_at_another_rate(scene: Scene) -> None:
    rate = next(line for line in scene.lines if line["role"] == "engineer")["rate"]
    raised = Decimal(rate["amount"]) + 12
    state = await scene.cast.act(
        "finance",
        "bill-outside-schedule",
        "dora",
        item="time",
        lines=[
            {
                "description": "Engineering at the new list rate",
                "role": "engineer",
                "hours": "20",
                "rate": scene.money(raised),
                "amount": scene.money(raised * 20),
            }
        ],
        reason="Billed from the new rate card by mistake of the clerk.",
    )
    await _approve_new(scene, state)


async def _approve_new(scene: Scene, state: dict[str, Any]) -> None:
    for invoice in state["invoices"]:
        if invoice["stage"] == "drafted":
            await scene.cast.act("finance", "approve-invoice", "dora", invoice=invoice["invoice"])


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
    await _reach_milestones(scene)
    await scene.after(2)
    await cast.act("delivery", "go-live", plot.manager)
    await _invoices_due(scene, work)
    await scene.after(5)
    await cast.act("delivery", "send-survey", plot.manager, survey="S-1", contacts=[scene.sponsor])
    if plot.trouble == "loose-ends":
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
    if plot.trouble == "loose-ends":
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
    await _invoices(scene, work)


async def _settle(scene: Scene, work: Work) -> None:
    """Month after month until the customer has paid everything; then close."""
    cast, plot = scene.cast, scene.plot
    while True:
        first = (cast.today.replace(day=1) + timedelta(days=32)).replace(day=4)
        soonest = min((day for day, _ in work.to_pay.values()), default=first)
        await scene.on(max(cast.today + timedelta(days=1), min(first, soonest)))
        await _money(scene, work)
        state = await cast.look("finance", "fred")
        if not state["open_points"] and not work.to_pay:
            break
    await cast.act("finance", "settle-account", "fred")
    await scene.after(2)
    await cast.act("delivery", "close-engagement", plot.manager)
