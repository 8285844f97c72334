"""The stage: people act through the services' HTTP interfaces, day after day, each in their order.

Stories run side by side. A day begins when every story waits for it or for a later one, so the
company lives through its history in order, and so do its registers and deadlines.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from chassis.domain.decider import derived
from chassis.web.auth import issue
from contracts.roles import Role

WAIT = 25
"""Seconds that an act waits for what it needs to be heard."""

Body = Mapping[str, Any]


class DemoError(Exception):
    """An act was refused, or nobody answered: the play cannot go on as written."""


class CommandRefused(DemoError):
    """A gate stayed shut."""


@dataclass(frozen=True, slots=True)
class PlatformAccess:
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

    async def run(self, stories: list[Coroutine[Any, Any, None]]) -> None:
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


class Driver:
    """The running platform, and everything that people do on it (``async with``)."""

    def __init__(
        self, company: PlatformAccess, begins: date, seed: str, *, at_once: int = 12
    ) -> None:
        self._access = company
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
                for service in self._access.urls
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
        url = self._access.urls[service] + path
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
                    raise CommandRefused(_told(by, method, service + path, body, trouble))
                if answer.status_code not in {503, 504}:
                    break
            await asyncio.sleep(0.2 * 2**patience)
        raise DemoError(_told(by, method, service + path, body, trouble))

    def _token(self, by: str) -> str:
        token = self._tokens.get(by)
        if token is None:
            token = self._tokens[by] = issue(
                self._access.secret,
                by,
                self._access.roles[by],
                issuer=self._access.issuer,
                now=datetime.now(UTC),
                valid=timedelta(hours=2),
            )
        return token


def _told(by: str, method: str, where: str, body: Body | None, trouble: str) -> str:
    shown = "" if body is None else f" {dict(body)}"
    return f"{by}: {method} {where}{shown}\n  {trouble}"
