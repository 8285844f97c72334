"""Read all topics and stores directly, without the services, for the checker."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.application.read_models import Listing, Value
from chassis.domain.decider import consumed_channels
from chassis.eventstore.journal import Commit, Journal
from chassis.eventstore.mongo import Store
from chassis.eventstore.snapshots import AnyDecider, Known, Snapshots
from chassis.eventstore.unreadable import UnreadableStream
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.parked_record import ParkedRecord
from chassis.runtime.service import Service
from contracts.channels import CHANNELS, PARTITIONS, Channel
from contracts.event import Event, Recorded, decode
from delivery.service import SERVICE as DELIVERY
from finance.service import SERVICE as FINANCE
from gateway.portfolio.figures import Figures
from gateway.projection.projector import CONSUMED_CHANNELS
from gateway.projection.timeline import Run
from gateway.projection.view_store import CachedView, ViewStore
from gateway.service import SERVICE as GATEWAY
from legal.service import SERVICE as LEGAL
from sales.service import SERVICE as SALES
from tests.component.consumer_harness import aside_in, parked_in

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

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
"""By service, then by kind of stream: how its list rows are made."""

CONSUMED: Mapping[str, frozenset[Channel]] = {
    name: consumed_channels(deciders.values()) for name, deciders in DECIDERS.items()
} | {"gateway": CONSUMED_CHANNELS}
"""By service, the channels that it consumes."""

decoded = lru_cache(maxsize=200_000)(decode)
"""Decode a record's event; the same bytes occur in many places and are decoded once."""


PLANTED = "concord-test-planted"
"""Header of a record that a test injected; its value is ``<family>: <kind>``."""

NO_EVENT, UNREADABLE, UNKNOWN, FORGED = "no event", "unreadable data", "unknown type", "forged"
"""Families of injected records: not an event; an event with data that cannot be read; one of an
unknown type; a readable event with a sequence that its author never reaches."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record on a topic; a tombstone has no value."""

    partition: int
    key: str
    value: bytes | None
    offset: int = -1

    @property
    def recorded(self) -> Recorded[Event] | None:
        """Return its event; raises Undecodable."""
        return None if self.value is None else decoded(self.value)


@dataclass(frozen=True, slots=True)
class Planted:
    """A record that a test injected into a topic, its place, and its kind.

    `sequence` is that of its envelope, if that is valid. `decodable` is whether its data can be
    read, too.
    """

    id: str
    channel: str
    key: str
    partition: int
    offset: int
    kind: str
    sequence: int | None = None
    decodable: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that a service accepted: its actor, its idempotency key, and the answer.

    `said` are the ids of the events it caused; without any, the command changed nothing.
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
    """A stream's stored document: the snapshot at some commit, and the current list row.

    `due` is the stream's next deadline (UTC), if any.
    """

    known: Known
    fields: Mapping[str, Value] | None
    due: datetime | None


@dataclass(slots=True)
class Evidence:
    """The content of the topics, and then of the stores.

    `topics` by channel, each partition in order, without injected records, which are in `planted`;
    `journals` by service, each stream in order; `views` by service and stream; `folded`, the
    gateway's stored views, and `timelines` by engagement; `totals`, the portfolio's figures by
    partition; `parked` and `aside`, parked records and those set aside, by service.
    """

    topics: dict[str, list[Published]] = field(default_factory=dict)
    journals: dict[str, list[Commit]] = field(default_factory=dict)
    views: dict[str, dict[str, View]] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)
    parked: dict[str, list[ParkedRecord]] = field(default_factory=dict)
    aside: dict[str, list[ParkedRecord]] = field(default_factory=dict)
    folded: dict[str, CachedView] = field(default_factory=dict)
    timelines: dict[str, list[Run]] = field(default_factory=dict)
    totals: dict[int, Figures] = field(default_factory=dict)

    def streams(self, service: str) -> dict[str, list[Commit]]:
        """Return a journal's commits by stream."""
        streams: dict[str, list[Commit]] = {}
        for commit in self.journals[service]:
            streams.setdefault(commit.stream, []).append(commit)
        return streams


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses to read: Kafka, and each running service's store address and database."""

    bootstrap: str
    stores: Mapping[str, tuple[str, str]]
    prefix: str = "concord"


async def gather(places: Places) -> Evidence:
    """Read everything: topics first, so that each event on them is in a journal, too."""
    evidence = await read_topics(places.bootstrap, places.prefix)
    for name in places.stores:
        async with opened(places, name) as store:
            evidence.journals[name] = await _commits(store)
    for name in places.stores:
        async with opened(places, name) as store:
            evidence.views[name] = await _views(store, DECIDERS[name])
            parking = ParkedRecordStore(store.parked)
            evidence.parked[name] = await _parked(parking)
            evidence.aside[name] = await aside_in(parking)
            if name == "gateway":
                await _folded(store, evidence)
    return evidence


@asynccontextmanager
async def opened(places: Places, service: str) -> AsyncIterator[Store]:
    """Open a service's store as the service does."""
    store = Store(*places.stores[service])
    try:
        yield store
    finally:
        await store.close()


async def read_topics(bootstrap: str, prefix: str) -> Evidence:
    """Read every record of every channel's topic, from the first to the current last."""
    channels = {channel.topic(prefix): name for name, channel in CHANNELS.items()}
    found = Evidence(topics={name: [] for name in CHANNELS})
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
                    for record in batch:
                        _sort(found, channels[place.topic], record)
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


def _sort(found: Evidence, channel: str, record: "ConsumerRecord[bytes, bytes]") -> None:
    kind = dict(record.headers).get(PLANTED)
    if kind is None:
        key = (record.key or b"").decode()
        found.topics[channel].append(Published(record.partition, key, record.value, record.offset))
        return
    place = f"{record.topic}/{record.partition}/{record.offset}"
    key = (record.key or b"").decode(errors="replace")
    found.planted.append(
        planted(place, channel, key, record.partition, record.offset, kind, record.value)
    )


def planted(
    place: str,
    channel: str,
    key: str,
    partition: int,
    offset: int,
    header: bytes,
    value: bytes | None,
) -> Planted:
    """Return an injected record from its header, ``<family>: <kind>``."""
    kind = header.decode()
    family = kind.partition(":")[0]
    sequence = None if family == NO_EVENT else json.loads(value or b"")["streamsequence"]
    return Planted(place, channel, key, partition, offset, kind, sequence, family == FORGED)


async def _views(store: Store, deciders: Mapping[str, AnyDecider]) -> dict[str, View]:
    snapshots = Snapshots(store, deciders)
    return {
        document["_id"]: View(
            snapshots.read(document), document.get("fields"), document.get("due_at")
        )
        async for document in store.views.find({})
        if document["kind"] in deciders
    }


async def _parked(parking: ParkedRecordStore) -> list[ParkedRecord]:
    found: list[ParkedRecord] = []
    for parked in await parked_in(parking):
        found += await parking.look(parked.engagement)
    return found


async def _folded(store: Store, evidence: Evidence) -> None:
    shelf = ViewStore(store)
    engagements = _engagements(evidence)
    evidence.folded = await shelf.cached_views(engagements)
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
            if CHANNELS[name].kind == "events"
            for record in records
        }
    )
