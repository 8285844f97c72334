"""Writing behind the folding, where partitions go while it is under way."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from chassis.base.partitioning import partition_of
from gateway.fold import View
from gateway.keeping import Keeping
from gateway.shelf import Held
from gateway.totals import Share, Total, Totals


class Interrupted:
    """A shelf that is told of other partitions while the first page is written."""

    def __init__(self) -> None:
        self.keeping = Keeping(cast("Any", self))
        self.written: list[str] = []
        self.now_counted = Totals(range(12))

    async def put(self, held: Sequence[Held]) -> dict[str, Share]:
        self.written += [each.view.engagement for each in held]
        self.keeping.begin(self.now_counted)
        return {each.view.engagement: Share(7) for each in held}

    async def put_totals(self, totals: Mapping[int, Total]) -> None: ...


async def test_what_was_to_be_written_before_partitions_went_is_not_counted_after() -> None:
    shelf = Interrupted()
    names = [f"E-{number:013d}" for number in range(150)]
    for name in names:
        shelf.keeping.put(Held(View(name), partition_of(name)))

    await shelf.keeping.checkpoint()

    assert shelf.written == names[:100]
    assert all(total.number == 0 for total in shelf.now_counted.by_partition.values())
