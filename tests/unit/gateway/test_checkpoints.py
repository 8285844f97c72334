"""Checkpoints that are interrupted because the partitions are revoked."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from chassis.base.partitioning import partition_of
from gateway.portfolio.totals import Share, Total, Totals
from gateway.projection.checkpoints import CheckpointWriter
from gateway.projection.view_store import CachedView
from gateway.view.engagement_view import View


class Interrupted:
    """A view store whose partitions are revoked while the first page is written."""

    def __init__(self) -> None:
        self.checkpoints = CheckpointWriter(cast("Any", self))
        self.written: list[str] = []
        self.now_counted = Totals(range(12))

    async def put(self, held: Sequence[CachedView]) -> dict[str, Share]:
        self.written += [each.view.engagement for each in held]
        self.checkpoints.begin(self.now_counted)
        return {each.view.engagement: Share(7) for each in held}

    async def put_totals(self, totals: Mapping[int, Total]) -> None: ...


async def test_views_of_revoked_partitions_are_not_counted() -> None:
    store = Interrupted()
    names = [f"E-{number:013d}" for number in range(150)]
    for name in names:
        store.checkpoints.put(CachedView(View(name), partition_of(name)))

    await store.checkpoints.checkpoint()

    assert store.written == names[:100]
    assert all(total.number == 0 for total in store.now_counted.by_partition.values())
