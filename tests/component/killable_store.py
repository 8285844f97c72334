"""Provide real parts that stop at a chosen write, as if their process were killed there."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from chassis.base.settings import Settings
from chassis.eventstore.mongo import Store
from chassis.kafka import consumer_settings
from chassis.kafka.consumer import Consumer
from chassis.runtime.container import Container, Parts
from chassis.runtime.service import Service

_MANY = frozenset({"insert_many", "bulk_write"})
_ONE = frozenset(
    {"insert_one", "update_one", "update_many", "replace_one", "delete_one", "delete_many"}
)


class Killed(BaseException):
    """The simulated process was killed; no error handler catches this."""


class Life:
    """Number of writes until the simulated process is killed; None means never."""

    def __init__(self, writes: int | None) -> None:
        self._left = writes
        self._end = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Return whether the simulated process was killed."""
        return self._end.is_set()

    def allow(self, writes: int) -> None:
        """Set how many more writes may be done."""
        self._left = writes

    async def until_ended(self) -> None:
        """Wait until the simulated process is killed."""
        await self._end.wait()

    def spend(self, wanted: int) -> int:
        """Return how many of the wanted writes may be done; if fewer, the caller raises `end`."""
        if self._left is None:
            return wanted
        done = min(wanted, self._left)
        self._left -= done
        return done

    def end(self) -> Killed:
        """Mark the process as killed, and return the exception to raise."""
        self._left = 0
        self._end.set()
        return Killed()


class _Collection:
    """A collection that counts each written document, also those of one request."""

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
    """A store that raises Killed at the write where the simulated process ends."""

    def __init__(self, url: str, database: str, life: Life) -> None:
        super().__init__(url, database)
        for name in ("commits", "views", "leases", "parked", "deadlines", "skipped"):
            setattr(self, name, _Collection(getattr(self, name), life))
        self.database = _Database(self.database, life)  # type: ignore[assignment]  # only its items are used


class _Consumer:
    """A Kafka consumer whose commits of offsets count as writes."""

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
    """A consumer that stops where its simulated process is killed, also in a rebuild."""

    life = Life(None)
    goes_back_with: int | None = None
    """Number of writes until the kill, counted from the beginning of a rebuild."""

    @property
    def consumer(self) -> Any:
        consumer = super().consumer
        return None if consumer is None else _Consumer(consumer, self.life)

    async def _go_back(self) -> None:
        if self.goes_back_with is not None:
            self.life.allow(self.goes_back_with)
        await super()._go_back()

    async def vanish(self) -> None:
        """Stop like a killed process: the current batch is neither written nor committed.

        It leaves the group, so that the next process need not wait until its session expires.
        """
        self.life.end()
        tasks = [*self._subscriber.tasks]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5)
        await consumer_settings.stop_consumer(self._subscriber.stop(), self.consumer, 2.0)
        await self.broker.stop()


@asynccontextmanager
async def mortal(service: Service, given: Settings, life: Life) -> AsyncIterator[Container]:
    """Run the consumer of a service, without its other parts; it stops as if killed."""
    container = Container(
        name=service.name,
        settings=given,
        deciders=service.all_deciders,
        event_handling=service.event_handling,
        parts=Parts(store=lambda url, name: MortalStore(url, name, life), consumer=MortalListener),
    )
    try:
        await container.store.prepare()
        await container.parked_records.prepare()
        if container.event_handling.prepare is not None:
            await container.event_handling.prepare()
        assert isinstance(container.consumer, MortalListener)
        container.consumer.life = life
        await container.consumer.__aenter__()
        try:
            yield container
        finally:
            await container.consumer.vanish()
    finally:
        await container.store.close()
