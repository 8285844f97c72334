"""Convert amounts at the exchange rate of a day, which is reference data.

The newest rate until the day applies, in either direction, unless it is more than a year old. An
amount is rounded once, to the minor unit of the currency that it is converted into.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.money import BEYOND_ITEMS, Money
from contracts.reference import ExchangeRatePublished
from contracts.values import FIRST_DAY, Conversion

OLDEST = timedelta(days=366)
"""Greatest age of a rate: an older one says nothing about the day."""


@dataclass(frozen=True, slots=True)
class DatedRate:
    """The rate that applies on a day between two currencies."""

    record: Recorded[ExchangeRatePublished]
    divides: bool
    """True if the rate was published for the opposite direction."""

    def converted(self, amount: Money, rounding: Rounding) -> Money:
        """Return an amount in the other currency, rounded to its minor unit."""
        rate = self.record.event
        exact = amount.amount / rate.rate if self.divides else amount.amount * rate.rate
        return Money.nearest(exact, rate.base if self.divides else rate.quote, rounding)


def exchange_rate_on(
    records: ReferenceData, base: str, quote: str, day: date
) -> Recorded[ExchangeRatePublished] | None:
    """Return the newest rate of two currencies that is not after a day and at most a year old.

    None where there is none. A rate of the opposite direction is not inverted.
    """
    first = max(day - OLDEST, FIRST_DAY)
    while day >= first:
        found = records.latest(ExchangeRatePublished, f"{base}-{quote}-{day}")
        if found is not None:
            return found
        day -= timedelta(days=1)
    return None


def dated_rate(records: ReferenceData, base: str, quote: str, day: date) -> DatedRate | None:
    """Return the rate that applies on a day; of both directions the newer one, else None."""
    direct = exchange_rate_on(records, base, quote, day)
    opposite = exchange_rate_on(records, quote, base, day)
    if opposite is not None and (direct is None or _day(direct) < _day(opposite)):
        return DatedRate(opposite, divides=True)
    return None if direct is None else DatedRate(direct, divides=False)


def convert(
    records: ReferenceData, amount: Money, currency: str, day: date, rounding: Rounding
) -> Conversion | None:
    """Return an amount in another currency at the rate of a day, rounded to the minor unit.

    None where no rate is known, or the result exceeds the maximum of an amount: it is then unknown,
    not zero.
    """
    rate = dated_rate(records, amount.currency, currency, day)
    if rate is None:
        return None
    converted = rate.converted(amount, rounding)
    if converted.amount >= BEYOND_ITEMS:
        return None
    return Conversion(
        amount=amount,
        converted=converted,
        exchange_rate=rate.record.subject,
        version=rate.record.sequence,
    )


def _day(rate: Recorded[ExchangeRatePublished]) -> date:
    return rate.event.effective_from or date.min
