"""Compute which hours before the contract no early start covers.

The caps of all early starts add up, in hours and in money. Each is used on its own days only:
others must cover the days after and before it. Hours that are not billable use up no cap, and are
covered while none is spent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

from contracts.legal import EarlyStartAuthorised
from contracts.money import Rate
from gateway.rules.amounts import agreed_lines
from gateway.rules.hours import Hours, day_of
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Kept

_HUNDREDTH = Decimal("0.01")
"""Hours have two decimals."""


@dataclass(slots=True)
class _Caps:
    """Caps that early starts leave for the days between two others; None if unlimited."""

    after: date
    until: date
    hours: Decimal | None
    amount: Decimal | None
    currency: str | None

    def fitting(self, each: Hours, rate: Rate | None) -> Decimal:
        """Return how many of the hours are within the caps; none where a needed rate is unknown."""
        if self.is_spent:
            return Decimal(0)
        if not each.billable:
            return each.hours
        fit = each.hours if self.hours is None else min(each.hours, self.hours)
        if self.amount is None:
            return fit
        if rate is None or rate.currency != self.currency:
            return Decimal(0)
        if fit * rate.amount <= self.amount:
            return fit
        return (self.amount / rate.amount).quantize(_HUNDREDTH, ROUND_DOWN)

    def includes(self, day: date) -> bool:
        """Return whether the caps are those of a day."""
        return self.after < day < self.until

    @property
    def is_spent(self) -> bool:
        """True if nothing is left."""
        return any(left is not None and left <= 0 for left in (self.hours, self.amount))

    def use(self, hours: Decimal, rate: Rate | None) -> None:
        """Take billable hours from what is left."""
        if self.hours is not None:
            self.hours -= hours
        if self.amount is not None and rate is not None:
            self.amount -= hours * rate.amount


def beyond_early_starts(
    view: View, approved: Iterable[Hours], waiting: Iterable[Hours]
) -> Iterator[Hours]:
    """Yield the hours, or the part of them, that no early start covers.

    Approved hours use up the caps first, and within each group those of earlier days.
    """
    caps = _all_caps(view)
    for each in (*sorted(approved, key=day_of), *sorted(waiting, key=day_of)):
        if not _lasts_on(view, each.day):
            yield each
            continue
        limits, rate = [cap for cap in caps if cap.includes(each.day)], _bill_rate(view, each)
        fit = min(cap.fitting(each, rate) for cap in limits)
        if each.billable:
            for cap in limits:
                cap.use(fit, rate)
        if fit < each.hours:
            yield replace(each, hours=each.hours - fit)


def covers_expense(view: View, on: date, approved: Iterable[Hours]) -> bool:
    """Return whether early starts cover an expense of a day: it uses up no cap.

    One has to include the day, and the approved hours must not have used up a cap.
    """
    if not _lasts_on(view, on):
        return False
    caps = [each for each in _all_caps(view) if each.includes(on)]
    for each in approved:
        if lacks_rate(view, each, on):
            return False
        for cap in caps:
            if cap.includes(each.day):
                cap.use(each.hours, _bill_rate(view, each))
    return not any(cap.is_spent for cap in caps)


def lacks_rate(view: View, each: Hours, on: date | None = None) -> bool:
    """Return whether early starts are limited in money, and the hours have no bill rate for it.

    For work of a day that none of them includes, by default that of the hours, no rate would help.
    """
    if not _lasts_on(view, on or each.day):
        return False
    amounts = [start.event.cap_amount for start in view.legal.early_starts]
    rate = _bill_rate(view, each)
    return any(cap and (rate is None or rate.currency != cap.currency) for cap in amounts)


def _lasts_on(view: View, day: date) -> bool:
    starts = (each.event for each in view.legal.early_starts)
    return any(start.starts_on <= day <= start.expires_on for start in starts)


def _all_caps(view: View) -> list[_Caps]:
    """Return the caps for the days between any two: each early start is used on its own days."""
    starts = view.legal.early_starts
    return [
        _caps(starts, after, until)
        for after in {date.min, *(each.event.expires_on for each in starts)}
        for until in {date.max, *(each.event.starts_on for each in starts)}
    ]


def _caps(starts: Sequence[Kept[EarlyStartAuthorised]], after: date, until: date) -> _Caps:
    events = [each.event for each in starts]
    lasting = [each for each in events if each.expires_on > after and each.starts_on < until]
    hours = [each.cap_hours for each in lasting if each.cap_hours is not None]
    amounts = [each.cap_amount for each in lasting if each.cap_amount is not None]
    return _Caps(
        after,
        until,
        sum(hours, Decimal(0)) if hours else None,
        sum((each.amount for each in amounts), Decimal(0)) if amounts else None,
        amounts[0].currency if amounts else None,
    )


def _bill_rate(view: View, each: Hours) -> Rate | None:
    """Return the rate of the first line that has one, else of the newest priced estimate.

    Delivery compares the caps at the same rate.
    """
    agreed = (line.rate_on(each.role, each.day) for line in agreed_lines(view))
    return next((rate for rate in agreed if rate), view.finance.estimated_rate(each.role))
