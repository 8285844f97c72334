"""The load: clients who live engagements through the services' HTTP interfaces, whatever happens.

Each client plays stories of the local platform's play, one after the other, every one with a
calendar of its own. A request that is not answered, or answered with "not now" or "not yet", is
sent again under the same key until it is acknowledged; every acknowledgement is remembered, and
some requests are sent twice to see whether they get the same answer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx

from chassis.base.settings import LOCAL_ISSUER
from local.demo.actors import Actors
from local.demo.delivering import build, mobilise
from local.demo.driver import WAIT, Body, CommandRefused, DemoError, Driver, PlatformAccess
from local.demo.engagement_run import EndOfDemo, new_run
from local.demo.finishing import finish
from local.demo.reference_data import CUSTOMERS, MANAGERS, SELLERS, publish, roles
from local.demo.scenarios import Scenario
from local.demo.selling import contract, sell
from local.platform import SERVICES, Platform
from tests.faults.collected_state import Acknowledged

BEGINS, ENDS = date(2025, 1, 6), date(2025, 7, 10)
"""Days between which all stories lie."""
_NOT_YET = frozenset({404, 409, 503, 504})
"""Answers after which asking again may help: not heard of, not heard enough, away, too late."""
_WORK = (
    ("Customer portal", ("Portal", "Single sign-on")),
    ("Billing migration", ("Migrated ledgers", "Reconciliation reports")),
    ("Field service app", ("Mobile app", "Training")),
)


def company(platform: Platform) -> PlatformAccess:
    """The company of the play, at work on a platform."""
    environment = platform.outside_environment()
    return PlatformAccess(
        urls={name: platform.layout.url(name) for name in SERVICES},
        secret=environment["CONCORD_TOKEN_SECRET"],
        issuer=LOCAL_ISSUER,
        roles=roles(),
    )


class Persistent(Driver):
    """A stage on which people do not give up before `patience` seconds."""

    def __init__(
        self,
        at: PlatformAccess,
        seed: str,
        *,
        clients: int,
        patience: float = 150.0,
        asks_twice: float = 0.1,
    ) -> None:
        """`asks_twice` is the share of the commands that are sent again once answered."""
        super().__init__(at, BEGINS, seed, at_once=2 * clients)
        self.acknowledged: list[Acknowledged] = []
        self.answers: Counter[str] = Counter()
        """How often which answer came: statuses, and ``unanswered``."""
        self._patience = patience
        self._asks_twice = asks_twice
        self._random = Random(seed)

    async def _request(
        self,
        method: str,
        service: str,
        path: str,
        by: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> httpx.Response:
        ends = time.monotonic() + self._patience
        pause = 0.05
        while True:
            answer = await self._ask(method, service, path, by, headers, body)
            if isinstance(answer, httpx.Response):
                if answer.is_success:
                    break
                said = f"{by}: {method} {service}{path} {body}\n  {answer.text}"
                if answer.status_code == httpx.codes.CONFLICT and _may_be_refused(headers):
                    raise CommandRefused(said)
                if answer.status_code not in _NOT_YET:
                    raise DemoError(said)
            else:
                said = f"{by}: {method} {service}{path} {body}\n  {answer!r}"
            if time.monotonic() > ends:
                raise DemoError(said)
            await asyncio.sleep(pause * self._random.uniform(0.5, 1.5))
            pause = min(2 * pause, 1.0)
        key = headers.get("Idempotency-Key")
        if key is not None:
            self._remember(service, by, key, answer)
            if self._random.random() < self._asks_twice:
                await self._ask_twice(method, service, path, by, headers, body, answer)
        return answer

    async def _ask(
        self,
        method: str,
        service: str,
        path: str,
        by: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> httpx.Response | httpx.TransportError:
        sent = {"Authorization": f"Bearer {self._token(by)}", **headers}
        if "Prefer" in sent:
            sent["Prefer"] = "wait=5"
        try:
            async with self._at_once:
                url = self._access.urls[service] + path
                answer = await self._http.request(method, url, json=body, headers=sent)
        except httpx.TransportError as error:
            self.answers["unanswered"] += 1
            return error
        self.answers[str(answer.status_code)] += 1
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
        if answer.status_code in {503, 504}:
            assert int(answer.headers["retry-after"]) > 0, answer.text
        return answer

    def _remember(self, service: str, by: str, key: str, answer: httpx.Response) -> None:
        content = answer.json()
        self.acknowledged.append(
            Acknowledged(
                service=service,
                actor=by,
                key=key,
                subject=content["id"],
                number=content["number"],
                position=content["position"],
                said=tuple(each["id"] for each in content["said"]),
            )
        )

    async def _ask_twice(
        self,
        method: str,
        service: str,
        path: str,
        by: str,
        headers: Mapping[str, str],
        body: Body | None,
        first: httpx.Response,
    ) -> None:
        """The same request again, which has the same answer or none."""
        again = await self._ask(method, service, path, by, headers, body)
        if isinstance(again, httpx.Response) and again.status_code not in _NOT_YET:
            assert again.status_code == first.status_code, f"{service}{path}: {again.text}"
            assert again.content == first.content, (
                f"{by}: {method} {service}{path} was answered otherwise when it was sent again:\n"
                + _difference(first.text, again.text)
            )


def _may_be_refused(headers: Mapping[str, str]) -> bool:
    """Whether the play asked for a short wait, as it does where it goes on after a refusal."""
    return headers.get("Prefer") not in {None, f"wait={WAIT}"}


def _difference(one: str, other: str) -> str:
    """Where two texts part."""
    place = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    start = max(0, place - 80)
    return f"... {one[start : place + 120]} ...\n... {other[start : place + 120]} ..."


@dataclass(slots=True)
class Person(Actors):
    """The people of one engagement, whose calendar turns as they go."""

    day: date = BEGINS
    ended: Callable[[], bool] = lambda: False

    @property
    def today(self) -> date:
        """The day of this engagement."""
        return self.day

    async def until(self, day: date) -> None:
        """Turn to a day; raises Curtain once the load is to end."""
        if self.ended():
            raise EndOfDemo
        self.day = max(day, self.day)

    async def look_until(
        self, service: str, by: str, seen: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Look until something is seen there, for as long as a service may be away."""
        ends = time.monotonic() + 150
        while True:
            state = await self.look(service, by)
            if seen(state):
                return state
            if time.monotonic() > ends:
                raise DemoError(f"{self.name}: {service} never showed what was waited for: {state}")
            await asyncio.sleep(0.2)


