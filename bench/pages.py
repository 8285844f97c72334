"""Measure reads of the portfolio and of engagement lists, by the number of engagements.

The limit is the latency of GET /live of the same process.
"""

import asyncio
import time

from bench import backlog
from bench.client import Connection
from bench.figures import Figure, Spread
from bench.testbed import Testbed, expect
from local.platform import is_healthy

_PREFIX = "bench-pages"
_PATHS = (
    "/portfolio",
    "/engagements?limit=50",
    "/engagements?limit=50&stage=opportunity&sort=-price",
)
MOST = 1.5
"""Target: latency at the most engagements, divided by that at the fewest, noise included."""


async def measure(testbed: Testbed, sizes: tuple[int, ...], *, requests: int) -> list[Figure]:
    """Start a separate gateway and measure each path at each number of engagements."""
    await asyncio.to_thread(testbed.create_topics, _PREFIX)
    gateway = testbed.with_prefix("gateway", _PREFIX, "pages")
    gateway.start()
    try:
        url = testbed.platform.layout.url("gateway")
        await asyncio.to_thread(lambda: gateway.wait_ready(lambda: is_healthy(url), limit=60))
        spreads: dict[str, list[Spread]] = {path: [] for path in ("/live", *_PATHS)}
        there = 0
        async with testbed.connection("gateway") as connection:
            for size in sizes:
                await backlog.produce(testbed.bootstrap, _PREFIX, backlog.openings(there, size))
                there = size
                await _folded(connection, size)
                for path, found in spreads.items():
                    found.append(await _ask(connection, path, requests))
    finally:
        gateway.stop()
    floor = spreads["/live"][-1]
    words = " / ".join(f"{size:,}" for size in sizes)
    return [_figure(path, words, spreads[path], floor) for path in _PATHS]


def _figure(path: str, words: str, found: list[Spread], floor: Spread) -> Figure:
    growth = found[-1].p50 / found[0].p50
    return Figure(
        what=f"{path} with {words} engagements, p50 / p99 each (ceiling: /live)",
        measured="\n".join(str(each) for each in found),
        ceiling=str(floor),
        ratio=f"{growth:.2f}",
        aim="equal",
        met=growth <= MOST,
    )


async def _folded(connection: Connection, size: int) -> None:
    """Wait until the gateway has projected all engagements, and two seconds more.

    Raises TimeoutError after two minutes.
    """
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        answer = expect(await connection.get("/portfolio"), 200)
        if b'"opportunity":%d,' % size in answer.body:
            await asyncio.sleep(2.0)
            return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"the gateway did not project {size} engagements: {answer.body[:300]!r}")


async def _ask(connection: Connection, path: str, requests: int) -> Spread:
    took: list[float] = []
    for _ in range(requests):
        sent = time.perf_counter()
        expect(await connection.get(path), 200)
        took.append(time.perf_counter() - sent)
        await asyncio.sleep(0)
    return Spread.of(took[requests // 10 :])
