"""Compute which work before the contract no early start covers.

Hours that are not billable use up no cap, and are covered while one of their day is not spent.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from contracts.early_start_caps import EarlyStartCaps
from contracts.money import Rate
from gateway.rules.amounts import agreed_lines
from gateway.rules.hours import Hours, day_of
from gateway.view.engagement_view import View


def beyond_early_starts(
    view: View, approved: Iterable[Hours], waiting: Iterable[Hours], uncovered: Container[Hours]
) -> Iterator[Hours]:
    """Yield the hours, or the part of them, that no early start covers.

    Approved hours use up the caps first, and within each group those of earlier days. Those that
    are `uncovered` for another reason use up none.
    """
    caps = _caps(view)
    for each in (*sorted(approved, key=day_of), *sorted(waiting, key=day_of)):
        if each.billable:
            rate = _bill_rate(view, each)
            if each in uncovered:
                left = caps.beyond(each.day, each.hours, rate)
            else:
                left = caps.take(each.day, each.role, each.hours, rate)
            if left:
                yield replace(each, hours=left)
        elif not caps.allow(each.day):
            yield each


def caps_after(view: View, approved: Iterable[Hours]) -> EarlyStartCaps:
    """Return what approved hours leave of early starts.

    They cover an expense of a day while one of its caps is not used up: it uses up none.
    """
    caps = _caps(view)
    for each in sorted(approved, key=day_of):
        caps.take(each.day, each.role, each.hours, _bill_rate(view, each))
    return caps


def lacks_rate(view: View, each: Hours) -> bool:
    """Return whether an early start of their day is limited in money, and hours have no rate."""
    return bool(_caps(view).unrated(each.day, each.role, _bill_rate(view, each)))


def _caps(view: View) -> EarlyStartCaps:
    return EarlyStartCaps(each.event for each in view.legal.early_starts)


def _bill_rate(view: View, each: Hours) -> Rate | None:
    """Return the rate of the first line that has one, else of the newest priced estimate.

    Delivery compares the caps at the same rate.
    """
    agreed = (line.rate_on(each.role, each.day) for line in agreed_lines(view))
    return next((rate for rate in agreed if rate), view.finance.estimated_rate(each.role))
