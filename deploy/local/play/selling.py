"""The first act of a story: from the first call to a signed statement of work."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from local.play.company import TEMPLATE, rate
from local.play.plots import Plot
from local.play.stage import Cast

SPLIT: tuple[tuple[str, str, int], ...] = (
    ("Discovery", "analyst", 15),
    ("Discovery", "architect", 8),
    ("Build", "engineer", 45),
    ("Build", "architect", 7),
    ("Verify", "tester", 15),
    ("Launch", "engineer", 4),
)
MANAGEMENT_SHARE = 14


class Curtain(Exception):
    """The play's last day has come; the rest of the story is the future."""


@dataclass(slots=True)
class Scene:
    """One engagement on the stage, and what its people must remember of it."""

    plot: Plot
    cast: Cast
    last_day: date
    random: Random
    deliverables: list[dict[str, Any]]
    starts_on: date
    finishes_on: date
    price: Decimal = Decimal(0)
    lines: tuple[dict[str, Any], ...] = ()
    schedule: tuple[dict[str, Any], ...] = ()

    @property
    def sponsor(self) -> str:
        """The customer's person who signs, accepts and answers."""
        return self.plot.customer.sponsor[0]

    async def on(self, day: date) -> None:
        """Go on at a day; raises Curtain after the play's last."""
        while day.weekday() > 4:
            day += timedelta(days=1)
        if day > self.last_day:
            raise Curtain
        await self.cast.until(day)

    async def after(self, days: int) -> None:
        """Go on some days later."""
        await self.on(self.cast.today + timedelta(days=days))

    def money(self, amount: Decimal | int) -> dict[str, str]:
        """An amount in the engagement's currency."""
        return {"amount": str(amount), "currency": self.plot.customer.currency}


def scene(plot: Plot, cast: Cast, last_day: date) -> Scene:
    """The scene before the curtain rises."""
    won_on = plot.begins + timedelta(days=plot.selling_days)
    starts_on = won_on + timedelta(days=24)
    return Scene(
        plot=plot,
        cast=cast,
        last_day=last_day,
        random=Random(plot.seed),
        deliverables=[
            {
                "deliverable": title.lower().replace(" ", "-"),
                "title": title,
                "acceptance_criteria": f"{title} works as the requirements describe it.",
            }
            for title in plot.deliverables
        ],
        starts_on=starts_on,
        finishes_on=starts_on + timedelta(weeks=plot.weeks),
    )


async def sell(scene: Scene) -> bool:
    """From the first call to a deal; false where it was lost."""
    plot, cast = scene.plot, scene.cast
    await scene.on(plot.begins)
    expected = round(plot.hours * 130, -3)
    await cast.open(
        {
            "account": plot.customer.account,
            "title": plot.title,
            "contacts": [scene.sponsor],
            "expected_value": scene.money(expected),
            "expected_close": (plot.begins + timedelta(days=plot.selling_days)).isoformat(),
            "owner": plot.seller,
        },
        plot.seller,
    )
    await scene.after(3)
    await cast.act(
        "sales",
        "qualify-opportunity",
        plot.seller,
        budget=True,
        authority=True,
        need=True,
        timing=scene.random.random() > 0.3,
        score=str(scene.random.randrange(55, 96)),
    )
    if "late-manager" not in plot.troubles:
        await _assign(scene)
    await scene.after(4)
    await cast.act(
        "sales",
        "request-estimate",
        plot.seller,
        scope_summary=f"{plot.title} for {plot.customer.name}.",
        deliverables=scene.deliverables,
        wanted_finish=scene.finishes_on.isoformat(),
    )
    await _estimate(scene)
    await _propose(scene)
    if plot.outcome == "lost":
        await scene.after(12)
        await cast.act(
            "sales",
            "lose-deal",
            plot.seller,
            reason=scene.random.choice(("price", "timing", "competitor", "no-decision")),
            comment="They thanked us for the clear method and went another way.",
        )
        return False
    if "slow-customer" in plot.troubles:
        raise Curtain
    await _win(scene)
    return True


async def _assign(scene: Scene) -> None:
    plot = scene.plot
    await scene.cast.act("delivery", "assign-manager", "paul", manager=plot.manager)
    tier = "light" if plot.hours < 350 else "critical" if plot.hours > 1100 else "standard"
    await scene.cast.act(
        "delivery",
        "choose-tier",
        plot.manager,
        tier=tier,
        reason="Size and novelty of the work.",
    )


async def _estimate(scene: Scene) -> None:
    plot, cast = scene.plot, scene.cast
    await scene.after(4)
    total = Decimal(plot.hours) / sum(share for _, _, share in SPLIT)
    lines = [
        {"phase": phase, "role": role, "hours": str((total * share).quantize(Decimal(1)))}
        for phase, role, share in SPLIT
    ]
    management = (Decimal(plot.hours) * MANAGEMENT_SHARE / 100).quantize(Decimal(1))
    lines.append(
        {
            "phase": "Management",
            "role": "project-manager",
            "hours": str(management),
            "kind": "project-management",
        }
    )
    await cast.act(
        "delivery",
        "submit-estimate",
        "paul" if "late-manager" in plot.troubles else plot.manager,
        template=TEMPLATE,
        lines=lines,
        contingency="5",
        duration_days=plot.weeks * 7,
        assumptions=["The customer's experts are available one day a week."],
        confidence=scene.random.choice(("medium", "high")),
    )
    if "late-manager" not in plot.troubles:
        await cast.act("delivery", "endorse-estimate", plot.manager, version=1)


