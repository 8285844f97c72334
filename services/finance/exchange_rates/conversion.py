"""Convert amounts at the exchange rate of a day."""

from datetime import date, timedelta

from chassis.domain.commands import Missing
from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding
from contracts.event import Recorded
from contracts.money import BEYOND_ITEMS, Money
from contracts.reference import ExchangeRatePublished
from contracts.values import FIRST_DAY, Conversion

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


def convert(
    records: ReferenceData, amount: Money, currency: str, day: date, rounding: Rounding
) -> Conversion | None:
    """Return an amount in another currency at the rate of a day, rounded to the minor unit.

    A rate published for the opposite direction divides. Of both directions, the newer rate is
    taken. None where no rate is known, or the result exceeds the maximum of an amount: it is then
    unknown, not zero.
    """
    direct = exchange_rate_on(records, amount.currency, currency, day)
    opposite = exchange_rate_on(records, currency, amount.currency, day)
    if opposite is not None and (direct is None or _day(direct) < _day(opposite)):
        exact, rate = amount.amount / opposite.event.rate, opposite
    elif direct is not None:
        exact, rate = amount.amount * direct.event.rate, direct
    else:
        return None
    converted = Money.nearest(exact, currency, rounding)
    if converted.amount >= BEYOND_ITEMS:
        return None
    return Conversion(
        amount=amount,
        converted=converted,
        exchange_rate=rate.subject,
        version=rate.sequence,
    )


def missing_rate(expense: str, amount: Money, currency: str, day: date) -> Missing:
    """Return that an expense cannot be converted, since no exchange rate is known."""
    return Missing(
        "exchange-rate-missing",
        f"the exchange rate {amount.currency} to {currency} on {day} is missing:"
        f" the expense {expense} of {amount} is neither costed nor billed",
        "finance",
    )


def _day(rate: Recorded[ExchangeRatePublished]) -> date:
    return rate.event.effective_from or date.min
