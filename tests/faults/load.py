"""Load a platform with clients that run engagements through the services' HTTP APIs.

Each client runs the demo's scenarios, one after the other, each with its own calendar. A request
without an answer, or with one after which to retry, is repeated with the same idempotency key until
it is acknowledged. All acknowledgements are recorded, and some requests are sent again to compare
the answers.
"""

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self, get_args

import httpx

from chassis.base.backoff import Backoff
from chassis.base.settings import LOCAL_ISSUER
from local.demo.actors import Actors
from local.demo.bank import Bank, Transfer
from local.demo.delivering import build, mobilise
from local.demo.driver import (
    WAIT,
    Body,
    Calendar,
    CommandRefused,
    DemoError,
    Driver,
    PlatformAccess,
)
from local.demo.engagement_run import EndOfDemo, new_run
from local.demo.finishing import finish
from local.demo.reference_data import CUSTOMERS, MANAGERS, SELLERS, publish, roles
from local.demo.scenarios import Scenario, Shape, staffed
from local.demo.selling import contract, sell
from local.demo.staffing import Staffing
from local.demo.timesheets import Timesheets
from local.platform import SERVICES, Platform
from tests.faults.collected_state import Acknowledged

BEGINS, ENDS = date(2025, 1, 6), date(2026, 3, 20)
"""Days between which all engagements run."""
_LAST_BEGINS = 280
"""Days after the first one on which the last engagement begins: people work on few at a time."""
_NOT_YET = frozenset({404, 409, 503, 504})
"""Statuses after which a retry may succeed, such as missing events, a missing store, a timeout."""
_WORK = (
    ("Customer portal", ("Portal", "Single sign-on")),
    ("Billing migration", ("Migrated ledgers", "Reconciliation reports")),
    ("Field service app", ("Mobile app", "Training")),
)


def company(platform: Platform) -> PlatformAccess:
    """Return the access to a platform for the people of the demo."""
    environment = platform.outside_environment()
    return PlatformAccess(
        urls={name: platform.layout.url(name) for name in SERVICES},
        secret=environment["CONCORD_TOKEN_SECRET"],
        issuer=LOCAL_ISSUER,
        roles=roles(),
    )


