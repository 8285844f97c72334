"""Make invalid Kafka records from a valid event.

Each is an example of what an attacker, a broken client or a newer version may publish.
"""

import gzip
import json
from collections.abc import Mapping

RawEvent = Mapping[str, object]
"""The attributes of a valid event, as in JSON."""

LARGEST_NUMBER = 2**53


def written(event: RawEvent, **attributes: object) -> bytes:
    """Return the event as JSON with some attributes replaced; `...` removes an attribute."""
    changed = {**event, **attributes}
    kept = {name: value for name, value in changed.items() if value is not ...}
    return json.dumps(kept).encode()


def no_events(event: RawEvent, of_another_channel: RawEvent) -> dict[str, bytes | None]:
    """Return records that are not valid events on the given event's topic and key, by name.

    `of_another_channel` is a valid event of the same engagement.
    """
    return {
        **_no_objects(event),
        **_wrong_moments(event),
        **_wrong_numbers(event),
        **_wrong_names(event),
        **_wrong_positions(event),
        **_wrong_types(event),
        "another's topic": written(of_another_channel),
        "another's topic under its source": written(of_another_channel, source=event["source"]),
        "another's key": written(event, subject="E-another"),
        "a key in other letters": written(event, subject=str(event["subject"]).swapcase()),
        "a key with a space": written(event, subject=f"{event['subject']} "),
    }


def _no_objects(event: RawEvent) -> dict[str, bytes | None]:
    whole = written(event)
    return {
        "no JSON": b"{oops",
        "half of a record": whole[: len(whole) // 2],
        "two events": whole + whole,
        "compressed": gzip.compress(whole),
        "no text": b"\xff\xfe\x00",
        "another encoding": whole.decode().encode("utf-16"),
        "no object": b"[1,2]",
        "an event in a list": b"[" + whole + b"]",
        "null": b"null",
        "empty": None,
        "no bytes": b"",
        "only spaces": b" " * 1_000,
        "nested too deeply": b"[" * 50_000,
        "objects nested too deeply": b'{"data":' * 20_000,
        "a number beyond a float": b'{"streamsequence": 1e999}',
        "no number": b'{"streamsequence": NaN}',
        "half a character": b'{"id": "\\ud800"}',
    }


def _wrong_moments(event: RawEvent) -> dict[str, bytes | None]:
    return {
        "a moment before the calendar in UTC": written(event, time="0001-01-01T00:00:00+14:00"),
        "a moment after the calendar in UTC": written(
            event, occurredat="9999-12-31T23:59:59-14:00"
        ),
        "a moment in 1969": written(event, time="1969-12-31T23:59:59Z"),
        "a moment that is no day": written(event, occurredat="2026-02-30T00:00:00Z"),
        "a moment that is a number": written(event, time=1e308),
        "a moment with an odd zone": written(event, time="2026-03-02T09:00:00+99:99"),
        "a moment without a zone": written(event, time="2026-03-02T09:00:00"),
        "a moment in other digits": written(event, occurredat="٢٠٢٦-03-02T09:00:00Z"),
        "the year 3000 in UTC alone": written(event, time="2999-12-31T23:59:59-00:01"),
    }


def _wrong_numbers(event: RawEvent) -> dict[str, bytes | None]:
    return {
        "a number beyond 64 bits": written(event, streamsequence=2**63),
        "a number beyond 53 bits": written(event, streamsequence=LARGEST_NUMBER + 1),
        "a number that is a list": written(event, streamsequence=[]),
        "a number that is a fraction": written(event, streamsequence=2.5),
        "a number below one": written(event, streamsequence=-(2**63)),
        "the number zero": written(event, streamsequence=0),
        "a number that is true": written(event, streamsequence=True),
        "a number that is a text": written(event, streamsequence="2"),
        "a number of ten thousand digits": written(event, streamsequence=0).replace(
            b'"streamsequence": 0', b'"streamsequence": ' + b"9" * 10_000
        ),
    }


def _wrong_names(event: RawEvent) -> dict[str, bytes | None]:
    return {
        "no subject": written(event, subject=None),
        "a subject with control characters": written(event, subject="E-1\x00"),
        "a subject that changes the direction of text": written(event, subject="E-1\u202e"),
        "a subject beyond bounds": written(event, subject="E" * 201),
        "an id that is an object": written(event, id={"$gt": ""}),
        "an id beyond bounds": written(event, id="x" * 100_000),
        "no id": written(event, id=...),
        "an actor of two lines": written(event, actor="ann\nroot"),
        "a cause that is a list": written(event, causationid=["a", "b"]),
    }


def _wrong_positions(event: RawEvent) -> dict[str, bytes | None]:
    return {
        "heard that is a list": written(event, heard=["legal=1"]),
        "heard beyond 53 bits": written(event, heard="legal=99999999999999999999"),
        "heard a little beyond 53 bits": written(event, heard=f"legal={LARGEST_NUMBER + 1}"),
        "heard less than nothing": written(event, heard="legal=-1"),
        "heard a thousand channels": written(
            event, heard=",".join(f"c{number}=1" for number in range(1_000))
        ),
    }


def _wrong_types(event: RawEvent) -> dict[str, bytes | None]:
    department = str(event["type"]).split(".")[1]
    other = "legal" if department != "legal" else "sales"
    return {
        "a type that is a list": written(event, type=[]),
        "a type of no department": written(event, type="concord.astrology.moon-rose.v1"),
        "a type of another department": written(event, type=f"concord.{other}.moon-rose.v1"),
        "a type without a version": written(event, type=f"concord.{department}.moon-rose"),
        "a source that is another": written(event, source=f"/concord/{other}"),
        "a source beyond bounds": written(event, source=f"/concord/{department}" + "/" * 200),
        "another version of CloudEvents": written(event, specversion="0.3"),
        "data that are a list": written(event, data=[]),
        "data in base 64": written(event, data=..., data_base64="e30="),
        "no data": written(event, data=...),
    }


def unreadable_data(event: RawEvent) -> dict[str, bytes]:
    """Return valid envelopes of the event's type with data that cannot be read, by name.

    The event's type must have required fields.
    """
    return {
        "no field": written(event, data={}),
        "other fields": written(event, data={"$where": "1", "__proto__": {}}),
        "fields of nothing": written(event, data=dict.fromkeys(_data(event))),
        "fields of lists": written(event, data={name: [[]] for name in _data(event)}),
        "fields of huge numbers": written(event, data=dict.fromkeys(_data(event), 10**30)),
        "fields of control characters": written(
            event, data=dict.fromkeys(_data(event), "\x00" * 9)
        ),
    }


def unknown_types(event: RawEvent) -> dict[str, bytes]:
    """Return valid envelopes of types that a newer version of the department may publish."""
    name = str(event["type"])
    department = name.split(".")[1]
    return {
        "an unknown type": written(event, type=f"concord.{department}.moon-rose.v1"),
        "a newer version of its type": written(event, type=f"{name.rpartition('.')[0]}.v9999"),
        "an unknown type with odd data": written(
            event, type=f"concord.{department}.2.v1", data={"": [None] * 1_000}
        ),
    }


def _data(event: RawEvent) -> list[str]:
    data = event["data"]
    assert isinstance(data, dict)
    return [*data]
