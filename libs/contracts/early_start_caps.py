"""Share work before the contract among the early starts that cover its day, up to their caps.

Delivery approves no work beyond the caps as billable, and the gateway finds it as a disconnect.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts.decimals import ROUNDING, canonical_decimal, round_decimal
from contracts.legal import EarlyStartAuthorised
from contracts.money import Money, Rate

_DECIMALS = 8
"""Decimals of hours that are beyond a cap: those of an amount at a rate have no end."""


@dataclass(slots=True)
class EarlyStartCap:
    """An early start, with what it leaves on its days: hours, an amount in its currency, or both.

    None is unlimited. `unrated` are roles of work on it whose rate is not known: then the amount
    that is left is not known, and covers nothing.
    """

    starts_on: date
    expires_on: date
    hours: Fraction | None
    amount: Fraction | None
    currency: str | None
    unrated: set[str] = field(default_factory=set)

    def includes(self, day: date) -> bool:
        """Return whether a day is one of the early start."""
        return self.starts_on <= day <= self.expires_on

    @property
    def hours_left(self) -> Decimal | None:
        """The hours that are left, with two decimals at most; None if they are not limited."""
        if self.hours is None:
            return None
        return Decimal(canonical_decimal(round_decimal(max(self.hours, Fraction(0)), 2)))

    @property
    def amount_left(self) -> Money | None:
        """The amount that is left; None if it is not limited."""
        if self.amount is None or self.currency is None:
            return None
        return Money.nearest(
            round_decimal(max(self.amount, Fraction(0)), _DECIMALS), self.currency, ROUNDING
        )

    @property
    def is_spent(self) -> bool:
        """True if nothing is left."""
        return any(left is not None and left <= 0 for left in (self.hours, self.amount))

    def lacks(self, rate: Rate | None) -> bool:
        """Return whether a rate is needed that is not known in the currency of the cap."""
        return self.amount is not None and (rate is None or rate.currency != self.currency)

    def fitting(self, hours: Fraction, rate: Rate | None) -> Fraction:
        """Return how many of some hours are within what is left, without rounding."""
        if self.is_spent or self.unrated or self.lacks(rate):
            return Fraction(0)
        fit = hours if self.hours is None else min(hours, self.hours)
        if self.amount is None or rate is None or not rate.amount:
            return fit
        return min(fit, self.amount / Fraction(rate.amount))

    def use(self, hours: Fraction, rate: Rate | None) -> None:
        """Take hours from what is left."""
        if self.hours is not None:
            self.hours -= hours
        if self.amount is not None and rate is not None:
            self.amount -= hours * Fraction(rate.amount)


class EarlyStartCaps:
    """Early starts, with what they leave for work on their days.

    Work of a day uses what ends first, so that a further early start never lowers the hours that
    are covered in total.
    """

    def __init__(self, starts: Iterable[EarlyStartAuthorised]) -> None:
        """Set up the caps before any work."""
        caps = [
            EarlyStartCap(
                starts_on=each.starts_on,
                expires_on=each.expires_on,
                hours=None if each.cap_hours is None else Fraction(each.cap_hours),
                amount=Fraction(each.cap_amount.amount) if each.cap_amount else None,
                currency=each.cap_amount.currency if each.cap_amount else None,
            )
            for each in starts
        ]
        self._caps = sorted(caps, key=lambda each: each.expires_on)

    def of(self, day: date) -> list[EarlyStartCap]:
        """Return the caps of early starts that include a day, those that end first before."""
        return [each for each in self._caps if each.includes(day)]

    def take(self, day: date, role: str, hours: Decimal, rate: Rate | None) -> Decimal:
        """Take billable hours of a role from the caps of a day; return those that are beyond."""
        shares, left = self._shared(day, hours, rate)
        for cap, fit in shares:
            cap.use(fit, rate)
            if left and cap.lacks(rate):
                cap.unrated.add(role)
        return left

    def beyond(self, day: date, hours: Decimal, rate: Rate | None) -> Decimal:
        """Return the billable hours that the caps of a day do not cover, and take none."""
        return self._shared(day, hours, rate)[1]

    def take_whole(self, day: date, role: str, hours: Decimal, rate: Rate | None) -> bool:
        """Take billable hours if all of them are within the caps; return whether they are."""
        return not self.beyond(day, hours, rate) and not self.take(day, role, hours, rate)

    def _shared(
        self, day: date, hours: Decimal, rate: Rate | None
    ) -> tuple[list[tuple[EarlyStartCap, Fraction]], Decimal]:
        """Return the hours that each cap of a day covers, and those that are beyond."""
        shares, left = [], Fraction(hours)
        for cap in self.of(day):
            fit = cap.fitting(left, rate)
            shares.append((cap, fit))
            left -= fit
        return shares, round_decimal(left, _DECIMALS)

    def allow(self, day: date) -> bool:
        """Return whether a cap of a day is not spent, as work needs that uses up none."""
        return any(not (each.is_spent or each.unrated) for each in self.of(day))

    def unrated(self, day: date, role: str | None = None, rate: Rate | None = None) -> set[str]:
        """Return the roles whose rates are needed to know whether caps cover work of a day.

        That is `role`, which has the rate, and those of work before.
        """
        needing = [each for each in self.of(day) if each.amount is not None and not each.is_spent]
        before = {name for each in needing for name in each.unrated}
        lacking = role is not None and any(each.lacks(rate) for each in needing)
        return {*before, role} if role is not None and lacking else before
