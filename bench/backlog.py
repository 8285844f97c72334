"""A backlog for the gateway: the lives of many engagements, side by side, on real topics."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest

from aiokafka import AIOKafkaProducer

from chassis.base.partitioning import partition_of
from contracts.event import CONTENT_TYPE, Event, Recorded, encode
from tests.builders import Life

_HEADERS = [("content-type", CONTENT_TYPE.encode())]
_SIDE_BY_SIDE = 100
_TOGETHER = 2_000


def named(number: int) -> str:
    """The n-th engagement's id."""
    return f"E-{number:013d}"


def lives(engagements: int) -> Iterator[Recorded[Event]]:
    """Events as they were said: a hundred engagements at a time, each an event further in turn.

    Half of them are closed, the others have come to different points on the way; they began so
    that a healthy one is in time today.
    """
    today = datetime.now(UTC).date()
    examples = [
        _begun(today, 200).closed(),
        _begun(today, 170).closed(),
        _begun(today, 90).worked(8),
        _begun(today, 60).worked(3),
    ]
    for first in range(0, engagements, _SIDE_BY_SIDE):
        group = [
            _retold(examples[number % len(examples)], named(number))
            for number in range(first, min(first + _SIDE_BY_SIDE, engagements))
        ]
        for turn in zip_longest(*group):
            yield from (event for event in turn if event is not None)


def openings(first: int, last: int) -> Iterator[Recorded[Event]]:
    """The first events of engagements, from one number up to another."""
    example = _begun(datetime.now(UTC).date(), 3).opened()
    for number in range(first, last):
        yield from _retold(example, named(number))


def _begun(today: date, days_ago: int) -> Life:
    return Life(begins=today - timedelta(days=days_ago))


def _retold(life: Life, engagement: str) -> list[Recorded[Event]]:
    return [
        replace(event, subject=engagement, id=event.id.replace(life.engagement, engagement))
        for event in life.events
    ]


async def produce(bootstrap: str, prefix: str, events: Iterator[Recorded[Event]]) -> int:
    """Put events on their topics, in order; answers how many."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5, max_batch_size=262_144
    )
    await producer.start()
    count = 0
    sent: list[asyncio.Future[object]] = []
    try:
        for recorded in events:
            sent.append(
                await producer.send(
                    recorded.channel.topic(prefix),
                    encode(recorded),
                    key=recorded.subject.encode(),
                    partition=partition_of(recorded.subject),
                    headers=_HEADERS,
                )
            )
            count += 1
            if len(sent) >= _TOGETHER:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return count
