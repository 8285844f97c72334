"""Server-sent events that tell a browser to load its page again because something changed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress

from gateway.projection.projector import ViewChange

PAUSE = 1.0
"""Seconds between two events at least."""
CHECK_INTERVAL = 3.0
"""Seconds between two checks of whether the data have become old, or are up to date again."""
HEARTBEAT = 15.0
"""Seconds without a change after which a comment is sent, to notice a lost connection."""


async def page_events(
    changes: AsyncIterator[ViewChange],
    signed_in: Callable[[], Awaitable[bool]],
    age_notice: Callable[[], str | None],
) -> AsyncGenerator[bytes]:
    """Yield server-sent events: `changed`, and `signed-out` when the token has expired.

    `changed` is also sent when the text of `age_notice` changes, which the page shows.
    """
    changed = asyncio.Event()
    shown = age_notice()
    loop = asyncio.get_running_loop()
    last_sent = loop.time()

    async def watch() -> None:
        async for _ in changes:
            changed.set()

    watching = asyncio.create_task(watch())
    watching.add_done_callback(lambda _: changed.set())
    try:
        yield b"retry: 2000\n\n"
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(HEARTBEAT, CHECK_INTERVAL)):
                    await changed.wait()
            if not await signed_in():
                yield b"event: signed-out\ndata: \n\n"
                return
            if watching.done():
                return
            if changed.is_set() or age_notice() != shown:
                changed.clear()
                shown = age_notice()
                yield b"event: changed\ndata: \n\n"
                last_sent = loop.time()
                await asyncio.sleep(PAUSE)
            elif loop.time() - last_sent >= HEARTBEAT:
                yield b": still here\n\n"
                last_sent = loop.time()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
