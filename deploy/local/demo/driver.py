"""Send the commands of all demo scenarios over HTTP, on one shared calendar.

Scenarios run concurrently. A day begins when every scenario waits for that day or a later one, so
commands, registers and deadlines of all engagements are in the order of their days.
"""

import asyncio
import csv
import heapq
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from chassis.base.backoff import Backoff
from chassis.domain.ids import derived
from chassis.web.auth import issue
from contracts.roles import Role
from local.demo.bank import Bank, Transfer, statement
from local.demo.timesheets import Timesheets

WAIT = 25
"""Seconds that a service may wait for events before it refuses a command or answers a read."""

_ATTEMPTS = 5
"""Attempts to take a statement while other drivers take some of the same bank account."""

Body = Mapping[str, Any]


class DemoError(Exception):
    """A request of a scenario failed, or an expected state did not appear."""


class CommandRefused(DemoError):
    """A service refused a command (409)."""


@dataclass(frozen=True, slots=True)
class PlatformAccess:
    """Addresses of the services, and what is needed to issue tokens for the demo's people."""

    urls: Mapping[str, str]
    secret: str
    issuer: str
    roles: Mapping[str, tuple[Role, ...]]
    ids: dict[str, str] = field(default_factory=dict)
    """Ids that the services made for the demo's accounts and contacts, by the demo's own names."""


class Calendar:
    """Simulated days: the next day begins when every scenario waits for a later one.

    `on_new_day` is awaited at the beginning of each day, before the scenarios continue. A scenario
    can also wait for all others within a day, with `later`; `on_later` is awaited before they
    continue.
    """

    def __init__(
        self,
        begins: date,
        on_new_day: Callable[[date], Awaitable[None]],
        on_later: Callable[[], Awaitable[None]],
    ) -> None:
        self.today = begins
        self._on_new_day = on_new_day
        self._on_later = on_later
        self._part = 0
        self._active = 0
        self._order = count()
        self._waiting: list[tuple[date, int, int, asyncio.Future[None]]] = []
        self._all_wait = asyncio.Event()

    async def until(self, day: date) -> None:
        """Wait until a day; return at once where it has begun."""
        if day > self.today:
            await self._wait(day, 0)

    async def later(self) -> None:
        """Wait until every scenario has done what it does now on this day."""
        await self._wait(self.today, self._part + 1)

    async def _wait(self, day: date, part: int) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (day, part, next(self._order), woken))
        self._one_less_active()
        await woken

    async def run(self, scenarios: list[Coroutine[Any, Any, None]]) -> None:
        """Run all scenarios to their end; the first failure cancels the others and is raised."""
        tasks = [asyncio.create_task(self._run_one(scenario)) for scenario in scenarios]
        self._active = len(tasks)
        try:
            while not all(task.done() for task in tasks):
                await self._all_wait.wait()
                self._all_wait.clear()
                for task in tasks:
                    if task.done():
                        task.result()
                if self._waiting and self._active == 0:
                    await self._continue()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_one(self, scenario: Coroutine[Any, Any, None]) -> None:
        try:
            await scenario
        finally:
            self._one_less_active()

    def _one_less_active(self) -> None:
        self._active -= 1
        if self._active <= 0:
            self._all_wait.set()

    async def _continue(self) -> None:
        """Continue with the next part of the day, or the next day, for which a scenario waits."""
        day, self._part = self._waiting[0][:2]
        if day > self.today:
            self.today = day
            await self._on_new_day(day)
        else:
            await self._on_later()
        while self._waiting and self._waiting[0][:2] <= (self.today, self._part):
            *_, woken = heapq.heappop(self._waiting)
            self._active += 1
            woken.set_result(None)


