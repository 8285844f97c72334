"""Events are encoded and decoded without loss, and errors are named."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import FINANCE_CONFIDENTIAL, SALES
from contracts.event import (
    Event,
    Recorded,
    Undecodable,
    Undecoded,
    decode,
    encode,
    read,
    read_position,
    whole,
    write_position,
)
from contracts.money import Money
from contracts.sales import OpportunityOpened

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
OPENED: Recorded[Event] = Recorded(
    id="f-1",
    subject="E-1",
    sequence=3,
    event=OpportunityOpened(
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
    """Return the record with some attributes replaced, or removed where `...` is given."""
    event = orjson.loads(encode(OPENED)) | fields
    return orjson.dumps({name: value for name, value in event.items() if value is not ...})


def data(**fields: object) -> dict[str, object]:
    return {**orjson.loads(encode(OPENED))["data"], **fields}


def test_an_encoded_event_is_decoded_to_an_equal_one() -> None:
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
    assert event["data"]["expected_value"] == {"amount": "100000.1", "currency": "EUR"}


def test_the_number_has_a_name_of_its_own_and_empty_attributes_are_left_out() -> None:
    event = orjson.loads(encode(OPENED))
    assert event["streamsequence"] == 3
    assert "sequence" not in event  # registered by CloudEvents, as a text
    bare = replace(OPENED, heard={}, traceparent=None)
    left_out = {"heard", "traceparent"}
    assert event.keys() - orjson.loads(encode(bare)).keys() == left_out
    assert decode(encode(bare)) == bare


def test_the_person_whom_the_actor_stood_in_for_is_an_attribute() -> None:
    stood_in = replace(OPENED, on_behalf_of="bea")
    assert orjson.loads(encode(stood_in))["onbehalfof"] == "bea"
    assert decode(encode(stood_in)) == stood_in
    assert "onbehalfof" not in orjson.loads(encode(OPENED))


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    there = AT.astimezone(timezone(timedelta(hours=2)))
    assert decode(changed(time=there.isoformat())).recorded_at == AT
    assert encode(replace(OPENED, recorded_at=there)) == encode(OPENED)


def test_unknown_fields_are_ignored_and_kept_in_the_record() -> None:
    record = changed(data=data(since_then=1), newer="yes")
    back = decode(record)
    assert back == OPENED
    assert whole(back) == record


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (b"{oops", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 5_000, "not JSON"),
        (b"[]", "not a CloudEvent: the record is not an object"),
        (b"{}", "specversion: Field required"),
        (changed(specversion="0.3"), "specversion: "),
        (changed(type=7), "type: "),
        (changed(type="com.example.sold"), "type: "),
        (changed(streamsequence=...), "streamsequence: Field required"),
        (changed(streamsequence=0), "streamsequence: "),
        (changed(streamsequence=True), "streamsequence: "),
        (changed(streamsequence="3"), "streamsequence: "),
        (changed(streamsequence=3.0), "streamsequence: "),
        (changed(streamsequence=2**53 + 1), "streamsequence: "),
        (changed(streamsequence=2**63), "streamsequence: "),
        (changed(source="/concord/legal"), "source: '/concord/legal' does not publish"),
        (changed(id=""), "id: "),
        (changed(id="f\u202e1"), "id: "),
        (changed(subject=7), "subject: "),
        (changed(subject="E" * 201), "subject: "),
        (changed(actor="a\u0000"), "actor: "),
        (changed(causationid=...), "causationid: Field required"),
        (changed(time="2026-03-02T09:00:00"), "time: "),
        (changed(time="0001-01-01T00:00:00+14:00"), "time: must be between 1970 and 2999"),
        (changed(time="9999-12-31T23:59:59-14:00"), "time: must be between 1970 and 2999"),
        (changed(time="1969-12-31T23:59:59.999999Z"), "time: must be between 1970 and 2999"),
        (changed(time="2026-02-30T00:00:00Z"), "time: day is out of range"),
        (changed(time="2026-03-02T09:00:00+99:00"), "time: "),
        (changed(time=1772442000), "time: "),
        (changed(occurredat="yesterday"), "occurredat: "),
        (changed(heard="legal=x"), "heard: "),
        (changed(heard="legal=1,"), "heard: "),
        (changed(heard="legal=9007199254740993"), "heard: legal must be at most"),
        (changed(heard=3), "heard: "),
        (changed(heard=""), "heard: "),
        (changed(onbehalfof=""), "onbehalfof: "),
        (changed(onbehalfof=None), "onbehalfof: "),
        (changed(data=[]), "data: "),
        (changed(data=...), "data: Field required"),
    ],
)
def test_an_error_in_the_envelope_is_named(record: bytes, sentence: str) -> None:
    with pytest.raises(Undecodable) as wrong:
        read(record, SALES)
    assert str(wrong.value).startswith(sentence)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (changed(data=data(expected_close="soon")), "data.expected_close: "),
        (changed(data={}), "data.account: Field required"),
        (changed(data=data(expected_value={"amount": "1e400", "currency": "EUR"})), "data."),
    ],
)
def test_an_event_with_invalid_data_keeps_its_sequence(record: bytes, sentence: str) -> None:
    back = read(record, SALES)
    assert isinstance(back.event, Undecoded)
    assert (back.subject, back.sequence, back.channel) == ("E-1", 3, SALES)
    assert back.event.why is not None
    assert back.event.why.startswith(sentence)
    with pytest.raises(Undecodable, match=sentence):
        decode(record)


def test_an_event_of_an_unknown_type_keeps_its_sequence() -> None:
    record = changed(type="concord.sales.deal-dreamt.v1")
    back = read(record, SALES)
    assert isinstance(back.event, Undecoded)
    assert (back.event.name, back.event.why) == ("concord.sales.deal-dreamt.v1", None)
    assert (back.sequence, back.channel, whole(back)) == (3, SALES, record)
    with pytest.raises(Undecodable, match=r"concord\.sales\.deal-dreamt\.v1"):
        decode(record)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "concord.legal.deal-dreamt.v1"},
        {"type": "concord.astrology.deal-dreamt.v1", "source": "/concord/astrology"},
    ],
)
def test_an_unknown_type_of_another_department_is_refused_on_this_channel(
    changes: dict[str, object],
) -> None:
    with pytest.raises(Undecodable, match="does not publish"):
        read(changed(**changes), SALES)


def test_an_error_in_confidential_data_does_not_contain_the_data() -> None:
    record = changed(
        type="concord.finance.margin-measured.v1",
        source="/concord/finance",
        data={"secret": "4711"},
    )
    back = read(record, FINANCE_CONFIDENTIAL)
    assert isinstance(back.event, Undecoded)
    assert back.event.why is not None
    assert back.event.why.endswith(": missing")


@pytest.mark.parametrize(
    "value",
    [[], {}, 7, True, None, "", "00-", "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "x" * 9_999],
)
def test_an_invalid_traceparent_is_left_out(value: object) -> None:
    assert decode(changed(traceparent=value)) == replace(OPENED, traceparent=None)


def test_a_channel_that_may_be_confidential_is_left_out_of_heard() -> None:
    assert decode(changed(heard="legal=2,delivery=12,procurement=4")) == OPENED
    assert decode(changed(heard="legal=2,delivery=12,finance.confidential=4")) == OPENED


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.sampled_from([2**53, 2**53 + 1, 2**63, -(2**63), 10**18])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999-14:00",
            "2026-03-02T09:00:00Z",
            "2026-W10-1T09:00:00Z",
            "sales=9007199254740992",
            "1e999999",
            "-0",
            "NaN",
            "9" * 400,
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
ATTRIBUTES = sorted(orjson.loads(encode(OPENED)))
FIELDS = sorted(data())


def event_or_named_error(record: bytes) -> None:
    """Check that the bytes are an event that is encoded as it was read, or a named error."""
    try:
        back = read(record, SALES)
    except Undecodable:
        return
    if not isinstance(back.event, Undecoded):
        again = decode(encode(back))
        assert again == back
    assert 1 <= back.sequence <= 2**53
    assert 1970 <= back.recorded_at.year < 3000
    assert 1970 <= back.occurred_at.year < 3000
    assert whole(back) == record


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_named_error(record: bytes) -> None:
    event_or_named_error(record)


@given(ANY_JSON)
def test_any_json_is_an_event_or_a_named_error(value: object) -> None:
    event_or_named_error(json.dumps(value).encode())


@given(st.sampled_from(ATTRIBUTES), ANY_JSON)
def test_any_value_of_any_attribute_gives_an_event_or_a_named_error(
    name: str, value: object
) -> None:
    event_or_named_error(json.dumps(orjson.loads(encode(OPENED)) | {name: value}).encode())


@given(st.sampled_from(FIELDS), ANY_JSON)
def test_any_value_of_any_field_gives_an_event_or_a_named_error(name: str, value: object) -> None:
    event = orjson.loads(encode(OPENED))
    event["data"][name] = value
    event_or_named_error(json.dumps(event).encode())


@given(st.integers(0, len(encode(OPENED))), st.binary(max_size=8), st.integers(0, 40))
def test_any_damage_to_an_event_gives_an_event_or_a_named_error(
    at: int, put: bytes, cut: int
) -> None:
    record = encode(OPENED)
    event_or_named_error(record[:at] + put + record[at + cut :])


@pytest.mark.parametrize("position", [{}, {"sales": 1}, {"sales": 17, "legal": 0, "delivery": 4}])
def test_a_position_is_read_back_from_its_text(position: dict[str, int]) -> None:
    assert read_position(write_position(position)) == position


@pytest.mark.parametrize(
    "text", ["sales", "sales=", "sales=-1", "sales=1.0", "sales=\u0661", "=1", ","]
)
def test_a_text_of_another_form_is_refused_as_a_position(text: str) -> None:
    with pytest.raises(ValueError, match="is not channel=number"):
        read_position(text)


def test_an_event_recorded_before_a_rule_existed_is_still_read() -> None:
    record = encode(OPENED).replace(b'"owner":"ann"', b'"owner":"ann@acme.com"')
    assert b"ann@acme.com" in encode(decode(record))
