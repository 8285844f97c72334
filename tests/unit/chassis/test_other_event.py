"""Another event under a number that was taken in: noticed by a department, and set aside once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from chassis.domain.decider import Context, OtherEvent, Stream, handle_events
from chassis.domain.latest_ids import REMEMBERED
from chassis.domain.trouble import Trouble
from chassis.eventstore.journal import Commit, Kept
from chassis.eventstore.snapshots import advanced, nothing_known
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedRecordStore
from contracts.channels import SALES
from contracts.event import Event, Recorded, encode
from tests.component.consumer_harness import Counting, said
from tests.component.sample_department import DEALS, Deal, NoRecords, assigned, of_no_consequence

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
STREAM = "engagement:E-1"


def heard(stream: Stream[Deal], *events: Recorded[Event]) -> Stream[Deal]:
    context = Context("sales", NOW, NOW, "test", NoRecords(), lambda: "new")
    return handle_events(DEALS, stream, events, lambda _: context).stream


NEW = Stream(STREAM, Deal())


@pytest.mark.parametrize("say", [assigned, of_no_consequence])
def test_a_stream_tells_another_event_from_a_repeat(say: Any) -> None:
    """Also where what came first matters to nobody there, and moved the position alone."""
    forged, honest = say("E-1", 1), assigned("E-1", 1)
    after = heard(NEW, forged, forged)
    assert heard(after, forged) == after
    with pytest.raises(OtherEvent, match=f"another event, {forged.id}, was taken in as delivery 1"):
        heard(after, honest)


def test_a_stream_remembers_the_last_few_events_alone() -> None:
    events = [of_no_consequence("E-1", number) for number in range(1, 31)]
    after = heard(NEW, *events)
    assert after.latest_ids == {"delivery": tuple(each.id for each in events[-REMEMBERED:])}
    for each in events:
        other = replace(each, id="other")
        if each in events[-REMEMBERED:]:
            with pytest.raises(OtherEvent):
                heard(after, other)
        else:
            assert heard(after, other) == after


def commit_of(stream: Stream[Any], *events: Recorded[Event]) -> Commit:
    return Commit(
        cause="test",
        stream=STREAM,
        number=1,
        position=stream.position,
        actor="sales",
        at=NOW,
        events=tuple(Kept.of(each, said=False) for each in events),
        latest_ids=stream.latest_ids,
    )


def test_what_is_remembered_is_read_back_from_the_journal() -> None:
    forged = assigned("E-1", 1)
    document = commit_of(heard(NEW, forged), forged).document()
    known = advanced(DEALS, nothing_known(DEALS, STREAM), Commit.read(document))
    with pytest.raises(OtherEvent):
        heard(known.stream, assigned("E-1", 1))
    assert heard(known.stream, forged) == known.stream


def test_a_commit_of_older_code_tells_nothing_and_raises_no_alarm() -> None:
    forged = assigned("E-1", 1)
    document = commit_of(heard(NEW, forged), forged).document()
    del document["latest_ids"]
    known = advanced(DEALS, nothing_known(DEALS, STREAM), Commit.read(document))
    assert heard(known.stream, assigned("E-1", 1)) == known.stream
    after = heard(known.stream, second := assigned("E-1", 2))
    assert heard(after, second, assigned("E-1", 1)) == after
    with pytest.raises(OtherEvent):
        heard(after, assigned("E-1", 2))


class Aside(ParkedRecordStore):
    """What is set aside, without a store: with what the reader had taken in until then."""

    def __init__(self, reader: Counting) -> None:
        super().__init__(cast("Any", None))
        self.reader = reader
        self.found: list[tuple[str, str, Sequence[str]]] = []

    async def set_aside(self, records: Iterable[tuple[Arrival, Trouble]]) -> frozenset[str]:
        there = frozenset(name for name, _, _ in self.found)
        for arrival, trouble in records:
            if arrival.id not in there:
                self.found.append((arrival.id, trouble.code, [*self.reader.heard["E-1"]]))
        return there


def arrivals(*events: Recorded[Event]) -> list[Arrival]:
    return [
        Arrival("sales", 0, offset, "E-1", SALES, encode(each), each)
        for offset, each in enumerate(events)
    ]


async def test_it_is_set_aside_before_what_follows_is_taken_in() -> None:
    """A process may end at any time, and only the last few ids are remembered."""
    reader = Counting()
    parking = Aside(reader)
    intake = BatchProcessor(
        "readers", reader, parking, lambda event: (f"engagement:{event.subject}",)
    )
    forged = replace(said("E-1", 2), id="forged")
    batch = arrivals(said("E-1", 1), forged, *(said("E-1", number) for number in range(2, 10)))

    for _ in range(2):
        account = await intake.account_for(batch[:4])
        assert (account.taken, account.aside, account.parked) == (3, 1, 0)
    assert parking.found == [("sales/0/2", "other-event", ["sales-1", "sales-2"])]
    assert (await intake.account_for(batch[4:])).taken == 6
