"""Totals: the portfolio's figures by partition, and how many events they count.

A total's number is the sum of the revisions of the views that it counts. Of two totals of one
partition, the one with the higher number counts more, whichever worker wrote it. So a worker that
lost its partitions, and writes late, replaces no total that counts more than its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.portfolio import Figures, exchange


@dataclass(frozen=True, slots=True)
class Share:
    """What one engagement adds to its partition's total: its revision and its figures."""

    number: int = 0
    figures: Mapping[str, Decimal] = field(default_factory=dict)


NOTHING = Share()


@dataclass(slots=True)
class Total:
    """What the engagements of a partition add up to."""

    number: int = 0
    figures: Figures = field(default_factory=dict)


class Totals:
    """The totals of some partitions, kept by exchanging the share of one engagement at a time."""

    def __init__(self, partitions: Iterable[int] = ()) -> None:
        self.by_partition = {partition: Total() for partition in partitions}
        self._shares: dict[str, Share] = {}

    def share(self, engagement: str) -> Share:
        """Return what an engagement adds now."""
        return self._shares.get(engagement, NOTHING)

    def count(self, partition: int, engagement: str, share: Share) -> None:
        """Count an engagement's share in the place of its earlier one.

        Engagements of partitions that are not counted here are passed over.
        """
        total = self.by_partition.get(partition)
        if total is None:
            return
        before = self.share(engagement)
        exchange(total.figures, before.figures, share.figures)
        total.number += share.number - before.number
        self._shares[engagement] = share
