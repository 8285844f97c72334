"""Check what decisions of every department require: past days, repetitions, ids, currencies."""

from collections.abc import Iterator
from datetime import date, timedelta, timezone, tzinfo
from typing import TypeVar

from pydantic_core import to_json

from chassis.domain.commands import Command, Missing, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.internal import Internal
from contracts.event import Event
from contracts.money import Money, Rate
from contracts.places import day_at
from contracts.values import Value

E = TypeVar("E", bound=Event)

_LONGEST_SHOWN = 100
EASTERNMOST = timezone(timedelta(hours=14))
"""The time zone in which a day begins first, UTC+14."""


def past_day(field: str, day: date | None, context: Context) -> date:
    """Return the day on which something happened: `day`, or today where it is None.

    Raises Refused, naming the field, where the day has not begun in that time zone at
    `context.occurred_at`; where it is not known, if the day has not begun anywhere on earth.
    """
    if day is None:
        return context.today
    return _begun(field, day, context, context.zone or EASTERNMOST)


def day_begun(field: str, day: date, context: Context) -> date:
    """Return the day on which a person did something, in a time zone that is not known.

    Raises Refused, naming the field, where it has not begun anywhere at `context.occurred_at`.
    """
    return _begun(field, day, context, EASTERNMOST)


def _begun(field: str, day: date, context: Context, zone: tzinfo) -> date:
    if day > day_at(context.occurred_at, zone):
        sentence = f"{field}: {day} is in the future"
        raise refused_field("date-in-future", field, sentence)
    return day


def same_day(field: str, command: Command, known: Event | None, context: Context) -> date:
    """Return the day in a field of a command, else that of the recorded event, else today.

    So a command without a day that is repeated at another time leads to an equal event. Raises
    Refused as `past_day` does for a day that is given.
    """
    given: date | None = getattr(command, field)
    recorded: date | None = getattr(known, field, None)
    return past_day(field, given, context) if given or recorded is None else recorded


def correction_day(field: str, command: Command, recorded: date | None, context: Context) -> date:
    """Return the day in a field of a command that corrects a record, by default today.

    Raises Refused as `past_day` does, and where a day that is given is before that of the record;
    `recorded` is None where that is not known.
    """
    given: date | None = getattr(command, field)
    day = past_day(field, given, context)
    if given is not None and recorded is not None and given < recorded:
        sentence = f"{field}: the record is of {recorded}"
        raise refused_field("date-before-record", field, sentence)
    return day


def unless_recorded(
    known: E | None, event: E, what: str, *, over: Refused | None = None, part: str | None = None
) -> Iterator[E]:
    """Yield the event if none is recorded yet, and nothing if an equal one is and it is not over.

    `over` is the refusal of a repetition, where what is recorded was closed, rejected, withdrawn or
    decided since: the caller would wait for something that nothing follows from. It says how and on
    which day that ended. The fields of the value in the field `part` are compared one by one, since
    the command names them.

    Raises Refused where a different event is recorded, with an entry per field that differs. Old
    and new values are shown unless the event's channel is confidential; `what` is the subject of
    the sentence. Raises TypeError for events of two types.
    """
    if known is None:
        yield event
        return
    if over is not None:
        raise over
    if type(known) is not type(event):
        raise TypeError(f"{type(known).__name__} is compared with {type(event).__name__}")
    differing = tuple(
        Missing("field-differs", _difference(old, new, event), field=name)
        for (name, old), (_, new) in zip(_fields(known, part), _fields(event, part), strict=True)
        if old != new
    )
    if differing:
        sentences = "; ".join(f"{item.field}: {item.sentence}" for item in differing)
        raise Refused(
            "already-recorded", f"{what} is recorded with other content: {sentences}", differing
        )


def _fields(event: Event, part: str | None) -> Iterator[tuple[str, object]]:
    for name, value in event:
        if name == part and isinstance(value, Value):
            yield from value
        else:
            yield name, value


def _difference(old: object, new: object, event: Event) -> str:
    if not isinstance(event, Internal) and event.channel.confidential:
        return "is recorded with another value"
    return f"recorded as {_shown(old)}, given as {_shown(new)}"


def _shown(value: object) -> str:
    """Return a value as text, shortened; parts of a document as JSON.

    Characters that cannot be seen are written as in JSON, by their number.
    """
    if value is None:
        return "empty"
    is_nested = isinstance(value, tuple | Value)
    text = to_json(value).decode() if is_nested else str(value)
    text = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


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
