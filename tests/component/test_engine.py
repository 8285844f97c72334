"""Test commands and consumed events on a real store, with more than one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.application.command_handler import Answer, KeyReused, NotYet, Stale
from chassis.application.repository import Unknown
from chassis.domain.commands import Refused
from chassis.domain.stream import CameLate, Gap, PassedOver
from chassis.eventstore import journal
from chassis.eventstore.journal import Commit
from contracts.event import encode
from tests.component.sample_department import (
    PEOPLE,
    Advance,
    Deal,
    Open,
    Person,
    Process,
    Publish,
    assigned,
    of_no_consequence,
    until,
)
from tests.infrastructure import StoreServer


async def tell(process: Process, command: Any, key: str, subject: str = "E-1", **more) -> Answer:
    options = {"actor": "ann", **more}
    return await process.engine.command("engagement", subject, command, key=key, **options)


def said(answer: Answer) -> list[tuple[str, int]]:
    return [(each.event.type.split(".")[2], each.sequence) for each in answer.events]


async def test_a_command_is_decided_stored_and_answered(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process:
        answer = await tell(process, Open(title="Roof"), "k1")
        assert said(answer) == [("opportunity-opened", 1)]
        assert (answer.stream.number, answer.stream.position) == (1, {"sales": 1})
        answer = await tell(process, Advance(probability=20, times=2), "k2", expected=1)
        assert said(answer) == [("opportunity-advanced", 2), ("opportunity-advanced", 3)]
        with pytest.raises(Stale):
            await tell(process, Advance(probability=30), "k3", expected=1)
        with pytest.raises(Refused):
            await tell(process, Advance(probability=10), "k4")
        with pytest.raises(Unknown):
            await tell(process, Advance(probability=10), "k5", subject="E-none")
        unchanged = await tell(process, Advance(probability=20), "k6")
        assert (unchanged.events, unchanged.stream.number) == ((), 2)


async def test_two_processes_never_decide_on_the_same_state(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        await tell(one, Open(title="Roof"), "open")
        await two.engine.read("engagement", "E-1")

        async def raise_to(process: Process, chance: int) -> bool:
            try:
                await tell(process, Advance(probability=chance), f"to-{chance}")
            except Refused:
                return False
            return True

        outcomes = await asyncio.gather(
            *(raise_to(one if chance % 2 else two, chance) for chance in range(1, 21))
        )
        deal = (await one.engine.read("engagement", "E-1")).state
        assert isinstance(deal, Deal)
        assert list(deal.chances) == sorted(set(deal.chances))
        assert len(deal.chances) == sum(outcomes)
        kept = [each async for each in one.journal.read("engagement:E-1")]
        sequences = [event.sequence for each in kept for event in each.recorded()]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_a_repeated_key_is_answered_as_the_first_time(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        await tell(one, Open(title="Roof"), "k1")
        first = await tell(one, Advance(probability=20), "k2")
        await tell(one, Advance(probability=40), "k3")
        for process in (one, two):
            again = await tell(process, Advance(probability=20), "k2")
            assert again == replace(first, repeated=True)
            opened = await tell(process, Open(title="Roof"), "k1", expected=0)
            assert (opened.repeated, opened.stream.number) == (True, 1)
            with pytest.raises(KeyReused):
                await tell(process, Advance(probability=70), "k2")
            with pytest.raises(KeyReused):
                await tell(process, Open(title="Wall"), "k2", subject="E-2")
        other = await tell(two, Advance(probability=50), "k2", actor="bob")
        assert not other.repeated


async def test_the_same_request_twice_at_once_has_one_effect(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        answers = await asyncio.gather(
            *(tell(process, Open(title="Roof"), "k1") for process in (one, two, one, two))
        )
        assert sorted(answer.repeated for answer in answers) == [False, True, True, True]
        assert len({answer.events[0].id for answer in answers}) == 1


async def test_a_refusal_is_decided_on_the_newest_state(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        await tell(one, Open(title="Roof"), "k1")
        await tell(one, Advance(probability=20), "k2")
        await two.engine.read("engagement", "E-1")
        await tell(one, Advance(probability=90), "k3")
        with pytest.raises(Refused):  # on the old state that it has in memory, it would be accepted
            await tell(two, Advance(probability=50), "k4")
        with pytest.raises(Refused):
            await tell(two, Open(title="Roof"), "k5")


async def test_a_refusal_waits_for_the_stream_to_change(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        waiting = asyncio.create_task(tell(two, Advance(probability=20), "k2", wait=20.0))
        await asyncio.sleep(0)
        await tell(one, Open(title="Roof"), "k1")
        assert said(await waiting) == [("opportunity-advanced", 2)]
        with pytest.raises(Refused):
            await tell(one, Advance(probability=10), "k3", wait=0.2)


async def test_events_are_consumed_once_and_reacted_to(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        await tell(one, Open(title="Roof"), "k1")
        await two.engine.read("engagement", "E-1")
        events = [assigned("E-1", 1, "max"), assigned("E-1", 2, "mia")]
        await asyncio.gather(
            one.event_handler.handle_events("engagement:E-1", events[:1]),
            two.event_handler.handle_events("engagement:E-1", events),
            one.event_handler.handle_events("engagement:E-1", events),
        )
        for process in (one, two):
            stream = await process.engine.read("engagement", "E-1")
            assert isinstance(stream.state, Deal)
            assert stream.position == {"sales": 2, "delivery": 2}
            assert (stream.state.manager, stream.state.chances) == ("mia", (50,))
        with pytest.raises(Gap):
            await one.event_handler.handle_events("engagement:E-1", [assigned("E-1", 4)])


async def test_consumed_events_are_stored_in_their_original_bytes(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        event = assigned("E-1")
        newer = encode(event).replace(b'"manager"', b'"since_then":1,"manager"')
        await process.event_handler.handle_events("engagement:E-1", [replace(event, record=newer)])
        (commit,) = [each async for each in process.journal.read("engagement:E-1")]
        assert commit.events[0].record == newer
        assert commit.cause == "engagement:E-1/heard/delivery/E-1/1"


async def test_many_streams_consume_at_once_and_an_error_affects_only_its_own(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        batch = {f"engagement:E-{n}": [assigned(f"E-{n}")] for n in range(60)}
        batch["engagement:E-7"] = [assigned("E-7", 1), assigned("E-7", 3)]
        failures = await process.event_handler.process(batch)
        assert {stream: type(error) for stream, error in failures.items()} == {
            "engagement:E-7": Gap
        }
        # The event before the gap was consumed.
        stream = await process.engine.read("engagement", "E-7")
        assert stream.position["delivery"] == 1
        assert await process.store.commits.count_documents({}) == 60


async def test_hundreds_of_events_are_consumed_in_commits_of_bounded_size(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        await process.event_handler.handle_events(
            "engagement:E-1", [assigned("E-1", n) for n in range(1, 451)]
        )
        stream = await process.engine.read("engagement", "E-1")
        assert (stream.position["delivery"], stream.number) == (450, 3)


async def test_an_event_too_large_for_its_topic_is_refused_or_parks_its_engagement_alone(
    store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Process(store.url, isolation) as process:
        for name in ("E-1", "E-2"):
            await tell(process, Open(title="R"), name, name)
        monkeypatch.setattr(journal, "LARGEST_EVENT", 100)
        with pytest.raises(Refused) as refused:
            await tell(process, Advance(probability=10), "more")
        assert refused.value.code == "commit-too-large"
        failures = await process.event_handler.process(
            {
                "engagement:E-1": [assigned("E-1", 1)],
                "engagement:E-2": [of_no_consequence("E-2", 1)],
            }
        )
        assert [*failures] == ["engagement:E-1"]
        monkeypatch.undo()
        assert not await process.event_handler.process({"engagement:E-1": [assigned("E-1", 1)]})
        assert (await process.engine.read("engagement", "E-1")).number == 2


async def test_an_operator_may_have_events_passed_over(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process:
        passed = PassedOver("delivery", 1, 3, "ops", "broken", datetime(2026, 3, 2, tzinfo=UTC))
        for _ in range(2):
            await process.event_handler.pass_over("E-1", passed)
        await process.event_handler.handle_events("engagement:E-1", [assigned("E-1", 4)])
        stream = await process.engine.read("engagement", "E-1")
        assert (stream.position["delivery"], stream.number) == (4, 2)
        assert stream.passed_over == (passed,)
        with pytest.raises(CameLate, match="delivery 3 came after ops"):
            await process.event_handler.handle_events("engagement:E-1", [assigned("E-1", 3)])
    async with Process(store.url, isolation) as another:
        assert (await another.engine.read("engagement", "E-1")).passed_over == (passed,)


async def test_a_read_waits_until_its_position_is_reached(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        await tell(one, Open(title="Roof"), "k1")
        with pytest.raises(NotYet) as late:
            await two.engine.read("engagement", "E-1", after={"delivery": 1, "sales": 1}, wait=0.1)
        assert late.value.missing == {"delivery": 1}
        reading = asyncio.create_task(
            two.engine.read("engagement", "E-1", after={"delivery": 1, "gateway": 9}, wait=20.0)
        )
        await one.event_handler.handle_events("engagement:E-1", [assigned("E-1")])
        assert (await reading).position["delivery"] == 1
        with pytest.raises(Unknown):
            await two.engine.read("engagement", "E-none")


async def test_a_waiting_read_asks_the_store_less_and_less_often(
    store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Process(store.url, isolation, poll=0.001) as process:
        asked = 0
        current = process.repository.current

        async def counted(stream: str) -> Any:
            nonlocal asked
            asked += 1
            return await current(stream)

        monkeypatch.setattr(process.repository, "current", counted)
        with pytest.raises(Unknown):
            await process.engine.read("engagement", "E-9", wait=1.0)
        assert 5 < asked < 100


async def test_waiting_requests_end_when_the_service_stops(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        await tell(process, Open(title="Roof"), "k1")
        waiting = [
            asyncio.create_task(each)
            for each in (
                process.engine.read("engagement", "E-1", after={"delivery": 1}, wait=20.0),
                tell(process, Open(title="Wall"), "k2", wait=20.0),
            )
        ]
        await until(lambda: len(process.repository._watchers.get("engagement:E-1", ())) == 2)
        process.repository.stopping.set()
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in outcomes] == [NotYet, Refused]


async def test_waiting_reads_do_not_wake_each_other(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process:
        await tell(process, Open(title="Roof"), "k1")
        read, reads = process.journal.read, 0

        def counted(*args: Any, **more: Any) -> AsyncIterator[Commit]:
            nonlocal reads
            reads += 1
            return read(*args, **more)

        process.journal.read = counted  # type: ignore[method-assign]
        outcomes = await asyncio.gather(
            *(
                process.engine.read("engagement", "E-1", after={"delivery": 1}, wait=1.0)
                for _ in range(3)
            ),
            return_exceptions=True,
        )
        assert [type(each) for each in outcomes] == [NotYet] * 3
        assert reads <= 3 * 13, "each looks ten times a second"


async def test_nothing_is_kept_of_waits_that_ended(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process:
        for subject in ("E-1", "E-2", "E-3"):
            with pytest.raises(Unknown):
                await process.engine.read("engagement", subject, wait=0.05)
        gone = asyncio.create_task(process.engine.read("engagement", "E-4", wait=20.0))
        await until(lambda: bool(process.repository._watchers))
        gone.cancel()
        await asyncio.wait([gone])
        assert not process.repository._watchers


async def test_a_channel_that_a_stream_does_not_use_is_not_waited_for(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as process:
        account = {"sales.reference": 3}  # the position in the answer to a published account
        await process.engine.wait_until_processed("engagement", "E-1", account, 0.0)
        await tell(process, Open(title="Roof"), "k1")
        stream = await process.engine.read("engagement", "E-1", after=account)
        assert stream.position == {"sales": 1}


async def test_an_erased_persons_name_is_stored_nowhere(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation, deciders=(PEOPLE,)) as process:
        engine = process.engine

        async def publish(name: str, key: str) -> Answer:
            return await engine.command("person", "bob", Publish(name=name), actor="hr", key=key)

        await publish("Bob Ross", "k1")
        await publish("Bob Rose", "k2")
        known = await process.repository.current("person:bob")
        await process.store.views.insert_one(process.snapshots.document(known))
        for _ in range(2):
            await engine.erase("person", "bob", actor="hr", key="k3")
        with pytest.raises(Unknown):
            await engine.read("person", "bob")
        for collection in (process.store.commits, process.store.views):
            assert b"Bob" not in repr(await collection.find({}).to_list(None)).encode()
        *empty, left = [each async for each in process.journal.read("person:bob")]
        assert [(each.number, each.events) for each in empty] == [(1, ()), (2, ())]
        assert left.erases == (
            ("delivery.reference", "person:bob@1"),
            ("delivery.reference", "person:bob@2"),
        )
        # A person who is published again gets a new version, not an erased one.
        assert (await publish("Bob", "k4")).events[0].sequence == 3


@pytest.mark.parametrize("remembered", [True, False])
async def test_an_erased_persons_versions_are_not_used_again(
    remembered: bool, store: StoreServer, isolation: str
) -> None:
    async with AsyncExitStack() as stack:

        async def started() -> Process:
            return await stack.enter_async_context(
                Process(store.url, isolation, deciders=(PEOPLE,))
            )

        async def publish(process: Process, name: str, key: str) -> Answer:
            command = Publish(name=name)
            return await process.engine.command("person", "bob", command, actor="hr", key=key)

        one, two = await started(), await started()
        await publish(one, "Bob Ross", "k1")
        if remembered:
            await two.engine.read("person", "bob")
        await publish(one, "Bob Rose", "k2")
        await one.engine.erase("person", "bob", actor="hr", key="k3")
        with pytest.raises(KeyReused):
            await publish(two, "Bob Rose", "k2")
        assert (await publish(two, "Bob", "k4")).events[0].sequence == 3
        stream = await (await started()).engine.read("person", "bob")
        assert (stream.state, stream.number) == (Person(name="Bob", version=3), 4)
