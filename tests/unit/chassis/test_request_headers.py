"""Strict parsing of request headers, and the errors of fields."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi import Request

from chassis.runtime.operations import Hold
from chassis.web import request
from chassis.web.auth import Caller
from chassis.web.problems import Problem, describe

HISTORIAN = Caller("hugo", frozenset({"historian"}))


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", 0),
        ("wait=5", 5),
        ("respond-async, wait=7", 7),
        ("wait=7; foo=bar", 7),
        ("WAIT = 3", 3),
        ("wait=9999", 30),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("handling=lenient", 0),
    ],
)
def test_wait_is_read_from_prefer_and_limited(prefer, seconds):
    assert request.wait(prefer, 30.0) == seconds
    assert request.wait(prefer, 0.0) == 0.0


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [
        ("", None),
        ("return=minimal", "minimal"),
        ("return=representation", "representation"),
        ("wait=5, return=representation", "representation"),
        ('RETURN = "Representation"; foo=bar', "representation"),
        ("return=minimal, return=minimal", "minimal"),
        ("return=minimal, return=representation", None),
        ("return=everything", None),
        ("return", None),
        ("xreturn=representation", None),
    ],
)
def test_what_to_return_is_read_from_prefer(prefer, wanted):
    assert request.returns(prefer) == wanted


@pytest.mark.parametrize(
    ("options", "applied"),
    [
        (request.CommandOptions(), None),
        (request.CommandOptions(wait=5.0), "wait=5"),
        (request.CommandOptions(returns="minimal"), "return=minimal"),
        (
            request.CommandOptions(returns="representation", wait=2.5),
            "return=representation, wait=2.5",
        ),
    ],
)
def test_the_preferences_that_are_followed_are_named(options, applied):
    assert options.applied.get("Preference-Applied") == applied


@pytest.mark.parametrize("key", ["k", "4b7e0c5e-5f0e-4f0e-9d5e-0d5f9c7b1a2e", "x" * 128, '"k/1"'])
def test_a_valid_idempotency_key_is_returned_without_quotes(key):
    assert request.key(key) == key.strip('"')


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 129, "é", "a\n", 'a"b', "a\\b"])
def test_an_invalid_idempotency_key_is_refused(key):
    with pytest.raises(Problem):
        request.key(key)


def test_a_missing_idempotency_key_is_named():
    with pytest.raises(Problem) as missing:
        request.key(None)
    assert str(missing.value) == "422: Idempotency-Key: is missing"


@pytest.mark.parametrize(
    ("options", "documented"),
    [
        (request.command_options, request.COMMAND_HEADERS),
        (request.read_options, request.READ_HEADERS),
    ],
)
async def test_the_documented_headers_are_read(options, documented):
    given = {
        "idempotency-key": "k",
        "if-match": '"3"',
        "occurred-at": "2026-01-05T10:00:00Z",
        "concord-on-behalf-of": "mara",
        "concord-after": "sales=17",
        "prefer": "return=minimal, wait=5",
        "if-none-match": '"3"',
    }
    names = {each["name"] for each in documented["parameters"]}
    read = await options(
        Request(
            {
                "type": "http",
                "app": SimpleNamespace(state=SimpleNamespace(wait_limit=30.0)),
                "state": {"caller": HISTORIAN},
                "headers": [(name.encode(), given[name].encode()) for name in names],
            }
        )
    )
    after, wait = {"sales": 17}, 5.0
    expected = request.CommandOptions(after=after, wait=wait)
    if options is request.command_options:
        at = datetime(2026, 1, 5, 10, tzinfo=UTC)
        expected = request.CommandOptions("k", 3, at, after, wait, "mara", "minimal")
    assert read == expected


def test_if_match_is_one_strong_etag_or_a_star():
    assert request.etag(None) is None
    assert request.etag("*") is None
    assert request.etag('"12"') == 12
    for wrong in ("12", 'W/"12"', '"a"', '"1", "2"', '"-1"'):
        with pytest.raises(Problem):
            request.etag(wrong)


def test_occurred_at_is_past_has_a_time_zone_and_needs_a_role():
    assert request.moment(None, HISTORIAN) is None
    occurred_at = request.moment("2026-01-05T10:00:00+02:00", HISTORIAN)
    assert occurred_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    for wrong in ("2026-01-05", "2026-01-05T10:00:00", "yesterday", "2999-01-01T00:00:00Z", ""):
        with pytest.raises(Problem):
            request.moment(wrong, HISTORIAN)
    for end_of_time in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        with pytest.raises(Problem):
            request.moment(end_of_time, HISTORIAN)
        with pytest.raises(ValueError, match=r"should be (greater|less) than"):
            Hold.model_validate({"at": end_of_time})
    with pytest.raises(Problem) as denied:
        request.moment("2026-01-05T10:00:00Z", Caller("ann", frozenset()))
    assert denied.value.status_code == 403


def test_a_position_names_known_channels():
    assert request.position("sales=17, legal=4") == {"sales": 17, "legal": 4}
    with pytest.raises(Problem):
        request.position("nowhere=1")


def error(**fields):
    return {"type": "value_error", "loc": ("body", "a"), "msg": "no", "input": None, **fields}


def test_a_field_is_named_by_its_path_in_the_request():
    assert describe(error(loc=("body", "lines", 0, "hours"))).field == "lines[0].hours"
    assert describe(error(loc=("header", "if-match"))).field == "if-match"
    assert describe(error(loc=("body",))).field == "body"


def test_a_given_value_is_shown_only_if_it_is_short_and_no_secret():
    assert describe(error(input="abc")).given == "abc"
    assert describe(error(input=-3)).given == -3
    assert describe(error(input="x" * 81)).given is None
    assert describe(error(loc=("body", "password"), input="abc")).given is None
    assert describe(error(loc=("header", "authorization"), input="abc")).given is None
    assert describe(error(type="extra_forbidden", input="abc")).given is None
    assert describe(error(input={"a": 1})).given is None
    assert describe(error(input=10**400)).given is None
