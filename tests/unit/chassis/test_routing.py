"""Batch routing: which events are processed, which wait, and which records are set aside."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chassis.base.partitioning import partition_of
from chassis.kafka.consumer_settings import (
    Arrival,
    Codec,
)
from chassis.kafka.routing import WAITING, route_batch
from contracts.channels import CHANNELS, DELIVERY_REFERENCE, LEGAL, SALES, Channel
from contracts.event import Event, Recorded, encode
from contracts.legal import FileOpened
from contracts.sales import OpportunityAdvanced

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CODEC = Codec(tuple(CHANNELS.values()), "concord")


def event(engagement: str, sequence: int, channel: Channel = SALES) -> Recorded[Event]:
    events: dict[Channel, Event] = {
        SALES: OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50)),
        LEGAL: FileOpened(account="A-1", title="Migration"),
    }
    return Recorded(
        id=f"{engagement}-{sequence}",
        subject=engagement,
        sequence=sequence,
        event=events[channel],
        actor="ann",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        heard={},
    )


def arrival(
    recorded: Recorded[Event], *, key: bytes | None = None, value: bytes | None = None
) -> Arrival:
    name = recorded.subject.encode() if key is None else key
    return CODEC.read(
        recorded.channel.topic(),
        partition_of(name.decode(errors="replace")),
        recorded.sequence,
        name,
        encode(recorded) if value is None else value,
    )


def to_engagement(recorded: Recorded[Event]) -> str | None:
    return f"engagement:{recorded.subject}"


def to_no_stream(recorded: Recorded[Event]) -> str | None:
    return None


def test_events_are_routed_to_the_stream_that_processes_them_in_order() -> None:
    batch = [arrival(event("E-1", 1)), arrival(event("E-2", 1)), arrival(event("E-1", 2))]

    routed = route_batch(batch, (), to_engagement)

    assert {stream: [each.id for each in group] for stream, group in routed.groups.items()} == {
        "engagement:E-1": [batch[0].id, batch[2].id],
        "engagement:E-2": [batch[1].id],
    }
    assert not routed.stopped
    assert not routed.aside


def test_events_behind_a_failed_one_wait_and_others_are_routed() -> None:
    def routes(recorded: Recorded[Event]) -> str | None:
        if recorded.sequence == 2:
            raise KeyError("who")
        return to_engagement(recorded)

    bad = arrival(event("E-1", 2))
    batch = [
        arrival(event("E-1", 1)),
        bad,
        arrival(event("E-1", 1, LEGAL)),
        arrival(event("E-2", 1)),
    ]

    routed = route_batch(batch, (), routes)

    assert set(routed.groups) == {"engagement:E-1", "engagement:E-2"}
    assert [(each.id, trouble.code) for each, trouble in routed.stopped] == [
        (bad.id, "failed"),
        (batch[2].id, "waiting"),
    ]


def test_a_record_that_is_no_event_is_set_aside_and_blocks_nothing() -> None:
    bad = arrival(event("E-1", 2), value=b"{oops")
    batch = [arrival(event("E-1", 1)), bad, arrival(event("E-1", 2))]

    routed = route_batch(batch, (), to_engagement)

    assert [(each.id, trouble.code) for each, trouble in routed.aside] == [(bad.id, "no-event")]
    assert routed.groups == {"engagement:E-1": [batch[0], batch[2]]}
    assert not routed.stopped


def test_all_events_of_a_parked_engagement_wait() -> None:
    batch = [arrival(event("E-1", 5)), arrival(event("E-2", 1))]

    routed = route_batch(batch, {"E-1"}, to_engagement)

    assert set(routed.groups) == {"engagement:E-2"}
    assert routed.stopped == [(batch[0], WAITING)]


def test_events_that_no_stream_processes_and_tombstones_are_ignored() -> None:
    place = partition_of("person:ann@1")
    tombstone = CODEC.read(DELIVERY_REFERENCE.topic(), place, 0, b"person:ann@1", None)

    routed = route_batch([arrival(event("E-1", 1)), tombstone], (), to_no_stream)

    assert not routed.groups
    assert not routed.stopped
    assert not routed.aside
    assert len(routed.ignored) == 2


def test_a_bug_in_routing_parks_only_its_event() -> None:
    def routes(recorded: Recorded[Event]) -> str | None:
        if recorded.subject == "E-1":
            raise KeyError("who")
        return to_engagement(recorded)

    routed = route_batch([arrival(event("E-1", 1)), arrival(event("E-2", 1))], (), routes)

    assert [(each.key, trouble.code) for each, trouble in routed.stopped] == [("E-1", "failed")]
    assert set(routed.groups) == {"engagement:E-2"}


@pytest.mark.parametrize("key", [b"", b"\xff\xfe", b"E-1\n", b"E" * 1000])
def test_a_record_with_an_unreadable_key_is_set_aside(key: bytes) -> None:
    routed = route_batch([arrival(event("E-1", 1), key=key)], (), to_engagement)

    assert [trouble.code for _, trouble in routed.aside] == ["no-key"]
    assert not routed.groups
