"""Up to which moment answers hold what others published: of own partitions, of others, of lists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.application import as_of
from chassis.application.as_of import AsOf, CaughtUp, Mark
from chassis.base.partitioning import partition_of
from chassis.eventstore.mongo import Document
from contracts.channels import PARTITIONS

ENGAGEMENT = "E-0000000000001"
ITS = partition_of(ENGAGEMENT)
EVERY = range(PARTITIONS)


def at(second: float) -> datetime:
    return datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(seconds=second)


class Documents:
    """A collection that several replicas share."""

    def __init__(self) -> None:
        self.kept: dict[Any, Document] = {}

    def find(self, _: Document) -> "Documents":
        return self

    async def to_list(self, _: None) -> list[Document]:
        return list(self.kept.values())


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> Documents:
    shared = Documents()

    async def replace(collection: Documents, documents: list[Document]) -> None:
        for each in documents:
            before = collection.kept.get(each["_id"])
            if before is None or before["number"] <= each["number"]:
                collection.kept[each["_id"]] = each

    monkeypatch.setattr(as_of, "replace_older", replace)
    return shared


def replica(
    documents: Documents,
    caught_up: CaughtUp | None,
    listed: Callable[[], datetime | None] = lambda: None,
    **given: Any,
) -> AsOf:
    given.setdefault("parked", tuple)
    return AsOf(documents, caught_up, listed=listed, **given)  # type: ignore[arg-type]


def no_lag(caught_up: CaughtUp, second: float, partitions: Any = EVERY) -> None:
    for partition in partitions:
        caught_up.compare(partition, at(second), {"t": 5}, {"t": 5})


def test_the_moment_is_that_at_which_the_ends_were_asked_for() -> None:
    caught_up = CaughtUp()

    caught_up.compare(3, at(1), {"t": 5, "u": 2}, {"t": 5, "u": 1})
    assert caught_up.seen == {}
    caught_up.compare(3, at(2), {"t": 5, "u": 2}, {"t": 5, "u": 2})
    assert caught_up.seen == {3: at(2)}


def test_under_a_steady_load_the_moment_moves_on() -> None:
    caught_up = CaughtUp()
    for second in range(10):  # always 50 records behind, and 100 come every second
        caught_up.compare(3, at(second), {"t": 100 * second}, {"t": 100 * second - 50})

    assert at(7) <= caught_up.seen[3] < at(9)


async def test_a_replica_knows_of_its_own_partitions_at_once_and_of_others_what_they_wrote(
    documents: Documents,
) -> None:
    first, second = CaughtUp(), CaughtUp()
    one, two = replica(documents, first), replica(documents, second)
    no_lag(first, 1, [each for each in EVERY if each == ITS])
    assert one.of_engagement(ENGAGEMENT) == at(1)

    await one.exchange()
    await two.exchange()
    assert two.of_engagement(ENGAGEMENT) is None, "nothing of it is written yet"
    first.settled(at(1.5))
    await one.exchange()
    await two.exchange()
    assert two.of_engagement(ENGAGEMENT) == at(1)
    assert two.of_all() is None
    assert two.unknown == [each for each in EVERY if each != ITS]


async def test_the_oldest_partition_counts_for_what_rests_on_all(documents: Documents) -> None:
    caught_up = CaughtUp()
    no_lag(caught_up, 9)
    caught_up.compare(4, at(2), {"t": 5}, {"t": 5})

    assert replica(documents, caught_up).of_all() == at(2)


async def test_after_a_restart_without_kafka_the_last_moment_is_known(documents: Documents) -> None:
    before = CaughtUp()
    no_lag(before, 1)
    before.settled(at(2))
    await replica(documents, before).exchange()

    after = replica(documents, CaughtUp())
    await after.exchange()

    assert after.of_all() == at(1)


async def test_what_only_this_process_sees_counts_no_more_once_its_partitions_are_gone(
    documents: Documents,
) -> None:
    caught_up = CaughtUp()
    one = replica(documents, caught_up)
    no_lag(caught_up, 1)
    caught_up.settled(at(2))
    no_lag(caught_up, 7)
    assert one.of_all() == at(7)

    caught_up.withdrawn(())

    assert one.of_all() == at(1)


async def test_what_is_read_again_from_its_start_has_no_moment_until_it_has_caught_up(
    documents: Documents,
) -> None:
    caught_up, other = CaughtUp(), replica(documents, CaughtUp())
    one = replica(documents, caught_up)
    no_lag(caught_up, 1)
    caught_up.settled(at(2))
    await one.exchange()

    caught_up.begins_again(EVERY, at(3))
    await one.exchange()
    await other.exchange()
    assert (one.of_all(), other.of_all()) == (None, None)

    no_lag(caught_up, 9)
    caught_up.settled(at(10))
    await one.exchange()
    await other.exchange()
    assert (one.of_all(), other.of_all()) == (at(9), at(9))


async def test_who_had_a_partition_before_learns_that_it_is_read_again(
    documents: Documents,
) -> None:
    before, after = CaughtUp(), CaughtUp()
    one, two = replica(documents, before), replica(documents, after)
    no_lag(before, 1)
    before.settled(at(2))
    before.withdrawn(())
    after.begins_again(EVERY, at(3))
    for each in (one, two, one):
        await each.exchange()

    assert one.of_all() is None


async def test_lists_are_as_old_as_what_is_written_into_them(documents: Documents) -> None:
    caught_up = CaughtUp()
    lists: list[datetime | None] = [None]
    one = replica(documents, caught_up, lambda: lists[0])
    no_lag(caught_up, 1)
    caught_up.settled(at(3))

    for listed, known in ((None, None), (at(2), None), (at(3), at(1))):
        lists[0] = listed
        one.look_at_lists()
        assert one.of_lists() == known


async def test_another_replica_learns_how_far_lists_are_written(documents: Documents) -> None:
    caught_up = CaughtUp()
    writes, reads = replica(documents, caught_up, lambda: at(9)), replica(documents, CaughtUp())
    no_lag(caught_up, 1)
    caught_up.settled(at(3))

    await writes.exchange()
    await reads.exchange()
    reads.look_at_lists()

    assert reads.of_lists() == at(1)


async def test_lists_in_memory_have_what_this_process_has_processed(documents: Documents) -> None:
    caught_up = CaughtUp()
    no_lag(caught_up, 1)

    assert replica(documents, caught_up, lists_in_memory=True).of_lists() == at(1)
    assert replica(documents, caught_up).of_lists() is None


async def test_an_engagement_whose_events_wait_has_no_moment(documents: Documents) -> None:
    caught_up = CaughtUp()
    parked = {ENGAGEMENT}
    one = replica(documents, caught_up, parked=lambda: parked)
    other = replica(documents, CaughtUp())
    no_lag(caught_up, 1)
    caught_up.settled(at(2))
    await one.exchange()
    await other.exchange()

    assert one.of_engagement(ENGAGEMENT) is None
    assert other.of_engagement(ENGAGEMENT) is None
    parked.clear()
    await one.exchange()
    await other.exchange()
    assert one.of_engagement(ENGAGEMENT) == other.of_engagement(ENGAGEMENT) == at(1)


async def test_an_engagement_that_waits_has_no_moment_once_its_partition_is_gone(
    documents: Documents,
) -> None:
    """What is parked is forgotten with the partitions, and other replicas read it from here."""
    caught_up = CaughtUp()
    parked = {ENGAGEMENT}
    one = replica(documents, caught_up, parked=lambda: parked)
    other = replica(documents, CaughtUp())
    no_lag(caught_up, 1)
    caught_up.settled(at(2))
    await one.exchange()

    no_lag(caught_up, 3)
    caught_up.settled(at(4))
    caught_up.withdrawn(parked)
    parked.clear()
    for _ in range(2):  # the partitions may be withdrawn again, while nothing is known
        await one.exchange()
        await other.exchange()
        assert one.of_engagement(ENGAGEMENT) is None
        assert other.of_engagement(ENGAGEMENT) is None
        assert other.of_all() == at(3)
        caught_up.withdrawn(parked)


async def test_an_engagement_may_wait_where_the_partition_was_not_compared_yet(
    documents: Documents,
) -> None:
    caught_up = CaughtUp()
    parked = {ENGAGEMENT}
    one = replica(documents, caught_up, parked=lambda: parked)
    no_lag(caught_up, 1)
    caught_up.settled(at(2))
    caught_up.withdrawn(parked)
    await one.exchange()

    parked.clear()
    no_lag(caught_up, 5)
    caught_up.settled(at(6))
    await one.exchange()

    assert one.of_engagement(ENGAGEMENT) == at(5), "it was taken in since"


def test_the_header_has_milliseconds_of_utc_and_is_left_out_where_nothing_is_known() -> None:
    assert as_of.header(at(1.2345678)) == {"Concord-As-Of": "2026-03-02T10:00:01.234Z"}
    assert as_of.header(None) == {}
    assert Mark(None, at(1)).parked == frozenset()
