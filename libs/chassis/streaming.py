"""Answers without an end: server-sent events, for as long as the reader and the service stay."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse


def events(source: AsyncGenerator[bytes], stopping: asyncio.Event) -> StreamingResponse:
    """Server-sent events as `source` gives them; they end when it does, or the service stops."""
    return StreamingResponse(
        _until(stopping, source),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _until(stopping: asyncio.Event, source: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    stopped = asyncio.create_task(stopping.wait())
    try:
        async with aclosing(source):
            while True:
                upcoming = asyncio.create_task(_next(source))
                try:
                    await asyncio.wait({upcoming, stopped}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not upcoming.done():
                        upcoming.cancel()
                        await asyncio.wait({upcoming})
                if upcoming.cancelled() or (event := upcoming.result()) is None:
                    return
                yield event
    finally:
        stopped.cancel()


async def _next(source: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(source, None)
