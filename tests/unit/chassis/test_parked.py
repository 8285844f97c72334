"""Store of parked records: records that a newer version parked."""

from collections.abc import AsyncIterator, Collection
from typing import Any, cast

from chassis.eventstore.mongo import Document
from chassis.kafka.parked import ParkedRecordStore
from tests.unit.chassis.parked_in_memory import NOW

E, OTHER = "E-0000000000001", "E-0000000000002"


class Documents:
    """A collection that finds the same documents for any condition."""

    def __init__(self, *documents: Document) -> None:
        self.documents = documents

    async def create_index(self, keys: object) -> None: ...

    def find(self, *_: object) -> "Documents":
        return self

    def sort(self, *_: object) -> "Documents":
        return self

    async def __aiter__(self) -> AsyncIterator[Document]:
        for each in self.documents:
            yield each


class Owned(ParkedRecordStore):
    """Parked records of a process that has the partitions already."""

    async def _take_over(self, partitions: Collection[int]) -> None: ...


async def test_a_record_of_a_channel_that_only_a_newer_version_has_is_ignored() -> None:
    parked: Document = {
        "_id": "place",
        "engagement": E,
        "partition": 0,
        "offset": 0,
        "sequence": 1,
        "code": "failed",
        "sentence": "a bug",
        "expected": None,
        "at": NOW.isoformat(),
        "order": 1,
    }
    newer = {**parked, "engagement": OTHER, "channel": "support"}
    parked_records = Owned(cast("Any", Documents(newer, {**parked, "channel": "sales"})))

    await parked_records.load({0})

    assert parked_records.heads.keys() == {E}
