"""The portfolio and a page of engagements, with ever more engagements in the gateway.

The floor is what the same process takes to say that it lives.
"""

import asyncio
import time

from bench import backlog
from bench.client import Connection
from bench.figures import Figure, Spread
from bench.ground import Ground, expect
from local.platform import is_healthy

_PREFIX = "bench-pages"
_PATHS = (
    "/portfolio",
    "/engagements?limit=50",
    "/engagements?limit=50&stage=opportunity&sort=-price",
)
MOST = 1.5
"""How many times the latency at the fewest engagements that at the most may be: noise included."""


async def measure(ground: Ground, sizes: tuple[int, ...], *, requests: int) -> list[Figure]:
    """Ask a gateway of its own for each path at each size."""
    await asyncio.to_thread(ground.create_topics, _PREFIX)
    gateway = ground.with_prefix("gateway", _PREFIX, "pages")
    gateway.start()
    try:
        url = ground.platform.layout.url("gateway")
        await asyncio.to_thread(lambda: gateway.wait_ready(lambda: is_healthy(url), limit=60))
        spreads: dict[str, list[Spread]] = {path: [] for path in ("/live", *_PATHS)}
        there = 0
        async with ground.connection("gateway") as connection:
            for size in sizes:
                await backlog.produce(ground.bootstrap, _PREFIX, backlog.openings(there, size))
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
    """Wait until the gateway has them all, and has come to rest."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        answer = expect(await connection.get("/portfolio"), 200)
        if b'"opportunity":%d,' % size in answer.body:
            await asyncio.sleep(2.0)
            return
        await asyncio.sleep(0.25)
    raise TimeoutError(f"the gateway did not fold {size} engagements: {answer.body[:300]!r}")


async def _ask(connection: Connection, path: str, requests: int) -> Spread:
    took: list[float] = []
    for _ in range(requests):
        asked = time.perf_counter()
        expect(await connection.get(path), 200)
        took.append(time.perf_counter() - asked)
        await asyncio.sleep(0)
    return Spread.of(took[requests // 10 :])
