"""Test that the journal's subscribers leave a correct state, wherever one was killed.

Each test kills the read models' writer, or the relay, at its first write, at its second, and so on
until there are no more, and lets a new process continue.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any

from chassis.application.read_models import Views
from chassis.eventstore.mongo import Store
from chassis.eventstore.subscription import Subscription
from chassis.kafka.outbox_relay import Relay
from contracts.channels import DELIVERY_REFERENCE, SALES
from tests.component.killable_store import Killed, Life, MortalStore
from tests.component.sample_department import DEALS, PEOPLE, Process, Publish
from tests.component.test_relay import by_key, create_topics, on_topic
from tests.component.test_views import LISTING, advance, open_deals
from tests.infrastructure import KafkaServer, StoreServer

# ---- the views' writer -------------------------------------------------------------------------


def hasty(subscription: Subscription) -> None:
    """Let the next process take the lease after 0.2 seconds."""
    subscription._lease.seconds = 0.2


async def until_ended(task: asyncio.Task[None], is_so: Callable[[], Awaitable[bool]]) -> bool:
    """Wait until the condition holds or the task is killed; return whether it was killed."""
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
    views = Views(process.store, process.journal, process.snapshots, process.repository, [LISTING])
    hasty(views.subscription)
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


async def test_views_are_correct_after_their_writer_was_killed_at_any_write(
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
                successor = asyncio.create_task(views_of(process).run())
                assert not await until_ended(successor, done)
            found = without_name(await view_documents(process.store, titles), name)
            expected = expected or found
            assert found == expected, f"killed after {writes - 1} writes"
            if not killed and writes > 0:
                break
    assert writes > 3


async def test_views_are_correct_after_their_writer_was_killed_in_a_rebuild(
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
            folds = {"_id": "views-folds", "folds": process.snapshots.fingerprints}

            async def again(folds: dict[str, Any] = folds) -> bool:
                return await process.store.leases.find_one(folds) is not None

            mortal = await killed_views(store, isolation, life)
            killed = await until_ended(asyncio.create_task(views_of(mortal).run()), again)
            await mortal.store.close()
            if killed:
                successor = asyncio.create_task(views_of(process).run())
                assert not await until_ended(successor, again)
            assert await view_documents(process.store, titles) == expected
            if not killed:
                break
    assert writes > 5


# ---- the relay ---------------------------------------------------------------------------------


class MortalRelay(Relay):
    """A relay that is killed after a number of writes; each record sent counts as one, too."""

    life: Life

    async def _send(self, records: Any) -> None:
        done = self.life.spend(len(records))
        if done:
            await super()._send(records[:done])
        if done < len(records):
            raise self.life.end()


def relay_of(process: Process, kafka: KafkaServer, prefix: str, life: Life) -> MortalRelay:
    relay = MortalRelay(
        process.store,
        process.journal,
        bootstrap=kafka.bootstrap,
        prefix=prefix,
        until_closed=0.0,
    )
    relay.life = life
    hasty(relay.subscription)
    return relay


def read_by(records: list[tuple[str, bytes | None]]) -> dict[str, list[int]]:
    """Return the sequences that a consumer takes in, by key: it ignores repeats, fails at gaps."""
    taken: dict[str, list[int]] = {}
    for key, sequences in by_key([each for each in records if each[1] is not None]).items():
        for sequence in sequences:
            last = taken.setdefault(key, [0])[-1]
            assert sequence <= last + 1, f"a gap before {sequence} in {sequences} of {key}"
            if sequence == last + 1:
                taken[key].append(sequence)
    return taken


async def test_a_relay_killed_at_any_write_leaves_no_gap_and_omits_nothing(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
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
            for (
                commit
            ) in known:  # as if the process had been killed before the erasure was complete
                await process.store.commits.replace_one({"_id": commit["_id"]}, commit)

            async def at_rest(names: list[str] = names, stream: str = f"person:{bob}") -> bool:
                found = read_by(await on_topic(kafka.bootstrap, deals))
                last = dict(await on_topic(kafka.bootstrap, people))
                gone = [last.get(f"{stream}@{version}", b"") for version in (1, 2)]
                published = [found.get(f"E-{name}") == [0, 1, 2, 3] for name in names]
                return all(published) and gone == [None, None]

            life = Life(writes)
            mortal = await killed_views(store, isolation, life)
            relay = relay_of(mortal, kafka, isolation, life)
            killed = await until_ended(asyncio.create_task(relay.run()), at_rest)
            await mortal.store.close()
            if killed:
                successor = relay_of(process, kafka, isolation, Life(None))
                assert not await until_ended(asyncio.create_task(successor.run()), at_rest)
            commits = process.store.commits.find(
                {"stream": f"person:{bob}", "entries": {"$ne": []}}
            )
            assert await commits.to_list(None) == []
            if not killed:
                break
        published = read_by(await on_topic(kafka.bootstrap, deals))
    assert writes > 10
    everyone = [f"E-{number:03}-{deal}" for number in range(writes + 1) for deal in range(2)]
    assert published == {name: [0, 1, 2, 3] for name in everyone}
