"""Run engagements on the running platform, and record what the gateway and the gates answer.

They are scenarios of the demo; here the gateway's view is read after each command, and commands are
sent before their gates allow them.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.event import read_position
from local.demo import lifecycle
from local.demo.actors import Actors
from local.demo.changing import add_report, take_away
from local.demo.delivering import build, mobilise
from local.demo.driver import WAIT, Body, CommandRefused, Driver
from local.demo.engagement_run import new_run
from local.demo.finishing import finish
from local.demo.reference_data import BILL_RATES, CUSTOMERS, SELLING_COMPANY, TEMPLATE
from local.demo.scenarios import Scenario
from local.demo.selling import contract, sell
from local.platform import DEPARTMENTS

TODAY = datetime.now(UTC).date()
LAST_DAY = TODAY - timedelta(days=1)
# A day to come in every time zone, and still so when the tests run past midnight.
IN_A_MONTH = TODAY + timedelta(days=30)
NO_HASH = "sha256:" + "0" * 64

State = dict[str, Any]


def monday(days_ago: int) -> date:
    """Return the Monday of the week that was a number of days ago."""
    day = TODAY - timedelta(days=days_ago)
    return day - timedelta(days=day.weekday())


def scenario(name: str, **different: Any) -> Scenario:
    """Return a small, healthy scenario, with other values in `different`."""
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
        "shape": "fixed",
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
class CommandCall:
    """A command, its actor, and its body, or a function of Delivery's view that returns it."""

    service: str
    command: str
    by: str
    body: Mapping[str, Any] | Callable[[State], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class ExtraStep:
    """A command to send just before the n-th command `before` (service/command).

    With `gate`, a name for the attempt, it has to be refused.
    """

    before: str
    call: CommandCall
    gate: str | None = None
    nth: int = 1


@dataclass(frozen=True)
class Kept:
    """The view that a command answered, and the views of all services once they had its events."""

    answer: State
    views: Mapping[str, State]


@dataclass
class Observed(Actors):
    """Actors that record the gateway's stage after each command, and the refusals of gates.

    After the commands of `kept_after`, such as `legal/draft-sow 1` for the first one, the views of
    all services are kept by the name that is given there.
    """

    steps: tuple[ExtraStep, ...] = ()
    watched: bool = False
    kept_after: Mapping[str, str] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    stages: list[tuple[str, str]] = field(default_factory=list)
    refusals: dict[str, State] = field(default_factory=dict)
    acted: Counter[str] = field(default_factory=Counter)

    async def open(self, body: Mapping[str, Any], by: str) -> str:
        engagement = await Actors.open(self, body, by)
        await self._watch("sales/open")
        return engagement

    async def act_on_many(
        self, service: str, command: str, by: str, /, bodies: Sequence[Body]
    ) -> None:
        await self._begin(f"{service}/{command}")
        await Actors.act_on_many(self, service, command, by, bodies)
        await self._watch(f"{service}/{command}")

    async def _begin(self, name: str) -> None:
        """Count a command, and run the steps before it."""
        self.acted[name] += 1
        for step in self.steps:
            if (step.before, step.nth) == (name, self.acted[name]):
                await self._run_step(step)

    async def act(self, service: str, command: str, by: str, /, **body: Any) -> None:
        await self.act_and_see(service, command, by, **body)

    async def act_and_see(self, service: str, command: str, by: str, /, **body: Any) -> State:
        name = f"{service}/{command}"
        await self._begin(name)
        state = await Actors.act_and_see(self, service, command, by, **body)
        await self._watch(name)
        if kept := self.kept_after.get(f"{name} {self.acted[name]}"):
            self.kept[kept] = Kept(state, await self._views())
        return state

    async def _views(self) -> dict[str, State]:
        """Return the views of all services once every department has processed all events.

        That is so when each has processed what the others have published, and none has published
        more in the meantime.
        """
        views: dict[str, State] = {}
        before: dict[str, int] | None = None
        while before != self.position:
            before = dict(self.position)
            for service in DEPARTMENTS:
                answer = await self.driver.read(
                    service,
                    f"/engagements/{self.engagement}",
                    "everybody",
                    self._after() | {"Prefer": f"wait={WAIT}"},
                )
                views[service] = answer.json()
                position = read_position(answer.headers["Concord-Position"])
                for channel, last in position.items():
                    self.position[channel] = max(last, self.position.get(channel, 0))
        views["gateway"] = await self.look_until(
            "gateway", "everybody", lambda seen: bool(seen["complete"])
        )
        return views

    async def refused(self, service: str, command: str, by: str, **body: Any) -> State:
        """Return the problem of a command, which must be refused.

        It is sent when the service has processed all events that the actors know of.
        """
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
        raise AssertionError(f"{command} of {by} was accepted")

    async def _run_step(self, step: ExtraStep) -> None:
        call, body = step.call, step.call.body
        if callable(body):
            body = body(await self.look("delivery", "everybody"))
        if step.gate is None:
            await Actors.act(self, call.service, call.command, call.by, **body)
        else:
            self.refusals[step.gate] = await self.refused(
                call.service, call.command, call.by, **body
            )

    async def _watch(self, name: str) -> None:
        if self.watched:
            seen = await self.look("gateway", "vera")
            self.stages.append((name, seen["stage"]))


async def whole(actors: Observed, scenario: Scenario) -> None:
    """Run the whole lifecycle, or as far as it gets by yesterday."""
    await lifecycle.run_lifecycle(new_run(scenario, actors, LAST_DAY))


async def begun(actors: Observed, scenario: Scenario) -> None:
    """Run from the opening to the kickoff; the work is still to be done."""
    run = new_run(scenario, actors, LAST_DAY)
    await sell(run)
    await contract(run)
    await mobilise(run)


THIRD = Decimal(1) / 3
"""Share of the hours of the work that is taken away from the contract of several lines."""


async def changed(actors: Observed, scenario: Scenario) -> None:
    """Run the whole lifecycle, with an addition and a cut by a third before the work begins."""
    run = new_run(scenario, actors, LAST_DAY)
    await sell(run)
    await contract(run)
    work = await mobilise(run)
    await add_report(run, work)
    await take_away(run, work, THIRD)
    await build(run, work)
    await finish(run, work)


async def hasty(actors: Observed, scenario: Scenario) -> None:
    """Submit a proposal without an estimate, and again with all that its gate needs."""
    run = new_run(scenario, actors, LAST_DAY)
    deliverables = run.deliverables
    await run.on(scenario.begins)
    value = {"amount": "20000", "currency": scenario.customer.currency}
    await actors.open(
        {
            "account": run.account,
            "title": scenario.title,
            "expected_value": value,
            "expected_close": run.starts_on.isoformat(),
            "owner": scenario.seller,
        },
        scenario.seller,
    )
    line = {
        "line": "work",
        "title": "Ten hours",
        "pricing": "fixed",
        "price": run.money(10 * BILL_RATES["engineer"]),
        "hours": [{"role": "engineer", "hours": "10"}],
    }
    proposal: dict[str, Any] = {
        "company": SELLING_COMPANY[scenario.customer.currency],
        "estimate_version": 1,
        "deliverables": deliverables,
        "lines": [line],
        "promised_start": run.starts_on.isoformat(),
        "promised_finish": run.finishes_on.isoformat(),
        "valid_until": run.starts_on.isoformat(),
        "method": "Quickly.",
    }
    await actors.act("sales", "draft-proposal", scenario.seller, **proposal)

    async def tried(name: str, version: int) -> None:
        actors.refusals[name] = await actors.refused(
            "sales", "submit-proposal", scenario.seller, version=version
        )

    await tried("1: no estimate requested", 1)
    await actors.act("delivery", "assign-manager", "paul", manager=scenario.manager)
    await actors.act(
        "sales",
        "request-estimate",
        scenario.seller,
        scope_summary="Ten hours.",
        deliverables=deliverables,
    )
    management = {
        "line": "management",
        "title": "Project management",
        "kind": "project-management",
        "pricing": "fixed",
        "price": run.money(2 * BILL_RATES["project-manager"]),
        "hours": [{"role": "project-manager", "hours": "2"}],
    }
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
    """Work before the signature by an early start: authorised, capped, and expired."""
    run = new_run(scenario, actors, LAST_DAY)
    await sell(run)
    await run.after(3)
    drafted = await actors.act_and_see("legal", "draft-sow", "carl", scope=scenario.title)
    assert drafted["statements_of_work"]
    attendees = {"attendees": [scenario.manager, run.sponsor]}
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
    await run.after(4)
    tasks = (await actors.look("delivery", scenario.manager))["plan"]["tasks"]
    building = next(one["planned"]["task"] for one in tasks if one["planned"]["implementation"])
    preparing = next(
        one["planned"]["task"] for one in tasks if not one["planned"]["implementation"]
    )
    await _work(actors, 4, building)
    actors.refusals["4: requirements not signed off"] = await _not_approved(actors, scenario)
    await _withdraw(actors)
    await _work(actors, 12, preparing)
    await actors.act("delivery", "approve-time", scenario.manager, **_week(actors))
    await _work(actors, 9, preparing)
    actors.refusals["3: beyond the cap"] = await _not_approved(actors, scenario)
    await _work(actors, 8, preparing)
    before = await actors.look("legal", "carl")
    assert before["early_starts"][0]["status"] == "authorised", (
        "the held clock must be before its expiry"
    )
    await actors.until(expires_on + timedelta(days=8))
    await actors.look_until(
        "legal", "carl", lambda seen: bool(seen["early_starts"][0]["status"] == "expired")
    )
    await _work(actors, 1, preparing)
    actors.refusals["3: expired"] = await _not_approved(actors, scenario)
    await _withdraw(actors)


def _week(actors: Observed) -> dict[str, str]:
    monday = actors.today - timedelta(days=actors.today.weekday())
    return {"person": "cora", "week": monday.isoformat()}


async def _work(actors: Observed, hours: int, task: str) -> None:
    """Submit hours of an analyst on today, in place of those that wait for approval."""
    entry = {
        "day": actors.today.isoformat(),
        "task": task,
        "role": "analyst",
        "hours": str(hours),
    }
    monday = date.fromisoformat(_week(actors)["week"])
    actors.driver.timesheets.log("cora", monday, actors.engagement, (entry,))
    await actors.later()


async def _withdraw(actors: Observed) -> None:
    """Take back the analyst's hours of the week."""
    sheet = "{person}.{week}".format_map(_week(actors))
    body = {"engagements": [actors.engagement]}
    await actors.driver.act_on_timesheet("cora", sheet, "withdraw-timesheet", body)


async def _not_approved(actors: Observed, scenario: Scenario) -> State:
    return await actors.refused("delivery", "approve-time", scenario.manager, **_week(actors))


def _building(state: State) -> Mapping[str, Any]:
    """Return the body for progress of an implementation task."""
    tasks = state["plan"]["draft"]["tasks"]
    return {
        "task": next(each["task"] for each in tasks if each["implementation"]),
        "complete": "10",
        "remaining_hours": "8",
    }


_IMPLEMENT = CommandCall("delivery", "implement-change", "emma", {"change": "C-1"})
_CLOSE = CommandCall("delivery", "close-engagement", "emma")
_KICK_OFF = CommandCall("delivery", "hold-kickoff", "emma", {"attendees": ["emma"]})
_APPROVE_SOW = CommandCall("legal", "approve-sow", "carl", {"version": 1})

WHOLE_STEPS: tuple[ExtraStep, ...] = (
    ExtraStep("delivery/review-sow", _APPROVE_SOW, "2: not reviewed"),
    ExtraStep("finance/review-sow", _APPROVE_SOW, "2: one reviewed"),
    ExtraStep(
        "legal/approve-sow",
        CommandCall("legal", "send-sow", "carl", {"version": 1}),
        "2: not approved",
    ),
    ExtraStep(
        "legal/record-signature",
        CommandCall(
            "legal",
            "record-signature",
            "carl",
            {"party": "customer", "person": "jonas", "content_hash": NO_HASH},
        ),
        "2: another paper",
    ),
    ExtraStep("legal/record-signature", _KICK_OFF, "3: not signed"),
    ExtraStep("legal/record-signature", _KICK_OFF, "3: one party signed", nth=2),
    ExtraStep(
        "delivery/baseline-plan",
        CommandCall("delivery", "progress-task", "gita", _building),
        "4: no baseline",
    ),
    ExtraStep(
        "finance/approve-invoice",
        CommandCall(
            "finance",
            "approve-invoice",
            "dora",
            {"invoice": "invoice-advance", "issue_on": monday(330).isoformat()},
        ),
        "5: before it is due",
    ),
    ExtraStep(
        "delivery/accept-deliverable",
        CommandCall("finance", "approve-invoice", "dora", {"invoice": "invoice-accept-portal"}),
        "5: not accepted",
    ),
    ExtraStep("delivery/assess-change", _IMPLEMENT, "6: not assessed"),
    ExtraStep("delivery/approve-change", _IMPLEMENT, "6: not approved"),
    ExtraStep("legal/sign-amendment", _IMPLEMENT, "6: not signed"),
    ExtraStep("delivery/draft-plan", _IMPLEMENT, "6: not planned", nth=2),
    ExtraStep("delivery/submit-deliverable", _CLOSE, "7: nothing accepted"),
    ExtraStep(
        "delivery/go-live",
        CommandCall(
            "delivery",
            "raise-issue",
            "emma",
            {
                "item": "I-2",
                "title": "Search is slow",
                "severity": "high",
                "owner": "emma",
                "due_on": "2025-12-31",
            },
        ),
    ),
    ExtraStep("delivery/send-survey", _CLOSE, "7: all accepted, an issue open"),
    ExtraStep(
        "delivery/hold-pir",
        CommandCall(
            "delivery", "close-raid-item", "emma", {"item": "I-2", "resolution": "An index helps."}
        ),
    ),
    ExtraStep(
        "delivery/send-survey", CommandCall("finance", "settle-account", "fred"), "7: unpaid"
    ),
    ExtraStep("finance/settle-account", _CLOSE, "7: not settled"),
)

HOURLY_STEPS: tuple[ExtraStep, ...] = (
    ExtraStep(
        "delivery/approve-time",
        CommandCall("finance", "bill-time", "fred", {"month": f"{monday(200):%Y-%m}"}),
        "5: no time approved",
    ),
)


CONTRACT_STEPS = {
    "sales/submit-proposal 1": "proposal submitted",
    "sales/win-deal 1": "deal won",
    "legal/draft-sow 1": "statement of work drafted",
    "legal/record-signature 2": "statement of work signed",
    "delivery/hold-kickoff 1": "kickoff held",
    "delivery/assess-change 1": "addition priced",
    "delivery/approve-change 1": "addition approved",
    "legal/sign-amendment 1": "addition signed",
    "delivery/baseline-plan 2": "addition planned",
    "delivery/assess-change 2": "cut priced",
    "delivery/approve-change 2": "cut approved",
    "legal/sign-amendment 2": "cut signed",
    "delivery/baseline-plan 3": "cut planned",
    "delivery/close-engagement 1": "closed",
}
"""Steps of the contract of several lines, by the commands after which they are done."""


@dataclass(frozen=True)
class Engagements:
    """The engagements that the tests examine, by their course."""

    whole: Observed
    changed: Observed
    hourly: Observed
    retained: Observed
    lost: Observed
    terminated: Observed
    hasty: Observed
    early: Observed
    running: Observed
    metered: Observed


async def run_all(driver: Driver) -> Engagements:
    """Run all of them concurrently, and release the clocks at the end."""
    scenarios = {
        "whole": scenario(
            "whole",
            shape="mixed",
            change=True,
            cut=True,
            negotiated=True,
            below_floor=True,
            rejection=True,
            deliverables=("Portal", "Reports", "App"),
        ),
        "changed": scenario(
            "changed",
            begins=monday(250),
            shape="mixed",
            deliverables=("Portal", "Reports", "App"),
            seed=5,
        ),
        "retained": scenario("retained", begins=monday(210), shape="retained", seed=19),
        "hourly": scenario("hourly", begins=monday(200), shape="hourly", seed=8),
        "lost": scenario("lost", outcome="lost", seller="bruno", customer=CUSTOMERS[3]),
        "terminated": scenario("terminated", outcome="terminated", manager="max", seed=11),
        "hasty": scenario("hasty", begins=monday(120), manager="noor"),
        "early": scenario("early", begins=monday(160), manager="noor", seed=13),
        "running": scenario("running", begins=monday(90), manager="yuki", weeks=12, seed=17),
        "metered": scenario(
            "metered", begins=monday(90), shape="hourly", manager="max", weeks=12, seed=23
        ),
    }
    steps = {"whole": WHOLE_STEPS, "hourly": HOURLY_STEPS}
    actors_by_name = {
        name: Observed(
            driver,
            name,
            steps=steps.get(name, ()),
            watched=name == "whole",
            kept_after=CONTRACT_STEPS if name == "changed" else {},
        )
        for name in scenarios
    }
    ways = {
        "lost": whole,
        "terminated": whole,
        "hasty": hasty,
        "early": early,
        "running": begun,
        "metered": begun,
        "whole": whole,
        "changed": changed,
        "hourly": whole,
        "retained": whole,
    }
    await driver.hold_clocks()
    await driver.calendar.run(
        [ways[name](actors_by_name[name], scenarios[name]) for name in scenarios]
    )
    await driver.release_clocks()
    return Engagements(**actors_by_name)
