"""Server-sent events: responses that end with the client, the source or the service."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from chassis.web.problem_answers import problem_answer
from chassis.web.problems import Problem

MOST_AT_ONCE = 20
"""Streams that one actor may have open in a process, since every event is sent to each of them."""

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, until the client, the service or the token ends them.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **problem_answer(429, "too-many-streams"),
}
"""The answer of a route that streams events, for the OpenAPI document."""

_open = Counter[str]()
"""The number of open streams, by actor."""

_endings: set[asyncio.Task[None]] = set()
"""Clean-up tasks that run; the event loop itself has only weak references to tasks."""


def events(source: AsyncGenerator[bytes], stopping: asyncio.Event, actor: str) -> StreamingResponse:
    """Return a response that sends the events of `source` until it ends or the service stops.

    Sending it raises Problem 429 where the actor has `MOST_AT_ONCE` streams open already.
    """
    return _Events(_until(stopping, source), actor)


class _Events(StreamingResponse):
    def __init__(self, content: AsyncGenerator[bytes], actor: str) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response and count it as open; raises Problem 429 before anything is sent."""
        if _open[self._actor] >= MOST_AT_ONCE:
            detail = f"{MOST_AT_ONCE} event streams are open already; close one first"
            raise Problem(429, "too-many-streams", detail)
        _open[self._actor] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            _open[self._actor] -= 1
            if not _open[self._actor]:
                del _open[self._actor]


async def _until(stopping: asyncio.Event, source: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    stopped = asyncio.create_task(stopping.wait())
    upcoming: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            upcoming = asyncio.create_task(_next(source))
            await asyncio.wait({upcoming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not upcoming.done() or upcoming.cancelled():
                return
            if (event := upcoming.result()) is None:
                return
            yield event
    finally:
        stopped.cancel()
        # In a task of its own: when the client disconnects, this one is cancelled repeatedly.
        ending = asyncio.create_task(_end(source, upcoming))
        _endings.add(ending)
        ending.add_done_callback(_endings.discard)
        await asyncio.shield(ending)


async def _next(source: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(source, None)


async def _end(
    source: AsyncGenerator[bytes], upcoming: "asyncio.Task[bytes | None] | None"
) -> None:
    if upcoming is not None:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
    await source.aclose()
