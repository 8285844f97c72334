"""Publish exchange rates as reference data.

Each rate of two currencies and a day is a record of its own. So a rate that is entered late is in
force from its own day on, but not on the days of later rates.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.reference import Record
from contracts.currencies import IN_USE, MINOR_UNITS
from contracts.event import Event
from contracts.reference import ConversionRate, ExchangeRatePublished
from contracts.values import FIRST_DAY, LAST_DAY, ShortText
from finance.roles import ACCOUNTING

capability = Capability[Record[ExchangeRatePublished]](__name__)

_ID = re.compile(r"([A-Z]{3})-([A-Z]{3})-([0-9]{4}-[0-9]{2}-[0-9]{2})")


def read_id(text: str) -> tuple[str, str, date]:
    """Return base currency, quote currency and day of an id such as ``EUR-USD-2026-03-02``.

    Raises ValueError where it has another form.
    """
    found = _ID.fullmatch(text)
    if found is None:
        raise ValueError("must be base, quote and day, such as EUR-USD-2026-03-02")
    base, quote, day = found[1], found[2], date.fromisoformat(found[3])
    if base == quote or not {base, quote} <= MINOR_UNITS.keys():
        raise ValueError("must name two ISO 4217 currencies")
    if not (day in IN_USE[base] and day in IN_USE[quote]):
        raise ValueError(f"must name two currencies that are in use on {day}")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must have a day from {FIRST_DAY} to {LAST_DAY}")
    return base, quote, day


def _sound(text: str) -> str:
    read_id(text)
    return text


ExchangeRateId = Annotated[
    str, StringConstraints(pattern=f"^{_ID.pattern}$"), AfterValidator(_sound)
]
"""Id of an exchange rate: base, quote and day."""


class PublishExchangeRate(Command):
    """Publish the exchange rate of two currencies from a day on; the id names all three.

    `rate` is the number of units of the quote currency for one unit of the base currency.
    """

    rate: ConversionRate
    """Units of the quote currency for one unit of the base currency."""
    source: ShortText
    """Publisher of the rate, such as ECB."""


@capability.decide(PublishExchangeRate, by=ACCOUNTING, opens=True)
def publish_exchange_rate(
    state: Record[ExchangeRatePublished], command: PublishExchangeRate, context: Context
) -> Iterable[Event]:
    """Publish the rate, unless it equals the last one of the same currencies and day."""
    base, quote, day = read_id(state.id)
    event = ExchangeRatePublished(
        exchange_rate=state.id,
        base=base,
        quote=quote,
        effective_from=day,
        **dict(command),
    )
    if event != state.newest:
        yield event
