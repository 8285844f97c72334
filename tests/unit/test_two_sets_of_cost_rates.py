"""Check that a reader without the right sees the same of an engagement under any cost rates.

The demo's engagements are played with other cost rates, with other rates of grades and people only,
and with a role that has no rate once work begins; their months are closed, and works of booked
months move. All that is open is the same: events, views, rows, deadlines and numbers of the
departments, what commands lead to or are refused with, and the answers and pages of the gateway.

All sets leave the minimum margin alike, since people act on it. That exception is listed in
`docs/access.md`, and `tests/unit/finance/test_two_sets_of_cost_rates.py` plays it.
"""

import asyncio
import json
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from itertools import count, groupby
from types import SimpleNamespace
from typing import Any, Literal, cast

import httpx
import pytest
from pydantic_core import to_json

from chassis.application.pending_requests import pending_views
from chassis.domain.commands import Refused
from chassis.domain.decider import Decider, handle_command
from contracts.event import Event, Recorded, encode
from gateway import api
from local.demo import lifecycle
from local.demo.closing import MonthEnds
from local.demo.driver import Body
from local.demo.engagement_run import new_run
from tests.in_process_gateway import InMemory, app_of, token
from tests.unit.simulation import (
    ENGAGEMENT,
    AnyStream,
    Department,
    InProcessActors,
    InProcessDriver,
    SentCommand,
    World,
    founded,
)
from tests.unit.test_interleaving import LAST_DAY, scenario

Costs = Literal["demo", "cheaper", "of people", "unknown"]

LIVES = {
    "fixed, with a change": scenario(),
    "hourly": scenario(shape="hourly", early_start=True),
    "mixed, with a change": scenario(shape="mixed", rejection=False),
    "retained": scenario(shape="retained", change=False),
    "cut": scenario(shape="mixed", cut=True, negotiated=True, deliverables=("A", "B", "C")),
    "terminated": scenario(outcome="terminated", hours=400, weeks=8),
}
MIXED = "mixed, with a change"
PAIRS: list[tuple[str, Costs]] = [
    *((life, "cheaper") for life in LIVES),
    (MIXED, "of people"),
    (MIXED, "unknown"),
]
"""Lives with other cost rates than the demo's."""
BY_COST = "cost-to-cost"
EVE = token("eve", "executive")
VERA = token("vera", "executive", "confidential")
PATHS = (
    "/engagements",
    f"/engagements/{ENGAGEMENT}",
    f"/engagements/{ENGAGEMENT}/timeline",
    "/portfolio",
    "/disconnects",
    "/",
    "/pages/engagements",
    "/pages/disconnects",
    f"/pages/engagements/{ENGAGEMENT}?events=all",
)
_ASKED_EVERY = 5
_ID = re.compile(r"event-\d{6}|[0-9a-f]{16}")


