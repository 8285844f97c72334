"""Evidence: all that topics and stores hold, read past the services, so that nobody is believed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.journal import Commit, Journal
from chassis.parked_records import ParkedRecord
from chassis.parking import Parking
from chassis.service import Service
from chassis.snapshots import AnyDecider, Known, Snapshots
from chassis.store import Store
from chassis.unreadable import UnreadableStream
from chassis.views import Listing, Value
from contracts.channels import CHANNELS, PARTITIONS
from contracts.fact import Fact, Recorded, decode
from delivery.app import SERVICE as DELIVERY
from finance.app import SERVICE as FINANCE
from gateway.app import SERVICE as GATEWAY
from gateway.portfolio import Figures
from gateway.shelf import Held, Shelf
from gateway.timeline import Run
from legal.app import SERVICE as LEGAL
from sales.app import SERVICE as SALES

SERVICES: Mapping[str, Service] = {
    service.name: service for service in (SALES, LEGAL, DELIVERY, FINANCE, GATEWAY)
}
DECIDERS: Mapping[str, Mapping[str, AnyDecider]] = {
    name: {decider.kind: decider for decider in service.all_deciders}
    for name, service in SERVICES.items()
}
"""By service, then by kind of stream."""
LISTINGS: Mapping[str, Mapping[str, Listing]] = {
    name: {
        routes.listing.kind: routes.listing
        for routes in service.routes
        if routes.listing is not None
    }
    for name, service in SERVICES.items()
}
"""The same: what people see of a stream in a list."""

decoded = lru_cache(maxsize=200_000)(decode)
"""A record's fact; the same bytes stand in many places and are read once."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record on a topic; without a value it is a tombstone."""

    partition: int
    key: str
    value: bytes | None

    @property
    def recorded(self) -> Recorded[Fact] | None:
        """The fact it carries; raises Undecodable."""
        return None if self.value is None else decoded(self.value)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that a service answered with yes: by whom, under which key, and what it answered.

    `said` are the ids of the facts it led to; with none, the command changed nothing.
    """

    service: str
    actor: str
    key: str
    subject: str
    number: int
    position: Mapping[str, int]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What a department keeps of a stream: how it was at some commit, and what lists show now.

    `due` is when the stream wants to be woken next (UTC), if it does.
    """

    known: Known
    fields: Mapping[str, Value] | None
    due: datetime | None


@dataclass(slots=True)
class Evidence:
    """What stood on the topics, and then in the stores.

    Topics by channel, each partition in its order; journals by service, each stream in its order;
    views by service and stream; `folded` is what the gateway wrote, by engagement, `timelines` the
    runs of facts beside it, and `totals` the portfolio's figures by partition.
    """

    topics: dict[str, list[Published]] = field(default_factory=dict)
    journals: dict[str, list[Commit]] = field(default_factory=dict)
    views: dict[str, dict[str, View]] = field(default_factory=dict)
    parked: dict[str, list[ParkedRecord]] = field(default_factory=dict)
    folded: dict[str, Held] = field(default_factory=dict)
    timelines: dict[str, list[Run]] = field(default_factory=dict)
    totals: dict[int, Figures] = field(default_factory=dict)

    def streams(self, service: str) -> dict[str, list[Commit]]:
        """A journal's commits by stream."""
        streams: dict[str, list[Commit]] = {}
        for commit in self.journals[service]:
            streams.setdefault(commit.stream, []).append(commit)
        return streams


@dataclass(frozen=True, slots=True)
class Places:
    """Where to read: a store address and a database by service; services left out do not run."""

    bootstrap: str
    stores: Mapping[str, tuple[str, str]]
    prefix: str = "concord"


async def gather(places: Places) -> Evidence:
    """Read everything: topics first, so that whatever stands on them stands in a journal, too."""
    evidence = Evidence(topics=await read_topics(places.bootstrap, places.prefix))
    for name in places.stores:
        async with opened(places, name) as store:
            evidence.journals[name] = await _commits(store)
    for name in places.stores:
        async with opened(places, name) as store:
            evidence.views[name] = await _views(store, DECIDERS[name])
            evidence.parked[name] = await _parked(store)
            if name == "gateway":
                await _folded(store, evidence)
    return evidence


@asynccontextmanager
async def opened(places: Places, service: str) -> AsyncIterator[Store]:
    """A service's store, as the service itself opens it."""
    store = Store(*places.stores[service])
    try:
        yield store
    finally:
        await store.close()


async def read_topics(bootstrap: str, prefix: str) -> dict[str, list[Published]]:
    """Every record of every channel's topic, from the first to the last of this moment."""
    channels = {channel.topic(prefix): name for name, channel in CHANNELS.items()}
    found: dict[str, list[Published]] = {name: [] for name in CHANNELS}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, number) for topic in channels for number in range(PARTITIONS)
        ]
        consumer.assign(places)
        ends = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        consumer.assign(list(ends))
        for place in ends:
            consumer.seek(place, 0)
        async with asyncio.timeout(60):
            while ends:
                for place, batch in (await consumer.getmany(timeout_ms=200)).items():
                    found[channels[place.topic]] += [
                        Published(record.partition, (record.key or b"").decode(), record.value)
                        for record in batch
                    ]
                ends = {
                    place: end
                    for place, end in ends.items()
                    if await consumer.position(place) < end
                }
    finally:
        await consumer.stop()
    return found


async def _commits(store: Store) -> list[Commit]:
    commits: list[Commit] = []
    async for commit in Journal(store).everything():
        if isinstance(commit, UnreadableStream):
            raise commit
        commits.append(commit)
    return commits


async def _views(store: Store, deciders: Mapping[str, AnyDecider]) -> dict[str, View]:
    snapshots = Snapshots(store, deciders)
    return {
        document["_id"]: View(
            snapshots.read(document), document.get("fields"), document.get("due_at")
        )
        async for document in store.views.find({})
        if document["kind"] in deciders
    }


async def _parked(store: Store) -> list[ParkedRecord]:
    parking = Parking(store.parked)
    found = await parking.records_set_aside()
    for parked in await parking.engagements():
        found += await parking.look(parked.engagement)
    return found


async def _folded(store: Store, evidence: Evidence) -> None:
    shelf = Shelf(store)
    engagements = _engagements(evidence)
    evidence.folded = await shelf.take(engagements)
    for engagement in engagements:
        evidence.timelines[engagement] = await shelf.runs(engagement)
    totals = await shelf.stored_totals(frozenset(range(PARTITIONS)))
    for partition in range(PARTITIONS):
        evidence.totals[partition] = totals[partition].figures if partition in totals else {}


def _engagements(evidence: Evidence) -> Sequence[str]:
    return sorted(
        {
            record.key
            for name, records in evidence.topics.items()
            if CHANNELS[name].kind == "facts"
            for record in records
        }
    )
