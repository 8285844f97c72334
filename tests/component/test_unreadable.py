"""Test that one stream that cannot be read or written stops no other, and is reported."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chassis.application import repository as streams_module
from chassis.application.ports import CannotBeKept
from chassis.domain.stream import Stream
from chassis.eventstore import mongo as store_module
from chassis.eventstore.journal import Commit, TooLarge
from chassis.eventstore.snapshots import measured
from chassis.eventstore.unreadable import UnreadableStream
from chassis.kafka.topics import create_topics as create_all_topics
from chassis.runtime.service import Service
from contracts.channels import SALES
from gateway.projection import view_store as shelf_module
from gateway.projection.view_store import CachedView
from tests.component.sample_app import running, sales, settings_at, token
from tests.component.sample_department import Advance, Deal, Process, assigned, until
from tests.component.test_followers_killed import read_by
from tests.component.test_relay import create_topics, grow, has, on_topic, relaying
from tests.component.test_taken_over import Worker, added_up, batches, prepared, stored
from tests.component.test_views import advance, open_deals, viewing, written
from tests.infrastructure import KafkaServer, StoreServer

WALL = "engagement:E-Wall"
DAMAGES: dict[str, dict[str, Any]] = {
    "an event that is none": {"entries.0.event": b'{"specversion": "1.0"}'},
    "no list of events": {"entries": "none"},
    "a position in other words": {"position": "sales"},
    "a moment that is a text": {"at": "yesterday"},
}


async def damage(process: Process, stream: str, number: int, what: dict[str, Any]) -> Commit:
    """Change a commit's document in the store, and return the commit as it was."""
    (before,) = [
        each async for each in process.journal.read(stream, after=number - 1, until=number)
    ]
    await process.store.commits.update_one({"stream": stream, "number": number}, {"$set": what})
    return before


async def mend(process: Process, commit: Commit) -> None:
    await process.store.commits.replace_one({"_id": commit.cause}, commit.document())


def without_reference(service: Service) -> Service:
    """Return the service without the reference data for which it would wait."""
    return replace(service, reads=())


async def made_by_other_code(process: Process) -> None:
    await process.store.views.update_many({}, {"$set": {"fold": "other code"}})
    await process.store.leases.update_one(
        {"_id": "views-folds"}, {"$set": {"folds.engagement": "other code"}}
    )


async def shows(process: Process, stream: str, chance: int) -> bool:
    document = await process.store.views.find_one({"_id": stream})
    return document is not None and document.get("fields", {}).get("chance") == chance


@pytest.mark.parametrize("what", DAMAGES.values(), ids=DAMAGES)
async def test_a_rebuild_of_the_views_skips_a_stream_that_cannot_be_read(
    store: StoreServer, isolation: str, what: dict[str, Any]
) -> None:
    async with Process(store.url, isolation) as process:
        async with viewing(process):
            await open_deals(process, "Attic", "Roof", "Wall")
            for name in ("Attic", "Roof", "Wall"):
                await advance(process, name, 10)
            for name in ("Attic", "Roof", "Wall"):
                await until(partial(shows, process, f"engagement:E-{name}", 10))
        await damage(process, WALL, 2, what)
        await made_by_other_code(process)
        kept = await process.store.views.find_one({"_id": WALL})
        async with Process(store.url, isolation) as fresh, viewing(fresh) as views:
            await until(lambda: views.subscription.progress == "following")
            assert list(views.unwritten) == [WALL]
            assert "commit 2 of engagement:E-Wall" in views.unwritten[WALL]
            for name in ("Attic", "Roof"):
                assert (await fresh.snapshots.load(f"engagement:E-{name}")).stream.number == 2
            assert await process.store.views.find_one({"_id": WALL}) == kept
            # Later commits of other streams are listed as before.
            await advance(process, "Roof", 20)
            await until(partial(shows, process, "engagement:E-Roof", 20))


