"""Produce a backlog of events of many engagements for the gateway."""

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
_INTERLEAVED = 100
_IN_FLIGHT = 2_000


def named(number: int) -> str:
    """Return the id of the n-th engagement."""
    return f"E-{number:013d}"


def mixed_engagements(engagements: int) -> Iterator[Recorded[Event]]:
    """Yield the events of a hundred engagements at a time, interleaved one by one.

    Half of them are closed, the others are at different points of their work, on schedule today.
    """
    today = datetime.now(UTC).date()
    examples = [
        _begun(today, 200).closed(),
        _begun(today, 170).closed(),
        _begun(today, 90).worked(8),
        _begun(today, 60).worked(3),
    ]
    for first in range(0, engagements, _INTERLEAVED):
        group = [
            _copied(examples[number % len(examples)], named(number))
            for number in range(first, min(first + _INTERLEAVED, engagements))
        ]
        for turn in zip_longest(*group):
            yield from (event for event in turn if event is not None)


def openings(first: int, last: int) -> Iterator[Recorded[Event]]:
    """Yield the opening events of engagements number `first` up to, without, `last`."""
    example = _begun(datetime.now(UTC).date(), 3).opened()
    for number in range(first, last):
        yield from _copied(example, named(number))


def _begun(today: date, days_ago: int) -> Life:
    return Life(begins=today - timedelta(days=days_ago))


def _copied(life: Life, engagement: str) -> list[Recorded[Event]]:
    return [
        replace(event, subject=engagement, id=event.id.replace(life.engagement, engagement))
        for event in life.events
    ]


async def produce(bootstrap: str, prefix: str, events: Iterator[Recorded[Event]]) -> int:
    """Publish events on their topics, in order, and return how many."""
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
            if len(sent) >= _IN_FLIGHT:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return count
