"""Random contracts of mixed lines, and random changes of them, add up in all departments."""

import asyncio
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from local.demo import selling
from local.demo.closing import MonthEnds
from local.demo.driver import CommandRefused
from local.demo.engagement_run import EngagementRun, new_run
from local.demo.reference_data import CUSTOMERS, TEMPLATE, rate
from tests.unit.lived import Impatient
from tests.unit.simulation import ENGAGEMENT, InProcessDriver, founded
from tests.unit.test_contract_of_lines import Story
from tests.unit.test_interleaving import LAST_DAY, scenario

Line = dict[str, Any]
CENT = Decimal("0.01")


def some(random: Random, hours: Decimal, least: int, most: int) -> Decimal:
    """Return a random part of hours, between two percentages."""
    return (hours * random.randint(least, most) / 100).quantize(CENT)


def lines_of(random: Random, run: EngagementRun, priced: Sequence[Line]) -> list[Line]:
    """Return random lines that have the hours of the estimate; a role may be on several."""
    currency = run.scenario.customer.currency
    parts: list[dict[str, Decimal]] = [{} for _ in range(random.randint(1, 4))]
    for each in priced:
        role, left = each["role"], Decimal(each["hours"])
        if each["kind"] == "delivery":
            first = some(random, left, 0, 100)
            for many in (first, left - first):
                part = random.choice(parts)
                part[role] = part.get(role, Decimal(0)) + many
    managed = {
        each["role"]: Decimal(each["hours"]) for each in priced if each["kind"] != "delivery"
    }
    lines: list[Line] = []
    for number, hours in enumerate((*parts, managed)):
        worth = sum((rate(role, currency) * many for role, many in hours.items()), Decimal(0))
        hourly = hours is not managed and random.random() < 0.5
        price = (worth * random.randint(100, 130) / 100).quantize(CENT)
        line = {
            "line": f"line-{number}",
            "title": f"Line {number}",
            "kind": "project-management" if hours is managed else "services",
            "pricing": "time-and-materials" if hourly else "fixed",
            "estimated": hourly and random.random() < 0.3,
            "price": run.money(price),
            "hours": [{"role": role, "hours": str(many)} for role, many in hours.items() if many],
            "rates": [{"role": role, "rate": run.money(rate(role, currency))} for role in hours]
            if hourly
            else [],
        }
        lines += [line] if worth else []
    lines[0]["deliverables"] = [each["deliverable"] for each in run.deliverables]
    if random.random() < 0.5:
        retainer = {"fee": run.money(700), "periods": 4, "starts_on": run.starts_on.isoformat()}
        care = {"line": "care", "title": "Care", "pricing": "retainer", "retainer": retainer}
        lines.append({**care, "price": run.money(2_800)})
    random.shuffle(lines)
    return lines


def change_of(random: Random, line: Line, name: str, owed: Sequence[str]) -> Line:
    """Return a random change of a line; of a retainer only the fee changes, in the amendment."""
    hours = [
        {"role": each["role"], "hours": str(some(random, Decimal(each["hours"]), -70, 70))}
        for each in line["hours"]
    ]
    changed: Line = {"line": line["line"], "hours": hours}
    if random.random() < 0.3:
        changed["deliverables_added"] = [{"deliverable": name, "title": "More"}]
    elif random.random() < 0.3 and line["deliverables"] and len(owed) > 1:
        changed["deliverables_removed"] = line["deliverables"][:1]
    return changed


