"""Records that never arrived are read again, and a reader gets past those that are not there."""

from collections.abc import Iterable

from aiokafka import TopicPartition

from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.offset_gaps import READ_AGAIN, OffsetGaps
from contracts.channels import SALES

PLACES = [TopicPartition(SALES.topic(), number) for number in range(3)]


class Consumer:
    """Kafka's side: where all logs begin, and how often it was set back."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.set_back = 0

    async def beginning_offsets(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.first)

    def seek(self, place: TopicPartition, offset: int) -> None:  # noqa: ARG002
        self.set_back += place == PLACES[0]


def arrivals(place: TopicPartition, *offsets: int) -> list[Arrival]:
    return [Arrival(place.topic, place.partition, each, "E-1", SALES, b"") for each in offsets]


def expecting() -> OffsetGaps:
    continuity = OffsetGaps("readers")
    continuity.begin(dict.fromkeys(PLACES, 0))
    return continuity


async def test_what_follows_without_a_gap_is_not_read_again() -> None:
    continuity, consumer = expecting(), Consumer()

    assert not await continuity.must_read_again(arrivals(PLACES[0], 0, 1, 2), consumer)
    assert (consumer.set_back, continuity.lost) == (0, 0)


async def test_gaps_on_several_partitions_do_not_keep_each_other_open() -> None:
    """The marks that transactions leave are such gaps; partitions come in turn, one by one."""
    continuity, consumer = expecting(), Consumer()
    passed = set()
    for turn in range(20):
        place = PLACES[turn % len(PLACES)]
        batch = arrivals(place, 0, 2)
        if place not in passed and not await continuity.must_read_again(batch, consumer):
            continuity.advance(batch)
            passed.add(place)

    assert passed == set(PLACES)
    assert consumer.set_back == READ_AGAIN * len(PLACES)
    assert continuity.lost == 0, "what was read again is not there: nothing was lost"


async def test_all_gaps_of_a_batch_are_read_again_together() -> None:
    continuity, consumer = expecting(), Consumer()
    batch = arrivals(PLACES[0], 0, 2, 4, 6, 8)
    rounds = 0
    while await continuity.must_read_again(batch, consumer):
        rounds += 1

    assert rounds == consumer.set_back == READ_AGAIN
    assert continuity.lost == 0


async def test_records_that_were_deleted_before_they_were_read_are_lost() -> None:
    continuity, consumer = expecting(), Consumer(first=7)
    rounds = 0
    while await continuity.must_read_again(arrivals(PLACES[0], 9), consumer):
        rounds += 1

    assert rounds == READ_AGAIN, "9 is behind the first that is kept"
    assert continuity.lost == 7
    assert not await continuity.must_read_again(arrivals(PLACES[1], 7), consumer)
    assert continuity.lost == 14
