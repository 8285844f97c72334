"""Test the journal on a real store: acknowledged commits are stored once, in order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial

import pytest

from chassis.domain.stream import PassedOver
from chassis.eventstore.journal import (
    MOST_EVENTS,
    AlreadyDone,
    Commit,
    Journal,
    Raced,
    StoredEvent,
    TooLarge,
)
from chassis.eventstore.mongo import Store, StoreAway
from tests.component.sample_department import NOW, assigned, until
from tests.infrastructure import StoreServer

PASSED = PassedOver("delivery", 2, 4, "olga", "lost in a fire", NOW)


def commit(stream: str = "engagement:E-1", number: int = 1, cause: str = "") -> Commit:
    return Commit(
        cause=cause or f"ann/{stream}/{number}",
        stream=stream,
        number=number,
        position={"sales": number},
        actor="ann",
        at=NOW,
        events=(StoredEvent.of(assigned(stream), own=True),),
        command="advance",
    )


@pytest.fixture
async def opened(store: StoreServer, isolation: str) -> AsyncIterator[Store]:
    opened = Store(store.url, isolation)
    await opened.prepare()
    yield opened
    await opened.close()


def more_than(acknowledged: list[str], count: int) -> bool:
    return len(acknowledged) > count


async def numbers(journal: Journal, stream: str, after: int = 0) -> list[int]:
    return [each.number async for each in journal.read(stream, after=after)]


async def test_a_commit_reads_back_as_it_was_written(opened: Store) -> None:
    journal = Journal(opened)
    written = replace(
        commit(), passed_over=PASSED, erases=(("delivery.reference", "person:bob@1"),)
    )
    await journal.append(written)
    assert [each async for each in journal.read(written.stream)] == [written]
    assert await journal.by_cause(written.cause) == written
    assert await journal.by_cause("nobody/nothing") is None


async def test_concurrent_appends_are_written_together(opened: Store) -> None:
    journal = Journal(opened)
    trips = 0
    insert_many = opened.commits.insert_many

    async def counted(*args, **options):
        nonlocal trips
        trips += 1
        return await insert_many(*args, **options)

    opened.commits.insert_many = counted  # type: ignore[method-assign]
    await asyncio.gather(*(journal.append(commit(f"engagement:E-{n}")) for n in range(50)))
    assert trips <= 3
    assert await opened.commits.count_documents({}) == 50


async def test_each_of_a_group_learns_its_own_outcome(opened: Store) -> None:
    journal = Journal(opened)
    await journal.append(commit("engagement:E-1", cause="ann/first"))
    outcomes = await asyncio.gather(
        journal.append(commit("engagement:E-2")),
        journal.append(commit("engagement:E-1", cause="bob/second")),
        journal.append(commit("engagement:E-3", cause="ann/first")),
        journal.append(commit("engagement:E-4")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), Raced, AlreadyDone, type(None)]


async def test_a_long_stream_is_read_in_order_and_from_any_number(opened: Store) -> None:
    journal = Journal(opened)
    stream = "engagement:E-long"
    await opened.commits.insert_many([commit(stream, n).document() for n in range(450, 0, -1)])
    assert await numbers(journal, stream) == list(range(1, 451))
    assert await numbers(journal, stream, after=399) == list(range(400, 451))
    assert [each.number async for each in journal.read(stream, until=3)] == [1, 2, 3]
    assert await numbers(journal, "engagement:E-other") == []


async def test_an_erased_stream_keeps_its_numbers_and_nothing_else(opened: Store) -> None:
    journal = Journal(opened)
    stream = "person:bob"
    written = [
        replace(commit(stream, n), passed_over=PASSED, fingerprint="f") for n in range(1, 302)
    ]
    await opened.commits.insert_many([each.document() for each in written])
    for _ in range(2):
        await journal.erase(stream, before=301)
    assert [each async for each in journal.read(stream)] == [
        *(replace(each, events=(), passed_over=None, fingerprint="") for each in written[:-1]),
        written[-1],
    ]
    with pytest.raises(Raced):
        await journal.append(commit(stream, 2, cause="ann/later"))


async def test_a_commit_has_a_limit(opened: Store) -> None:
    events = commit().events * (MOST_EVENTS + 1)
    with pytest.raises(TooLarge, match="limit is 500"):
        await Journal(opened).append(replace(commit(), events=events))


async def test_the_whole_journal_is_read_stream_by_stream(opened: Store) -> None:
    journal = Journal(opened)
    for stream, number in (("b", 1), ("a", 1), ("b", 2), ("a", 2)):
        await journal.append(commit(stream, number))
    read = [(each.stream, each.number) async for each in journal.everything()]
    assert read == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


@pytest.mark.fault
async def test_a_lost_answer_is_settled_and_never_guessed(
    fresh_store: Callable[[], StoreServer], isolation: str
) -> None:
    """Kill the store repeatedly under load: every append that returned is stored once."""
    server = fresh_store()
    opened = Store(server.url, isolation)
    await opened.prepare()
    journal = Journal(opened, patience=20.0)
    acknowledged: list[str] = []
    killed = asyncio.Event()

    async def client(name: int) -> None:
        number = 0
        while not killed.is_set():
            number += 1
            await journal.append(commit(f"engagement:E-{name}", number))
            acknowledged.append(f"ann/engagement:E-{name}/{number}")

    clients = [asyncio.create_task(client(n)) for n in range(8)]
    for _ in range(3):
        await until(partial(more_than, acknowledged, len(acknowledged) + 100))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    killed.set()
    await asyncio.gather(*clients)
    stored = [each.cause async for each in journal.everything() if isinstance(each, Commit)]
    assert len(acknowledged) > 300
    assert sorted(stored) == sorted(acknowledged)
    await opened.close()


@pytest.mark.fault
async def test_a_store_that_stays_away_is_reported(
    fresh_store: Callable[[], StoreServer], isolation: str
) -> None:
    server = fresh_store()
    opened = Store(server.url, isolation)
    await opened.prepare()
    journal = Journal(opened, patience=0.2)
    await asyncio.to_thread(server.kill)
    with pytest.raises(StoreAway):
        await journal.append(commit())
    with pytest.raises(StoreAway):
        await journal.by_cause("ann/x")
    await asyncio.to_thread(server.start)
    await Journal(opened, patience=20.0).append(commit(cause="ann/again"))
    await opened.close()
