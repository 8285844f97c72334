"""Measure the latency from a command's answer to its effect in the gateway's view.

Commands are sent at a constant rate, a quarter of the highest load, whether or not earlier ones are
answered. A sample of them is followed: a request to the gateway with Concord-After is answered when
it has processed the event. The limit is the latency of Kafka alone, from a producer's send to a
consumer's receipt, with the same settings.
"""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.commands import CLIENTS, Seller, sales_position
from bench.figures import Figure, Spread
from bench.testbed import Testbed, expect

P50, P99 = 20.0, 150.0
"""The targets, in milliseconds."""
_FOLLOWED = 10
"""Commands followed per second; few, so that the measurement adds no load."""
_TOPIC = "concord.gateway.v1"


async def measure(testbed: Testbed, *, per_second: float, seconds: float) -> list[Figure]:
    """Measure the latencies at this load, and those of Kafka alone, and return p50 and p99."""
    bare = await kafka_alone(testbed, per_second=per_second, seconds=min(5.0, seconds))
    seen = await latencies(testbed, per_second=per_second, seconds=seconds)
    return [
        Figure(
            what=f"command's answer to its effect in the gateway's view, at {per_second:.0f}"
            f" commands/s, p50 of {seen.count} (ceiling: Kafka alone)",
            measured=f"{seen.p50:.0f} ms",
            ceiling=f"{bare.p50:.1f} ms",
            ratio=f"{seen.p50 / bare.p50:.1f}",
            aim=f"≤ {P50:.0f} ms",
            met=seen.p50 <= P50,
        ),
        Figure(
            what="the same, p99",
            measured=f"{seen.p99:.0f} ms",
            ceiling=f"{bare.p99:.1f} ms",
            ratio=f"{seen.p99 / bare.p99:.1f}",
            aim=f"≤ {P99:.0f} ms",
            met=seen.p99 <= P99,
        ),
    ]


async def latencies(testbed: Testbed, *, per_second: float, seconds: float) -> Spread:
    """Return the latencies from an answer to its effect, of the commands that were followed."""
    idle: asyncio.Queue[Seller] = asyncio.Queue()
    for _ in range(2 * CLIENTS):
        idle.put_nowait(Seller(await testbed.connection("sales").__aenter__()))
    follower = await testbed.connection("gateway").__aenter__()
    took: list[float] = []
    following = asyncio.Lock()

    async def one(*, followed: bool) -> None:
        seller = await idle.get()
        answer = await seller.next()
        answered = time.perf_counter()
        engagement, sequence = seller.engagement, sales_position(answer)
        idle.put_nowait(seller)
        if followed and not following.locked():
            async with following:
                expect(
                    await follower.get(
                        f"/engagements/{engagement}",
                        Concord_After=f"sales={sequence}",
                        Prefer="wait=20",
                    ),
                    200,
                )
                took.append(time.perf_counter() - answered)

    began = time.perf_counter()
    each = max(1, round(per_second / _FOLLOWED))
    running: set[asyncio.Task[None]] = set()
    for number in range(round(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
        task = asyncio.create_task(one(followed=number % each == 0))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    warm = len(took) // 10
    return Spread.of(took[warm:])


async def kafka_alone(testbed: Testbed, *, per_second: float, seconds: float) -> Spread:
    """Return the latencies from send to receipt, on a topic with as many partitions."""
    topic = "bench-hop.sales.v1"
    testbed.create_topics("bench-hop")
    producer = AIOKafkaProducer(
        bootstrap_servers=testbed.bootstrap, acks="all", enable_idempotence=True
    )
    consumer = AIOKafkaConsumer(bootstrap_servers=testbed.bootstrap, fetch_max_wait_ms=250)
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(12)])
    await consumer.seek_to_end()
    took: list[float] = []
    count = round(per_second * seconds)

    async def read() -> None:
        while len(took) < count:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                now = time.perf_counter()
                took.extend(now - float(record.value) for record in records)

    reading = asyncio.create_task(read())
    began = time.perf_counter()
    try:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            value = repr(time.perf_counter()).encode()
            await producer.send(topic, value, partition=number * 7 % 12)
        async with asyncio.timeout(30):
            await reading
    finally:
        reading.cancel()
        await producer.stop()
        await consumer.stop()
    return Spread.of(took[len(took) // 10 :])
