"""Facts, and the envelope in which they travel.

A fact is what a department says happened: past tense, never changed once recorded. On the wire it
is a CloudEvents 1.0 event in Kafka's structured mode, type ``concord.<department>.<fact>.v<n>``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from contracts.channels import CHANNELS, Channel, Department
from contracts.values import HEARD

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
FACTS: dict[str, type["Fact"]] = {}
"""Every known fact by its CloudEvents type."""


class Fact(BaseModel):
    """Base of all facts; a subclass names its channel, its version and who acts on it.

    Say ``class DealWon(Fact, channel=SALES, heard_by=("legal",))``. Its name on the wire is
    the class name in kebab case. The gateway hears everything and is not named.
    """

    # What is wrong with a fact is told to more people than what it says.
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
            return  # a shared base, not a fact
        cls.channel, cls.heard_by = channel, heard_by
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        cls.type = f"concord.{channel.department}.{name}.v{version}"
        if cls.type in FACTS:
            raise TypeError(f"{cls.type} is defined twice")
        FACTS[cls.type] = cls

    def subject(self, stream: str) -> str:
        """Which engagement (or reference record) this is about: as a rule its own stream."""
        return stream


F_co = TypeVar("F_co", bound=Fact, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[F_co]):
    """A fact with what its recording adds.

    ``sequence`` counts the channel's facts in this stream from 1 without a gap. ``occurred_at`` is
    when it happened and ``recorded_at`` when it was recorded, both UTC. ``heard`` says up to which
    sequence the author had heard each other channel about this engagement. ``cause`` names the
    command or fact that led to it; ``actor`` is a person's id, or a department's own name where
    the department reacted by itself.
    """

    id: str
    subject: str
    sequence: int
    fact: F_co
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
        return self.fact.channel


class Undecodable(ValueError):
    """A record that is not a fact of these contracts; the text says what is wrong with it."""


class Unreadable(Undecodable):
    """Not a well-formed envelope, or a fact whose fields are missing or wrong."""


class UnknownFact(Undecodable):
    """A well-formed envelope with a type these contracts do not have."""


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


def encode(recorded: Recorded[Fact]) -> bytes:
    """The fact as the JSON bytes of its CloudEvent, as journals keep and topics carry it."""
    fact = recorded.fact
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": recorded.id,
        "source": f"/concord/{fact.channel.department}",
        "type": fact.type,
        "subject": recorded.subject,
        "time": written(recorded.recorded_at),
        "datacontenttype": "application/json",
        "dataschema": f"urn:{fact.type.replace('.', ':')}",
        "sequence": recorded.sequence,
        "causationid": recorded.cause,
        "actor": recorded.actor,
        "occurredat": written(recorded.occurred_at),
        "heard": write_position(recorded.heard),
        "data": fact,
    }
    if recorded.traceparent:
        event["traceparent"] = recorded.traceparent
    return to_json(event)


def whole(recorded: Recorded[Fact]) -> bytes:
    """The bytes a fact was read from, or else those that it is written in."""
    return encode(recorded) if recorded.record is None else recorded.record


def decode(record: bytes | str) -> Recorded[Fact]:
    """Read a CloudEvent back. Fields a newer author added are passed over.

    Raises Unreadable or UnknownFact.
    """
    try:
        event = orjson.loads(record)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(event, dict):
        raise Unreadable("not a CloudEvent: the record is not an object")
    kind = event.get("type")
    known = FACTS.get(kind) if isinstance(kind, str) else None
    if known is None:
        if event.get("specversion") == "1.0" and isinstance(kind, str):
            raise UnknownFact(f"no fact of type {kind!r} is known")
        raise Unreadable("not a CloudEvent 1.0: specversion or type is missing")
    try:
        sequence = event["sequence"]
        if type(sequence) is not int or sequence < 1:
            raise Unreadable("sequence: must be a whole number from 1")
        if event["source"] != f"/concord/{known.channel.department}":
            raise Unreadable(f"source: {event['source']!r} does not say {kind}")
        return Recorded(
            id=_text(event, "id"),
            subject=_text(event, "subject"),
            sequence=sequence,
            fact=known.model_validate(event["data"], extra="ignore", context=HEARD),
            actor=_text(event, "actor"),
            cause=_text(event, "causationid"),
            occurred_at=_moment(event, "occurredat"),
            recorded_at=_moment(event, "time"),
            heard=read_position(event["heard"]),
            traceparent=event.get("traceparent"),
            record=record if isinstance(record, bytes) else None,
        )
    except KeyError as error:
        raise Unreadable(f"{error.args[0]}: is missing") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("data", *first["loc"]))
        raise Unreadable(f"{place}: {first['msg']}") from None
    except Undecodable:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise Unreadable(str(error)) from None


def _text(event: dict[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name}: must be a text")
    return value


def _moment(event: dict[str, Any], name: str) -> datetime:
    moment = datetime.fromisoformat(_text(event, name))
    if moment.tzinfo is None:
        raise Unreadable(f"{name}: must have a time zone")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