class Driver:
    """HTTP client of a running platform, with the calendar of its scenarios (``async with``).

    `seed` makes the idempotency keys: the same seed repeats the same commands. At most `at_once`
    requests are sent at a time.
    """

    def __init__(
        self, access: PlatformAccess, begins: date, seed: str, *, at_once: int = 12
    ) -> None:
        self._access = access
        self._seed = seed
        self._http = httpx.AsyncClient(
            timeout=WAIT + 15, limits=httpx.Limits(max_connections=2 * at_once)
        )
        self._at_once = asyncio.Semaphore(at_once)
        self._tokens: dict[str, str] = {}
        self._clocks_set_on: date | None = None
        self.calendar = Calendar(begins, self._begin_day, self.hand_in)
        self.on_new_day: list[Callable[[date], Awaitable[None]]] = []
        self.timesheets = Timesheets()
        self.bank = Bank()
        self._on_streams = count(1)
        self.ids = access.ids
        self.accepted = 0
        """Number of commands that were accepted."""

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
        """Send a command on reference data."""
        await self._send(service, f"/{path}", body, by, key=derived(f"{self._seed}/{path}", 25))

    async def record(self, service: str, path: str, body: Body, by: str, *, name: str) -> None:
        """Send a command that records an account or a contact, and keep its new id under a name.

        The key does not depend on the seed: a later run gets the id of the first one.
        """
        key = derived(f"{path}/{name}", 25)
        answer = await self._send(service, f"/{path}", body, by, key=key)
        self.ids[name] = answer.json()["id"]

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
        """Send a command on an engagement.

        Raises CommandRefused where it is refused, DemoError where it fails otherwise.
        """
        return await self._send(
            service, path, body, by, key=derived(f"{self._seed}/{key}", 25), headers=headers
        )

    async def hand_in(self) -> None:
        """Submit the timesheets to which scenarios added lines; take the statements of the banks.

        Timesheets are saved before.
        """
        for sheet, lines in self.timesheets.to_submit():
            await self._submit(sheet, lines)
        transfers, self.bank.transfers = self.bank.transfers, {}
        for account, of_account in sorted(transfers.items()):
            await self._take_statement(account, of_account)

    async def _submit(self, sheet: str, lines: list[dict[str, Any]]) -> None:
        """Save lines on a person's sheet, and submit it."""
        person = sheet.rpartition(".")[0]
        await self.act_on_timesheet(person, sheet, "save-timesheet", {"engagements": lines})
        await self.act_on_timesheet(person, sheet, "submit-timesheet", {})

    async def _take_statement(self, account: str, transfers: list[Transfer]) -> None:
        """Take a statement; again with other balances where another driver was faster."""
        for attempt in range(1, _ATTEMPTS + 1):
            known: Mapping[str, Any] = {"closing": None, "number": 0}
            with suppress(DemoError):  # before the first statement
                known = (await self.read("finance", f"/bank-accounts/{account}", "fred", {})).json()
            body = statement(known, transfers, self.calendar.today)
            try:
                stream = f"bank-accounts/{account}"
                seen = await self.act_on(
                    "finance", stream, "fred", "take-statement", body, see=True
                )
            except CommandRefused:
                if attempt == _ATTEMPTS:
                    raise
            else:
                self.bank.note(seen["state"]["payments"])
                return

    async def act_on_timesheet(self, by: str, sheet: str, command: str, body: Body) -> None:
        """Send a command on a person's timesheet; see `act_on`."""
        await self.act_on("delivery", f"timesheets/{sheet}", by, command, body)

    async def act_on(
        self, service: str, stream: str, by: str, command: str, body: Body, *, see: bool = False
    ) -> dict[str, Any]:
        """Send a command on a stream that is no engagement, dated today.

        Return the answer, with the view of the stream in `state` if `see` is true. Raises
        CommandRefused where it is refused, DemoError where it fails otherwise.
        """
        at = datetime.combine(self.calendar.today, time(8), UTC)
        answer = await self.send(
            service,
            f"/{stream}/{command}",
            body,
            by,
            key=f"{stream}/{next(self._on_streams)}/{command}",
            headers={
                "Occurred-At": min(at, datetime.now(UTC)).isoformat(),
                "Prefer": f"{'return=representation, ' if see else ''}wait={WAIT}",
            },
        )
        content: dict[str, Any] = answer.json()
        return content

    async def take_over(self, row: Mapping[str, str], currency: str, *, key: str) -> str:
        """Import an opportunity, a row of a CRM export; return the id of its engagement.

        Raises DemoError where it is not imported.
        """
        number = derived(f"{self._seed}/{key}")
        export = StringIO()
        cells = {"opportunity_id": number, **row}
        writer = csv.DictWriter(export, cells)
        writer.writeheader()
        writer.writerow(cells)
        url = f"{self._access.urls['sales']}/imports?currency={currency}&decimal=point"
        sent = {"Authorization": f"Bearer {self._token('sam')}", "Content-Type": "text/csv"}
        answer = await self._http.post(url, content=export.getvalue(), headers=sent)
        if not answer.is_success or answer.json()["refused"]:
            raise DemoError(_message("sam", "POST", "sales/imports", cells, answer.text))
        self.accepted += 1
        return f"E-{derived(f'crm/{number}')}"

    async def read(
        self, service: str, path: str, by: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Return a resource; raises DemoError where it cannot be read."""
        return await self._request("GET", service, path, by, headers, None)

    async def release_clocks(self) -> None:
        """Let the services' deadline schedulers follow the real time again."""
        await self._clocks("release", None)

    async def _hold_clocks(self, today: date) -> None:
        if self._clocks_set_on is None or today >= self._clocks_set_on + timedelta(days=7):
            self._clocks_set_on = today
            at = datetime.combine(today, time(0), UTC).isoformat()
            await self._clocks("hold", {"at": at})

    async def _begin_day(self, today: date) -> None:
        await self._hold_clocks(today)
        for each in self.on_new_day:
            await each(today)

    async def hold_clocks(self) -> None:
        """Stop the services' deadline schedulers at the calendar's day, 00:00 UTC."""
        await self._hold_clocks(self.calendar.today)

    async def _clocks(self, operation: str, body: Body | None) -> None:
        await asyncio.gather(
            *(
                self._request(
                    "POST", service, f"/operations/clock/{operation}", "operator", {}, body
                )
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
        answer = await self._request(
            "POST",
            service,
            path,
            by,
            {"Idempotency-Key": key, "Prefer": f"wait={WAIT}", **(headers or {})},
            body,
        )
        self.accepted += 1
        return answer

    async def _request(
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
        backoff = Backoff(0.2, 30.0)
        for _ in range(8):
            try:
                async with self._at_once:
                    answer = await self._http.request(method, url, json=body, headers=sent)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__} {error}"
            else:
                problem = answer.text
                if answer.is_success:
                    return answer
                if answer.status_code == httpx.codes.CONFLICT:
                    raise CommandRefused(_message(by, method, service + path, body, problem))
                if answer.status_code not in {503, 504}:
                    break
            await backoff.pause()
        raise DemoError(_message(by, method, service + path, body, problem))

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


def _message(by: str, method: str, where: str, body: Body | None, problem: str) -> str:
    shown = "" if body is None else f" {dict(body)}"
    return f"{by}: {method} {where}{shown}\n  {problem}"
