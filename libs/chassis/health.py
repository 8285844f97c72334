"""Health: live means that the process answers; ready means that each part does its work now."""

import asyncio
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from chassis.works import Check

PATIENCE = 3.0
"""Seconds that a part may take to say how it is."""


class Part(BaseModel):
    """One part of a service, and why it is not ready if it is not."""

    ready: bool
    reason: str | None = None


class Readiness(BaseModel):
    """Whether a service is ready: all of its parts are."""

    ready: bool
    parts: dict[str, Part]


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Ask every part at once; one that does not answer in time is not ready."""

    async def ask(check: Check) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await check()
        except TimeoutError:
            return f"no answer within {PATIENCE:g} s"
        except Exception as error:  # noqa: BLE001 - a part that cannot even say how it is
            return f"{type(error).__name__}: {error}"

    reasons = await asyncio.gather(*(ask(check) for check in checks.values()))
    parts = {
        name: Part(ready=reason is None, reason=reason)
        for name, reason in zip(checks, reasons, strict=True)
    }
    return Readiness(ready=all(part.ready for part in parts.values()), parts=parts)


def router(checks: Callable[[], Mapping[str, Check]]) -> APIRouter:
    """``GET /live`` and ``GET /ready``, open to all: they say nothing of the business."""
    routes = APIRouter(tags=["health"])

    @routes.get("/live", summary="Whether the process answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @routes.get("/ready", summary="Whether every part does its work", response_model=Readiness)
    async def ready() -> JSONResponse:
        found = await readiness(checks())
        return JSONResponse(
            found.model_dump(exclude_none=True),
            200 if found.ready else 503,
            headers={"Cache-Control": "no-store"},
        )

    return routes
