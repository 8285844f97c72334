"""Measure the gateway's processor time per event, and that of a bare loop over the same topics.

Both read the same backlog in separate processes: the gateway's projection, with views, portfolio,
disconnects and writes to the store; and a loop of aiokafka, orjson and a dict.
``python -m bench.folding gateway|loop EVENTS`` runs such a process.
"""

import asyncio
import gc
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import cast

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench import backlog
from bench.figures import Figure
from bench.testbed import Testbed
from chassis.base.settings import Settings
from chassis.runtime.container import Container
from chassis.runtime.service import settle_memory
from contracts.channels import PARTITIONS, Department
from gateway.projection.projector import CONSUMED_CHANNELS
from gateway.service import SERVICE, event_handling

AIM = 5.0
_PREFIX = "bench-folding"


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor seconds and wall-clock seconds of a process, and how many events it read."""

    processor: float
    wall: float
    events: int

    @property
    def per_event(self) -> float:
        """Return microseconds of processor time per event."""
        return 1e6 * self.processor / self.events


async def measure(testbed: Testbed, *, engagements: int, rounds: int) -> Figure:
    """Produce the backlog, let both read it in turn, and return their ratio."""
    testbed.create_topics(_PREFIX)
    events = await backlog.produce(
        testbed.bootstrap, _PREFIX, backlog.mixed_engagements(engagements)
    )
    loops: list[Spent] = []
    folds: list[Spent] = []
    for number in range(rounds):
        environment = testbed.platform.environment("gateway") | {
            "CONCORD_TOPIC_PREFIX": _PREFIX,
            "CONCORD_STORE_DATABASE": f"folding-{number}",
            "BENCH_NAME": f"gateway-{number}",
        }
        loops.append(await asyncio.to_thread(_run, "loop", events, environment))
        folds.append(await asyncio.to_thread(_run, "gateway", events, environment))
    loop = median(each.per_event for each in loops)
    fold = median(each.per_event for each in folds)
    ratio = median(one.per_event / other.per_event for one, other in zip(folds, loops, strict=True))
    rate = median(each.events / each.wall for each in folds)
    return Figure(
        what=f"gateway: processor time per event, {events} events of {engagements} engagements"
        f" ({rate:.0f} events/s)",
        measured=f"{fold:.1f} µs",
        ceiling=f"{loop:.1f} µs",
        ratio=f"{ratio:.1f}",
        aim=f"≤ {AIM:.0f}",
        met=ratio <= AIM,
    )


def _run(program: str, events: int, environment: Mapping[str, str]) -> Spent:
    done = subprocess.run(
        [sys.executable, "-m", "bench.folding", program, str(events)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    return Spent(**orjson.loads(done.stdout.splitlines()[-1]))


async def loop(settings: Settings, events: int) -> Spent:
    """Measure reading alone: fetch, parse, and count in a dict."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    consumer.assign(
        [
            TopicPartition(channel.topic(settings.topic_prefix), number)
            for channel in CONSUMED_CHANNELS
            for number in range(PARTITIONS)
        ]
    )
    seen: dict[tuple[str, str], int] = {}
    count = 0
    processor, wall = time.process_time(), time.perf_counter()
    while count < events:
        for records in (await consumer.getmany(timeout_ms=100, max_records=500)).values():
            for record in records:
                event = orjson.loads(record.value)
                seen[event["subject"], record.topic] = event["streamsequence"]
                count += 1
    spent = Spent(time.process_time() - processor, time.perf_counter() - wall, count)
    await consumer.stop()
    return spent


async def project(settings: Settings, events: int) -> Spent:
    """Measure the gateway until all events are projected and written to the store.

    Raises TimeoutError after 100 seconds.
    """
    container = Container(
        # The name is also that of the consumer group; a new group begins with the first event.
        name=cast("Department", os.environ["BENCH_NAME"]),
        settings=settings,
        deciders=SERVICE.all_deciders,
        event_handling=lambda container: replace(event_handling(container), tasks={}),
    )
    folding = container.event_handling.handler
    settle_memory()
    async with container:
        while container.consumer is None or not container.consumer.progress.joined:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        processor, wall = time.process_time(), time.perf_counter()
        ends = wall + 100
        while (folded := sum(row.number >> 20 for row in folding.rows)) < events:
            await asyncio.sleep(0.1)
            if time.perf_counter() > ends:
                raise TimeoutError(f"{folded} of {events} events were folded")
        await folding.checkpoint()
        return Spent(time.process_time() - processor, time.perf_counter() - wall, folded)


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    program, events = sys.argv[1], int(sys.argv[2])
    gc.collect()
    spent = uvloop.run(
        (project if program == "gateway" else loop)(Settings.from_environment(), events)
    )
    print(
        orjson.dumps(
            {"processor": spent.processor, "wall": spent.wall, "events": spent.events}
        ).decode()
    )


if __name__ == "__main__":
    main()