class Changing(Story):
    """An engagement whose contract changes; `changes` are the signed ones."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.changes: list[str] = []

    async def agreed(self, random: Random, name: str) -> None:
        """Request, assess and approve a random change of a random line."""
        act, manager = self.run.actors.act, self.run.scenario.manager
        seen = self.world.view("delivery", ENGAGEMENT)
        line = random.choice(seen["contract"]["lines"])
        scope = change_of(random, line, name, seen["deliverables"])
        asked = {"requested_by": self.run.sponsor, "description": "Another scope."}
        await act("delivery", "request-change", manager, change=name, **asked)
        days = random.choice((-2, 0, 7))
        await act(
            "delivery",
            "assess-change",
            manager,
            change=name,
            changes=[scope],
            days=days,
            risk="No.",
        )
        self.world.deliver_all()
        await act("delivery", "approve-change", manager, change=name, approved_by=self.run.sponsor)
        self.world.deliver_all()
        if line["pricing"] == "retainer":
            known = next(each for each in self.contract["lines"] if each["line"] == line["line"])
            months, price = random.randint(1, 9), Decimal(known["price"]["amount"])
            terms = {**known["retainer"], "periods": months}
            delta = self.run.money(Decimal(terms["fee"]["amount"]) * months - price)
            fees = {"line": line["line"], "price_delta": delta, "retainer": terms}
            await act("legal", "draft-amendment", "carl", change=name, changes=[fees])

    @property
    def contract(self) -> Line:
        contract: Line = self.world.view("legal", ENGAGEMENT)["contract"]
        return contract

    async def sign(self, name: str) -> None:
        """Let both departments review the amendment of a change, and sign it.

        Raises CommandRefused where a signed amendment has taken the hours away.
        """
        run, today = self.run, self.run.actors.today.isoformat()
        self.world.deliver_all()
        changes = self.world.view("legal", ENGAGEMENT)["changes"]
        (drafted,) = (each["amendment"] for each in changes if each["change"] == name)
        named = {"amendment": drafted["amendment"], "content_hash": drafted["content_hash"]}
        for service, by in (("delivery", run.scenario.manager), ("finance", "fred")):
            await run.actors.act(service, "review-amendment", by, **named, verdict="approved")
        signatories = [
            {"party": party, "person": person, "signed_on": today}
            for party, person in (("company", "vera"), ("customer", run.sponsor))
        ]
        await run.actors.act("legal", "sign-amendment", "carl", **named, signatories=signatories)
        self.changes.append(name)

    async def plan(self) -> None:
        """Baseline a plan with the hours of the contract, one task for a role of a line."""
        run, seen = self.run, self.world.view("delivery", ENGAGEMENT)
        last = min(self.contract["finishes_on"], run.finishes_on.isoformat())
        finish = max(run.starts_on.isoformat(), last)
        owed = seen["deliverables"]
        milestone = {"milestone": "end", "title": "End", "due_on": finish}
        drafted = await run.actors.act_and_see(
            "delivery",
            "draft-plan",
            run.scenario.manager,
            template=TEMPLATE,
            tasks=list(self._tasks(seen["contract"]["lines"], finish)),
            milestones=[{**milestone, "deliverables": [each["deliverable"] for each in owed]}],
            deliverables=[
                {"deliverable": each["deliverable"], "title": each["title"]} for each in owed
            ],
            changes=self.changes,
        )
        version = drafted["plan"]["draft"]["version"]
        await run.actors.act("delivery", "baseline-plan", run.scenario.manager, version=version)

    def _tasks(self, lines: Sequence[Line], finish: str) -> Iterator[Line]:
        for line in lines:
            for each in line["hours"]:
                managing = each["role"] == "project-manager"
                if Decimal(each["hours"]):
                    yield {
                        "task": f"{line['line']}-{each['role']}",
                        "title": "Work",
                        "phase": "Build",
                        "starts_on": self.run.starts_on.isoformat(),
                        "finishes_on": finish,
                        "hours": [each],
                        "line": line["line"],
                        "kind": "project-management" if managing else "delivery",
                    }


async def changed(seed: int) -> int:
    """Change a random contract; return the number of signed amendments.

    Several changes are agreed at once and signed in any order. After each group, all departments
    and the gateway have the same lines.
    """
    random = Random(seed)
    chosen = scenario(
        change=False, deliverables=("A", "B", "C"), customer=random.choice(CUSTOMERS), seed=seed
    )
    world = await founded()
    driver = InProcessDriver(world, chosen.begins)
    actors = Impatient(driver, chosen.name)
    months = MonthEnds(driver, chosen.begins)
    story = Changing(world, new_run(chosen, actors, LAST_DAY), months)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selling, "proposed_lines", lambda *given: lines_of(random, *given))
        patch.setattr(selling, "agreed_billing", lambda *_: [])
        assert await selling.sell(story.run)
    await selling.contract(story.run)
    await story.plan()
    story.agree()
    refusals: list[str] = []
    for group in range(3):
        names = [f"C-{group}-{number}" for number in range(random.randint(1, 3))]
        for name in names:
            await story.agreed(random, name)
        random.shuffle(names)
        for name in names:
            try:
                await story.sign(name)
            except CommandRefused as refused:
                refusals.append(str(refused))
                manager = chosen.manager
                await actors.act("delivery", "reject-change", manager, change=name, why="Too much.")
        world.deliver_all()
        await story.plan()
        story.agree()
    beyond = ("too few", "do not fit the lines")
    assert [each for each in refusals if not any(map(each.count, beyond))] == []
    return len(story.changes)


def test_random_changes_of_random_contracts_add_up() -> None:
    assert sum(asyncio.run(changed(seed)) for seed in range(8)) > 16