class Persistent(Driver):
    """A driver that retries each request for `patience` seconds."""

    def __init__(
        self,
        at: PlatformAccess,
        seed: str,
        *,
        clients: int,
        patience: float = 150.0,
        asks_twice: float = 0.1,
    ) -> None:
        """Create the driver; `asks_twice` is the share of commands sent again once answered."""
        super().__init__(at, BEGINS, seed, at_once=2 * clients)
        self.acknowledged: list[Acknowledged] = []
        self.answers: Counter[str] = Counter()
        """Number of answers by status, and of requests that were ``unanswered``."""
        self._patience = patience
        self._asks_twice = asks_twice
        self._random = Random(seed)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Locks of the sheets and bank accounts that clients share."""

    def of_client(self, name: str) -> Self:
        """Return a driver on the same connections, with its own calendar, sheets and transfers."""
        own = copy(self)
        own._seed = f"{self._seed}/{name}"
        own.calendar = Calendar(BEGINS, own._begin_day, own.hand_in)
        own.timesheets, own.bank = Timesheets(), Bank()
        return own

    async def _submit(self, sheet: str, lines: list[dict[str, Any]]) -> None:
        async with self._turns[sheet]:
            await super()._submit(sheet, lines)

    async def _take_statement(self, account: str, transfers: list[Transfer]) -> None:
        async with self._turns[account]:
            await super()._take_statement(account, transfers)

    async def _request(
        self,
        method: str,
        service: str,
        path: str,
        by: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> httpx.Response:
        backoff = Backoff(0.05, 1.0, within=self._patience)
        while True:
            answer = await self._ask(method, service, path, by, headers, body)
            if isinstance(answer, httpx.Response):
                statuses = _statuses(answer)
                if answer.is_success and not statuses & _NOT_YET:
                    break
                message = f"{by}: {method} {service}{path} {body}\n  {answer.text}"
                if answer.status_code == httpx.codes.CONFLICT and _may_be_refused(headers):
                    raise CommandRefused(message)
                if not statuses & _NOT_YET:
                    raise DemoError(message)
            else:
                message = f"{by}: {method} {service}{path} {body}\n  {answer!r}"
            if backoff.is_over:
                raise DemoError(message)
            await backoff.pause()
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
            sent["Prefer"] = re.sub("wait=[0-9]+", "wait=5", sent["Prefer"])
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
        many = "items" in content
        for place, each in enumerate(content["items"] if many else [content]):
            if many and each["status"] >= httpx.codes.BAD_REQUEST:
                continue
            self.acknowledged.append(
                Acknowledged(
                    service=service,
                    actor=by,
                    key=f"{key}/{place}" if many else key,
                    subject=each["id"],
                    number=each["number"],
                    position=each["position"],
                    said=tuple(event["id"] for event in each["events"]),
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
        """Repeat a request, which must have the same answer, or one after which to retry."""
        again = await self._ask(method, service, path, by, headers, body)
        if isinstance(again, httpx.Response) and not _statuses(again) & _NOT_YET:
            assert again.status_code == first.status_code, f"{service}{path}: {again.text}"
            assert again.content == first.content, (
                f"{by}: {method} {service}{path} was answered otherwise when it was sent again:\n"
                + _difference(first.text, again.text)
            )


def _statuses(answer: httpx.Response) -> set[int]:
    """Return the status of an answer, and those of its items where it answers many commands."""
    content = answer.json() if answer.is_success else {}
    items = content.get("items", ()) if isinstance(content, dict) else ()
    return {answer.status_code, *(each["status"] for each in items if "status" in each)}


def _may_be_refused(headers: Mapping[str, str]) -> bool:
    """Return whether the wait is short, as in commands of the demo that may be refused."""
    usual = f"wait={WAIT}"
    return usual not in headers.get("Prefer", usual).split(", ")


def _difference(one: str, other: str) -> str:
    """Return the parts of two texts around their first difference."""
    place = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    start = max(0, place - 80)
    return f"... {one[start : place + 120]} ...\n... {other[start : place + 120]} ..."


@dataclass(slots=True)
class Person(Actors):
    """The people of one engagement, whose calendar waits for no other."""

    ended: Callable[[], bool] = lambda: False

    async def until(self, day: date) -> None:
        """Continue on a day; raises EndOfDemo once the load is to end."""
        if self.ended():
            raise EndOfDemo
        calendar = self.driver.calendar
        calendar.today = max(day, calendar.today)
        await self.later()

    async def later(self) -> None:
        """Submit what waits in the sheets, and take the banks' statements."""
        await self.driver.hand_in()

    async def look_until(
        self, service: str, by: str, seen: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Poll a view until `seen` is true, and return it; raises DemoError after 150 seconds."""
        ends = time.monotonic() + 150
        while True:
            state = await self.look(service, by)
            if seen(state):
                return state
            if time.monotonic() > ends:
                raise DemoError(
                    f"{self.name}: the expected state did not appear in {service}: {state}"
                )
            await asyncio.sleep(0.2)


class Load:
    """Concurrent clients of a platform (``async with``)."""

    def __init__(self, access: PlatformAccess, seed: int, *, clients: int = 8) -> None:
        self.driver = Persistent(access, f"load-{seed}", clients=clients)
        self._seed = seed
        self._clients = clients
        self._over = False
        self._tasks: list[asyncio.Task[None]] = []
        self._staffing = Staffing()

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
        """Return the commands acknowledged so far."""
        return self.driver.acknowledged

    async def begin(self) -> None:
        """Publish the reference data and start the clients."""
        await begin_history(self.driver)
        self._tasks = [
            asyncio.create_task(self._client(number), name=f"client {number}")
            for number in range(self._clients)
        ]

    async def moved(self, commands: int, *, limit: float = 60.0) -> None:
        """Wait until a number of further commands are acknowledged; raises what a client raised."""
        wanted = len(self.acknowledged) + commands
        ends = time.monotonic() + limit
        while len(self.acknowledged) < wanted:
            self.look()
            assert time.monotonic() < ends, (
                f"{len(self.acknowledged)} of {wanted} commands acknowledged within {limit:g} s"
            )
            await asyncio.sleep(0.05)

    def look(self) -> None:
        """Raise what a client raised, if any."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def end(self) -> None:
        """Stop each client at its next step, and then let all deadlines pass.

        Raises what a client raised.
        """
        self._over = True
        await asyncio.gather(*self._tasks)
        await self.driver.release_clocks()

    async def _client(self, number: int) -> None:
        count = 0
        while not self._over:
            name = f"load-{number}-{count}"
            drawn = short_scenario(Random(f"{self._seed}/{number}/{count}"), name)
            scenario = staffed(drawn, self._staffing)
            driver = self.driver.of_client(name)
            await live(scenario, Person(driver, name, ended=lambda: self._over))
            count += 1


async def begin_history(driver: Driver) -> None:
    """Publish the reference data, with rates effective before all engagements.

    Engagements run in the past, each with its own calendar: the deadline schedulers are held before
    them, so that no deadline passes until all have ended.
    """
    await driver.hold_clocks()
    await publish(driver, BEGINS - timedelta(days=30))


async def live(scenario: Scenario, person: Person) -> None:
    """Run one engagement from its opening to its end."""
    engagement = new_run(scenario, person, ENDS)
    try:
        if await sell(engagement):
            await contract(engagement)
            work = await mobilise(engagement)
            await build(engagement, work)
            await finish(engagement, work)
    except EndOfDemo:
        return


def short_scenario(random: Random, name: str) -> Scenario:
    """Return a short scenario: three or four weeks of work, sometimes a lost deal or a change."""
    title, deliverables = random.choice(_WORK)
    return Scenario(
        name=name,
        title=title,
        customer=random.choice(CUSTOMERS),
        deliverables=deliverables,
        seller=random.choice(SELLERS)[0],
        manager=random.choice(MANAGERS)[0],
        begins=BEGINS + timedelta(days=random.randrange(_LAST_BEGINS)),
        hours=240,
        weeks=random.choice((3, 4)),
        selling_days=random.randrange(25, 40),
        shape=random.choice(get_args(Shape)),
        outcome="lost" if random.random() < 0.1 else "delivered",
        early_start=random.random() < 0.2,
        change=random.random() < 0.4,
        rejection=random.random() < 0.3,
        days_late_paying=random.choice((-3, 0, 9)),
        satisfaction=random.choice((3, 4, 5)),
        seed=random.randrange(2**31),
    )
