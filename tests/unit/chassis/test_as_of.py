"""As-of moments of own partitions, of other replicas' partitions, and of lists."""

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


def test_the_moment_is_the_one_at_which_the_ends_were_fetched() -> None:
    caught_up = CaughtUp()

    caught_up.compare(3, at(1), {"t": 5, "u": 2}, {"t": 5, "u": 1})
    assert caught_up.seen == {}
    caught_up.compare(3, at(2), {"t": 5, "u": 2}, {"t": 5, "u": 2})
    assert caught_up.seen == {3: at(2)}


def test_the_moment_advances_under_a_steady_load() -> None:
    caught_up = CaughtUp()
    for second in range(10):  # always 50 records behind, and 100 come every second
        caught_up.compare(3, at(second), {"t": 100 * second}, {"t": 100 * second - 50})

    assert at(7) <= caught_up.seen[3] < at(9)


async def test_a_replica_has_its_own_moments_at_once_and_those_of_others_once_written(
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


async def test_the_moment_of_all_engagements_is_that_of_the_oldest_partition(
    documents: Documents,
) -> None:
    caught_up = CaughtUp()
    no_lag(caught_up, 9)
    caught_up.compare(4, at(2), {"t": 5}, {"t": 5})

    assert replica(documents, caught_up).of_all() == at(2)


async def test_the_last_moment_is_known_after_a_restart_without_kafka(documents: Documents) -> None:
    before = CaughtUp()
    no_lag(before, 1)
    before.settled(at(2))
    await replica(documents, before).exchange()

    after = replica(documents, CaughtUp())
    await after.exchange()

    assert after.of_all() == at(1)


async def test_moments_that_only_this_process_sees_end_when_its_partitions_are_revoked(
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


async def test_a_partition_that_is_processed_again_has_no_moment_until_it_has_caught_up(
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


async def test_the_previous_owner_of_a_partition_learns_that_it_is_processed_again(
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


async def test_the_moment_of_lists_is_that_of_the_last_results_written_into_them(
    documents: Documents,
) -> None:
    caught_up = CaughtUp()
    lists: list[datetime | None] = [None]
    one = replica(documents, caught_up, lambda: lists[0])
    no_lag(caught_up, 1)
    caught_up.settled(at(3))

    for listed, known in ((None, None), (at(2), None), (at(3), at(1))):
        lists[0] = listed
        one.look_at_lists()
        assert one.of_lists() == known


async def test_another_replica_learns_the_moment_of_lists(documents: Documents) -> None:
    caught_up = CaughtUp()
    writer, reader = replica(documents, caught_up, lambda: at(9)), replica(documents, CaughtUp())
    no_lag(caught_up, 1)
    caught_up.settled(at(3))

    await writer.exchange()
    await reader.exchange()
    reader.look_at_lists()

    assert reader.of_lists() == at(1)


async def test_lists_in_memory_have_what_this_process_has_processed(documents: Documents) -> None:
    caught_up = CaughtUp()
    no_lag(caught_up, 1)

    assert replica(documents, caught_up, lists_in_memory=True).of_lists() == at(1)
    assert replica(documents, caught_up).of_lists() is None


async def test_a_parked_engagement_has_no_moment(documents: Documents) -> None:
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


async def test_a_parked_engagement_has_no_moment_after_its_partition_is_revoked(
    documents: Documents,
) -> None:
    """Keep parked engagements in the written moments, from which other replicas read them."""
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
    for _ in range(2):  # the partitions may be revoked again, while no moment is known
        await one.exchange()
        await other.exchange()
        assert one.of_engagement(ENGAGEMENT) is None
        assert other.of_engagement(ENGAGEMENT) is None
        assert other.of_all() == at(3)
        caught_up.withdrawn(parked)


async def test_an_engagement_can_be_parked_before_its_partition_was_compared(
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

    assert one.of_engagement(ENGAGEMENT) == at(5), "its events were processed since"


def test_the_header_is_in_utc_with_milliseconds_and_left_out_if_the_moment_is_unknown() -> None:
    assert as_of.header(at(1.2345678)) == {"Concord-As-Of": "2026-03-02T10:00:01.234Z"}
    assert as_of.header(None) == {}
    assert Mark(None, at(1)).parked == frozenset()
