"""What is stored is right at rest, wherever a process was killed between two writes.

Each test ends the work at its first write, at its second, and so on until none is left, lets a
fresh process take over, and compares what is stored with what an undisturbed run stores.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import pytest

from chassis import relay as relay_module
from chassis.follower import Follower
from chassis.relay import Relay
from chassis.store import Store
from chassis.views import Views
from contracts.channels import DELIVERY_REFERENCE, PARTITIONS, SALES
from contracts.fact import Fact, Recorded
from gateway.folding import Folding
from gateway.shelf import Shelf
from tests.component.department import DEALS, PEOPLE, Process, Publish
from tests.component.mortal import Killed, Life, MortalStore
from tests.component.test_relay import by_key, create_topics, on_topic
from tests.component.test_views import LISTING, advance, open_deals
from tests.infrastructure import KafkaServer, StoreServer
from tests.lives import company, named

TODAY = date(2026, 5, 25)
ALL = frozenset(range(PARTITIONS))
Batch = dict[str, list[Recorded[Fact]]]


# ---- the gateway's checkpoint ------------------------------------------------------------------


@dataclass
class Worker:
    """One process of the gateway: how many batches it has taken, and how many are durable."""

    store: Store
    taken: int = 0
    durable: int = 0
    folding: Folding = field(init=False)

    def __post_init__(self) -> None:
        self.folding = Folding(Shelf(self.store), lambda: TODAY)

    async def begin(self, at: int = 0) -> None:
        """Take all partitions over, where so many batches were acknowledged."""
        self.taken = self.durable = at
        once_back = await self.folding.given(ALL)
        if once_back is not None:
            self.taken = self.durable = 0
            await once_back()

    async def work(self, batches: list[Batch]) -> None:
        """Take what is left, a checkpoint after each batch."""
        for batch in batches[self.taken :]:
            assert await self.folding.take(batch) == {}
            self.taken += 1
            await self.folding.checkpoint()
            self.durable = self.taken


def batches(count_of: int = 3) -> list[Batch]:
    """A third each, and so on, of what was said of three engagements on two partitions."""
    made: list[Batch] = [{} for _ in range(count_of)]
    for engagement in (named(1), named(3), named(7)):
        facts = [each for each in company() if each.subject == engagement]
        size = -(-len(facts) // count_of)
        for number, batch in enumerate(made):
            batch[engagement] = facts[number * size : (number + 1) * size]
    return made


@asynccontextmanager
async def prepared(url: str, name: str) -> AsyncIterator[Store]:
    opened = Store(url, name)
    try:
        await Shelf(opened).prepare()
        yield opened
    finally:
        await opened.close()


async def stored(store: Store) -> tuple[Any, Any, Any]:
    """Views, totals and timeline as they are in the store."""
    views = {each["_id"]: each async for each in store.database["unified"].find({})}
    totals = {
        each["_id"]: (each["number"], _numbers(each["figures"]))
        async for each in store.database["totals"].find({})
    }
    timeline: dict[tuple[str, str], set[bytes]] = {}
    async for run in store.database["timeline"].find({}):
        timeline.setdefault((run["engagement"], run["channel"]), set()).update(run["facts"])
    return views, totals, timeline


def _numbers(figures: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in figures.items() if Decimal(amount)}


async def added_up(store: Store) -> dict[int, dict[str, Decimal]]:
    """What the stored views of each partition add up to."""
    sums: dict[int, dict[str, Decimal]] = {}
    async for each in store.database["unified"].find({}):
        partition = sums.setdefault(each["partition"], {})
        for name, amount in _numbers(each["figures"]).items():
            partition[name] = partition.get(name, Decimal(0)) + amount
    return {number: _not_zero(figures) for number, figures in sums.items()}


def _not_zero(figures: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: amount for name, amount in figures.items() if amount}


@pytest.fixture(scope="module")
def facts() -> list[Batch]:
    return batches()


async def undisturbed(url: str, name: str, facts: list[Batch]) -> tuple[Any, Any, Any]:
    async with prepared(url, name) as opened:
        worker = Worker(opened)
        await worker.begin()
        await worker.work(facts)
        return await stored(opened)


async def test_a_gateway_killed_at_any_write_leaves_what_the_next_one_makes_right(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, facts)
    for writes in count(1):
        life = Life(writes)
        name = f"{isolation}-{writes}"
        async with prepared(store.url, name) as opened:
            first = Worker(MortalStore(store.url, name, life))
            with suppress(Killed):
                await first.begin()
                await first.work(facts)
            if not life.ended:
                assert await stored(opened) == expected
                break
            second = Worker(opened)
            await second.begin(first.durable)
            # Before anything more is heard, the figures are those of the views.
            _, totals, _ = await stored(opened)
            added = await added_up(opened)
            assert {number: figures for number, (_, figures) in totals.items()} == added
            await second.work(facts)
            assert await stored(opened) == expected, f"killed after {writes} writes"
            await opened._client.drop_database(name)
    assert writes > 30


async def test_a_gateway_killed_while_it_folds_everything_again(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, facts)
    async with prepared(store.url, isolation) as opened:
        for writes in count(0, 3):
            await Shelf(opened).fold_again()
            life = Life(writes)
            first = Worker(MortalStore(store.url, isolation, life))
            with suppress(Killed):
                await first.begin(len(facts))
                await first.work(facts)
            second = Worker(opened)
            await second.begin(first.durable)
            await second.work(facts)
            assert await stored(opened) == expected, f"killed after {writes} writes"
            if not life.ended:
                break
    assert writes > 40


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_gateway_that_wakes_up_late_changes_nothing(
    store: StoreServer, isolation: str, facts: list[Batch], before: int
) -> None:
    """It folded a batch that it had not written when it lost its partitions."""
    expected = await undisturbed(store.url, isolation, facts)
    name = f"{isolation}-late"
    async with prepared(store.url, name) as opened:
        late, new = Worker(opened), Worker(opened)
        await late.begin()
        await late.work(facts[:before])
        await late.folding.take(facts[before])
        await new.begin(before)
        await new.work(facts)
        await late.folding.checkpoint()
        assert await stored(opened) == expected


async def test_totals_that_are_wrong_are_written_right_by_whoever_takes_over(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, facts)
    async with prepared(store.url, isolation) as opened:
        wrong = {"$set": {"figures": {"on-hold": "7"}}, "$inc": {"number": 1 << 40}}
        await opened.database["totals"].update_many({}, wrong)
        await Worker(opened).begin(len(facts))
        assert await stored(opened) == expected


async def test_a_view_that_cannot_be_read_is_written_again_from_its_timeline(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, facts)
    async with prepared(store.url, isolation) as opened:
        engagement = next(iter(facts[0]))
        broken = {"view": b"{}", "summary": "{}", "figures": 7}
        await opened.database["unified"].update_one({"_id": engagement}, {"$set": broken})
        await Worker(opened).begin(len(facts))
        assert await stored(opened) == expected


async def test_findings_not_announced_when_a_process_died_are_named_to_the_next(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    async with prepared(store.url, isolation) as opened:
        first, second = Worker(opened), Worker(opened)
        await first.begin()
        await first.work(facts)
        wanted = set(first.folding.to_announce(0.0, 100))
        assert wanted
        await second.begin(len(facts))
        assert set(second.folding.to_announce(0.0, 100)) == wanted


async def test_what_a_new_day_changes_is_written_without_a_further_fact(
    store: StoreServer, isolation: str, facts: list[Batch]
) -> None:
    async with prepared(store.url, isolation) as opened:
        worker = Worker(opened)
        await worker.begin()
        await worker.work(facts)
        worker.folding.today = lambda: TODAY + timedelta(days=30)
        engagements = worker.folding.to_judge()
        assert engagements
        await worker.folding.judge_again(engagements)
        assert await worker.folding.settle(now=True)
        views, totals, _ = await stored(opened)
        judged = {views[each]["judged_on"] for each in engagements}
        assert judged == {(TODAY + timedelta(days=30)).isoformat()}
        added = await added_up(opened)
        assert {number: figures for number, (_, figures) in totals.items()} == added


# ---- the views' writer -------------------------------------------------------------------------


def hasty(follower: Follower) -> None:
    """A lease that the next process may take after a moment."""
    follower._lease.seconds = 0.2


async def until_ended(task: asyncio.Task[None], is_so: Callable[[], Awaitable[bool]]) -> bool:
    """Wait until something is so or the task was killed; whether it was killed."""
    async with asyncio.timeout(60):
        while not task.done():
            if await is_so():
                task.cancel()
                await asyncio.wait([task])
                return False
            await asyncio.sleep(0.02)
    assert isinstance(task.exception(), Killed)
    return True


def views_of(process: Process) -> Views:
    views = Views(process.store, process.journal, process.snapshots, process.streams, [LISTING])
    hasty(views.follower)
    return views


async def view_documents(store: Store, names: list[str]) -> list[dict[str, Any]]:
    asked = {"_id": {"$in": [f"engagement:E-{name}" for name in names]}}
    return await store.views.find(asked).sort("_id").to_list(None)


async def all_written(store: Store, names: list[str], chance: int) -> bool:
    documents = await view_documents(store, names)
    shown = [each.get("fields", {}).get("chance") for each in documents]
    return shown == [chance] * len(names)


def without_name(documents: list[dict[str, Any]], name: str) -> str:
    return repr(documents).replace(name, "NAME")


async def killed_views(store: StoreServer, name: str, life: Life) -> Process:
    process = Process(store.url, name)
    process.store = MortalStore(store.url, name, life)
    for part in (process.journal, process.snapshots):
        part._store = process.store
    return process


async def test_a_views_writer_killed_at_any_write_leaves_what_the_next_one_makes_right(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        expected: str | None = None
        for writes in count():
            life = Life(None if expected is None else writes - 1)
            name = f"run{writes:03}x"
            titles = [f"{name}-{number}" for number in range(3)]
            await open_deals(process, *titles)
            for title in titles:
                await advance(process, title, 10)
                await advance(process, title, 20)
            done = partial(all_written, process.store, titles, 20)
            mortal = await killed_views(store, isolation, life)
            killed = await until_ended(asyncio.create_task(views_of(mortal).run()), done)
            await mortal.store.close()
            if killed:
                heir = asyncio.create_task(views_of(process).run())
                assert not await until_ended(heir, done)
            found = without_name(await view_documents(process.store, titles), name)
            expected = expected or found
            assert found == expected, f"killed after {writes - 1} writes"
            if not killed and writes > 0:
                break
    assert writes > 3


async def test_a_views_writer_killed_while_it_folds_everything_again(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        titles = [f"{number}" for number in range(5)]
        await open_deals(process, *titles)
        for title in titles:
            await advance(process, title, 20)
        await views_of(process).rebuild()
        expected = await view_documents(process.store, titles)
        assert len(expected) == 5
        for writes in count():
            life = Life(writes)
            older = {"fold": "other code", "fields": {}, "state": "{}"}
            await process.store.views.update_many({}, {"$set": older})
            await process.store.leases.update_one(
                {"_id": "views-folds"}, {"$set": {"folds.engagement": "other code"}}
            )
            folds = {"_id": "views-folds", "folds": process.snapshots.folds}

            async def again(folds: dict[str, Any] = folds) -> bool:
                return await process.store.leases.find_one(folds) is not None

            mortal = await killed_views(store, isolation, life)
            killed = await until_ended(asyncio.create_task(views_of(mortal).run()), again)
            await mortal.store.close()
            if killed:
                heir = asyncio.create_task(views_of(process).run())
                assert not await until_ended(heir, again)
            assert await view_documents(process.store, titles) == expected
            if not killed:
                break
    assert writes > 5


# ---- the relay ---------------------------------------------------------------------------------


class MortalRelay(Relay):
    """A relay of which each record sent counts as a write, as those to the store do."""

    life: Life

    async def _send(self, records: Any) -> None:
        done = self.life.spend(len(records))
        if done:
            await super()._send(records[:done])
        if done < len(records):
            raise self.life.end()


def relay_of(process: Process, kafka: KafkaServer, prefix: str, life: Life) -> MortalRelay:
    relay = MortalRelay(process.store, process.journal, bootstrap=kafka.bootstrap, prefix=prefix)
    relay.life = life
    hasty(relay.follower)
    return relay


def read_by(records: list[tuple[str, bytes | None]]) -> dict[str, list[int]]:
    """What a reader takes in by key, who passes over what it has seen and stops at a gap."""
    taken: dict[str, list[int]] = {}
    for key, sequences in by_key([each for each in records if each[1] is not None]).items():
        for sequence in sequences:
            last = taken.setdefault(key, [0])[-1]
            assert sequence <= last + 1, f"a gap before {sequence} in {sequences} of {key}"
            if sequence == last + 1:
                taken[key].append(sequence)
    return taken


async def test_a_relay_killed_at_any_write_leaves_no_gap_and_nothing_out(
    kafka: KafkaServer,
    store: StoreServer,
    isolation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "_UNTIL_CLOSED", 0.0)
    deals, people = SALES.topic(isolation), DELIVERY_REFERENCE.topic(isolation)
    await create_topics(kafka.bootstrap, deals, people)
    both = (DEALS, PEOPLE)
    async with Process(store.url, isolation, deciders=both) as process:
        for writes in count():
            names = [f"{writes:03}-{number}" for number in range(2)]
            await open_deals(process, *names)
            for name in names:
                await advance(process, name, 10)
                await advance(process, name, 20)
            bob = f"bob-{writes}"
            for key, title in enumerate(("Bob", "Rob")):
                publish = Publish(name=title)
                await process.engine.command("person", bob, publish, actor="hr", key=f"{bob}/{key}")
            of_bob = {"stream": f"person:{bob}"}
            known = await process.store.commits.find(of_bob).to_list(None)
            await process.engine.erase("person", bob, actor="hr", key=f"{bob}/erase")
            for commit in known:  # as if that process had died before the end of it
                await process.store.commits.replace_one({"_id": commit["_id"]}, commit)

            async def at_rest(names: list[str] = names, stream: str = f"person:{bob}") -> bool:
                found = read_by(await on_topic(kafka.bootstrap, deals))
                last = dict(await on_topic(kafka.bootstrap, people))
                gone = [last.get(f"{stream}@{version}", b"") for version in (1, 2)]
                told = [found.get(f"E-{name}") == [0, 1, 2, 3] for name in names]
                return all(told) and gone == [None, None]

            life = Life(writes)
            mortal = await killed_views(store, isolation, life)
            relay = relay_of(mortal, kafka, isolation, life)
            killed = await until_ended(asyncio.create_task(relay.run()), at_rest)
            await mortal.store.close()
            if killed:
                heir = relay_of(process, kafka, isolation, Life(None))
                assert not await until_ended(asyncio.create_task(heir.run()), at_rest)
            commits = process.store.commits.find(
                {"stream": f"person:{bob}", "entries": {"$ne": []}}
            )
            assert await commits.to_list(None) == []
            if not killed:
                break
        told = read_by(await on_topic(kafka.bootstrap, deals))
    assert writes > 10
    everyone = [f"E-{number:03}-{deal}" for number in range(writes + 1) for deal in range(2)]
    assert told == {name: [0, 1, 2, 3] for name in everyone}
