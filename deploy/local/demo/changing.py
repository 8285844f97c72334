"""Run change orders: request, price, approve, amend the contract, plan again."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.pricing import TESTING, WORK
from local.demo.reference_data import TEMPLATE
from local.demo.working import Work, allocate

Task = dict[str, Any]


async def add_report(run: EngagementRun, work: Work) -> None:
    """Add hours to the work for one more report.

    The scenario's trouble "change-unfollowed" ends it before the amendment is signed.
    """
    hours = max(16, run.scenario.hours // 20)
    scope = {"line": WORK, "hours": [{"role": "engineer", "hours": str(hours)}]}
    starts_on = run.actors.today + timedelta(days=7)
    task = {
        "task": "change-c-1",
        "title": "Report by region",
        "phase": "Build",
        "starts_on": starts_on.isoformat(),
        "finishes_on": (starts_on + timedelta(days=13)).isoformat(),
        "hours": scope["hours"],
        "line": WORK,
    }
    await _agree(run, "C-1", "One more report, by region.", scope, days=7)
    if "change-unfollowed" in run.scenario.troubles:
        return
    await _sign(run, "C-1", price=Decimal("0.9") if run.scenario.negotiated else None)
    await _replan(run, work, "C-1", lambda tasks: [*tasks, task])
    work.finish += timedelta(days=7)


async def take_away(run: EngagementRun, work: Work, share: Decimal = Decimal("0.1")) -> None:
    """Take a share of the work away, as the scenario's `cut_of` says."""
    cut = run.scenario.cut_of
    gone = cut == "line" and any(each["line"] == TESTING for each in run.lines)
    name, share = (TESTING, Decimal(1)) if gone else (WORK, share)
    scope: dict[str, Any] = {
        "line": name,
        "hours": [
            {**each, "hours": str(-_part(each["hours"], share))} for each in run.line(name)["hours"]
        ],
    }
    title = "the tests" if gone else "a part of the work"
    if cut == "deliverable":
        scope["deliverables_removed"] = [run.deliverables[-1]["deliverable"]]
        title = run.deliverables[-1]["title"]
    await _agree(run, "C-2", f"Without {title}.", scope, days=0)
    await _sign(run, "C-2", price=Decimal("1.2") if cut == "price" else None)
    if cut == "deliverable":
        run.deliverables = run.deliverables[:-1]
    await _replan(
        run,
        work,
        "C-2",
        lambda tasks: [left for task in tasks if (left := _reduced(task, name, share))["hours"]],
    )
    if gone:
        await _release(run, "tester")
    await allocate(run, work.tasks)


async def _release(run: EngagementRun, role: str) -> None:
    """Release all people of a role."""
    manager = run.scenario.manager
    for person in dict.fromkeys(each for week in run.scenario.team[role].values() for each in week):
        released = {"request": f"Q-{role}", "person": person}
        await run.actors.act("delivery", "release-resource", manager, **released)


def _part(hours: str, share: Decimal) -> Decimal:
    return (Decimal(hours) * share).quantize(Decimal("0.01"))


def _reduced(task: Task, line: str, share: Decimal) -> Task:
    """Return a task of a line with fewer hours, unless a change added it."""
    if task["line"] != line or task["task"].startswith("change"):
        return task
    left = [
        {**each, "hours": str(_part(each["hours"], 1 - share))}
        for each in task["hours"]
        if share < 1
    ]
    return {**task, "hours": left}


async def _agree(
    run: EngagementRun, change: str, description: str, scope: dict[str, Any], *, days: int
) -> None:
    """Request and assess a change of one line, and approve it once it is priced and drafted."""
    scenario, actors = run.scenario, run.actors
    await _price(run, change, description, scope, days=days)
    await actors.act(
        "delivery", "approve-change", scenario.manager, change=change, approved_by=run.sponsor
    )
    await actors.look_until("legal", "carl", lambda seen: _amendment(seen, change) is not None)


async def decline(run: EngagementRun) -> None:
    """Assess a change that the customer asks for, and record that they find it too dear."""
    scope = {"line": WORK, "hours": [{"role": "engineer", "hours": "60"}]}
    await _price(run, "C-3", "An app for visitors.", scope, days=10)
    why = "The sponsor has no budget for it this year."
    await run.actors.act("delivery", "reject-change", run.scenario.manager, change="C-3", why=why)