class Costed(World):
    """World with a set of cost rates; `shown` is what is open, by stream.

    It has the streams of Finance after each step, and those of the other departments, which read no
    cost rates, at the end.
    """

    def __init__(self, costs: Costs, work_begins: date) -> None:
        super().__init__()
        self._costs = costs
        self._work_begins = work_begins
        self._sent = 0
        self.shown: defaultdict[str, list[str]] = defaultdict(list)

    def command(self, sent: SentCommand) -> AnyStream:
        stream = super().command(sent)
        if sent.place == "engagements":
            self._sent += 1
            if self._sent % _ASKED_EVERY == 0:
                self._ask(sent)
        return stream

    def _ask(self, sent: SentCommand) -> None:
        """Keep what other commands would lead to now: open events, or the sentence of a refusal."""
        month = {"month": f"{sent.at.replace(day=1) - timedelta(days=1):%Y-%m}"}
        for service, name, body in (
            ("sales", "submit-proposal", {"version": 1}),
            ("sales", "approve-exception", {"version": 1, "why": "It is the first one."}),
            ("delivery", "close-engagement", {}),
            ("finance", "catch-up", {}),
            ("finance", "recognise-revenue", month),
            ("finance", "bill-time", month),
            ("finance", "settle-account", {}),
        ):
            department = self.departments[service]  # type: ignore[index]
            decider = department.routes("engagements").decider
            command = next(each for each in decider.commands if each.named() == name)
            context = self._context("carol", sent.at, f"asked-{self._sent}")
            stream = department.stream(decider, ENGAGEMENT)
            try:
                step = handle_command(decider, stream, command.model_validate(body), context)
            except Refused as refused:
                answer = [str(refused), *map(str, refused.missing)]
            else:
                events = [each.event for each in step.own_events if not each.channel.confidential]
                answer = [f"{each.type} {each.model_dump_json()}" for each in events]
                answer.append(_open_part(decider, step.stream))
            self.shown[f"{service}/asked"].append(f"{sent.at} {name} {answer}")

    def publish(self, service: str, path: str, body: Body, by: str = "someone") -> None:
        rates = path.startswith("cost-rates/")
        super().publish(service, path, _rated(body, self._costs) if rates else body, by)
        if rates and self._costs == "unknown":
            later = {
                **body,
                "rates": [each for each in body["rates"] if each["role"] == "tester"],
                "grades": [],
                "people": [],
                "effective_from": self._work_begins.isoformat(),
            }
            super().publish(service, path, later, by)

    def view(self, service: str, subject: str, place: str = "engagements") -> dict[str, Any]:
        """Return a view by which an accountant acts the same way under all cost rates.

        Months count as recognised by the open revenue, where there is any.
        """
        seen = super().view(service, subject, place)
        if (service, place) != ("finance", "engagements"):
            return seen
        months = [each["recognised_to"] for each in seen["obligations"]]
        if any(each["method"] != BY_COST for each in seen["obligations"]):
            seen["recognised_to"] = max(filter(None, months), default=None)
        return seen

    def _keep(
        self, department: Department, stream: AnyStream, said: tuple[Recorded[Event], ...]
    ) -> None:
        if department.service.name == "finance":
            self._show(department, stream)
        super()._keep(department, stream, said)

    def show_all(self) -> None:
        """Keep what is open of all streams now."""
        for department in self.departments.values():
            for stream in department.streams.values():
                self._show(department, stream)

    def _show(self, department: Department, stream: AnyStream) -> None:
        kinds = {each.kind: each for each in department.service.all_deciders}
        kind = stream.id.partition(":")[0]
        shown = self.shown[f"{department.service.name}/{stream.id}"]
        text = _open_part(kinds[kind], stream)
        if kind != "cost-rates" and text not in shown[-1:]:
            shown.append(text)


