"""Internal events: they change streams of their department and are never published.

They are kept in the journal only: they have no channel, no topic, no position and no part in
`heard`. What streams record that are not engagements is internal, unless it is reference data.
"""

import re
from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from contracts.envelope import read_moment
from contracts.event import Event, Recorded, Undecodable, written
from contracts.vocabularies import HEARD

INTERNAL: dict[str, type["Internal"]] = {}
"""Every internal event class by its type."""


class Internal(Event):
    """Base of internal events.

    The type is the department, or ``chassis``, and the name, with a dot between them. A subclass
    raises TypeError where the department has another one of its name.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        cls.type = f"{cls.__module__.partition('.')[0]}.{name}"
        if cls.type in INTERNAL:
            raise TypeError(f"{cls.type} is defined twice")
        INTERNAL[cls.type] = cls

    @property
    def is_confidential(self) -> bool:
        """Return whether a commit of such events only is hidden from readers without the role."""
        return False


def published_only(kinds: Iterable[type[Event]]) -> frozenset[type[Event]]:
    """Return the types of event that are published."""
    return frozenset(kind for kind in kinds if not issubclass(kind, Internal))


def encode_internal(recorded: Recorded[Event]) -> bytes:
    """Return an internal event as JSON bytes for the journal."""
    attributes: dict[str, object] = {
        "type": recorded.event.type,
        "id": recorded.id,
        "subject": recorded.subject,
        # The number of the commit: an internal event has no sequence of a channel.
        "number": recorded.sequence,
        "actor": recorded.actor,
        "cause": recorded.cause,
        "occurred_at": written(recorded.occurred_at),
        "recorded_at": written(recorded.recorded_at),
        "traceparent": recorded.traceparent,
        "on_behalf_of": recorded.on_behalf_of,
        "data": recorded.event,
    }
    return to_json(attributes)


def decode_internal(record: bytes) -> Recorded[Internal]:
    """Return the internal event in bytes of the journal; raises Undecodable."""
    try:
        attributes = from_json(record)
        name = attributes["type"]
        if name not in INTERNAL:
            raise Undecodable(f"no internal event of type {name!r} is known")
        return Recorded(
            id=attributes["id"],
            subject=attributes["subject"],
            sequence=attributes["number"],
            event=INTERNAL[name].model_validate(attributes["data"], extra="ignore", context=HEARD),
            actor=attributes["actor"],
            cause=attributes["cause"],
            occurred_at=read_moment(attributes["occurred_at"], "occurred_at"),
            recorded_at=read_moment(attributes["recorded_at"], "recorded_at"),
            heard={},
            traceparent=attributes["traceparent"],
            on_behalf_of=attributes["on_behalf_of"],
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in ("data", *first["loc"]))
        raise Undecodable(f"{place}: {first['type']}") from None
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, Undecodable):
            raise
        raise Undecodable(f"it cannot be read: {type(error).__name__}") from error
