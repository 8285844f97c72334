"""A second event with a used sequence number is detected by its id and set aside once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from chassis.domain.context import Context
from chassis.domain.decider import handle_events
from chassis.domain.latest_ids import REMEMBERED
from chassis.domain.stream import OtherEvent, Stream
from chassis.domain.trouble import Trouble
from chassis.eventstore.journal import Commit, StoredEvent
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


def handled(stream: Stream[Deal], *events: Recorded[Event]) -> Stream[Deal]:
    context = Context("sales", NOW, NOW, "test", NoRecords(), lambda: "new")
    return handle_events(DEALS, stream, events, lambda _: context).stream


NEW = Stream(STREAM, Deal())


@pytest.mark.parametrize("create", [assigned, of_no_consequence])
def test_a_stream_tells_another_event_from_a_repeat(create: Any) -> None:
    """Also if the first event changed no state and only advanced the position."""
    forged, honest = create("E-1", 1), assigned("E-1", 1)
    after = handled(NEW, forged, forged)
    assert handled(after, forged) == after
    with pytest.raises(OtherEvent, match=f"another event, {forged.id}, was taken in as delivery 1"):
        handled(after, honest)


def test_a_stream_keeps_only_the_ids_of_the_last_events() -> None:
    events = [of_no_consequence("E-1", number) for number in range(1, 31)]
    after = handled(NEW, *events)
    assert after.latest_ids == {"delivery": tuple(each.id for each in events[-REMEMBERED:])}
    for each in events:
        other = replace(each, id="other")
        if each in events[-REMEMBERED:]:
            with pytest.raises(OtherEvent):
                handled(after, other)
        else:
            assert handled(after, other) == after


def commit_of(stream: Stream[Any], *events: Recorded[Event]) -> Commit:
    return Commit(
        cause="test",
        stream=STREAM,
        number=1,
        position=stream.position,
        actor="sales",
        at=NOW,
        events=tuple(StoredEvent.of(each, own=False) for each in events),
        latest_ids=stream.latest_ids,
    )


def test_the_ids_are_read_back_from_the_journal() -> None:
    forged = assigned("E-1", 1)
    document = commit_of(handled(NEW, forged), forged).document()
    known = advanced(DEALS, nothing_known(DEALS, STREAM), Commit.read(document))
    with pytest.raises(OtherEvent):
        handled(known.stream, assigned("E-1", 1))
    assert handled(known.stream, forged) == known.stream


def test_a_commit_without_ids_detects_no_other_event_and_raises_no_error() -> None:
    forged = assigned("E-1", 1)
    document = commit_of(handled(NEW, forged), forged).document()
    del document["latest_ids"]
    known = advanced(DEALS, nothing_known(DEALS, STREAM), Commit.read(document))
    assert handled(known.stream, assigned("E-1", 1)) == known.stream
    after = handled(known.stream, second := assigned("E-1", 2))
    assert handled(after, second, assigned("E-1", 1)) == after
    with pytest.raises(OtherEvent):
        handled(after, assigned("E-1", 2))


class Aside(ParkedRecordStore):
    """A store in memory of records set aside, with the events handled before each of them."""

    def __init__(self, event_handler: Counting) -> None:
        super().__init__(cast("Any", None))
        self.event_handler = event_handler
        self.found: list[tuple[str, str, Sequence[str]]] = []

    async def set_aside(self, records: Iterable[tuple[Arrival, Trouble]]) -> frozenset[str]:
        existing = frozenset(name for name, _, _ in self.found)
        for arrival, trouble in records:
            if arrival.id not in existing:
                self.found.append((arrival.id, trouble.code, [*self.event_handler.heard["E-1"]]))
        return existing


def arrivals(*events: Recorded[Event]) -> list[Arrival]:
    return [
        Arrival("sales", 0, offset, "E-1", SALES, encode(each), each)
        for offset, each in enumerate(events)
    ]


async def test_the_other_event_is_set_aside_before_later_events_are_handled() -> None:
    """Check the order: the process may end in between, and only the last few ids are kept."""
    event_handler = Counting()
    records = Aside(event_handler)
    batch_processor = BatchProcessor(
        "readers", event_handler, records, lambda event: f"engagement:{event.subject}"
    )
    forged = replace(said("E-1", 2), id="forged")
    batch = arrivals(said("E-1", 1), forged, *(said("E-1", number) for number in range(2, 10)))

    for _ in range(2):
        account = await batch_processor.account_for(batch[:4])
        assert (account.taken, account.aside, account.parked) == (3, 1, 0)
    assert records.found == [("sales/0/2", "other-event", ["sales-1", "sales-2"])]
    assert (await batch_processor.account_for(batch[4:])).taken == 6
