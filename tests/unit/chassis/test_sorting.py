"""How a batch is read and sorted: what flows, what waits behind what, what is set aside."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.application.event_handler import stream_router
from chassis.base.partitioning import partition_of
from chassis.kafka.consumer_settings import (
    LARGEST_RECORD,
    Arrival,
    Codec,
    UnsafeBus,
    broker,
    refuse_unsafe,
    subscribe,
)
from chassis.kafka.parked_record import ParkedRecord, in_sequence
from chassis.kafka.routing import WAITING, route_batch
from contracts.channels import CHANNELS, DELIVERY_REFERENCE, LEGAL, PARTITIONS, SALES, Channel
from contracts.delivery import ManagerAssigned
from contracts.event import Event, Recorded, encode
from contracts.legal import FileOpened
from contracts.reference import PersonPublished
from contracts.sales import OpportunityAdvanced
from tests.component.sample_department import REGISTER, assigned, of_no_consequence

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CODEC = Codec(tuple(CHANNELS.values()), "concord")


def said(engagement: str, sequence: int, channel: Channel = SALES) -> Recorded[Event]:
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


def to_engagement(recorded: Recorded[Event]) -> list[str]:
    return [f"engagement:{recorded.subject}"]


def nobody(recorded: Recorded[Event]) -> list[str]:
    return []


def test_events_go_to_every_stream_that_hears_them_in_order() -> None:
    batch = [arrival(said("E-1", 1)), arrival(said("E-2", 1)), arrival(said("E-1", 2))]

    found = route_batch(batch, (), lambda each: [f"engagement:{each.subject}", "register:all"])

    assert {stream: [each.id for each in group] for stream, group in found.groups.items()} == {
        "engagement:E-1": [batch[0].id, batch[2].id],
        "engagement:E-2": [batch[1].id],
        "register:all": [each.id for each in batch],
    }
    assert not found.stopped
    assert not found.aside


def test_what_comes_behind_trouble_waits_and_others_flow() -> None:
    def routes(recorded: Recorded[Event]) -> list[str]:
        if recorded.sequence == 2:
            raise KeyError("who")
        return to_engagement(recorded)

    bad = arrival(said("E-1", 2))
    batch = [arrival(said("E-1", 1)), bad, arrival(said("E-1", 1, LEGAL)), arrival(said("E-2", 1))]

    found = route_batch(batch, (), routes)

    assert set(found.groups) == {"engagement:E-1", "engagement:E-2"}
    assert [(each.id, trouble.code) for each, trouble in found.stopped] == [
        (bad.id, "failed"),
        (batch[2].id, "waiting"),
    ]


def test_a_record_that_is_no_event_is_set_aside_and_its_engagement_flows() -> None:
    bad = arrival(said("E-1", 2), value=b"{oops")
    batch = [arrival(said("E-1", 1)), bad, arrival(said("E-1", 2))]

    found = route_batch(batch, (), to_engagement)

    assert [(each.id, trouble.code) for each, trouble in found.aside] == [(bad.id, "no-event")]
    assert found.groups == {"engagement:E-1": [batch[0], batch[2]]}
    assert not found.stopped


def test_all_of_a_parked_engagement_waits() -> None:
    batch = [arrival(said("E-1", 5)), arrival(said("E-2", 1))]

    found = route_batch(batch, {"E-1"}, to_engagement)

    assert set(found.groups) == {"engagement:E-2"}
    assert found.stopped == [(batch[0], WAITING)]


def test_what_nobody_hears_and_tombstones_pass_by() -> None:
    place = partition_of("person:ann@1")
    tombstone = CODEC.read(DELIVERY_REFERENCE.topic(), place, 0, b"person:ann@1", None)

    found = route_batch([arrival(said("E-1", 1)), tombstone], (), nobody)

    assert not found.groups
    assert not found.stopped
    assert not found.aside
    assert len(found.ignored) == 2


def test_a_bug_in_routing_parks_the_event_alone() -> None:
    def routes(recorded: Recorded[Event]) -> list[str]:
        if recorded.subject == "E-1":
            raise KeyError("who")
        return to_engagement(recorded)

    found = route_batch([arrival(said("E-1", 1)), arrival(said("E-2", 1))], (), routes)

    assert [(each.key, trouble.code) for each, trouble in found.stopped] == [("E-1", "failed")]
    assert set(found.groups) == {"engagement:E-2"}


@pytest.mark.parametrize("key", [b"", b"\xff\xfe", b"E-1\n", b"E" * 1000])
def test_a_key_that_names_nothing_sets_a_record_aside(key: bytes) -> None:
    found = route_batch([arrival(said("E-1", 1), key=key)], (), to_engagement)

    assert [trouble.code for _, trouble in found.aside] == ["no-key"]
    assert not found.groups


def test_a_record_on_a_partition_that_is_not_its_keys_is_set_aside() -> None:
    elsewhere = (partition_of("E-1") + 1) % PARTITIONS
    read = CODEC.read(SALES.topic(), elsewhere, 0, b"E-1", encode(said("E-1", 1)))

    assert read.trouble is not None
    assert read.trouble.code == "wrong-partition"
    assert read.key == "E-1"


def test_of_a_record_larger_than_a_topic_takes_only_the_beginning_is_kept() -> None:
    """Compressed, it may be any size; the store would refuse to keep it whole."""
    huge = b"{" + b" " * (20 * 2**20)
    read = CODEC.read(SALES.topic(), partition_of("E-1"), 0, b"E-1", huge)

    assert read.trouble is not None
    assert read.trouble.sentence == f"it has {len(huge)} bytes, and none has so many"
    assert read.raw == huge[:LARGEST_RECORD]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("concord.delivery.manager-sung.v1", "newer-version"),
        ("concord.delivery.manager-assigned.v2", "newer-version"),
        ("concord.delivery.manager-assigned.v1", "unreadable"),
    ],
)
def test_an_event_that_a_register_may_have_to_hear_waits_until_it_can_be_read(
    name: str, code: str
) -> None:
    """A register's route looks at the type, which tells nothing while the data cannot be read."""
    register = replace(
        REGISTER, route=lambda each: "all" if isinstance(each.event, ManagerAssigned) else None
    )
    value = encode(assigned("E-1")).replace(b"concord.delivery.manager-assigned.v1", name.encode())
    value = value.replace(b'"manager":"max"', b'"manager":[]')

    found = route_batch([arrival(assigned("E-1"), value=value)], (), stream_router([register]))

    assert [trouble.code for _, trouble in found.stopped] == [code]


