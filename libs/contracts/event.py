"""Define events, and encode and decode them as CloudEvents.

An event records what happened in a department; it is named in the past tense and never changed. On
the wire it is a CloudEvents 1.0 event in Kafka's structured mode with the type
``concord.<department>.<event>.v<n>``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from contracts.channels import CHANNELS, Channel, Department, named_in_heard
from contracts.envelope import (
    Envelope,
    Unsound,
    read_envelope,
    read_heard,
    read_moment,
    sound_traceparent,
)
from contracts.vocabularies import HEARD

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
LOCAL_SCHEMAS = "http://127.0.0.1:8100/schemas"
"""Address of the schemas on the local gateway, unless the installation has another one."""

EVENTS: dict[str, type["Event"]] = {}
"""Every known event class by its CloudEvents type."""


class Event(BaseModel):
    """Base of all events.

    A subclass names its channel, the departments that act on it and, beyond the first, its version:
    ``class DealWon(Event, channel=SALES, consumed_by=("legal",))``. Its name on the wire is the
    class name in kebab case. The gateway consumes all events and is not named. The docstrings of
    the class and of its fields become the descriptions in its JSON Schema.
    """

    # More people read the error than may read the event, so it must not contain the input.
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    channel: ClassVar[Channel]
    consumed_by: ClassVar[tuple[Department, ...]] = ()
    type: ClassVar[str] = ""

    def __init_subclass__(
        cls,
        *,
        channel: Channel | None = None,
        version: int = 1,
        consumed_by: tuple[Department, ...] = (),
    ) -> None:
        super().__init_subclass__()
        if channel is None:
            return  # a base class, not an event
        cls.channel, cls.consumed_by = channel, consumed_by
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        cls.type = f"concord.{channel.department}.{name}.v{version}"
        if cls.type in EVENTS:
            raise TypeError(f"{cls.type} is defined twice")
        EVENTS[cls.type] = cls

    def subject(self, stream: str) -> str:
        """Return the engagement or reference record that the event concerns: usually its stream."""
        return stream


class Undecoded(Event):
    """Event in a valid envelope whose data this version of the contracts cannot read.

    It takes the place of the event, so that a consumer can still detect repeats and gaps.
    """

    name: str
    """CloudEvents type of the event."""
    why: str | None = None
    """The error in the data; None where the type is unknown (a newer version may know it)."""

    @property
    def sentence(self) -> str:
        """Return what is wrong with the event, as a sentence."""
        return self.why or f"no event of type {self.name!r} is known"


def _undecoded(channel: Channel) -> type[Undecoded]:
    kind: type[Undecoded] = type(f"Undecoded{channel.name.title()}", (Undecoded,), {})
    kind.channel = channel
    return kind


_UNDECODED = {name: _undecoded(channel) for name, channel in CHANNELS.items()}


F_co = TypeVar("F_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[F_co]):
    """An event with the attributes of its envelope.

    ``sequence`` (on the wire `streamsequence`) counts the channel's events of this subject from 1
    without a gap. ``occurred_at`` is when it happened and ``recorded_at`` when it was recorded,
    both UTC. ``heard`` contains, by channel, the last sequence of this engagement that the author
    had processed; on an open channel, of open channels only. ``cause`` identifies the command or
    event that led to it. ``actor`` is a person's id, or the department's name where no person gave
    a command; ``on_behalf_of`` is the person whom the actor acted for, as a stand-in.
    """

    id: str
    subject: str
    sequence: int
    event: F_co
    actor: str
    cause: str
    occurred_at: datetime
    recorded_at: datetime
    heard: Mapping[str, int]
    traceparent: str | None = None
    on_behalf_of: str | None = None
    record: bytes | None = field(default=None, compare=False, repr=False)
    """Bytes that the event was read from, so that forwarding it keeps fields of newer versions."""

    @property
    def channel(self) -> Channel:
        """Return the channel on which the event is published."""
        return self.event.channel


class Undecodable(ValueError):
    """A record that is not an event of these contracts; the message names what is wrong."""


def written(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with microseconds.

    Raises ValueError where it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_position(position: Mapping[str, int]) -> str:
    """Return positions by channel as text, such as ``delivery=4,sales=17``."""
    return ",".join(f"{channel}={position[channel]}" for channel in sorted(position))


def read_position(text: str) -> dict[str, int]:
    """Return the positions by channel in a text of `write_position`.

    Raises ValueError where the text has another form or names an unknown channel.
    """
    position: dict[str, int] = {}
    for part in text.split(",") if text else ():
        channel, _, count = part.partition("=")
        if channel not in CHANNELS or not count.isascii() or not count.isdigit():
            raise ValueError(f"{part!r} is not channel=number")
        position[channel] = int(count)
    return position


def schema_address(kind: type[Event], schemas_url: str) -> str:
    """Return the address (`dataschema`) at which services serve the schema of an event type."""
    return f"{schemas_url}/{kind.type}.json"


def encode(recorded: Recorded[Event], schemas_url: str = LOCAL_SCHEMAS) -> bytes:
    """Return the event as the JSON bytes of its CloudEvent, as in journals and on topics.

    `schemas_url` is the address under which the services of the installation serve the schemas.
    """
    event = recorded.event
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": recorded.id,
        "source": f"/concord/{event.channel.department}",
        "type": event.type,
        "subject": recorded.subject,
        "time": written(recorded.recorded_at),
        "datacontenttype": "application/json",
        "dataschema": schema_address(type(event), schemas_url),
        "streamsequence": recorded.sequence,
        "causationid": recorded.cause,
        "actor": recorded.actor,
        "occurredat": written(recorded.occurred_at),
        "onbehalfof": recorded.on_behalf_of,
        "heard": write_position(recorded.heard),
        "traceparent": recorded.traceparent,
        "data": event,
    }
    return to_json({name: value for name, value in attributes.items() if value})


def whole(recorded: Recorded[Event]) -> bytes:
    """Return the bytes that the event was read from, or else its encoding."""
    return encode(recorded) if recorded.record is None else recorded.record


def decode(record: bytes | str) -> Recorded[Event]:
    """Return the event in a record; unknown fields are ignored.

    Raises Undecodable where the record is not an event of these contracts, and no other exception
    for any bytes.
    """
    recorded = read(record, None)
    if isinstance(recorded.event, Undecoded):
        raise Undecodable(recorded.event.sentence)
    return recorded


def read(record: bytes | str, channel: Channel | None) -> Recorded[Event]:
    """Return the event in a record of a channel; None means that the channel is not known.

    The event is `Undecoded` where its data cannot be read or, if the channel is given, where its
    type is unknown. Raises Undecodable where the envelope is not valid, and no other exception for
    any bytes: no record may stop its consumer.
    """
    try:
        return _read(record, channel)
    except Unsound as error:
        raise Undecodable(str(error)) from None
    except Exception as error:
        raise Undecodable(f"it cannot be read: {type(error).__name__}") from error


def _read(record: bytes | str, channel: Channel | None) -> Recorded[Event]:
    envelope = read_envelope(record)
    name = envelope["type"]
    known = EVENTS.get(name)
    if known is not None:
        channel = known.channel
    elif channel is None:
        raise Unsound(f"type: no event of type {name!r} is known")
    department = channel.department
    if envelope["source"] != f"/concord/{department}" or name.split(".")[1] != department:
        raise Unsound(f"source: {envelope['source']!r} does not publish {name} here")
    heard = read_heard(envelope["heard"]) if "heard" in envelope else {}
    return Recorded(
        id=envelope["id"],
        subject=envelope["subject"],
        sequence=envelope["streamsequence"],
        event=_UNDECODED[channel.name](name=name) if known is None else _event(known, envelope),
        actor=envelope["actor"],
        cause=envelope["causationid"],
        occurred_at=read_moment(envelope["occurredat"], "occurredat"),
        recorded_at=read_moment(envelope["time"], "time"),
        heard={each: last for each, last in heard.items() if named_in_heard(channel, each)},
        traceparent=sound_traceparent(envelope.get("traceparent")),
        on_behalf_of=envelope.get("onbehalfof"),
        record=record if isinstance(record, bytes) else None,
    )


def _event(known: type[Event], envelope: Envelope) -> Event:
    try:
        return known.model_validate(envelope["data"], extra="ignore", context=HEARD)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in ("data", *first["loc"]))
        why = first["type"] if known.channel.confidential else first["msg"]
        return _UNDECODED[known.channel.name](name=known.type, why=f"{place}: {why}")
    except Exception as error:  # noqa: BLE001 - any error of a validator concerns only this event
        why = f"data: {type(error).__name__}"
        return _UNDECODED[known.channel.name](name=known.type, why=why)
