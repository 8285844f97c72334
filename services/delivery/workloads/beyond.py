"""Find the days between which a person is allocated for more hours than the person has.

An allocation does not say when its hours are worked. A person is allocated beyond their hours where
no way to work them exists: where the allocations that lie wholly between two days have more hours
than the person has between them. It is enough to look from the first day of an allocation to the
last day of one.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from contracts.delivery import BeyondHours
from delivery.workloads.events import AllocationNoted


class _Busiest(NamedTuple):
    """Hours beyond those available, and the allocations between the days that have them."""

    excess: Decimal
    days: int
    beyond: BeyondHours
    within: Sequence[AllocationNoted]


def beyond_hours(
    allocations: Sequence[AllocationNoted],
    available: Callable[[date, date], Decimal],
    today: date,
) -> dict[str, BeyondHours]:
    """Return by engagement the days whose allocations exceed most the hours that are available.

    `available` returns the hours that the person has between two days, both included. Days that are
    over are left out. Of equal excesses, the shortest period counts.
    """
    found: dict[str, BeyondHours] = {}
    left = [each for each in allocations if each.allocated and each.allocated.finishes_on >= today]
    while (busiest := _busiest(left, available)) is not None:
        for each in busiest.within:
            found.setdefault(each.engagement, busiest.beyond)
        left = [each for each in left if each not in busiest.within]
    return found


def _busiest(
    allocations: Sequence[AllocationNoted], available: Callable[[date, date], Decimal]
) -> _Busiest | None:
    """Return the days with the most hours beyond those available; None where there are none."""
    periods = [each.allocated for each in allocations if each.allocated]
    worst: _Busiest | None = None
    for first in {each.starts_on for each in periods}:
        for last in {each.finishes_on for each in periods if each.finishes_on >= first}:
            within = [
                each
                for each in allocations
                if each.allocated
                and first <= each.allocated.starts_on
                and each.allocated.finishes_on <= last
            ]
            allocated = sum((each.allocated.hours for each in within if each.allocated), Decimal(0))
            if not within or (worst is not None and allocated <= worst.excess):
                continue
            has = available(first, last)
            excess, days = allocated - has, -(last - first).days
            if excess > 0 and (worst is None or (excess, days) > (worst.excess, worst.days)):
                names = {each.engagement for each in within}
                beyond = BeyondHours(
                    starts_on=first,
                    finishes_on=last,
                    allocated=allocated,
                    available=has,
                    engagements=len(names),
                )
                worst = _Busiest(excess, days, beyond, within)
    return worst
