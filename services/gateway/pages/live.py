"""Telling a browser that what it shows has changed: it then asks for the page again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress

from gateway.folding import Change

PAUSE = 1.0
"""Seconds between two events at the least, however much changes."""
BEAT = 15.0
"""Seconds after which something is said even if nothing changed, so that a dead line shows."""


async def tidings(
    changes: AsyncIterator[Change], signed_in: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[bytes]:
    """Server-sent events: `changed`, and `signed-out` at the end of the token's life."""
    moved = asyncio.Event()

    async def watch() -> None:
        async for _ in changes:
            moved.set()

    watching = asyncio.create_task(watch())
    watching.add_done_callback(lambda _: moved.set())
    try:
        yield b"retry: 2000\n\n"
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await moved.wait()
            if not await signed_in():
                yield b"event: signed-out\ndata: \n\n"
                return
            if watching.done():
                return
            if moved.is_set():
                moved.clear()
                yield b"event: changed\ndata: \n\n"
                await asyncio.sleep(PAUSE)
            else:
                yield b": still here\n\n"
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