def _rated(body: Body, costs: Costs) -> Body:
    """Return the demo's cost rates, cheaper or not, on the same side of the minimum margin.

    The rates change in different proportions: revenue by cost is the same where all are halved.
    """
    lower = {"cheaper": ("rates", "grades", "people"), "of people": ("grades", "people")}
    changed: dict[str, Any] = {}
    for name in lower.get(costs, ()):
        changed[name] = [
            {**each, "rate": {**each["rate"], "amount": str(int(each["rate"]["amount"]) // part)}}
            for part, each in enumerate(body[name], start=2)
        ]
    return {**body, **changed}


def _open_part(decider: Decider[Any], stream: AnyStream) -> str:
    """Return what callers without the right see of a stream, and its deadlines, as JSON."""
    parts = {
        "number": stream.open_number,
        "view": decider.views(stream.state),
        "row": decider.rows(stream.state),
        "deadlines": list(decider.deadlines(stream.state)),
        "requests": pending_views(stream.requests.values(), confidential=False),
    }
    return to_json(parts).decode()


@cache
def played(life: str, costs: Costs) -> Costed:
    """Return the world after a life."""

    async def whole() -> Costed:
        one = LIVES[life]
        world = cast(Costed, await founded(world=Costed(costs, one.starts)))
        driver = InProcessDriver(world, one.begins)
        driver.on_new_day.append(MonthEnds(driver, one.begins).close_due)
        actors = InProcessActors(driver, one.name)
        await lifecycle.run_lifecycle(new_run(one, actors, LAST_DAY))
        world.deliver_all()
        world.show_all()
        return world

    return asyncio.run(whole())


def named_alike(world: World, text: str) -> str:
    """Return a text in which open events are named by channel and sequence.

    Ids are counted over all events, so that they differ where a confidential event is missing.
    """
    places = {
        each.id: f"{each.channel.name}/{each.subject}/{each.sequence}"
        for each in world.events()
        if not each.channel.confidential
    }
    return _ID.sub(lambda found: places.get(found[0], "id"), text)


def open_events(world: World) -> list[str]:
    """Return the open events, as they are on the wire, by department and in order."""
    return [
        named_alike(world, encode(each).decode())
        for each in world.events()
        if not each.channel.confidential
    ]


def shown_by_departments(world: Costed) -> dict[str, list[str]]:
    return {
        stream: [named_alike(world, each) for each in shown]
        for stream, shown in world.shown.items()
    }


async def shown_by_gateway(world: World, who: str) -> list[tuple[str, str]]:
    """Return answers and pages of the gateway after each month, and the headers of the answers."""
    events = sorted(
        (each for each in world.events() if each.channel.kind == "events"),
        key=lambda each: each.id,
    )
    gateway = InMemory(today=LAST_DAY)
    gateway.records = world.records
    app = app_of(gateway)
    app.state.container = SimpleNamespace(
        waits_for=None,
        as_of=SimpleNamespace(of_lists=lambda: None, of_engagement=lambda _: None),
    )
    app.include_router(api.router)
    shown: list[tuple[str, str]] = []
    numbers = count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_queries", lambda _: gateway)
        patch.setattr(secrets, "token_hex", lambda _: f"{next(numbers):016x}")  # ids of its events
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://gateway",
            headers={"Authorization": f"Bearer {who}"},
            cookies={"concord": who},
        ) as client:
            for month, group in groupby(events, lambda each: each.recorded_at.isoformat()[:7]):
                gateway.handle_events(list(group))
                for path in PATHS:
                    answer = await client.get(path)
                    assert answer.status_code == 200, answer.text
                    headers = [answer.headers.get(name) for name in ("ETag", "Concord-Position")]
                    text = named_alike(world, answer.text)
                    shown.append((f"{month} {path}", f"{headers} {text}"))
    return shown


def differences(one: Iterable[object], other: Iterable[object]) -> list[tuple[object, object]]:
    return [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize(("life", "costs"), PAIRS)
def test_departments_and_gateway_show_the_same_with_other_cost_rates(
    life: str, costs: Costs
) -> None:
    demo, other = played(life, "demo"), played(life, costs)

    assert differences(open_events(demo), open_events(other)) == []
    one, two = shown_by_departments(demo), shown_by_departments(other)
    assert one.keys() == two.keys()
    for stream, shown in one.items():
        assert differences(shown, two[stream]) == [], stream
    seen = [asyncio.run(shown_by_gateway(world, EVE)) for world in (demo, other)]
    assert differences(*seen) == []


@pytest.mark.parametrize("costs", ["cheaper", "of people", "unknown"])
def test_the_costs_of_a_whole_engagement_differ(costs: Costs) -> None:
    def confidential(world: World) -> list[str]:
        return [
            json.dumps(json.loads(encode(each))["data"])
            for each in world.events()
            if each.channel.confidential and each.channel.kind == "events"
        ]

    demo, other = played(MIXED, "demo"), played(MIXED, costs)
    assert confidential(demo) != confidential(other)
    seen = [asyncio.run(shown_by_gateway(world, VERA)) for world in (demo, other)]
    assert seen[0] != seen[1]
