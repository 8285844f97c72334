"""Killing services at random moments that a seed names, and starting them again."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import httpx

from chassis.relay import RELAY
from local.platform import SERVICES, Platform
from tests.faults.evidence import Places, opened
from tests.faults.load import Load

_COMES_UP_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Kill:
    """A service was killed: so many seconds after the first, and whether it was ready then."""

    service: str
    at: float
    was_ready: bool


async def kill_at_random(
    platform: Platform,
    load: Load,
    seed: int,
    kills: int,
    *,
    pause: tuple[float, float],
    say: Callable[[str], object] = print,
) -> list[Kill]:
    """Kill services with SIGKILL under load, each equally often, and start each at once again.

    Between two kills lie seconds out of `pause`. Most victims are at work on facts again; one in
    five is killed while it comes up, as soon as it answers. Every moment is drawn from the seed.
    """
    random = Random(seed)
    began = time.monotonic()
    done: list[Kill] = []
    order: list[str] = []
    async with httpx.AsyncClient(timeout=2.0) as http:
        while len(done) < kills:
            order = order or random.sample(SERVICES, len(SERVICES))
            service = order.pop()
            await asyncio.sleep(random.uniform(*pause))
            path = "/live" if random.random() < 0.2 else "/ready"
            await _until_answered(http, platform.layout.url(service) + path)
            load.look()
            ready = await _answers(http, platform.layout.url(service) + "/ready")
            process = platform.services[service]
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.start)
            done.append(Kill(service, time.monotonic() - began, ready))
            say(f"{done[-1]}, after {len(load.acknowledged)} commands")
    return done


async def wait_for_all(platform: Platform, *, limit: float = _COMES_UP_WITHIN) -> None:
    """Wait until every service is ready."""
    for service in SERVICES:
        await asyncio.to_thread(platform.wait_ready, service, limit=limit)


async def relay_holders(places: Places) -> Mapping[str, str]:
    """Who holds the lease of each service's relay."""
    holders = {}
    for service in places.stores:
        async with opened(places, service) as store:
            lease = await store.leases.find_one({"_id": RELAY})
            holders[service] = str((lease or {}).get("holder"))
    return holders


async def _until_answered(http: httpx.AsyncClient, url: str) -> None:
    ends = time.monotonic() + _COMES_UP_WITHIN
    while not await _answers(http, url):
        assert time.monotonic() < ends, f"{url} did not answer within {_COMES_UP_WITHIN:g} s"
        await asyncio.sleep(0.1)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False
