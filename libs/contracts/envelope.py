"""Read and validate the envelope of an event: CloudEvents 1.0 attributes, each with its bounds.

A record is validated here before any other code reads it, so that type and size of every attribute
are known from then on.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, NotRequired

import orjson
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)
"""Moments must be from EARLIEST up to, but not including, LATEST."""

LARGEST_NUMBER = 2**53
"""Maximum sequence number: the largest up to which every JSON parser is exact."""

_Name = Annotated[
    str,
    StringConstraints(strict=True, max_length=400, pattern=r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$"),
]
_Moment = Annotated[
    str,
    StringConstraints(
        strict=True,
        max_length=40,
        pattern=(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
            r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
        ),
    ),
]
_Position = Annotated[
    str,
    StringConstraints(
        strict=True,
        max_length=2_000,
        pattern=r"^[a-z][a-z0-9.-]*=[0-9]{1,16}(,[a-z][a-z0-9.-]*=[0-9]{1,16})*$",
    ),
]

# W3C Trace Context, version 00: neither id is all zeros.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Envelope(TypedDict):
    """CloudEvents attributes of an event as they are in JSON; other attributes are ignored.

    `subject` is the engagement or the reference record, `streamsequence` the event's number on its
    channel (CloudEvents registers `sequence` as a text), `heard` how far the author had processed
    other channels (``delivery=4,sales=17``), `onbehalfof` the person whom the actor acted for.
    `time` is when the event was recorded, `occurredat` when it happened, both RFC 3339. An
    attribute without a value is left out.
    """

    specversion: Literal["1.0"]
    id: _Name
    source: Annotated[str, StringConstraints(strict=True, max_length=100)]
    type: Annotated[
        str,
        StringConstraints(
            strict=True, max_length=200, pattern=r"^concord\.[a-z]+\.[a-z0-9-]+\.v[0-9]{1,4}$"
        ),
    ]
    subject: Annotated[_Name, Field(max_length=200)]
    time: _Moment
    occurredat: _Moment
    streamsequence: Annotated[int, Field(strict=True, ge=1, le=LARGEST_NUMBER)]
    causationid: _Name
    actor: _Name
    onbehalfof: NotRequired[_Name]
    heard: NotRequired[_Position]
    traceparent: NotRequired[object]
    data: dict[str, object]


_ENVELOPE = TypeAdapter(Envelope)


class Unsound(ValueError):
    """A record without a valid envelope; the message names the attribute and the error."""


def read_envelope(record: bytes | str) -> Envelope:
    """Return the envelope of a record; raises Unsound where it is not valid."""
    try:
        event = orjson.loads(record)
    except ValueError as error:
        raise Unsound(f"not JSON: {error}") from None
    if not isinstance(event, dict):
        raise Unsound("not a CloudEvent: the record is not an object")
    try:
        return _ENVELOPE.validate_python(event)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Unsound(f"{first['loc'][0]}: {first['msg']}") from None


def read_moment(text: str, name: str) -> datetime:
    """Return a moment of an envelope in UTC.

    `name` is the attribute's name for the error. Raises Unsound where the moment does not exist or
    is out of bounds.
    """
    try:
        moment = datetime.fromisoformat(text.upper())
        in_bounds = EARLIEST <= moment < LATEST
    except (ValueError, OverflowError) as error:
        raise Unsound(f"{name}: {error}") from None
    if not in_bounds:
        raise Unsound(f"{name}: must be between 1970 and 2999 in UTC")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def read_heard(text: str) -> dict[str, int]:
    """Return the positions in `heard` by channel name; raises Unsound where one is too large."""
    position: dict[str, int] = {}
    for part in text.split(","):
        channel, _, number = part.partition("=")
        position[channel] = int(number)
        if position[channel] > LARGEST_NUMBER:
            raise Unsound(f"heard: {channel} must be at most {LARGEST_NUMBER}")
    return position


def sound_traceparent(value: object) -> str | None:
    """Return a valid W3C traceparent unchanged, and None for any other value."""
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
