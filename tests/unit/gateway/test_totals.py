"""Totals: sums of engagements' shares, and which of two totals is newer."""

from decimal import Decimal

from gateway.portfolio.totals import NOTHING, Share, Totals


def test_an_engagement_counts_once_with_its_latest_share() -> None:
    totals = Totals([3])
    totals.count(3, "E-1", Share(10, {"on-hold": Decimal(1)}))
    totals.count(3, "E-2", Share(5, {"on-hold": Decimal(1), "EUR.backlog": Decimal(7)}))
    totals.count(3, "E-1", Share(12, {"EUR.backlog": Decimal(2)}))
    total = totals.by_partition[3]
    assert total.figures == {"on-hold": Decimal(1), "EUR.backlog": Decimal(9)}
    totals.count(3, "E-2", NOTHING)
    assert (total.number, total.figures) == (12, {"EUR.backlog": Decimal(2)})


def test_the_newer_of_two_totals_has_the_higher_number() -> None:
    late, new = Totals([3]), Totals([3])
    for number in (1, 2, 3):
        late.count(3, "E-1", Share(number, {}))
    new.count(3, "E-1", Share(4, {}))
    assert late.by_partition[3].number < new.by_partition[3].number


def test_engagements_of_other_partitions_are_ignored() -> None:
    totals = Totals([3])
    totals.count(4, "E-1", Share(10, {"on-hold": Decimal(1)}))
    assert totals.by_partition[3].figures == {}
    assert totals.share("E-1") == NOTHING
