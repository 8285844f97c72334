"""Whether a service can take requests (``/ready``), and how each of its parts does (``/health``).

=============  ==================================================================================
``/live``      the process answers; nothing else is asked
``/ready``     requests can be taken: 200, or 503 with the reason. It answers within READY_WITHIN;
               every probe must allow PROBE_TIMEOUT, so that the reason is seen
``/health``    every part: whether it does its work, why not and since when; 200 as long as the
               process answers
=============  ==================================================================================

All three are open to everybody and say nothing of the business: no ids, no contents of records, no
counts of what is confidential.
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
"""Seconds within which every check answers, or counts as failed."""

PROBE_TIMEOUT = 5.0
"""Seconds that every probe of ``/ready`` allows at least: Kubernetes, compose, the local runner."""

_LOOK_EVERY = 2.0
_log = logging.getLogger(__name__)

Detail: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """How a part does: `reason` is why it does not do all its work, None if it does.

    A `degraded` part does its work, but less well than it should (with older data, say).
    """

    reason: str | None = None
    degraded: bool = False
    details: Mapping[str, Detail] = field(default_factory=dict)


Check = Callable[[], Awaitable[Condition | str | None]]
"""Returns a part's condition; a sentence alone is the reason of a part that does not work."""


class ReadyPart(BaseModel):
    """One precondition of taking requests, and why it is not met if it is not."""

    ready: bool
    reason: str | None = None


class Readiness(BaseModel):
    """Whether a service can take requests: all preconditions are met."""

    ready: bool
    parts: dict[str, ReadyPart]


class Part(BaseModel):
    """One part of a service: whether it does its work, why not, and since when.

    A degraded part works less well than it should, for the reason given, and counts as healthy.
    """

    healthy: bool
    degraded: bool = False
    reason: str | None = None
    since: datetime | None = None
    details: dict[str, Detail] = {}


class Health(BaseModel):
    """How a service does: it is healthy if every part is. `degraded` names parts that are only so.

    `ready` says whether it can take requests at present, as ``/ready`` does.
    """

    healthy: bool
    ready: bool
    degraded: list[str]
    parts: dict[str, Part]


async def conditions(checks: Mapping[str, Check]) -> dict[str, Condition]:
    """Ask all checks at once; one that fails or takes longer than READY_WITHIN has that reason."""

    async def ask(check: Check) -> Condition:
        try:
            async with asyncio.timeout(READY_WITHIN):
                answer = await check()
        except TimeoutError:
            return Condition(f"no answer within {READY_WITHIN:g} s")
        except Exception as error:  # noqa: BLE001 - the others are asked all the same
            _log.warning("a health check failed", exc_info=error)
            return Condition(f"the check failed: {type(error).__name__}")
        return answer if isinstance(answer, Condition) else Condition(answer)

    answers = await asyncio.gather(*(ask(check) for check in checks.values()))
    return dict(zip(checks, answers, strict=True))


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Return whether all preconditions of taking requests are met."""
    parts = {
        name: ReadyPart(ready=condition.reason is None, reason=condition.reason)
        for name, condition in (await conditions(checks)).items()
    }
    return Readiness(ready=all(part.ready for part in parts.values()), parts=parts)


class Monitor:
    """Looks at every part every few seconds, so that it is known since when one does not work.

    `ready` are the preconditions of taking requests, `parts` all parts of the service; a further
    part is shown and measured as soon as its check is in the mapping that `parts` returns.
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
            description="1 for a part that does its work, degraded or not; else 0",
        )

    async def ready(self) -> Readiness:
        """Return whether requests can be taken now."""
        return await readiness(self._ready())

    async def look(self) -> Health:
        """Look at every part now; log which have changed."""
        ready, found = await asyncio.gather(self.ready(), conditions(self._parts()))
        self._found = {name: self._part(name, each) for name, each in found.items()}
        return Health(
            healthy=all(part.healthy for part in self._found.values()),
            ready=ready.ready,
            degraded=[name for name, part in self._found.items() if part.degraded],
            parts=self._found,
        )

    async def run(self) -> None:
        """Look every two seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY)

    def _part(self, name: str, condition: Condition) -> Part:
        before = self._found.get(name)
        known_since = None if before is None else before.since
        part = Part(
            healthy=condition.reason is None or condition.degraded,
            degraded=condition.reason is not None and condition.degraded,
            reason=condition.reason,
            since=None if condition.reason is None else known_since or self._now(),
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

    @routes.get("/live", summary="Whether the process answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @routes.get(
        "/ready",
        summary="Whether requests can be taken",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Not now; `parts` says why."}},
    )
    async def ready() -> Response:
        found = await monitor().ready()
        return _answer(found, 200 if found.ready else 503)

    @routes.get("/health", summary="How each part of the service does", response_model=Health)
    async def health() -> Response:
        return _answer(await monitor().look())

    return routes


def _answer(found: Readiness | Health, status: int = 200) -> Response:
    content = found.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