async def _price(
    run: EngagementRun, change: str, description: str, scope: dict[str, Any], *, days: int
) -> None:
    """Request and assess a change of one line, and wait until Finance has priced it."""
    scenario, actors = run.scenario, run.actors
    await actors.act(
        "delivery",
        "request-change",
        scenario.manager,
        change=change,
        requested_by=run.sponsor,
        description=description,
    )
    await actors.act(
        "delivery",
        "assess-change",
        scenario.manager,
        change=change,
        changes=[scope],
        days=days,
        risk="Low: it reuses what is there.",
    )
    await actors.look_until(
        "finance",
        "fred",
        lambda seen: any(
            each["change"] == change and each["price"] is not None for each in seen["changes"]
        ),
    )


def _amendment(seen: dict[str, Any], change: str) -> dict[str, Any] | None:
    """Return the amendment of a change in the view of Legal, or None."""
    found = (each["amendment"] for each in seen["changes"] if each["change"] == change)
    return next(found, None)


async def _sign(run: EngagementRun, change: str, *, price: Decimal | None) -> None:
    """Sign the amendment; one at a part of the `price` is drafted again and reviewed first."""
    actors = run.actors
    seen = await actors.look("legal", "carl")
    if price is not None:
        seen = await _negotiate(run, change, seen, price)
    amendment = _amendment(seen, change)
    if amendment is None:
        raise LookupError(f"no amendment is drafted for {change}")
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


async def _negotiate(
    run: EngagementRun, change: str, seen: dict[str, Any], part: Decimal
) -> dict[str, Any]:
    """Draft the amendment at a part of its price, and let Delivery and Finance review it."""
    actors, drafted = run.actors, _amendment(seen, change)
    if drafted is None:
        raise LookupError(f"no amendment is drafted for {change}")
    (first,) = drafted["content"]["changes"]
    price = Decimal(first["price_delta"]["amount"])
    lower = {
        **first,
        "price_delta": run.money((price * part).quantize(Decimal(1))),
        "billing_added": [],
        "billing_changed": [],
    }
    seen = await actors.act_and_see(
        "legal", "draft-amendment", "carl", change=change, changes=[lower]
    )
    amendment = _amendment(seen, change)
    if amendment is None:
        raise LookupError(f"no amendment is drafted for {change}")
    for service, by in (("delivery", run.scenario.manager), ("finance", "fred")):
        await actors.act(
            service,
            "review-amendment",
            by,
            amendment=amendment["amendment"],
            content_hash=amendment["content_hash"],
            verdict="approved",
        )
    await actors.act(
        "finance",
        "choose-treatment",
        "fred",
        amendment=amendment["amendment"],
        treatment="prospective",
        why="What is added can be used without the rest, and its price was negotiated.",
    )
    return seen


async def _replan(
    run: EngagementRun, work: Work, change: str, replanned: Callable[[list[Task]], list[Task]]
) -> None:
    """Draft and baseline a plan with the change, without deliverables that were taken away."""
    scenario, actors = run.scenario, run.actors
    plan = (await actors.look("delivery", scenario.manager))["plan"]["draft"]
    owed = {each["deliverable"] for each in run.deliverables}
    milestones = [
        {**each, "deliverables": [name for name in each["deliverables"] if name in owed]}
        for each in plan["milestones"]
    ]
    work.changes.append(change)
    drafted = await actors.act_and_see(
        "delivery",
        "draft-plan",
        scenario.manager,
        template=TEMPLATE,
        tasks=replanned(plan["tasks"]),
        milestones=milestones,
        deliverables=[each for each in plan["deliverables"] if each["deliverable"] in owed],
        changes=work.changes,
    )
    await actors.act(
        "delivery",
        "baseline-plan",
        scenario.manager,
        version=drafted["plan"]["draft"]["version"],
    )
    work.tasks = drafted["plan"]["draft"]["tasks"]
    work.milestones = drafted["plan"]["draft"]["milestones"]