async def _propose(scene: Scene) -> None:
    plot, cast = scene.plot, scene.cast
    await scene.after(5)
    seen = await cast.look_until(
        "sales",
        plot.seller,
        lambda state: bool(state["estimates"]) and state["estimates"][-1]["priced"] is not None,
    )
    priced = seen["estimates"][-1]["priced"]
    scene.lines = tuple(priced["lines"])
    scene.price = Decimal(priced["price"]["amount"])
    await cast.act(
        "sales",
        "draft-proposal",
        plot.seller,
        estimate_version=1,
        deliverables=scene.deliverables,
        lines=scene.lines,
        price=scene.money(scene.price),
        pricing="time-and-materials" if plot.time_and_materials else "fixed-price",
        promised_start=scene.starts_on.isoformat(),
        promised_finish=scene.finishes_on.isoformat(),
        method=(
            "We agree the requirements before we build, report every two weeks in one page, and "
            "change nothing without a priced change order."
        ),
        assumptions=["The customer's experts are available one day a week."],
    )
    if "late-manager" in plot.troubles:
        await scene.after(2)
        await _assign(scene)
        await cast.act("delivery", "endorse-estimate", plot.manager, version=1)
    await cast.act("sales", "submit-proposal", plot.seller, version=1)
    await cast.act(
        "sales", "advance-opportunity", plot.seller, pipeline_stage="proposing", probability="60"
    )


async def _win(scene: Scene) -> None:
    plot, cast = scene.plot, scene.cast
    won_on = plot.begins + timedelta(days=plot.selling_days)
    await scene.on(cast.today + (won_on - cast.today) / 2)
    await cast.act(
        "sales", "advance-opportunity", plot.seller, pipeline_stage="negotiating", probability="75"
    )
    await scene.on(won_on)
    scene.schedule = _schedule(scene)
    rates = [
        {"role": role, "rate": scene.money(rate(role, plot.customer.currency))}
        for role in dict.fromkeys(line["role"] for line in scene.lines)
    ]
    await cast.act(
        "sales",
        "win-deal",
        plot.seller,
        proposal_version=1,
        billing_schedule=scene.schedule,
        rates=rates if plot.time_and_materials else [],
        payment_terms_days=30,
    )


def _schedule(scene: Scene) -> tuple[dict[str, Any], ...]:
    price = scene.price
    if scene.plot.time_and_materials:
        retainer = (price / 10).quantize(Decimal(1))
        return (
            {"item": "retainer", "kind": "on-signature", "amount": scene.money(retainer)},
            {"item": "time", "kind": "time", "amount": scene.money(price - retainer)},
        )
    advance = (price * 3 / 10).quantize(Decimal(1))
    names = [each["deliverable"] for each in scene.deliverables]
    part = ((price - advance) / len(names)).quantize(Decimal(1))
    rest = price - advance - part * (len(names) - 1)
    return (
        {
            "item": "advance",
            "kind": "on-signature",
            "amount": scene.money(advance),
            "description": "Advance on signature",
        },
        *(
            {
                "item": f"accept-{name}",
                "kind": "on-acceptance",
                "amount": scene.money(rest if name == names[-1] else part),
                "deliverables": [name],
                "description": f"On acceptance of {name}",
            }
            for name in names
        ),
    )


async def contract(scene: Scene) -> None:
    """From the deal to the signatures of both parties."""
    plot, cast = scene.plot, scene.cast
    if "no-paper" in plot.troubles:
        raise Curtain
    await scene.after(5)
    changed: dict[str, Any] = {}
    if "sow-price" in plot.troubles:
        first, *rest = scene.schedule
        less = (scene.price / 20).quantize(Decimal(1))
        reduced = scene.money(Decimal(first["amount"]["amount"]) - less)
        changed = {
            "price": scene.money(scene.price - less),
            "billing_schedule": [{**first, "amount": reduced}, *rest],
        }
    drafted = await cast.act(
        "legal", "draft-sow", "carl", scope=f"{plot.title}, as proposed.", **changed
    )
    content_hash = drafted["statements_of_work"][-1]["content_hash"]
    if plot.early_start:
        await _authorise(scene)
    if "begun-early" in plot.troubles:
        await _begin_early(scene)
    await scene.after(3)
    await cast.act("delivery", "review-sow", plot.manager, version=1, verdict="approved")
    await scene.after(1)
    await cast.act("finance", "review-sow", "fred", version=1, verdict="approved")
    await scene.after(1)
    await cast.act("legal", "approve-sow", "carl", version=1)
    await cast.act("legal", "send-sow", "carl", version=1)
    await scene.after(4)
    for party, person in (("company", "vera"), ("customer", scene.sponsor)):
        await cast.act(
            "legal",
            "record-signature",
            "carl",
            party=party,
            person=person,
            content_hash=content_hash,
        )


async def _authorise(scene: Scene) -> None:
    await scene.cast.act(
        "legal",
        "authorise-early-start",
        "carl",
        cap_hours="60",
        expires_on=(scene.cast.today + timedelta(days=28)).isoformat(),
        reason="The customer's date is fixed and the paper is agreed in substance.",
    )


async def _begin_early(scene: Scene) -> None:
    """People begin with nothing signed or authorised, and log it once somebody authorises it."""
    cast, manager = scene.cast, scene.plot.manager
    week = cast.today - timedelta(days=cast.today.weekday())
    await scene.on(week + timedelta(days=7))
    await _authorise(scene)
    for person, role, hours in (("cora", "analyst", "24"), ("elif", "architect", "16")):
        await cast.act(
            "delivery",
            "submit-time",
            person,
            entry=f"T-early-{role}",
            role=role,
            task="initiation",
            week=week.isoformat(),
            hours=hours,
        )
        await cast.act("delivery", "approve-time", manager, entry=f"T-early-{role}")
