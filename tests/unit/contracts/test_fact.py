"""Facts on the wire: what is written is read back, and what is wrong is named."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import orjson
import pytest

from contracts.fact import (
    Fact,
    Recorded,
    UnknownFact,
    Unreadable,
    decode,
    encode,
    read_position,
    whole,
    write_position,
)
from contracts.money import Money
from contracts.sales import OpportunityOpened

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
OPENED: Recorded[Fact] = Recorded(
    id="f-1",
    subject="E-1",
    sequence=3,
    fact=OpportunityOpened(
        account="acme",
        title="A roof, gar nicht klein: ünïcödé",
        expected_value=Money(amount=Decimal("100000.10"), currency="EUR"),
        expected_close=date(2026, 6, 1),
        owner="ann",
    ),
    actor="ann",
    cause="ann/k1",
    occurred_at=AT - timedelta(days=3),
    recorded_at=AT,
    heard={"legal": 2, "delivery": 12},
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)


def changed(**fields: object) -> bytes:
    """The record with some of its fields replaced; with `...`, without them."""
    event = orjson.loads(encode(OPENED)) | fields
    return orjson.dumps({name: value for name, value in event.items() if value is not ...})


def data(**fields: object) -> dict[str, object]:
    return {**orjson.loads(encode(OPENED))["data"], **fields}


def test_what_is_written_is_read_back() -> None:
    back = decode(encode(OPENED))
    assert back == OPENED
    assert back.record == encode(OPENED)
    assert back.occurred_at.tzinfo is UTC


def test_it_is_a_cloud_event() -> None:
    event = orjson.loads(encode(OPENED))
    assert event["specversion"] == "1.0"
    assert event["type"] == "concord.sales.opportunity-opened.v1"
    assert event["source"] == "/concord/sales"
    assert event["time"] == "2026-03-02T09:00:00.123456Z"
    assert event["heard"] == "delivery=12,legal=2"
    assert event["data"]["expected_value"] == {"amount": "100000.10", "currency": "EUR"}


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    there = AT.astimezone(timezone(timedelta(hours=2)))
    assert decode(changed(time=there.isoformat())).recorded_at == AT
    assert encode(replace(OPENED, recorded_at=there)) == encode(OPENED)


def test_what_a_newer_author_added_is_passed_over_and_kept() -> None:
    record = changed(data=data(since_then=1), newer="yes")
    back = decode(record)
    assert back == OPENED
    assert whole(back) == record


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (b"{oops", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "specversion or type"),
        (changed(type=7), "specversion or type"),
        (changed(sequence=...), "sequence: is missing"),
        (changed(sequence=0), "sequence: must be a whole number from 1"),
        (changed(sequence=True), "sequence: must be a whole number from 1"),
        (changed(sequence="3"), "sequence: must be a whole number from 1"),
        (changed(source="/concord/legal"), "source: '/concord/legal' does not say"),
        (changed(id=""), "id: must be a text"),
        (changed(subject=7), "subject: must be a text"),
        (changed(causationid=...), "causationid: is missing"),
        (changed(time="2026-03-02T09:00:00"), "time: must have a time zone"),
        (changed(occurredat="yesterday"), "yesterday"),
        (changed(heard="legal=x"), "'legal=x' is not channel=number"),
        (changed(heard="marketing=1"), "'marketing=1' is not channel=number"),
        (changed(heard="legal=1,"), "'' is not channel=number"),
        (changed(heard=3), "int"),
        (changed(data=data(expected_close="soon")), "data.expected_close: "),
        (changed(data={}), "data.account: Field required"),
    ],
)
def test_what_is_wrong_is_named(record: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable) as wrong:
        decode(record)
    assert sentence in str(wrong.value)


def test_a_type_that_nobody_knows_is_no_broken_record() -> None:
    with pytest.raises(UnknownFact, match=r"concord\.sales\.deal-dreamt\.v1"):
        decode(changed(type="concord.sales.deal-dreamt.v1"))


@pytest.mark.parametrize("position", [{}, {"sales": 1}, {"sales": 17, "legal": 0, "delivery": 4}])
def test_a_position_is_read_as_it_was_written(position: dict[str, int]) -> None:
    assert read_position(write_position(position)) == position


@pytest.mark.parametrize(
    "text", ["sales", "sales=", "sales=-1", "sales=1.0", "sales=\u0661", "=1", ","]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not channel=number"):
        read_position(text)


def test_what_was_said_before_is_read_as_it_stands() -> None:
    record = encode(OPENED).replace(b'"owner":"ann"', b'"owner":"ann@acme.com"')
    assert b"ann@acme.com" in encode(decode(record))
