"""Totals: the portfolio's figures by partition, with a number that orders them.

A total's number is the sum of the revisions of the views in it. Of two totals of one partition the
one with the higher number contains more, no matter which worker wrote it. So a worker that lost its
partitions and writes late does not replace a newer total.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.portfolio.figures import Figures, replace_contribution


@dataclass(frozen=True, slots=True)
class Share:
    """One engagement's share of its partition's total: its revision and its figures."""

    number: int = 0
    figures: Mapping[str, Decimal] = field(default_factory=dict)


NOTHING = Share()


@dataclass(slots=True)
class Total:
    """The sum of the figures of a partition's engagements, and of their revisions."""

    number: int = 0
    figures: Figures = field(default_factory=dict)


class Totals:
    """The totals of some partitions, updated by replacing the share of one engagement at a time."""

    def __init__(self, partitions: Iterable[int] = ()) -> None:
        self.by_partition = {partition: Total() for partition in partitions}
        self._shares: dict[str, Share] = {}

    def share(self, engagement: str) -> Share:
        """Return the current share of an engagement, `NOTHING` if it has none."""
        return self._shares.get(engagement, NOTHING)

    def count(self, partition: int, engagement: str, share: Share) -> None:
        """Replace an engagement's earlier share.

        Engagements of other partitions are ignored.
        """
        total = self.by_partition.get(partition)
        if total is None:
            return
        before = self.share(engagement)
        replace_contribution(total.figures, before.figures, share.figures)
        total.number += share.number - before.number
        self._shares[engagement] = share
