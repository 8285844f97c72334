"""Engagements that live on the running platform, and what their people see on the way.

The stories are the play's own; here they are watched from the gateway, and gates are tried before
they are due to open.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.demo import lifecycle
from local.demo.actors import Actors
from local.demo.delivering import mobilise
from local.demo.driver import CommandRefused, Driver
from local.demo.engagement_run import new_run
from local.demo.reference_data import BILL_RATES, CUSTOMERS, TEMPLATE
from local.demo.scenarios import Scenario
from local.demo.selling import contract, sell

TODAY = datetime.now(UTC).date()
LAST_DAY = TODAY - timedelta(days=1)
NO_HASH = "sha256:" + "0" * 64

State = dict[str, Any]


def monday(days_ago: int) -> date:
    """The Monday of the week so many days ago."""
    day = TODAY - timedelta(days=days_ago)
    return day - timedelta(days=day.weekday())


def scenario(name: str, **different: Any) -> Scenario:
    """A small, healthy engagement; `different` says in what it is another."""
    usual: dict[str, Any] = {
        "name": name,
        "title": f"Customer portal, {name}",
        "customer": CUSTOMERS[0],
        "deliverables": ("Portal", "Reports"),
        "seller": "ann",
        "manager": "emma",
        "begins": monday(330),
        "hours": 240,
        "weeks": 6,
        "selling_days": 30,
        "time_and_materials": False,
        "outcome": "delivered",
        "early_start": False,
        "change": False,
        "rejection": False,
        "days_late_paying": -3,
        "satisfaction": 4,
        "seed": 7,
    }
    return Scenario(**{**usual, **different})


@dataclass(frozen=True)
class Ask:
    """A command, its giver, and its body, which may be read off what Delivery sees."""

    service: str
    command: str
    by: str
    body: Mapping[str, Any] | Callable[[State], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Aside:
    """What is done just before the n-th act of a name: an errand, or a gate that is tried.

    `gate` names the try; the gate has to refuse it.
    """

    before: str
    ask: Ask
    gate: str | None = None
    nth: int = 1


@dataclass
class Observed(Actors):
    """A cast that is watched: what the gateway shows after each act, and what gates refuse."""

    asides: tuple[Aside, ...] = ()
    watched: bool = False
    stages: list[tuple[str, str]] = field(default_factory=list)
    refusals: dict[str, State] = field(default_factory=dict)
    acted: Counter[str] = field(default_factory=Counter)

    async def open(self, body: Mapping[str, Any], by: str) -> str:
        engagement = await Actors.open(self, body, by)
        await self._watch("sales/open")
        return engagement

    async def act(self, service: str, command: str, by: str, /, **body: Any) -> State:
        name = f"{service}/{command}"
        self.acted[name] += 1
        for aside in self.asides:
            if (aside.before, aside.nth) == (name, self.acted[name]):
                await self._step_aside(aside)
        state = await Actors.act(self, service, command, by, **body)
        await self._watch(name)
        return state

    async def refused(self, service: str, command: str, by: str, **body: Any) -> State:
        """The problem with which a command is refused, once all that the cast knows is heard."""
        await self.look(service, "everybody")
        self._commands += 1
        try:
            await self.driver.send(
                service,
                f"/engagements/{self.engagement}/{command}",
                body,
                by,
                key=f"{self.name}/{self._commands}/{command}",
                headers={**self._headers(), "Prefer": "wait=0"},
            )
        except CommandRefused as refusal:
            problem: State = json.loads(str(refusal).partition("\n  ")[2])
            return problem
        raise AssertionError(f"{by} may {command} already")

    async def _step_aside(self, aside: Aside) -> None:
        ask, body = aside.ask, aside.ask.body
        if callable(body):
            body = body(await self.look("delivery", "everybody"))
        if aside.gate is None:
            await Actors.act(self, ask.service, ask.command, ask.by, **body)
        else:
            self.refusals[aside.gate] = await self.refused(ask.service, ask.command, ask.by, **body)

    async def _watch(self, name: str) -> None:
        if self.watched:
            seen = await self.look("gateway", "vera")
            self.stages.append((name, seen["stage"]))


async def whole(actors: Observed, scenario: Scenario) -> None:
    """From the first call to the final sign-off, or as far as the plot goes by yesterday."""
    await lifecycle.run_lifecycle(new_run(scenario, actors, LAST_DAY))


async def begun(actors: Observed, scenario: Scenario) -> None:
    """From the first call to the kickoff; the work is still to be done."""
    story = new_run(scenario, actors, LAST_DAY)
    await sell(story)
    await contract(story)
    await mobilise(story)


async def terminated(actors: Observed, scenario: Scenario) -> None:
    """Ended by Legal in the middle of the work; then Finance settles."""
    await whole(actors, scenario)
    await actors.until(actors.today + timedelta(days=7))
    seen = await actors.look("finance", "fred")
    for invoice in seen["invoices"]:
        if invoice["stage"] == "drafted":
            await actors.act("finance", "approve-invoice", "dora", invoice=invoice["invoice"])
    seen = await actors.look_until(
        "finance", "fred", lambda state: all(one["number"] for one in state["invoices"])
    )
    for invoice in seen["invoices"]:
        if Decimal(invoice["outstanding"]["amount"]) > 0:
            await actors.act(
                "finance",
                "record-payment",
                "fred",
                invoice=invoice["invoice"],
                amount=invoice["outstanding"],
            )
    await actors.act("finance", "settle-account", "fred")


async def hasty(actors: Observed, scenario: Scenario) -> None:
    """A proposal before anybody in Delivery was asked, and then again with all it needs."""
    story = new_run(scenario, actors, LAST_DAY)
    deliverables = story.deliverables
    await story.on(scenario.begins)
    value = {"amount": "20000", "currency": scenario.customer.currency}
    await actors.open(
        {
            "account": scenario.customer.account,
            "title": scenario.title,
            "expected_value": value,
            "expected_close": story.starts_on.isoformat(),
            "owner": scenario.seller,
        },
        scenario.seller,
    )
    rate = {"amount": str(BILL_RATES["engineer"]), "currency": scenario.customer.currency}
    line = {"role": "engineer", "hours": "10", "rate": rate, "amount": {**rate, "amount": "1300"}}
    proposal: dict[str, Any] = {
        "estimate_version": 1,
        "deliverables": deliverables,
        "lines": [line],
        "pricing": "fixed-price",
        "promised_start": story.starts_on.isoformat(),
        "promised_finish": story.finishes_on.isoformat(),
        "method": "Quickly.",
    }
    await actors.act("sales", "draft-proposal", scenario.seller, **proposal)

    async def tried(name: str, version: int) -> None:
        actors.refusals[name] = await actors.refused(
            "sales", "submit-proposal", scenario.seller, version=version
        )

    await tried("1: nobody asked", 1)
    await actors.act("delivery", "assign-manager", "paul", manager=scenario.manager)
    await actors.act(
        "sales",
        "request-estimate",
        scenario.seller,
        scope_summary="Ten hours.",
        deliverables=deliverables,
    )
    management = {**line, "role": "project-manager", "kind": "project-management"}
    await actors.act(
        "delivery",
        "submit-estimate",
        scenario.manager,
        template=TEMPLATE,
        lines=[
            {"phase": "Build", "role": "engineer", "hours": "10"},
            {
                "phase": "Build",
                "role": "project-manager",
                "hours": "2",
                "kind": "project-management",
            },
        ],
        contingency="0",
        duration_days=14,
        confidence="high",
    )
    await actors.look_until(
        "sales",
        scenario.seller,
        lambda seen: bool(seen["estimates"] and seen["estimates"][0]["priced"]),
    )
    await tried("1: not endorsed", 1)
    await actors.act("delivery", "endorse-estimate", scenario.manager, version=1)
    await tried("1: no project management", 1)
    await actors.act(
        "sales", "revise-proposal", scenario.seller, version=1, reason="Management was forgotten."
    )
    await actors.act(
        "sales", "draft-proposal", scenario.seller, **{**proposal, "lines": [line, management]}
    )
    await actors.act("sales", "submit-proposal", scenario.seller, version=2)


EARLY_HOURS = 20
"""Cap of the early start."""


async def early(actors: Observed, scenario: Scenario) -> None:
    """Work before the signature: authorised, capped, and expired by the clock."""
    story = new_run(scenario, actors, LAST_DAY)
    await sell(story)
    await story.after(3)
    drafted = await actors.act("legal", "draft-sow", "carl", scope=scenario.title)
    assert drafted["statements_of_work"]
    attendees = {"attendees": [scenario.manager, story.sponsor]}
    actors.refusals["3: nothing authorised"] = await actors.refused(
        "delivery", "hold-kickoff", scenario.manager, **attendees
    )
    expires_on = actors.today + timedelta(days=14)
    await actors.act(
        "legal",
        "authorise-early-start",
        "carl",
        cap_hours=str(EARLY_HOURS),
        expires_on=expires_on.isoformat(),
        reason="The customer's date is fixed.",
    )
    await actors.act("delivery", "hold-kickoff", scenario.manager, **attendees)
    await actors.act("delivery", "draft-plan", scenario.manager, template=TEMPLATE)
    await actors.act("delivery", "baseline-plan", scenario.manager, version=1)
    await story.after(4)
    tasks = (await actors.look("delivery", scenario.manager))["plan"]["tasks"]
    building = next(one["planned"]["task"] for one in tasks if one["planned"]["implementation"])
    preparing = next(
        one["planned"]["task"] for one in tasks if not one["planned"]["implementation"]
    )
    week = actors.today - timedelta(days=actors.today.weekday())

    def hours(entry: str, many: int, task: str) -> dict[str, Any]:
        return {
            "entry": entry,
            "role": "analyst",
            "task": task,
            "week": week.isoformat(),
            "hours": str(many),
        }

    actors.refusals["4: requirements not signed off"] = await actors.refused(
        "delivery", "submit-time", "cora", **hours("T-0", 4, building)
    )
    await actors.act("delivery", "submit-time", "cora", **hours("T-1", 12, preparing))
    await actors.act("delivery", "approve-time", scenario.manager, entry="T-1")
    actors.refusals["3: beyond the cap"] = await actors.refused(
        "delivery", "submit-time", "cora", **hours("T-2", 9, preparing)
    )
    await actors.act("delivery", "submit-time", "cora", **hours("T-3", 8, preparing))
    before = await actors.look("legal", "carl")
    assert before["early_starts"][0]["status"] == "authorised", (
        "the held clock has not come to that day"
    )
    await actors.until(expires_on + timedelta(days=8))
    await actors.look_until(
        "legal", "carl", lambda seen: bool(seen["early_starts"][0]["status"] == "expired")
    )
    week = actors.today - timedelta(days=actors.today.weekday())
    actors.refusals["3: expired"] = await actors.refused(
        "delivery", "submit-time", "cora", **hours("T-4", 1, preparing)
    )


def _building(state: State) -> Mapping[str, Any]:
    """Time on a task of implementation, in the week of the signature."""
    signed_on = date.fromisoformat(state["contract"]["signed_on"])
    tasks = state["plan"]["draft"]["tasks"]
    return {
        "role": "engineer",
        "task": next(each["task"] for each in tasks if each["implementation"]),
        "week": (signed_on - timedelta(days=signed_on.weekday())).isoformat(),
        "hours": "8",
    }


_IMPLEMENT = Ask("delivery", "implement-change", "emma", {"change": "C-1"})
_CLOSE = Ask("delivery", "close-engagement", "emma")
_KICK_OFF = Ask("delivery", "hold-kickoff", "emma", {"attendees": ["emma"]})
_APPROVE_SOW = Ask("legal", "approve-sow", "carl", {"version": 1})

WHOLE_ASIDES: tuple[Aside, ...] = (
    Aside("delivery/review-sow", _APPROVE_SOW, "2: nobody reviewed"),
    Aside("finance/review-sow", _APPROVE_SOW, "2: one reviewed"),
    Aside("legal/approve-sow", Ask("legal", "send-sow", "carl", {"version": 1}), "2: not approved"),
    Aside(
        "legal/record-signature",
        Ask(
            "legal",
            "record-signature",
            "carl",
            {"party": "customer", "person": "jonas", "content_hash": NO_HASH},
        ),
        "2: another paper",
    ),
    Aside("legal/record-signature", _KICK_OFF, "3: nobody signed"),
    Aside("legal/record-signature", _KICK_OFF, "3: one party signed", nth=2),
    Aside(
        "delivery/baseline-plan",
        Ask("delivery", "submit-time", "gita", _building),
        "4: no baseline",
    ),
    Aside(
        "finance/approve-invoice",
        Ask(
            "finance",
            "approve-invoice",
            "dora",
            {"invoice": "invoice-advance", "issue_on": monday(330).isoformat()},
        ),
        "5: before it is due",
    ),
    Aside(
        "delivery/accept-deliverable",
        Ask("finance", "approve-invoice", "dora", {"invoice": "invoice-accept-portal"}),
        "5: not accepted",
    ),
    Aside("delivery/assess-change", _IMPLEMENT, "6: not assessed"),
    Aside("delivery/approve-change", _IMPLEMENT, "6: not approved"),
    Aside("legal/sign-amendment", _IMPLEMENT, "6: not signed"),
    Aside("delivery/draft-plan", _IMPLEMENT, "6: not planned", nth=2),
    Aside("delivery/submit-deliverable", _CLOSE, "7: nothing accepted"),
    Aside(
        "delivery/go-live",
        Ask(
            "delivery",
            "raise-issue",
            "emma",
            {"item": "I-1", "title": "Search is slow", "severity": "high", "owner": "emma"},
        ),
    ),
    Aside("delivery/send-survey", _CLOSE, "7: all accepted, an issue open"),
    Aside(
        "delivery/hold-pir",
        Ask(
            "delivery", "close-raid-item", "emma", {"item": "I-1", "resolution": "An index helps."}
        ),
    ),
    Aside("delivery/send-survey", Ask("finance", "settle-account", "fred"), "7: unpaid"),
    Aside("finance/settle-account", _CLOSE, "7: not settled"),
)

HOURLY_ASIDES: tuple[Aside, ...] = (
    Aside(
        "delivery/submit-time",
        Ask("finance", "bill-time", "fred", {"month": f"{monday(200):%Y-%m}"}),
        "5: no time approved",
    ),
)


@dataclass(frozen=True)
class Lives:
    """The engagements that the tests look at, by what became of them."""

    whole: Observed
    hourly: Observed
    lost: Observed
    terminated: Observed
    hasty: Observed
    early: Observed
    running: Observed


async def live(driver: Driver) -> Lives:
    """Play all of them, side by side; the clocks go on by themselves in the end."""
    scenarios = {
        "whole": scenario("whole", change=True, rejection=True),
        "hourly": scenario("hourly", begins=monday(200), time_and_materials=True, seed=8),
        "lost": scenario("lost", outcome="lost", seller="bruno", customer=CUSTOMERS[3]),
        "terminated": scenario("terminated", outcome="terminated", manager="max", seed=11),
        "hasty": scenario("hasty", begins=monday(120), manager="noor"),
        "early": scenario("early", begins=monday(160), manager="noor", seed=13),
        "running": scenario("running", begins=monday(90), manager="yuki", weeks=12, seed=17),
    }
    asides = {"whole": WHOLE_ASIDES, "hourly": HOURLY_ASIDES}
    actors_by_name = {
        name: Observed(driver, name, asides=asides.get(name, ()), watched=name == "whole")
        for name in scenarios
    }
    ways = {
        "lost": whole,
        "terminated": terminated,
        "hasty": hasty,
        "early": early,
        "running": begun,
        "whole": whole,
        "hourly": whole,
    }
    await driver.hold_clocks()
    await driver.calendar.run(
        [ways[name](actors_by_name[name], scenarios[name]) for name in scenarios]
    )
    await driver.release_clocks()
    return Lives(**actors_by_name)
