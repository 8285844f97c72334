"""The stage: people act through the services' HTTP interfaces, day after day, each in their order.

Stories run side by side. A day begins when every story waits for it or for a later one, so the
company lives through its history in order, and so do its registers and deadlines.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from chassis.domain.ids import derived
from chassis.web.auth import issue
from contracts.roles import Role

WAIT = 25
"""Seconds that an act waits for what it needs to be heard."""

Body = Mapping[str, Any]


class Hitch(Exception):
    """An act was refused, or nobody answered: the play cannot go on as written."""


class Refusal(Hitch):
    """A gate stayed shut."""


@dataclass(frozen=True, slots=True)
class Company:
    """Where the services are, and how its people identify themselves."""

    urls: Mapping[str, str]
    secret: str
    issuer: str
    roles: Mapping[str, tuple[Role, ...]]


class Calendar:
    """The days of the play. Who waits for a day is woken when everybody else waits as well."""

    def __init__(self, begins: date, turned: Callable[[date], Awaitable[None]]) -> None:
        self.today = begins
        self._turned = turned
        self._active = 0
        self._order = count()
        self._waiting: list[tuple[date, int, asyncio.Future[None]]] = []
        self._rest = asyncio.Event()

    async def until(self, day: date) -> None:
        """Come back on this day; at once if it is here."""
        if day <= self.today:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (day, next(self._order), woken))
        self._left()
        await woken

    async def play(self, stories: list[Coroutine[Any, Any, None]]) -> None:
        """Play all stories to their end; the first that fails ends the play and is raised."""
        tasks = [asyncio.create_task(self._story(story)) for story in stories]
        self._active = len(tasks)
        try:
            while not all(task.done() for task in tasks):
                await self._rest.wait()
                self._rest.clear()
                for task in tasks:
                    if task.done():
                        task.result()
                if self._waiting and self._active == 0:
                    await self._turn()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _story(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        finally:
            self._left()

    def _left(self) -> None:
        self._active -= 1
        if self._active <= 0:
            self._rest.set()

    async def _turn(self) -> None:
        self.today = self._waiting[0][0]
        await self._turned(self.today)
        while self._waiting and self._waiting[0][0] <= self.today:
            _, _, woken = heapq.heappop(self._waiting)
            self._active += 1
            woken.set_result(None)


class Stage:
    """The running platform, and everything that people do on it (``async with``)."""

    def __init__(self, company: Company, begins: date, seed: str, *, at_once: int = 12) -> None:
        self._company = company
        self._seed = seed
        self._http = httpx.AsyncClient(
            timeout=WAIT + 15, limits=httpx.Limits(max_connections=2 * at_once)
        )
        self._at_once = asyncio.Semaphore(at_once)
        self._tokens: dict[str, str] = {}
        self._held_on: date | None = None
        self.calendar = Calendar(begins, self._hold_clocks)
        self.acts = 0
        """Commands that were taken."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def publish(self, service: str, path: str, body: Body, by: str) -> None:
        """Give a command on reference data."""
        await self._send(service, f"/{path}", body, by, key=derived(f"{self._seed}/{path}", 25))

    async def send(
        self,
        service: str,
        path: str,
        body: Body,
        by: str,
        *,
        key: str,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """Give a command about an engagement."""
        return await self._send(
            service, path, body, by, key=derived(f"{self._seed}/{key}", 25), headers=headers
        )

    async def read(
        self, service: str, path: str, by: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Look something up; raises Hitch where it is not there."""
        return await self._asked("GET", service, path, by, headers, None)

    async def release_clocks(self) -> None:
        """History is played: from now on deadlines pass as they come."""
        await self._clocks("release", None)

    async def _hold_clocks(self, today: date) -> None:
        if self._held_on is None or today >= self._held_on + timedelta(days=7):
            self._held_on = today
            at = datetime.combine(today, time(0), UTC).isoformat()
            await self._clocks("hold", {"at": at})

    async def hold_clocks(self) -> None:
        """No deadline passes that lies after the play's own day."""
        await self._hold_clocks(self.calendar.today)

    async def _clocks(self, act: str, body: Body | None) -> None:
        await asyncio.gather(
            *(
                self._asked("POST", service, f"/operations/clock/{act}", "operator", {}, body)
                for service in self._company.urls
            )
        )

    async def _send(
        self,
        service: str,
        path: str,
        body: Body,
        by: str,
        *,
        key: str,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        answer = await self._asked(
            "POST",
            service,
            path,
            by,
            {"Idempotency-Key": key, "Prefer": f"wait={WAIT}", **(headers or {})},
            body,
        )
        self.acts += 1
        return answer

    async def _asked(
        self,
        method: str,
        service: str,
        path: str,
        by: str,
        headers: Mapping[str, str],
        body: Body | None,
    ) -> httpx.Response:
        url = self._company.urls[service] + path
        sent = {"Authorization": f"Bearer {self._token(by)}", **headers}
        for patience in range(8):
            try:
                async with self._at_once:
                    answer = await self._http.request(method, url, json=body, headers=sent)
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__} {error}"
            else:
                trouble = answer.text
                if answer.is_success:
                    return answer
                if answer.status_code == httpx.codes.CONFLICT:
                    raise Refusal(_told(by, method, service + path, body, trouble))
                if answer.status_code not in {503, 504}:
                    break
            await asyncio.sleep(0.2 * 2**patience)
        raise Hitch(_told(by, method, service + path, body, trouble))

    def _token(self, by: str) -> str:
        token = self._tokens.get(by)
        if token is None:
            token = self._tokens[by] = issue(
                self._company.secret,
                by,
                self._company.roles[by],
                issuer=self._company.issuer,
                now=datetime.now(UTC),
                valid=timedelta(hours=2),
            )
        return token


def _told(by: str, method: str, where: str, body: Body | None, trouble: str) -> str:
    shown = "" if body is None else f" {dict(body)}"
    return f"{by}: {method} {where}{shown}\n  {trouble}"


@dataclass(slots=True)
class Cast:
    """The people of one engagement at work on it. Acts of one engagement follow each other."""

    stage: Stage
    name: str
    engagement: str = ""
    position: dict[str, int] = field(default_factory=dict)
    _acts: int = 0

    @property
    def today(self) -> date:
        """The day of the play."""
        return self.stage.calendar.today

    async def until(self, day: date) -> None:
        """Rest until a day."""
        await self.stage.calendar.until(day)

    async def open(self, body: Body, by: str) -> str:
        """Sales opens the engagement; answers with its id."""
        answer = await self.stage.send(
            "sales", "/engagements", body, by, key=f"{self.name}/open", headers=self._headers()
        )
        self.engagement = str(answer.json()["id"])
        self.position.update(answer.json()["position"])
        return self.engagement

    async def try_to(self, service: str, command: str, by: str, /, **body: Any) -> None:
        """Give a command that may be refused."""
        with suppress(Refusal):
            await self._give(service, command, by, {"Prefer": "wait=1"}, body)

    async def act(self, service: str, command: str, by: str, /, **body: Any) -> dict[str, Any]:
        """Give a command on this day, knowing all that was answered before; answers the state."""
        return await self._give(service, command, by, {}, body)

    async def _give(
        self, service: str, command: str, by: str, headers: Mapping[str, str], body: Body
    ) -> dict[str, Any]:
        self._acts += 1
        answer = await self.stage.send(
            service,
            f"/engagements/{self.engagement}/{command}",
            body,
            by,
            key=f"{self.name}/{self._acts}/{command}",
            headers={**self._headers(), **self._after(), **headers},
        )
        content = answer.json()
        for channel, last in content["position"].items():
            self.position[channel] = max(last, self.position.get(channel, 0))
        state: dict[str, Any] = content["state"]
        return state

    async def look(self, service: str, by: str) -> dict[str, Any]:
        """What a department sees now, knowing all that was answered before."""
        answer = await self.stage.read(
            service,
            f"/engagements/{self.engagement}",
            by,
            self._after() | {"Prefer": f"wait={WAIT}"},
        )
        state: dict[str, Any] = answer.json()
        return state

    async def look_until(
        self, service: str, by: str, seen: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Look until something is seen there; raises Hitch when it is not seen for long."""
        for patience in range(200):
            state = await self.look(service, by)
            if seen(state):
                return state
            await asyncio.sleep(0.02 + 0.002 * patience)
        raise Hitch(f"{self.name}: {service} never showed what was waited for: {state}")

    def _headers(self) -> dict[str, str]:
        moment = datetime.combine(self.today, time(8), UTC) + timedelta(seconds=20 * self._acts)
        latest = min(moment, datetime.now(UTC) - timedelta(seconds=1))
        return {"Occurred-At": latest.isoformat()}

    def _after(self) -> dict[str, str]:
        heard = ",".join(f"{name}={last}" for name, last in sorted(self.position.items()))
        return {"Concord-After": heard} if heard else {}
