"""Answers without an end: server-sent events, for as long as the reader and the service stay."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse

_endings: set[asyncio.Task[None]] = set()
"""What is being ended: the loop itself keeps no hold of its tasks."""


def events(source: AsyncGenerator[bytes], stopping: asyncio.Event) -> StreamingResponse:
    """Server-sent events as `source` gives them; they end when it does, or the service stops."""
    return StreamingResponse(
        _until(stopping, source),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


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
        # Apart from whoever reads: when a reader leaves, that task is cancelled again and again.
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
