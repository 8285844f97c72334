"""Consumer lag: processed offsets compared with the ends of the topics."""

from collections.abc import Iterable
from typing import Any, cast

from aiokafka import TopicPartition

from chassis.application.as_of import CaughtUp
from chassis.kafka.lag import LagMeter
from chassis.kafka.liveness import Liveness
from contracts.channels import LEGAL, SALES

PLACES = [TopicPartition(LEGAL.topic(), 3), TopicPartition(SALES.topic(), 3)]


class KafkaConsumer:
    """A client's consumer of one partition of two topics with 10 offsets each."""

    def __init__(self, position: int = 10) -> None:
        self.positions = dict.fromkeys(PLACES, position)

    async def committed(self, place: TopicPartition) -> int | None:
        return None if place == PLACES[0] else 4

    async def beginning_offsets(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 2)

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 10)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset


def meter(
    progress: Liveness,
    caught_up: CaughtUp,
    *,
    is_handling: bool = False,
    is_prepared: bool = True,
) -> LagMeter:
    return LagMeter(
        progress,
        caught_up,
        is_handling=lambda: is_handling,
        is_prepared=lambda: is_prepared,
    )


async def test_records_behind_the_committed_or_first_offset_are_lag() -> None:
    progress, caught_up = Liveness(), CaughtUp()
    lag, consumer = meter(progress, caught_up, is_handling=True), cast("Any", KafkaConsumer())

    await lag.measure(consumer, PLACES, lambda: True)
    assert progress.lag == {PLACES[0]: 8, PLACES[1]: 6}
    assert not caught_up.seen

    for place in PLACES:
        lag.advance(place, 10)
    await lag.measure(consumer, PLACES, lambda: True)
    assert progress.lag == {PLACES[0]: 0, PLACES[1]: 0}
    assert caught_up.seen.keys() == {3}


async def test_the_time_of_the_data_is_unknown_while_parked_engagements_are() -> None:
    progress, caught_up = Liveness(), CaughtUp()
    lag = meter(progress, caught_up, is_prepared=False)
    for place in PLACES:
        lag.advance(place, 10)

    await lag.measure(cast("Any", KafkaConsumer()), PLACES, lambda: True)

    assert progress.lag == {PLACES[0]: 0, PLACES[1]: 0}
    assert not caught_up.seen


async def test_offsets_without_records_count_as_processed_after_one_more_attempt() -> None:
    progress = Liveness()
    lag, consumer = meter(progress, CaughtUp()), KafkaConsumer()

    await lag.measure(cast("Any", consumer), PLACES, lambda: True)
    assert progress.lag == {PLACES[0]: 8, PLACES[1]: 6}
    assert consumer.positions == {PLACES[0]: 2, PLACES[1]: 4}, "the consumer is set back once"

    consumer.positions = dict.fromkeys(PLACES, 10)
    await lag.measure(cast("Any", consumer), PLACES, lambda: True)
    assert progress.lag == {PLACES[0]: 0, PLACES[1]: 0}


async def test_nothing_is_measured_after_partitions_were_revoked() -> None:
    progress, caught_up = Liveness(), CaughtUp()
    lag, consumer = meter(progress, caught_up), KafkaConsumer()

    await lag.measure(cast("Any", consumer), PLACES, lambda: False)

    assert (progress.lag, consumer.positions) == ({}, dict.fromkeys(PLACES, 10))
