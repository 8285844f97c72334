"""Rules that decisions of several departments share."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TypeVar

from chassis.domain.commands import Missing, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money

E = TypeVar("E", bound=Event)


def past_day(field: str, day: date | None, context: Context) -> date:
    """Return the day on which something happened: `day`, or today (UTC) where it is None."""
    if day is not None and day > (context.occurred_at + timedelta(hours=14)).date():
        raise Refused("date-in-future", f"{field}: {day} is in the future")
    return day or context.today


def unless_recorded(known: E | None, event: E) -> Iterator[E]:
    """Yield the event unless an equal one is recorded; raises Refused where another one is."""
    if known is None:
        yield event
        return
    differing = [
        Missing(name, f"{name}: was recorded as {old} and is now {new}")
        for (name, old), (_, new) in zip(known, event, strict=True)
        if old != new
    ]
    if differing:
        raise Refused("already-recorded", "; ".join(each.sentence for each in differing), differing)


def require_currency(currency: str | None, **amounts: Money | None) -> None:
    """Refuse an amount in another currency; the refusal names the field (the keyword)."""
    for field, money in amounts.items():
        if currency is not None and money is not None and money.currency != currency:
            raise Refused(
                "currency-differs",
                f"{field}: is in {money.currency}, but all amounts of this engagement are in "
                f"{currency}",
            )
