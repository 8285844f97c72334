"""Records that should never have been published, on a real Kafka: all other events flow.

Each kind stands for whatever an attacker, a broken client or a newer version may put on a topic.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
import pytest

from chassis import sorting
from chassis.bus import Arrival
from chassis.listener import Listener
from chassis.store import Store
from chassis.topics import create_topics
from contracts import fact as facts
from contracts.channels import LEGAL, SALES
from contracts.fact import FACTS, encode
from tests.component.listening import CHANNELS, Counting, Topics, listener, said, topics, until
from tests.component.miniature import until as until_it_is
from tests.infrastructure import KafkaServer, StoreServer


@dataclass
class Scene:
    """One prefix on Kafka, one database, and what is published and consumed there."""

    bootstrap: str
    prefix: str
    store: Store
    topics: Topics
    reader: Counting

    def listener(self, batch: int = 500) -> Listener:
        return listener(self.bootstrap, self.prefix, self.reader, self.store, batch)


@pytest.fixture
async def scene(kafka: KafkaServer, store: StoreServer, isolation: str) -> AsyncIterator[Scene]:
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    documents = Store(store.url, isolation)
    async with topics(kafka.bootstrap, isolation) as spoken:
        yield Scene(kafka.bootstrap, isolation, documents, spoken, Counting())
    await documents.close()


def forged(sequence: object = 2, **attributes: object) -> bytes:
    """An event of sales about E-1 with some attributes replaced."""
    event = orjson.loads(encode(said("E-1", 2))) | {"sequence": sequence} | attributes
    return json.dumps(event).encode()


NO_EVENTS: dict[str, bytes | None] = {
    "no JSON": b"{oops",
    "no text": b"\xff\xfe\x00",
    "no object": b"[1,2]",
    "empty": None,
    "nested too deeply": b"[" * 50_000,
    "a number beyond a float": b'{"sequence": 1e999}',
    "half a character": b'{"id": "\\ud800"}',
    "a moment before the calendar in UTC": forged(time="0001-01-01T00:00:00+14:00"),
    "a moment after the calendar in UTC": forged(occurredat="9999-12-31T23:59:59-14:00"),
    "a moment in 1969": forged(time="1969-12-31T23:59:59Z"),
    "a moment that is no day": forged(occurredat="2026-02-30T00:00:00Z"),
    "a moment that is a number": forged(time=1e308),
    "a moment with an odd zone": forged(time="2026-03-02T09:00:00+99:99"),
    "a number beyond 64 bits": forged(2**63),
    "a number beyond 53 bits": forged(2**53 + 1),
    "a number that is a list": forged([]),
    "a number that is a fraction": forged(2.5),
    "a number below one": forged(-(2**63)),
    "no subject": forged(subject=None),
    "a subject with control characters": forged(subject="E-1\x00"),
    "an id that is an object": forged(id={"$gt": ""}),
    "an id beyond bounds": forged(id="x" * 100_000),
    "heard that is a list": forged(heard=["legal=1"]),
    "heard beyond 53 bits": forged(heard="legal=99999999999999999999"),
    "a type that is a list": forged(type=[]),
    "a type of nobody": forged(type="concord.astrology.moon-rose.v1"),
    "a source that is another": forged(source="/concord/legal"),
    "data that are a list": forged(data=[]),
    "another's topic": encode(said("E-1", 1, LEGAL)),
    "another's key": encode(said("E-7", 2)),
}


async def test_what_is_no_event_is_set_aside_and_everything_flows(scene: Scene) -> None:
    """Nothing moves a position: the honest event of the number that was claimed is taken in."""
    await scene.topics.say(said("E-1", 1))
    places = {
        await scene.topics.put(SALES, b"E-1", value): name for name, value in NO_EVENTS.items()
    }
    await scene.topics.say(said("E-1", 2), said("E-1", 3), said("E-2", 1))

    async with scene.listener() as heard:
        await until(lambda: len(scene.reader.heard["E-1"]) == 3 and scene.reader.heard["E-2"])
        await until(lambda: heard.account.consumed == len(places) + 4)

        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]
        aside = await heard.parking.records_set_aside()
        assert {places[each.id] for each in aside} == set(NO_EVENTS)
        assert {each.raw for each in aside} == set(NO_EVENTS.values())
        assert all(each.sentence for each in aside)
        assert await heard.parking.engagements() == []
        assert (heard.account.taken, heard.account.aside) == (4, len(places))
        assert heard.account.unaccounted == 0
        await until(lambda: heard.not_ready() is None)


@pytest.mark.parametrize("traceparent", [[], {}, 7, "00-" + "f" * 9_000, None])
async def test_no_traceparent_keeps_an_event_from_its_reader(
    scene: Scene, traceparent: object
) -> None:
    await scene.topics.put(SALES, b"E-1", forged(1, traceparent=traceparent))
    async with scene.listener() as heard:
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1"])
        assert heard.account.aside == 0


@pytest.mark.parametrize(
    "data", [{}, {"probability": "x"}, {"probability": 10**30}, {"pipeline_stage": "\u0000" * 9}]
)
async def test_an_event_with_unreadable_data_parks_its_engagement(
    scene: Scene, data: dict[str, object]
) -> None:
    await scene.topics.say(said("E-1", 1))
    place = await scene.topics.put(SALES, b"E-1", forged(2, data=data))
    await scene.topics.say(said("E-1", 3), said("E-2", 1))

    async with scene.listener() as heard:
        await until(lambda: scene.reader.heard["E-2"] and "E-1" in heard.parking)
        await until(lambda: heard.account.consumed == 4)
        head = heard.parking.heads["E-1"]
        assert (head.code, head.sequence) == ("unreadable", 2)
        assert head.sentence.startswith("data.")
        await until(lambda: scene.reader.waiting == {"E-1": "unreadable"})
        assert (heard.account.taken, heard.account.parked) == (2, 2)

        # The number may have been forged: then the honest event of this number comes later.
        await heard.set_aside("E-1", place, by="olga", why="sales has published another")
        await scene.topics.say(said("E-1", 2))
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"])
        await until(lambda: "E-1" not in heard.parking)
        await until(lambda: scene.reader.waiting == {})


async def test_a_forged_number_is_not_believed(scene: Scene) -> None:
    """A sound event that claims to be number 5,000: nothing honest is taken for seen."""
    await scene.topics.say(said("E-1", 1))
    place = await scene.topics.put(SALES, b"E-1", encode(said("E-1", 5_000)))
    async with scene.listener() as heard:
        await until(lambda: "E-1" in heard.parking)
        await scene.topics.say(said("E-1", 2), said("E-1", 3))
        await until(lambda: len(scene.reader.heard["E-1"]) == 3)

        assert scene.reader.passed_over == []
        done = await heard.set_aside("E-1", place, by="olga", why="sales has published three")
        assert (done.taken, done.waiting, done.head) == (0, 0, None)

        await scene.topics.say(said("E-1", 4))
        await until(lambda: scene.reader.heard["E-1"] == [f"sales-{n}" for n in (1, 2, 3, 4)])


async def test_an_event_that_was_passed_over_and_comes_late_is_kept(scene: Scene) -> None:
    await scene.topics.say(said("E-1", 1), said("E-1", 3), said("E-1", 4))
    async with scene.listener() as heard:
        await until(lambda: "E-1" in heard.parking)
        first, *_ = await heard.parking.look("E-1")
        await heard.skip("E-1", first.id, by="olga", why="lost in a fire")

        await scene.topics.say(said("E-1", 2), said("E-1", 5))
        await until(lambda: "sales-5" in scene.reader.heard["E-1"])

        async def it_is_kept() -> bool:
            aside = await heard.parking.records_set_aside("E-1")
            return [(each.code, each.sequence) for each in aside] == [("passed-over", 2)]

        await until_it_is(it_is_kept)


async def test_an_unknown_type_waits_for_a_newer_version_and_is_tried_by_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = encode(said("E-1", 2)).replace(b"opportunity-advanced", b"opportunity-sung")
    await scene.topics.say(said("E-1", 1))
    await scene.topics.put(SALES, b"E-1", newer)
    await scene.topics.say(said("E-1", 3), said("E-2", 1))

    async with scene.listener() as heard:
        await until(lambda: scene.reader.heard["E-2"] and "E-1" in heard.parking)
        head = heard.parking.heads["E-1"]
        assert (head.code, head.is_parked) == ("newer-version", False)
        assert "concord.sales.opportunity-sung.v1" in head.sentence
        await until(lambda: scene.reader.waiting == {"E-1": "newer-version"})
        assert heard.unaccounted() is None

    kind = FACTS["concord.sales.opportunity-advanced.v1"]
    monkeypatch.setitem(facts.FACTS, "concord.sales.opportunity-sung.v1", kind)
    async with scene.listener() as heard:
        await until(lambda: len(scene.reader.heard["E-1"]) == 3)
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]
        await until(lambda: "E-1" not in heard.parking)
        await until(lambda: scene.reader.waiting == {})


async def test_what_an_older_version_could_not_read_is_taken_by_a_retry(scene: Scene) -> None:
    await scene.topics.say(said("E-1", 1))
    await scene.topics.put(SALES, b"E-1", forged(2, specversion="1.1"))
    async with scene.listener() as heard:
        await until(lambda: heard.account.aside == 1)
        # A newer version reads it: here, because what was kept is repaired.
        await scene.store.parked.update_one({"state": "aside"}, {"$set": {"raw": forged(2)}})
        done = await heard.retry("E-1", by="olga")
        assert done.taken == 1
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2"]
        assert await heard.parking.records_set_aside() == []


async def test_an_error_outside_of_any_engagement_is_isolated_to_its_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug that no reader's guard catches: whatever it is, one record is set aside."""
    sort_out = sorting.sort_out

    def breaks(arrivals, parked, routes):
        if any(each.key == "E-17" for each in arrivals):
            raise OverflowError("date value out of range")
        return sort_out(arrivals, parked, routes)

    monkeypatch.setattr("chassis.intake.sort_out", breaks)
    await scene.topics.say(*(said(f"E-{number}", 1) for number in range(60)))
    async with scene.listener() as heard:
        await until(lambda: len(scene.reader.heard) == 59)
        await until(lambda: heard.account.consumed == 60)
        (aside,) = await heard.parking.records_set_aside()
        assert (aside.engagement, aside.code) == ("E-17", "not-handled")
        assert "E-17" not in scene.reader.heard


async def test_records_that_did_not_arrive_are_read_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client swallows a batch once, as it does with an exception that leaves a handler."""
    swallowed: list[int] = []
    handle = Listener._handle

    async def swallows(self: Listener, arrivals: list[Arrival]) -> None:
        if not swallowed:
            swallowed.append(len(arrivals))
            raise OverflowError("date value out of range")
        await handle(self, arrivals)

    monkeypatch.setattr(Listener, "_handle", swallows)
    async with scene.listener(batch=5) as heard:
        await until(lambda: heard.progress.joined)
        for sequence in (1, 2, 3):
            await scene.topics.say(*(said(f"E-{number}", sequence) for number in range(20)))
            await asyncio.sleep(0.05)
        await until(lambda: sum(scene.reader.times.values()) == 60)
        assert swallowed
        for number in range(20):
            assert scene.reader.heard[f"E-{number}"] == ["sales-1", "sales-2", "sales-3"]
        assert heard.parking.heads == {}
        assert heard.unaccounted() is None
