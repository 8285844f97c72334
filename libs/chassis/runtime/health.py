"""Health checks: liveness, readiness, and the condition of each part of a service.

=============  ==================================================================================
``/live``      the process answers; nothing else is checked
``/ready``     requests are accepted: 200, or 503 with the reason. It answers within READY_WITHIN;
               every probe must allow PROBE_TIMEOUT, so that the reason is seen
``/health``    every part: whether it works, the reason if not, and since when; 200 as long as the
               process answers
=============  ==================================================================================

All three need no token and contain no business data: no ids, no contents of records, no counts of
confidential records.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from fastapi import APIRouter
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

READY_WITHIN = 2.0
"""Seconds after which a check that has not answered counts as failed."""

PROBE_TIMEOUT = 5.0
"""Minimum timeout in seconds of every probe of ``/ready``: Kubernetes, compose, local runner."""

_LOOK_EVERY = 2.0
_log = logging.getLogger(__name__)

Detail: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a part: `reason` is why it does not work fully, None if it does.

    A `degraded` part works, but less well than it should, for example with older data.
    """

    reason: str | None = None
    degraded: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)


Check = Callable[[], Awaitable[Condition | str | None]]
"""A check of a part; a string as its result is the reason why the part does not work."""


class ReadyPart(BaseModel):
    """A precondition of accepting requests, with the reason if it is not met."""

    ready: bool
    reason: str | None = None


class Readiness(BaseModel):
    """The readiness of a service: it accepts requests if all preconditions are met."""

    ready: bool
    parts: dict[str, ReadyPart]


class Part(BaseModel):
    """A part of a service: whether it works, the reason if not, and since when (UTC).

    A degraded part works less well than it should, for the reason given, and counts as healthy.
    """

    healthy: bool
    degraded: bool = False
    reason: str | None = None
    since: datetime | None = None
    details: dict[str, Detail] = {}


class Health(BaseModel):
    """The health of a service: it is healthy if every part is, degraded parts included.

    `degraded` lists the degraded parts. `ready` is the result of ``/ready``.
    """

    healthy: bool
    ready: bool
    degraded: list[str]
    parts: dict[str, Part]


async def conditions(checks: Mapping[str, Check]) -> dict[str, Condition]:
    """Run all checks at once; one that fails or exceeds READY_WITHIN has that as its reason."""

    async def ask(check: Check) -> Condition:
        try:
            async with asyncio.timeout(READY_WITHIN):
                answer = await check()
        except TimeoutError:
            return Condition(f"no answer within {READY_WITHIN:g} s")
        except Exception as error:  # noqa: BLE001 - the results of the others are needed
            _log.warning("a health check failed", exc_info=error)
            return Condition(f"the check failed: {type(error).__name__}")
        return answer if isinstance(answer, Condition) else Condition(answer)

    answers = await asyncio.gather(*(ask(check) for check in checks.values()))
    return dict(zip(checks, answers, strict=True))


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Return whether all preconditions of accepting requests are met."""
    parts = {
        name: ReadyPart(ready=condition.reason is None, reason=condition.reason)
        for name, condition in (await conditions(checks)).items()
    }
    return Readiness(ready=all(part.ready for part in parts.values()), parts=parts)


class Monitor:
    """The regular check of all parts, which records since when one does not work.

    `ready` returns the preconditions of accepting requests, `parts` the checks of all parts of the
    service; a part that is added later is reported and measured as soon as `parts` returns it.
    """

    def __init__(
        self,
        service: str,
        ready: Callable[[], Mapping[str, Check]],
        parts: Callable[[], Mapping[str, Check]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service = service
        self._ready = ready
        self._parts = parts
        self._now = now
        self._found: dict[str, Part] = {}
        metrics.get_meter("concord.health").create_observable_gauge(
            "concord.health",
            [self._observe],
            description="1 for a part that works, degraded or not; else 0",
        )

    async def ready(self) -> Readiness:
        """Return whether requests are accepted now."""
        return await readiness(self._ready())

    async def look(self) -> Health:
        """Check every part now; log the parts that stopped or resumed working."""
        ready, found = await asyncio.gather(self.ready(), conditions(self._parts()))
        self._found = {name: self._part(name, each) for name, each in found.items()}
        return Health(
            healthy=all(part.healthy for part in self._found.values()),
            ready=ready.ready,
            degraded=[name for name, part in self._found.items() if part.degraded],
            parts=self._found,
        )

    async def run(self) -> None:
        """Check every two seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY)

    def _part(self, name: str, condition: Condition) -> Part:
        before = self._found.get(name)
        since = None if before is None else before.since
        part = Part(
            healthy=condition.reason is None or condition.degraded,
            degraded=condition.reason is not None and condition.degraded,
            reason=condition.reason,
            since=None if condition.reason is None else since or self._now(),
            details=dict(condition.details),
        )
        if before is not None and before.healthy and not part.healthy:
            _log.warning("health: %s: %s", name, part.reason)
        elif before is not None and not before.healthy and part.healthy:
            _log.info("health: %s works again", name)
        return part

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(int(part.healthy), {"service": self._service, "part": name})
            for name, part in self._found.items()
        ]


def router(monitor: Callable[[], Monitor]) -> APIRouter:
    """Return the routes ``/live``, ``/ready`` and ``/health``."""
    routes = APIRouter(tags=["health"])

    @routes.get("/live", summary="Check that the process answers")
    async def check_live() -> dict[str, bool]:
        return {"live": True}

    @routes.get(
        "/ready",
        summary="Check that requests are accepted",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Not now; `parts` has the reasons."}},
    )
    async def check_ready() -> Response:
        found = await monitor().ready()
        return _answer(found, 200 if found.ready else 503)

    @routes.get("/health", summary="Check each part of the service", response_model=Health)
    async def read_health() -> Response:
        return _answer(await monitor().look())

    return routes


def _answer(found: Readiness | Health, status: int = 200) -> Response:
    content = found.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
