"""Kill services at random moments drawn from a seed, and restart them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import httpx

from chassis.kafka.outbox_relay import RELAY
from local.platform import SERVICES, Platform
from tests.faults.collected_state import Places, opened
from tests.faults.load import Load

COMES_UP_WITHIN = 60.0
"""Seconds within which a killed service must process commands and events again."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill of a service: seconds since the first round, and commands acknowledged before.

    `coming_up` is whether it was still starting after the previous kill.
    """

    service: str
    at: float
    commands: int
    coming_up: bool


async def kill_at_random(
    platform: Platform,
    load: Load,
    seed: int,
    rounds: int,
    *,
    say: Callable[[Kill], object] = print,
) -> list[Kill]:
    """Kill every service in each round, in an order and at moments drawn from the seed.

    A round begins when all services are healthy and the load has progressed. Each killed service is
    restarted at once; one in four is killed again while it starts.
    """
    random = Random(seed)
    began = time.monotonic()
    done: list[Kill] = []

    async def kill(service: str, *, coming_up: bool) -> None:
        process = platform.services[service]
        await asyncio.to_thread(process.kill)
        await asyncio.to_thread(process.start)
        at = round(time.monotonic() - began, 1)
        done.append(Kill(service, at, len(load.acknowledged), coming_up))
        say(done[-1])

    for _ in range(rounds):
        await wait_for_all(platform)
        await load.moved(random.randrange(20, 60))
        for service in random.sample(SERVICES, len(SERVICES)):
            await asyncio.sleep(random.uniform(0.05, 1.5))
            load.look()
            await kill(service, coming_up=False)
            if random.random() < 0.25:
                await _until_alive(platform, service)
                await asyncio.sleep(random.uniform(0.0, 0.5))
                await kill(service, coming_up=True)
    await wait_for_all(platform)
    return done


async def wait_for_all(platform: Platform, *, limit: float = COMES_UP_WITHIN) -> None:
    """Wait until every service is healthy."""
    for service in SERVICES:
        await asyncio.to_thread(platform.wait_healthy, service, limit=limit)


async def relay_holders(places: Places) -> Mapping[str, str]:
    """Return the holder of the relay's lease by service."""
    holders = {}
    for service in places.stores:
        async with opened(places, service) as store:
            lease = await store.leases.find_one({"_id": RELAY})
            holders[service] = str((lease or {}).get("holder"))
    return holders


async def _until_alive(platform: Platform, service: str) -> None:
    """Wait until a service answers any request; raises AssertionError if late."""
    ends = time.monotonic() + COMES_UP_WITHIN
    async with httpx.AsyncClient(timeout=2.0) as http:
        while time.monotonic() < ends:
            try:
                await http.get(platform.layout.url(service) + "/live")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    raise AssertionError(f"{service} did not answer within {COMES_UP_WITHIN:g} s")
