"""Events, and the envelope in which they travel.

An event is what a department says happened: past tense, never changed once recorded. On the wire it
is a CloudEvents 1.0 event in Kafka's structured mode, type ``concord.<department>.<event>.v<n>``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from contracts.channels import CHANNELS, Channel, Department
from contracts.envelope import (
    Envelope,
    Unsound,
    read_envelope,
    read_heard,
    read_moment,
    sound_traceparent,
)
from contracts.values import HEARD

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
EVENTS: dict[str, type["Event"]] = {}
"""Every known event by its CloudEvents type."""


class Event(BaseModel):
    """Base of all events; a subclass names its channel, its version and who acts on it.

    Say ``class DealWon(Event, channel=SALES, heard_by=("legal",))``. Its name on the wire is
    the class name in kebab case. The gateway hears everything and is not named.
    """

    # What is wrong with an event is told to more people than what it says.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    channel: ClassVar[Channel]
    heard_by: ClassVar[tuple[Department, ...]] = ()
    type: ClassVar[str] = ""

    def __init_subclass__(
        cls,
        *,
        channel: Channel | None = None,
        version: int = 1,
        heard_by: tuple[Department, ...] = (),
    ) -> None:
        super().__init_subclass__()
        if channel is None:
            return  # a shared base, not an event
        cls.channel, cls.heard_by = channel, heard_by
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        cls.type = f"concord.{channel.department}.{name}.v{version}"
        if cls.type in EVENTS:
            raise TypeError(f"{cls.type} is defined twice")
        EVENTS[cls.type] = cls

    def subject(self, stream: str) -> str:
        """Which engagement (or reference record) this is about: as a rule its own stream."""
        return stream


class Undecoded(Event):
    """An event in a sound envelope whose data this version of the contracts cannot read.

    It takes the place of the event, so that a reader can tell whether it has seen it already and
    whether one is missing before it. ``name`` is its type on the wire. ``why`` says what is wrong
    with the data; None where the type is unknown, which a newer version may know.
    """

    name: str
    why: str | None = None

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        return self.why or f"no event of type {self.name!r} is known"


def _undecoded(channel: Channel) -> type[Undecoded]:
    kind: type[Undecoded] = type(f"Undecoded{channel.name.title()}", (Undecoded,), {})
    kind.channel = channel
    return kind


_UNDECODED = {name: _undecoded(channel) for name, channel in CHANNELS.items()}


F_co = TypeVar("F_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[F_co]):
    """An event with what its recording adds.

    ``sequence`` counts the channel's events in this stream from 1 without a gap. ``occurred_at`` is
    when it happened and ``recorded_at`` when it was recorded, both UTC. ``heard`` says up to which
    sequence the author had heard each other channel about this engagement. ``cause`` names the
    command or event that led to it; ``actor`` is a person's id, or a department's own name where
    the department reacted by itself.
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
    record: bytes | None = field(default=None, compare=False, repr=False)
    """The bytes it was read from, so that passing it on loses nothing a newer author added."""

    @property
    def channel(self) -> Channel:
        """The channel on which it was said."""
        return self.event.channel


class Undecodable(ValueError):
    """A record that is not an event of these contracts; the text says what is wrong with it."""


def written(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC, to the microsecond; raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_position(position: Mapping[str, int]) -> str:
    """How far each channel was heard, as ``delivery=4,sales=17``."""
    return ",".join(f"{channel}={position[channel]}" for channel in sorted(position))


def read_position(text: str) -> dict[str, int]:
    """The reverse of write_position; raises ValueError where the text is anything else."""
    position: dict[str, int] = {}
    for part in text.split(",") if text else ():
        channel, _, count = part.partition("=")
        if channel not in CHANNELS or not count.isascii() or not count.isdigit():
            raise ValueError(f"{part!r} is not channel=number")
        position[channel] = int(count)
    return position


def encode(recorded: Recorded[Event]) -> bytes:
    """The event as the JSON bytes of its CloudEvent, as journals keep and topics carry it."""
    event = recorded.event
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": recorded.id,
        "source": f"/concord/{event.channel.department}",
        "type": event.type,
        "subject": recorded.subject,
        "time": written(recorded.recorded_at),
        "datacontenttype": "application/json",
        "dataschema": f"urn:{event.type.replace('.', ':')}",
        "sequence": recorded.sequence,
        "causationid": recorded.cause,
        "actor": recorded.actor,
        "occurredat": written(recorded.occurred_at),
        "heard": write_position(recorded.heard),
        "data": event,
    }
    if recorded.traceparent:
        attributes["traceparent"] = recorded.traceparent
    return to_json(attributes)


def whole(recorded: Recorded[Event]) -> bytes:
    """The bytes an event was read from, or else those that it is written in."""
    return encode(recorded) if recorded.record is None else recorded.record


def decode(record: bytes | str) -> Recorded[Event]:
    """Read an event that these contracts know. Fields a newer author added are ignored.

    Raises Undecodable, and nothing else, whatever the bytes are.
    """
    recorded = read(record, None)
    if isinstance(recorded.event, Undecoded):
        raise Undecodable(recorded.event.sentence)
    return recorded


def read(record: bytes | str, channel: Channel | None) -> Recorded[Event]:
    """Read an event in a sound envelope that came on a channel, or on any (None).

    Its data are `Undecoded` where they cannot be read, or where its type is unknown, which takes a
    channel to be read. Raises Undecodable, and nothing else, whatever the bytes are: no content may
    end the work of its reader.
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
    heard = read_heard(envelope["heard"])
    return Recorded(
        id=envelope["id"],
        subject=envelope["subject"],
        sequence=envelope["sequence"],
        event=_UNDECODED[channel.name](name=name) if known is None else _event(known, envelope),
        actor=envelope["actor"],
        cause=envelope["causationid"],
        occurred_at=read_moment(envelope["occurredat"], "occurredat"),
        recorded_at=read_moment(envelope["time"], "time"),
        # A channel of a newer version is not known here, nor whether it is confidential.
        heard={each: last for each, last in heard.items() if each in CHANNELS},
        traceparent=sound_traceparent(envelope.get("traceparent")),
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
    except Exception as error:  # noqa: BLE001 - whatever a validator raises concerns this event
        why = f"data: {type(error).__name__}"
        return _UNDECODED[known.channel.name](name=known.type, why=why)