def test_an_unreadable_event_that_no_register_hears_is_ignored() -> None:
    register = replace(REGISTER, route=lambda _: None)
    value = encode(of_no_consequence("E-1", 1)).replace(b'"tier":"standard"', b'"tier":[]')

    found = route_batch(
        [arrival(of_no_consequence("E-1", 1), value=value)], (), stream_router([register])
    )

    assert len(found.ignored) == 1


@given(value=st.binary(max_size=200), key=st.none() | st.binary(max_size=20))
def test_whatever_the_bytes_are_reading_answers(value: bytes, key: bytes | None) -> None:
    read = CODEC.read(SALES.topic(), 0, 0, key, value)

    assert (read.recorded is None) != (read.trouble is None)


def test_reference_data_is_known_by_kind_id_and_version() -> None:
    event = PersonPublished(person="ann", name="Ann", department="sales")
    record = Recorded("1", "ann", 3, event, "ann", "test", MOMENT, MOMENT, {})
    topic = DELIVERY_REFERENCE.topic()

    def read(key: str) -> Arrival:
        return CODEC.read(topic, partition_of(key), 0, key.encode(), encode(record))

    assert read("person:ann@3").trouble is None
    wrong = read("person:ann@2").trouble
    assert wrong is not None
    assert wrong.code == "wrong-key"


# ---- the order in which to try what is parked ------------------------------------------------


def parked(order: int, channel: Channel, sequence: int | None) -> ParkedRecord:
    return ParkedRecord(
        id=str(order),
        engagement="E-1",
        channel=channel,
        partition=0,
        offset=order,
        sequence=sequence,
        code="waiting",
        sentence="",
        expected=None,
        raw=b"",
        at=MOMENT,
        order=order,
    )


def tried(*records: ParkedRecord) -> list[tuple[str, int | None]]:
    return [(each.channel.name, each.sequence) for each in in_sequence(records)]


def test_a_missing_event_that_came_late_is_tried_first() -> None:
    assert tried(
        parked(1, LEGAL, 3), parked(2, SALES, 7), parked(3, LEGAL, 4), parked(4, LEGAL, 2)
    ) == [("legal", 2), ("sales", 7), ("legal", 3), ("legal", 4)]


def test_nothing_passes_a_record_whose_sequence_nobody_can_tell() -> None:
    assert tried(
        parked(1, SALES, 4), parked(2, SALES, None), parked(3, SALES, 3), parked(4, LEGAL, 1)
    ) == [("sales", 4), ("sales", None), ("sales", 3), ("legal", 1)]


@given(st.lists(st.tuples(st.sampled_from([SALES, LEGAL]), st.integers(1, 9)), max_size=12))
def test_nothing_is_lost_and_every_channel_is_in_sequence(
    came: list[tuple[Channel, int]],
) -> None:
    records = [parked(place, *each) for place, each in enumerate(came)]

    order = in_sequence(records)

    assert sorted(each.order for each in order) == list(range(len(came)))
    for channel in (SALES, LEGAL):
        of_channel = [each.sequence or 0 for each in order if each.channel is channel]
        assert of_channel == sorted(of_channel)


# ---- settings --------------------------------------------------------------------------------


async def ignore(arrivals: list[Arrival]) -> None:
    return None


def test_a_bus_that_could_lose_events_is_refused() -> None:
    bus = broker("127.0.0.1:1")
    with pytest.raises(UnsafeBus, match="group"):
        subscribe(bus, ignore, group="", channels=(SALES,), prefix="p", rebalance=None)
    with pytest.raises(UnsafeBus, match="channels"):
        subscribe(bus, ignore, group="g", channels=(), prefix="p", rebalance=None)


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("auto_offset_reset", "latest", "auto_offset_reset"),
        ("enable_auto_commit", True, "enable_auto_commit"),
        ("partition_assignment_strategy", (), "range assignor"),
    ],
)
def test_every_unsafe_setting_is_named(setting: str, value: object, complaint: str) -> None:
    bus = broker("127.0.0.1:1")
    made = subscribe(bus, ignore, group="g", channels=(SALES,), prefix="p", rebalance=None)
    made._connection_args[setting] = value

    with pytest.raises(UnsafeBus, match=complaint):
        refuse_unsafe(bus, made)


def test_a_bus_that_makes_topics_by_accident_is_refused() -> None:
    bus = broker("127.0.0.1:1")
    made = subscribe(bus, ignore, group="g", channels=(SALES,), prefix="p", rebalance=None)
    bus.config.broker_config.allow_auto_create_topics = True

    with pytest.raises(UnsafeBus, match="allow_auto_create_topics"):
        refuse_unsafe(bus, made)
