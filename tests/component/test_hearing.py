"""Test events that change no state: positions are buffered, written later, and never lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis.application.command_handler import Answer, NotYet
from chassis.domain.stream import Gap, OtherEvent
from chassis.eventstore.journal import Commit
from contracts.event import Event, Recorded
from tests.component.sample_department import Advance, Open, Process, assigned, of_no_consequence
from tests.infrastructure import StoreServer

STREAM = "engagement:E-1"
EVENTS: Sequence[Recorded[Event]] = [of_no_consequence("E-1", number) for number in (1, 2, 3)]


@asynccontextmanager
async def opened(
    store: StoreServer, database: str, *, deferred_for: float = 1.0
) -> AsyncIterator[Process]:
    """Start a process, and open one engagement in it."""
    async with Process(store.url, database, deferred_for=deferred_for) as process:
        await tell(process, Open(title="Roof"), "opened")
        yield process


async def tell(process: Process, command: Any, key: str) -> Answer:
    return await process.engine.command("engagement", "E-1", command, actor="ann", key=key)


async def position(process: Process) -> dict[str, int]:
    return {**(await process.engine.read("engagement", "E-1")).position}


async def commits(process: Process) -> list[Commit]:
    return [each async for each in process.journal.read(STREAM)]


async def test_a_position_counts_at_once_and_is_written_when_it_must_be(
    store: StoreServer, isolation: str
) -> None:
    async with opened(store, isolation, deferred_for=3600.0) as process:
        reading = asyncio.create_task(
            process.engine.read("engagement", "E-1", after={"delivery": 3}, wait=20.0)
        )
        await process.event_handler.process({STREAM: EVENTS[:2]})
        await process.event_handler.process({STREAM: EVENTS})
        assert (await reading).position == {"sales": 1, "delivery": 3}
        assert len(await commits(process)) == 1
        assert not await process.event_handler.flush(now=False), "offsets may not be committed yet"

        assert await process.event_handler.flush(now=True)
        (_, written) = await commits(process)
        assert (written.position, written.events) == ({"sales": 1, "delivery": 3}, ())
        assert await process.event_handler.flush(now=True)
        assert len(await commits(process)) == 2


async def test_the_next_commit_contains_the_position(store: StoreServer, isolation: str) -> None:
    async with opened(store, isolation) as process:
        await process.event_handler.process({STREAM: EVENTS})
        (event,) = (await tell(process, Advance(probability=20), "k1")).events
        assert event.heard == {"delivery": 3}
        assert await process.event_handler.flush(now=False), "all of it is durable"
        assert [each.number for each in await commits(process)] == [1, 2]

        await process.event_handler.process(
            {STREAM: [of_no_consequence("E-1", 4), assigned("E-1", 5)]}
        )
        assert await process.event_handler.flush(now=False)
        assert (await commits(process))[-1].position == {"sales": 2, "delivery": 5}


@pytest.mark.parametrize("taken_along", [False, True])
async def test_another_event_of_the_same_number_is_no_repeat(
    store: StoreServer, isolation: str, taken_along: bool
) -> None:
    """Compare before and after the position is written, alone or with a command, in 2 processes."""
    another = of_no_consequence("E-1", 3)

    async def refused(process: Process) -> bool:
        await process.event_handler.handle_events(STREAM, EVENTS)
        with pytest.raises(OtherEvent, match=EVENTS[2].id):
            await process.event_handler.handle_events(STREAM, [another])
        return True

    async with opened(store, isolation) as process:
        await process.event_handler.process({STREAM: EVENTS})
        assert await refused(process)
        if taken_along:
            await tell(process, Advance(probability=20), "k1")
        assert await process.event_handler.flush(now=not taken_along)
        assert await refused(process)
        async with Process(store.url, isolation) as other:
            assert await refused(other)


async def test_a_process_killed_before_the_write_consumes_the_events_again(
    store: StoreServer, isolation: str
) -> None:
    async with opened(store, isolation) as process:
        await process.event_handler.process({STREAM: EVENTS})
    async with Process(store.url, isolation) as after:
        assert await position(after) == {"sales": 1}
        await after.event_handler.process({STREAM: EVENTS})
        assert await position(after) == {"sales": 1, "delivery": 3}


async def test_a_process_that_loses_its_partitions_drops_the_position(
    store: StoreServer, isolation: str
) -> None:
    async with opened(store, isolation) as process:
        await process.event_handler.process({STREAM: EVENTS})
        await process.event_handler.revoked()
        assert await position(process) == {"sales": 1}
        with pytest.raises(Gap):
            await process.event_handler.handle_events(STREAM, [of_no_consequence("E-1", 4)])


async def test_two_processes_may_have_consumed_the_same_events(
    store: StoreServer, isolation: str
) -> None:
    async with opened(store, isolation) as one, Process(store.url, isolation) as two:
        for process in (one, two):
            await process.event_handler.process({STREAM: EVENTS})
        await tell(two, Advance(probability=20), "k1")
        for process in (two, one):
            assert await process.event_handler.flush(now=True)
            assert await position(process) == {"sales": 2, "delivery": 3}
        assert len(await commits(one)) == 2, "it was written already"

        for process in (one, two):
            await process.event_handler.process({STREAM: [of_no_consequence("E-1", 4)]})
        outcomes = await asyncio.gather(
            *(each.event_handler.flush(now=True) for each in (one, two))
        )
        assert outcomes == [True, True]
        assert [each.number for each in await commits(one)] == [1, 2, 3]


async def test_a_position_alone_makes_an_engagement_known(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        await process.event_handler.process({STREAM: EVENTS[:1]})
        assert await position(process) == {"delivery": 1}
        with pytest.raises(NotYet):
            await process.engine.read("engagement", "E-1", after={"delivery": 2}, wait=0.05)
        assert await process.event_handler.flush(now=True)
        async with Process(store.url, isolation) as other:
            assert await position(other) == {"delivery": 1}
