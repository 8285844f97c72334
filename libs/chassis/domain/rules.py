"""Check what decisions of every department require: past days, repetitions, ids, currencies."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta, timezone, tzinfo
from typing import TypeVar

from chassis.domain.commands import Missing, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.money import Money, Rate

E = TypeVar("E", bound=Event)

EASTERNMOST = timezone(timedelta(hours=14))
"""The time zone in which a day begins first, UTC+14."""


def past_day(field: str, day: date | None, context: Context, *, zone: tzinfo | None = None) -> date:
    """Return the day on which something happened: `day`, or today where it is None.

    Today is `context.today` (UTC), or the day in `zone` if the time zone is known. Raises Refused,
    naming the field, where the day has not begun in `zone` at `context.occurred_at`; without a zone
    where it has not begun anywhere on earth.
    """
    newest = context.occurred_at.astimezone(zone or EASTERNMOST).date()
    if day is None:
        return newest if zone else context.today
    if day > newest:
        raise Refused("date-in-future", f"{field}: {day} is in the future")
    return day


def unless_recorded(known: E | None, event: E, what: str = "this") -> Iterator[E]:
    """Yield the event if none is recorded yet, and nothing if an equal one is.

    Raises Refused where a different event is recorded, with an entry per field that differs. Old
    and new values are shown unless the event's channel is confidential; `what` is the subject of
    the sentence. Raises TypeError for events of two types.
    """
    if known is None:
        yield event
        return
    if type(known) is not type(event):
        raise TypeError(f"{type(known).__name__} is compared with {type(event).__name__}")
    differing = tuple(
        Missing("field-differs", _difference(old, new, event), field=name)
        for (name, old), (_, new) in zip(known, event, strict=True)
        if old != new
    )
    if differing:
        sentences = "; ".join(f"{item.field}: {item.sentence}" for item in differing)
        raise Refused(
            "already-recorded", f"{what} is recorded with other content: {sentences}", differing
        )


def _difference(old: object, new: object, event: Event) -> str:
    if event.channel.confidential:
        return "is recorded with another value"
    return f"recorded as {_shown(old)}, given as {_shown(new)}"


def _shown(value: object) -> str:
    return "empty" if value is None else str(value)


def distinct(ids: Iterable[str]) -> None:
    """Raise ValueError where an id appears more than once; pydantic reports it for the field."""
    repeated = [name for name, times in Counter(ids).items() if times > 1]
    if repeated:
        raise ValueError(f"{', '.join(repeated)} appears more than once")


def require_currency(currency: str | None, **amounts: Money | Rate | None) -> None:
    """Refuse an amount in another currency; the refusal names the field (the keyword).

    Nothing is refused while no currency is known.
    """
    for field, money in amounts.items():
        if currency is not None and money is not None and money.currency != currency:
            raise Refused(
                "currency-differs",
                f"{field}: is in {money.currency}, but all amounts of this engagement are in "
                f"{currency}",
            )
