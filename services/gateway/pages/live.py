"""Telling a browser that what it shows has changed: it then asks for the page again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress

from gateway.folding import Change

PAUSE = 1.0
"""Seconds between two events at the least, however much changes."""
LOOK = 3.0
"""Seconds between two looks at whether the data have become old, or new again."""
BEAT = 15.0
"""Seconds after which something is said even if nothing changed, so that a dead line shows."""


async def tidings(
    changes: AsyncIterator[Change],
    signed_in: Callable[[], Awaitable[bool]],
    age_notice: Callable[[], str | None],
) -> AsyncGenerator[bytes]:
    """Server-sent events: `changed`, and `signed-out` at the end of the token's life.

    `changed` is sent as well when `age_notice`, which the page shows, is another one.
    """
    moved = asyncio.Event()
    shown = age_notice()
    loop = asyncio.get_running_loop()
    beat = loop.time()

    async def watch() -> None:
        async for _ in changes:
            moved.set()

    watching = asyncio.create_task(watch())
    watching.add_done_callback(lambda _: moved.set())
    try:
        yield b"retry: 2000\n\n"
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(BEAT, LOOK)):
                    await moved.wait()
            if not await signed_in():
                yield b"event: signed-out\ndata: \n\n"
                return
            if watching.done():
                return
            if moved.is_set() or age_notice() != shown:
                moved.clear()
                shown = age_notice()
                yield b"event: changed\ndata: \n\n"
                beat = loop.time()
                await asyncio.sleep(PAUSE)
            elif loop.time() - beat >= BEAT:
                yield b": still here\n\n"
                beat = loop.time()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