async def test_the_views_continue_and_the_stream_is_listed_when_it_can_be_read(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        await open_deals(process, "Roof", "Wall")
        await advance(process, "Wall", 10)
        broken = await damage(process, WALL, 1, DAMAGES["no list of events"])
        async with Process(store.url, isolation) as fresh, viewing(fresh) as views:
            await until(lambda: views.subscription.progress == "following")
            await advance(process, "Wall", 20)
            await advance(process, "Roof", 20)
            await until(partial(shows, process, "engagement:E-Roof", 20))
            assert list(views.unwritten) == [WALL]
            await mend(process, broken)
            await advance(process, "Wall", 30)
            await until(partial(shows, process, WALL, 30))
            await until(lambda: not views.unwritten)


async def test_a_view_that_is_too_large_delays_no_other(
    store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Process(store.url, isolation) as process:
        await open_deals(process, "Attic", "Roof", "Wall")
        much = Advance(probability=10, times=490)
        await process.engine.command("engagement", "E-Wall", much, actor="ann", key="much")
        for name in ("Attic", "Roof"):
            await advance(process, name, 10)
        with monkeypatch.context() as patch:
            patch.setattr(store_module, "LARGEST_DOCUMENT", 1_500)
            async with viewing(process) as views:
                for name in ("Attic", "Roof"):
                    await until(partial(shows, process, f"engagement:E-{name}", 10))
                await until(lambda: list(views.unwritten) == [WALL])
                assert views.unwritten[WALL].startswith("DocumentTooLarge")
        # The next start writes the view, without a further commit of the stream.
        async with Process(store.url, isolation) as fresh, viewing(fresh) as views:
            await until(partial(shows, process, WALL, 10))
            await until(lambda: not views.unwritten)


async def test_a_snapshot_of_another_shape_is_replaced_by_a_replay(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        async with viewing(process):
            await open_deals(process, "Wall")
            await until(partial(written, process, WALL, 1))
        await process.store.views.update_one({"_id": WALL}, {"$set": {"state": '{"chances": 7}'}})
        async with Process(store.url, isolation) as fresh:
            read = await fresh.engine.read("engagement", "E-Wall")
            assert isinstance(read.state, Deal)
            assert read.state.title == "Wall"


async def test_over_http_it_is_a_problem_and_all_other_streams_are_served(
    kafka: KafkaServer,
    store: StoreServer,
    isolation: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Process(store.url, isolation) as process:
        await open_deals(process, "0000000000001", "0000000000002")
        await damage(
            process, "engagement:E-0000000000002", 1, {"entries.0.event": b'{"secret": 1}'}
        )
    await create_all_topics(kafka.bootstrap, isolation)
    given = settings_at(kafka, store, isolation)
    async with running(without_reference(sales()), given) as client:
        ann = token("ann", "account-executive")
        for _ in range(2):
            answer = await client.get("/engagements/E-0000000000002", headers=ann)
            assert (answer.status_code, answer.json()["code"]) == (500, "unreadable-stream")
            assert "engagement:E-0000000000002" in answer.json()["detail"]
            assert "specversion" not in answer.text
        command = await client.post(
            "/engagements/E-0000000000002/qualify-deal",
            json={"score": 80},
            headers={**ann, "Idempotency-Key": "k-1"},
        )
        assert (command.status_code, command.json()["code"]) == (500, "unreadable-stream")
        good = await client.get("/engagements/E-0000000000001", headers=ann)
        assert good.json()["title"] == "0000000000001"
    logged = [each.message for each in caplog.records if "commit 1 of" in each.message]
    assert [each for each in logged if "specversion" in each] == logged[:1]


@pytest.mark.parametrize("what", DAMAGES.values(), ids=DAMAGES)
async def test_a_relay_skips_and_reports_the_stream_and_publishes_it_once_repaired(
    kafka: KafkaServer,
    store: StoreServer,
    isolation: str,
    what: dict[str, Any],
) -> None:
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)

    async def is_published(*last: int) -> bool:
        found = read_by(await on_topic(kafka.bootstrap, topic))
        return [found.get(f"E-{number}", [0])[-1] for number in range(3)] == [*last]

    async with Process(store.url, isolation) as process:
        await grow(process, deals=3, steps=3)
        broken = await damage(process, "engagement:E-1", 2, what)
        await process.store.leases.update_one({"_id": "relay"}, {"$set": {"token": None}})
        async with relaying(process, kafka, isolation, retry_skipped_every=0.0) as relay:
            await until(lambda: is_published(3, 1, 3))
            await until(lambda: relay.subscription.progress == "following")
            assert "commit 2 of engagement:E-1 cannot be read" in (relay.refused or "")
        # It is still reported after a restart and later commits.
        async with relaying(process, kafka, isolation, retry_skipped_every=0.0) as relay:
            await grow(process, deals=3, steps=2, start=3)
            await until(lambda: is_published(4, 1, 4))
            assert "commit 2 of engagement:E-1 cannot be read" in (relay.refused or "")
            await mend(process, broken)
            await grow(process, deals=1, steps=2, start=4)
            await until(lambda: relay.refused is None)
            await until(lambda: is_published(5, 4, 4))


async def test_a_document_without_a_valid_number_stops_the_relay_until_repaired(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with Process(store.url, isolation) as process:
        await grow(process, deals=1, steps=2)
        broken = await damage(process, "engagement:E-0", 2, {"number": "two"})
        await process.store.leases.update_one({"_id": "relay"}, {"$set": {"token": None}})
        async with relaying(process, kafka, isolation, look_again_every=0.05) as relay:
            await until(lambda: relay.refused is not None)
            assert "number: must be a whole number" in (relay.refused or "")
            await mend(process, broken)
            await until(lambda: has(kafka, topic, 2))
            assert relay.refused is None


async def test_the_gateway_stores_all_but_the_engagement_that_cannot_be_stored(
    store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = batches()
    engagement = min(events[0].keys() & events[1].keys() & events[2].keys())
    whole = shelf_module._document

    def padded(cached: CachedView) -> dict[str, Any]:
        padding = b" " * 17_000_000 if cached.view.engagement == engagement else b""
        return {**whole(cached), "padding": padding} if padding else whole(cached)

    async with prepared(store.url, f"{isolation}-well") as opened:
        well = Worker(opened)
        await well.begin()
        await well.work(events)
        expected = await stored(opened)
    async with prepared(store.url, isolation) as opened:
        worker = Worker(opened)
        await worker.begin()
        await worker.work(events[:1])
        before = (await stored(opened))[0][engagement]
        with monkeypatch.context() as patch:
            patch.setattr(shelf_module, "_document", padded)
            for batch in events[1:]:
                assert await worker.folding.process(batch) == {}
                for _ in range(2):  # it is reported until the caller acts on it
                    with pytest.raises(CannotBeKept) as unkept:
                        await worker.folding.checkpoint()
                    assert list(unkept.value.why) == [engagement]
            views, totals, _ = await stored(opened)
            assert views.pop(engagement) == before
            others = {name: each for name, each in expected[0].items() if name != engagement}
            assert views == others
            added = await added_up(opened)
            assert {number: figures for number, (_, figures) in totals.items()} == added
            left = await worker.folding.give_up(engagement)
            published = [each for batch in events[1:] for each in batch[engagement]]
            assert sorted(left, key=lambda each: each.id) == published
            await worker.folding.checkpoint()
        assert await worker.folding.process({engagement: left}) == {}
        await worker.folding.checkpoint()
        assert await stored(opened) == expected


async def test_a_state_is_limited_before_it_is_too_large_for_a_document(
    store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limit the size of the state: each event has some 500 bytes, and adds three to the state."""
    measurements = 0

    def counted(stream: Stream[Any]) -> Stream[Any]:
        nonlocal measurements
        measurements += 1
        return measured(stream)

    monkeypatch.setattr(streams_module, "measured", counted)
    async with Process(
        store.url, isolation, largest_state=4_000, largest_consumed=20_000
    ) as process:
        await open_deals(process, "Wall")

        async def more(probability: int, times: int) -> None:
            command = Advance(probability=probability, times=times)
            key = f"{probability}"
            await process.engine.command("engagement", "E-Wall", command, actor="ann", key=key)

        for probability in range(10, 20):
            await more(probability, 100)
        refusal: TooLarge | None = None
        for probability in range(20, 60):
            try:
                await more(probability, 50)
            except TooLarge as refused:
                refusal = refused
                break
        assert refusal is not None
        assert (refusal.code, "4,000" in str(refusal)) == ("commit-too-large", True)
        state = (await process.engine.read("engagement", "E-Wall")).state
        assert 3_000 <= len(state.model_dump_json()) <= 4_000
        # It is refused again without measuring the state; others' events are still consumed.
        measurements = 0
        for probability in range(70, 80):
            with pytest.raises(TooLarge):
                await more(probability, 1)
        assert measurements <= 3
        await process.event_handler.handle_events(WALL, [assigned("E-Wall")])


async def test_everything_in_the_journal_is_a_commit_or_a_described_error(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        await open_deals(process, "Attic", "Roof", "Wall")
        await damage(process, WALL, 1, DAMAGES["a moment that is a text"])
        found = [each async for each in process.journal.everything()]
        assert [(each.stream, each.number) for each in found] == [
            ("engagement:E-Attic", 1),
            ("engagement:E-Roof", 1),
            (WALL, 1),
        ]
        assert isinstance(found[2], UnreadableStream)
        assert found[2].why == "at: must be of type datetime"
