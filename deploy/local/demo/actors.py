"""Act on one engagement as its people: send commands and read views, each in order."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx

from local.demo.driver import WAIT, Body, CommandRefused, DemoError, Driver


@dataclass(slots=True)
class Actors:
    """HTTP client for the people of one engagement; its commands run one after the other.

    `position` is the highest sequence per channel that any answer contained; every request waits
    until the service has processed it.
    """

    driver: Driver
    name: str
    engagement: str = ""
    position: dict[str, int] = field(default_factory=dict)
    _commands: int = 0

    @property
    def today(self) -> date:
        """Return the current day of the calendar."""
        return self.driver.calendar.today

    async def until(self, day: date) -> None:
        """Wait until a day."""
        await self.driver.calendar.until(day)

    async def later(self) -> None:
        """Wait until all timesheets that changed are submitted."""
        await self.driver.calendar.later()

    async def open(self, body: Body, by: str) -> str:
        """Open the engagement in Sales and return its id."""
        answer = await self.driver.send(
            "sales", "/engagements", body, by, key=f"{self.name}/open", headers=self._headers()
        )
        self.engagement = str(answer.json()["id"])
        self.position.update(answer.json()["position"])
        return self.engagement

    async def take_over(self, row: Mapping[str, str], currency: str) -> str:
        """Import an opportunity, a row of a CRM export, and return the id of its engagement."""
        self.engagement = await self.driver.take_over(row, currency, key=self.name)
        return self.engagement

    async def try_to(self, service: str, command: str, by: str, /, **body: Any) -> None:
        """Send a command; a refusal is ignored."""
        with suppress(CommandRefused):
            await self._send(service, command, by, {"Prefer": "wait=1"}, body)

    async def act(self, service: str, command: str, by: str, /, **body: Any) -> None:
        """Send a command dated today.

        Raises CommandRefused where it is refused, DemoError where it fails otherwise.
        """
        await self._send(service, command, by, {}, body)

    async def act_and_see(
        self, service: str, command: str, by: str, /, **body: Any
    ) -> dict[str, Any]:
        """Send a command as `act` does, and return the service's view of the engagement."""
        prefer = {"Prefer": f"return=representation, wait={WAIT}"}
        answer = await self._send(service, command, by, prefer, body)
        state: dict[str, Any] = answer["state"]
        return state

    async def act_on_many(
        self, service: str, command: str, by: str, /, bodies: Sequence[Body]
    ) -> None:
        """Send a command dated today with several bodies in one request.

        Raises CommandRefused where one is refused, DemoError where the request fails.
        """
        self._commands += 1
        answer = await self.driver.send(
            service,
            f"/engagements/commands/{command}",
            {"items": [{"engagement": self.engagement, "command": body} for body in bodies]},
            by,
            key=f"{self.name}/{self._commands}/{command}",
            headers={**self._headers(), **self._after()},
        )
        for item in answer.json()["items"]:
            if item["status"] != httpx.codes.OK:
                raise CommandRefused(f"{by}: {command}: {item['problem']}")
            self._reached(item["position"])

    async def act_for(
        self, service: str, command: str, by: str, person: str, /, **body: Any
    ) -> None:
        """Send a command as `act` does, on behalf of a person, as their stand-in."""
        await self._send(service, command, by, {"Concord-On-Behalf-Of": person}, body)

    async def _send(
        self, service: str, command: str, by: str, headers: Mapping[str, str], body: Body
    ) -> dict[str, Any]:
        self._commands += 1
        answer = await self.driver.send(
            service,
            f"/engagements/{self.engagement}/{command}",
            body,
            by,
            key=f"{self.name}/{self._commands}/{command}",
            headers={**self._headers(), **self._after(), **headers},
        )
        content: dict[str, Any] = answer.json()
        self._reached(content["position"])
        return content

    def _reached(self, position: Mapping[str, int]) -> None:
        for channel, last in position.items():
            self.position[channel] = max(last, self.position.get(channel, 0))

    async def look(self, service: str, by: str) -> dict[str, Any]:
        """Return the view of a department once it has processed `position`."""
        answer = await self.driver.read(
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
        """Poll a view until `seen` is true, and return it; raises DemoError after 200 attempts."""
        for attempt in range(200):
            state = await self.look(service, by)
            if seen(state):
                return state
            await asyncio.sleep(0.02 + 0.002 * attempt)
        raise DemoError(f"{self.name}: the expected state did not appear in {service}: {state}")

    def _headers(self) -> dict[str, str]:
        moment = datetime.combine(self.today, time(8), UTC) + timedelta(seconds=20 * self._commands)
        latest = min(moment, datetime.now(UTC) - timedelta(seconds=1))
        return {"Occurred-At": latest.isoformat()}

    def _after(self) -> dict[str, str]:
        position = ",".join(f"{name}={last}" for name, last in sorted(self.position.items()))
        return {"Concord-After": position} if position else {}
