"""Offset gaps: missing offsets are read again, and accepted if Kafka has no records there."""

from collections.abc import Iterable

from aiokafka import TopicPartition

from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.offset_gaps import READ_AGAIN, OffsetGaps
from contracts.channels import SALES

PLACES = [TopicPartition(SALES.topic(), number) for number in range(3)]


class Consumer:
    """A client's consumer whose partitions begin at `first`; it counts how often it is set back."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.set_back = 0

    async def beginning_offsets(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.first)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.set_back += place == PLACES[0]


def arrivals(place: TopicPartition, *offsets: int) -> list[Arrival]:
    return [Arrival(place.topic, place.partition, each, "E-1", SALES, b"") for each in offsets]


def expecting_first() -> OffsetGaps:
    offset_gaps = OffsetGaps("readers")
    offset_gaps.begin(dict.fromkeys(PLACES, 0))
    return offset_gaps


async def test_records_without_a_gap_are_not_read_again() -> None:
    offset_gaps, consumer = expecting_first(), Consumer()

    assert not await offset_gaps.must_read_again(arrivals(PLACES[0], 0, 1, 2), consumer)
    assert (consumer.set_back, offset_gaps.lost) == (0, 0)


async def test_gaps_of_several_partitions_are_all_accepted() -> None:
    """Transaction markers leave such gaps; the partitions arrive one after the other."""
    offset_gaps, consumer = expecting_first(), Consumer()
    passed = set()
    for turn in range(20):
        place = PLACES[turn % len(PLACES)]
        batch = arrivals(place, 0, 2)
        if place not in passed and not await offset_gaps.must_read_again(batch, consumer):
            offset_gaps.advance(batch)
            passed.add(place)

    assert passed == set(PLACES)
    assert consumer.set_back == READ_AGAIN * len(PLACES)
    assert offset_gaps.lost == 0, "Kafka has no records there: nothing was lost"


async def test_all_gaps_of_a_batch_are_read_again_together() -> None:
    offset_gaps, consumer = expecting_first(), Consumer()
    batch = arrivals(PLACES[0], 0, 2, 4, 6, 8)
    rounds = 0
    while await offset_gaps.must_read_again(batch, consumer):
        rounds += 1

    assert rounds == consumer.set_back == READ_AGAIN
    assert offset_gaps.lost == 0


async def test_records_that_were_deleted_before_they_were_read_are_lost() -> None:
    offset_gaps, consumer = expecting_first(), Consumer(first=7)
    rounds = 0
    while await offset_gaps.must_read_again(arrivals(PLACES[0], 9), consumer):
        rounds += 1

    assert rounds == READ_AGAIN, "9 is behind the first offset that the topic has"
    assert offset_gaps.lost == 7
    assert not await offset_gaps.must_read_again(arrivals(PLACES[1], 7), consumer)
    assert offset_gaps.lost == 14
