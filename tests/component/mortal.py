"""Real parts whose process ends at a write that a test names, as a kill would end it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition

from chassis.base.settings import Settings
from chassis.eventstore.mongo import Store
from chassis.kafka import consumer_settings
from chassis.kafka.consumer import Consumer
from chassis.runtime.container import Container
from chassis.runtime.service import Service

_MANY = frozenset({"insert_many", "bulk_write"})
_ONE = frozenset(
    {"insert_one", "update_one", "update_many", "replace_one", "delete_one", "delete_many"}
)


class Killed(BaseException):
    """The process is no more: nothing that handles errors sees this."""


class Life:
    """So many writes, and then the end; None is a life without an end."""

    def __init__(self, writes: int | None) -> None:
        self._left = writes
        self._end = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._end.is_set()

    def allow(self, writes: int) -> None:
        """Let so many more writes take place."""
        self._left = writes

    async def until_ended(self) -> None:
        """Wait for the end."""
        await self._end.wait()

    def spend(self, wanted: int) -> int:
        """Return how many of these writes take place; after fewer than wanted comes `end`."""
        if self._left is None:
            return wanted
        done = min(wanted, self._left)
        self._left -= done
        return done

    def end(self) -> Killed:
        """Return what is to be raised."""
        self._left = 0
        self._end.set()
        return Killed()


class _Collection:
    """A collection of which each document written counts, those of one request, too."""

    def __init__(self, collection: Any, life: Life) -> None:
        self._collection = collection
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name in _MANY:

            async def write_many(items: Sequence[Any], **options: Any) -> Any:
                done = self._life.spend(len(items))
                result = await method(list(items)[:done], **options) if done else None
                if done < len(items):
                    raise self._life.end()
                return result

            return write_many
        if name in _ONE:

            async def write_one(*given: Any, **options: Any) -> Any:
                if not self._life.spend(1):
                    raise self._life.end()
                return await method(*given, **options)

            return write_one
        return method


class _Database:
    def __init__(self, database: Any, life: Life) -> None:
        self._database = database
        self._life = life

    def __getitem__(self, name: str) -> _Collection:
        return _Collection(self._database[name], self._life)


class MortalStore(Store):
    """A store that ends with its process's life."""

    def __init__(self, url: str, database: str, life: Life) -> None:
        super().__init__(url, database)
        for name in ("commits", "views", "leases", "parked", "clock", "left"):
            setattr(self, name, _Collection(getattr(self, name), life))
        self.database = _Database(self.database, life)  # type: ignore[assignment]  # as it is used


class _Consumer:
    """A consumer of which each commit of offsets counts as a write."""

    def __init__(self, consumer: Any, life: Life) -> None:
        self._consumer = consumer
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not self._life.spend(1):
            raise self._life.end()
        await self._consumer.commit(offsets)


class MortalListener(Consumer):
    """A listener that ends with its process's life; `goes_back_with` ends it in a rebuild."""

    life: Life
    goes_back_with: int | None = None
    """Writes that it lives for once it begins to read everything again."""

    @property
    def consumer(self) -> Any:
        consumer = super().consumer
        return None if consumer is None else _Consumer(consumer, self.life)

    async def _go_back(self) -> None:
        if self.goes_back_with is not None:
            self.life.allow(self.goes_back_with)
        await super()._go_back()

    async def vanish(self) -> None:
        """End as a process that is killed: what is in hand is neither written nor committed.

        The group is left, so that the next process need not wait for this one's session to end.
        """
        self.life.end()
        tasks = [*self._subscriber.tasks]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5)
        await consumer_settings.let_go(self._subscriber.stop(), self.consumer, 2.0)
        await self.broker.stop()


@asynccontextmanager
async def mortal(service: Service, given: Settings, life: Life) -> AsyncIterator[Container]:
    """A service's own parts, of which the listener alone is at work; it ends as if killed."""

    def listener(*names: Any, **parts: Any) -> MortalListener:
        made = MortalListener(*names, **parts)
        made.life = life
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "chassis.runtime.container.Store", lambda url, name: MortalStore(url, name, life)
        )
        patch.setattr("chassis.runtime.container.Consumer", listener)
        container = Container(
            name=service.name,
            settings=given,
            deciders=service.all_deciders,
            event_handling=service.event_handling,
        )
    try:
        await container.store.prepare()
        await container.parked_records.prepare()
        if container.event_handling.prepare is not None:
            await container.event_handling.prepare()
        assert isinstance(container.consumer, MortalListener)
        await container.consumer.__aenter__()
        try:
            yield container
        finally:
            await container.consumer.vanish()
    finally:
        await container.store.close()
