"""Convert amounts at the exchange rate of a day."""

from dataclasses import dataclass
from datetime import date, timedelta

from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.money import Money
from contracts.reference import ExchangeRatePublished
from contracts.values import FIRST_DAY

OLDEST = timedelta(days=366)
"""Greatest age of a rate: an older one says nothing about the day."""


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


@dataclass(frozen=True, slots=True)
class Converted:
    """An amount in another currency, and the rate: `exchange_rate` is its id."""

    amount: Money
    exchange_rate: str
    version: int


def convert(
    records: ReferenceData, amount: Money, currency: str, day: date, rounding: Rounding
) -> Converted | None:
    """Return an amount in another currency at the rate of a day, rounded to the minor unit.

    A rate published for the opposite direction divides. Of both directions, the newer rate is
    taken. None where no rate is known; the amount is then unknown, not zero.
    """
    direct = exchange_rate_on(records, amount.currency, currency, day)
    opposite = exchange_rate_on(records, currency, amount.currency, day)
    if opposite is not None and (direct is None or _day(direct) < _day(opposite)):
        exact, rate = amount.amount / opposite.event.rate, opposite
    elif direct is not None:
        exact, rate = amount.amount * direct.event.rate, direct
    else:
        return None
    return Converted(Money.nearest(exact, currency, rounding), rate.subject, rate.sequence)


def _day(rate: Recorded[ExchangeRatePublished]) -> date:
    return rate.event.effective_from or date.min
