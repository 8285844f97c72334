"""Evidence: all that topics and stores hold, read past the services, so that nobody is believed."""

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
from delivery.app import SERVICE as DELIVERY
from finance.app import SERVICE as FINANCE
from gateway.app import SERVICE as GATEWAY
from gateway.portfolio import Figures
from gateway.projector import CONSUMED_CHANNELS
from gateway.timeline import Run
from gateway.view_store import CachedView, ViewStore
from legal.app import SERVICE as LEGAL
from sales.app import SERVICE as SALES
from tests.component.listening import aside_in, parked_in

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
"""The same: what people see of a stream in a list."""

CONSUMED: Mapping[str, frozenset[Channel]] = {
    name: consumed_channels(deciders.values()) for name, deciders in DECIDERS.items()
} | {"gateway": CONSUMED_CHANNELS}
"""By service, the channels of events that it consumes."""

decoded = lru_cache(maxsize=200_000)(decode)
"""A record's event; the same bytes stand in many places and are read once."""


PLANTED = "concord-test-planted"
"""The header of a record that a test planted. Its value is ``<family>: <kind>``."""

NO_EVENT, UNREADABLE, UNKNOWN, FORGED = "no event", "unreadable data", "unknown type", "forged"
"""Families of planted records: no event; an event whose data cannot be read, or whose type is
unknown; a readable event with a number that its author never reaches."""


@dataclass(frozen=True, slots=True)
class Published:
    """A record on a topic; without a value it is a tombstone."""

    partition: int
    key: str
    value: bytes | None
    offset: int = -1

    @property
    def recorded(self) -> Recorded[Event] | None:
        """The event it carries; raises Undecodable."""
        return None if self.value is None else decoded(self.value)


@dataclass(frozen=True, slots=True)
class Planted:
    """A record that a test put on a topic, where it stood, and its kind.

    `sequence` is the number that it claims, where it is an event in a sound envelope. `decodable`
    says whether its data can be read as well.
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
    """A command that a service answered with yes: by whom, under which key, and what it answered.

    `said` are the ids of the events it led to; with none, the command changed nothing.
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
    runs of events beside it, and `totals` the portfolio's figures by partition. `parked` are
    records that wait, and `aside` those that were set aside, by service. `planted` is what a test
    put on the topics, which `topics` leave out.
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
    """A service's store, as the service itself opens it."""
    store = Store(*places.stores[service])
    try:
        yield store
    finally:
        await store.close()


async def read_topics(bootstrap: str, prefix: str) -> Evidence:
    """Every record of every channel's topic, from the first to the last of this moment."""
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
    """Return a planted record as its header tells it: ``<family>: <kind>``."""
    kind = header.decode()
    family = kind.partition(":")[0]
    sequence = None if family == NO_EVENT else json.loads(value or b"")["sequence"]
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
            if CHANNELS[name].kind == "events"
            for record in records
        }
    )
