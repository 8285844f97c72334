"""Act on one engagement as its people: send commands and read views, each in order."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local.demo.driver import WAIT, Body, CommandRefused, DemoError, Driver


@dataclass(slots=True)
class Actors:
    """The people of one engagement at work on it. Acts of one engagement follow each other."""

    driver: Driver
    name: str
    engagement: str = ""
    position: dict[str, int] = field(default_factory=dict)
    _acts: int = 0

    @property
    def today(self) -> date:
        """The day of the play."""
        return self.driver.calendar.today

    async def until(self, day: date) -> None:
        """Rest until a day."""
        await self.driver.calendar.until(day)

    async def open(self, body: Body, by: str) -> str:
        """Sales opens the engagement; answers with its id."""
        answer = await self.driver.send(
            "sales", "/engagements", body, by, key=f"{self.name}/open", headers=self._headers()
        )
        self.engagement = str(answer.json()["id"])
        self.position.update(answer.json()["position"])
        return self.engagement

    async def try_to(self, service: str, command: str, by: str, /, **body: Any) -> None:
        """Give a command that may be refused."""
        with suppress(CommandRefused):
            await self._give(service, command, by, {"Prefer": "wait=1"}, body)

    async def act(self, service: str, command: str, by: str, /, **body: Any) -> dict[str, Any]:
        """Give a command on this day, knowing all that was answered before; answers the state."""
        return await self._give(service, command, by, {}, body)

    async def _give(
        self, service: str, command: str, by: str, headers: Mapping[str, str], body: Body
    ) -> dict[str, Any]:
        self._acts += 1
        answer = await self.driver.send(
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
        """Look until something is seen there; raises Hitch when it is not seen for long."""
        for patience in range(200):
            state = await self.look(service, by)
            if seen(state):
                return state
            await asyncio.sleep(0.02 + 0.002 * patience)
        raise DemoError(f"{self.name}: {service} never showed what was waited for: {state}")

    def _headers(self) -> dict[str, str]:
        moment = datetime.combine(self.today, time(8), UTC) + timedelta(seconds=20 * self._acts)
        latest = min(moment, datetime.now(UTC) - timedelta(seconds=1))
        return {"Occurred-At": latest.isoformat()}

    def _after(self) -> dict[str, str]:
        heard = ",".join(f"{name}={last}" for name, last in sorted(self.position.items()))
        return {"Concord-After": heard} if heard else {}