class Load:
    """Clients at work on a platform, for as long as it is entered (``async with``)."""

    def __init__(self, at: PlatformAccess, seed: int, *, clients: int = 8) -> None:
        self.driver = Persistent(at, f"load-{seed}", clients=clients)
        self._seed = seed
        self._clients = clients
        self._over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.driver.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.driver.__aexit__(kind, error, trace)

    @property
    def acknowledged(self) -> list[Acknowledged]:
        """Every command that was acknowledged, so far."""
        return self.driver.acknowledged

    async def begin(self) -> None:
        """Make the company known to its departments, and let the clients start."""
        await begin_history(self.driver)
        self._tasks = [
            asyncio.create_task(self._client(number), name=f"client {number}")
            for number in range(self._clients)
        ]

    async def moved(self, commands: int, *, limit: float = 60.0) -> None:
        """Wait until so many more commands were acknowledged; raises what a client raised."""
        wanted = len(self.acknowledged) + commands
        ends = time.monotonic() + limit
        while len(self.acknowledged) < wanted:
            self.look()
            assert time.monotonic() < ends, (
                f"{len(self.acknowledged)} of {wanted} commands acknowledged within {limit:g} s"
            )
            await asyncio.sleep(0.05)

    def look(self) -> None:
        """Raise what a client raised, if one did."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def end(self) -> None:
        """Let each client come to a stop in its story, and then every deadline pass.

        Raises what a client raised.
        """
        self._over = True
        await asyncio.gather(*self._tasks)
        await self.driver.release_clocks()

    async def _client(self, number: int) -> None:
        story = 0
        while not self._over:
            scenario = a_plot(Random(f"{self._seed}/{number}/{story}"), f"load-{number}-{story}")
            await live(scenario, Person(self.driver, scenario.name, ended=lambda: self._over))
            story += 1


async def begin_history(driver: Driver) -> None:
    """Make the company known to its departments, with rates from before all stories on.

    Stories lie in the past, each at another day: the clocks are held before them, so that no
    deadline passes until all have ended.
    """
    await driver.hold_clocks()
    await publish(driver, BEGINS - timedelta(days=30))


async def live(scenario: Scenario, person: Person) -> None:
    """One engagement, from its first call to its end."""
    engagement = new_run(scenario, person, ENDS)
    try:
        if await sell(engagement):
            await contract(engagement)
            work = await mobilise(engagement)
            await build(engagement, work)
            await finish(engagement, work)
    except EndOfDemo:
        return


def a_plot(random: Random, name: str) -> Scenario:
    """A short story: some weeks of work, and now and then a lost deal or a change."""
    title, deliverables = random.choice(_WORK)
    return Scenario(
        name=name,
        title=title,
        customer=random.choice(CUSTOMERS),
        deliverables=deliverables,
        seller=random.choice(SELLERS)[0],
        manager=random.choice(MANAGERS)[0],
        begins=BEGINS + timedelta(days=random.randrange(28)),
        hours=240,
        weeks=random.choice((3, 4)),
        selling_days=random.randrange(25, 40),
        time_and_materials=random.random() < 0.4,
        outcome="lost" if random.random() < 0.1 else "delivered",
        early_start=random.random() < 0.2,
        change=random.random() < 0.4,
        rejection=random.random() < 0.3,
        days_late_paying=random.choice((-3, 0, 9)),
        satisfaction=random.choice((3, 4, 5)),
        seed=random.randrange(2**31),
    )
