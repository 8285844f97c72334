"""Make invalid requests of every kind from a route's OpenAPI description."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jwt

from chassis.base.settings import LOCAL_ISSUER
from chassis.web.auth import AUDIENCE, issue
from contracts.roles import ROLES
from tests.e2e.openapi import (
    Place,
    Route,
    Schema,
    fields,
    is_decimal,
    item,
    kinds,
    objects,
    put,
    whole,
    without,
    written,
)

LARGEST = 1024 * 1024
"""Maximum size of a body, in bytes."""

OUTSIDE = ("customer", "partner")
"""Roles that no department allows anything."""


@dataclass(frozen=True)
class Mistake:
    """An invalid request, with the expected status and code, and the field that must be named."""

    route: Route
    why: str
    status: int
    code: str
    names: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    path: str | None = None
    query: str = ""
    content: bytes | None = None

    @property
    def name(self) -> str:
        return f"{self.route.name}: {self.why}"

    @property
    def address(self) -> str:
        return (self.path or self.route.address()) + (f"?{self.query}" if self.query else "")


class Tokens:
    """Makes valid and invalid tokens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        now = datetime.now(UTC)
        self._claims: dict[str, Any] = {
            "iss": LOCAL_ISSUER,
            "aud": AUDIENCE,
            "sub": "mallory",
            "roles": list(ROLES),
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        self.everybody = self.of(*(role for role in ROLES if role not in OUTSIDE))
        self.no_historian = self.of(*(r for r in ROLES if r not in {*OUTSIDE, "historian"}))

    def of(self, *roles: str) -> str:
        now = datetime.now(UTC)
        known = tuple(role for role in ROLES if role in roles)
        return issue(self._secret, "mallory", known, issuer=LOCAL_ISSUER, now=now)

    def bad(self, *, every: bool) -> Iterator[tuple[str, str, str]]:
        """Return the name, value and expected code of invalid Authorization headers."""
        now = datetime.now(UTC)
        past = {"iat": now - timedelta(hours=2), "exp": now - timedelta(hours=1)}
        yield "an expired token", f"Bearer {self._with(**past)}", "token-expired"
        for why, token in (
            ("a token without expiry", self._without("exp")),
            ("a token with another audience", self._with(aud="another")),
            ("a token without a signature", jwt.encode(self._claims, "", algorithm="none")),
            ("a token signed with another key", jwt.encode(self._claims, "x" * 64, "HS256")),
        ):
            yield why, f"Bearer {token}", "invalid-token"
        if not every:
            return
        yield "a token of another scheme", "Basic YW5uOmFubg==", "token-missing"
        yield "no token behind Bearer", "Bearer", "token-missing"
        for why, token in (
            ("no token at all but a word", "nonsense"),
            ("a token without a subject", self._without("sub")),
            ("a token without an audience", self._without("aud")),
            ("a token of another issuer", self._with(iss="another")),
            ("a token valid for a year", self._with(exp=now + timedelta(days=365))),
            ("a token that is not valid yet", self._with(nbf=now + timedelta(hours=1))),
            ("a token signed another way", jwt.encode(self._claims, self._secret, "HS512")),
        ):
            yield why, f"Bearer {token}", "invalid-token"

    def _with(self, **claims: Any) -> str:
        return jwt.encode({**self._claims, **claims}, self._secret, "HS256")

    def _without(self, claim: str) -> str:
        rest = {name: value for name, value in self._claims.items() if name != claim}
        return jwt.encode(rest, self._secret, "HS256")


def mistakes(route: Route, tokens: Tokens, *, every: bool) -> Iterator[Mistake]:
    """Yield the invalid requests of a route.

    Of those that are the same on all routes (tokens, headers, invalid JSON) only the main ones,
    unless `every` is set.
    """
    headers = {"Authorization": f"Bearer {tokens.everybody}"}
    content = None
    if route.media is not None:
        headers["Content-Type"] = route.media
    if route.body is not None and route.media == "application/json":
        content = written_as_json(whole(route.body))
    if route.is_command:
        headers["Idempotency-Key"] = "a-mistake"
    right = Mistake(route, "", 422, "invalid-input", headers=headers, content=content)
    yield from _of_identity(right, tokens, every=every)
    yield from _of_address(right, every=every)
    yield from _of_headers(right, tokens, every=every)
    yield from _of_query(right)
    if content is not None and route.body is not None:
        yield from _of_the_body(right, every=every)
        yield from _of_objects(right, route.body)
        yield from _of_fields(right, route.body)


def written_as_json(body: Any) -> bytes:
    """Return a body as JSON, decimals as numbers."""
    return json.dumps(body, default=_decimal).encode()


def _decimal(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(repr(value))


def _of_identity(right: Mistake, tokens: Tokens, *, every: bool) -> Iterator[Mistake]:
    rest = {name: value for name, value in right.headers.items() if name != "Authorization"}
    yield replace(right, why="no token", status=401, code="token-missing", headers=rest)
    for why, authorization, code in tokens.bad(every=every):
        headers = {**rest, "Authorization": authorization}
        yield replace(right, why=why, status=401, code=code, headers=headers)
    others = [role for role in ROLES if role not in right.route.roles]
    another = tokens.of(*(others if right.route.roles else OUTSIDE))
    headers = {**rest, "Authorization": f"Bearer {another}"}
    yield replace(right, why="no such role", status=403, code="not-allowed", headers=headers)


def _of_address(right: Mistake, *, every: bool) -> Iterator[Mistake]:
    for name, schema in right.route.named.items():
        if "pattern" not in schema:
            continue
        wrong = ["a%00b", "a" * 300]
        if every:
            wrong += ["a%20b", "%C3%A9", "a%0Ab", "%ED%A0%80", "%FF"]
        if schema["pattern"].startswith("^E-"):
            wrong += ["E-1", "E-0d5r2k8wq3v7x", "engagement:E-0D5R2K8WQ3V7X"]
        for one in wrong:
            path = right.route.address(**{name: one})
            yield replace(right, why=f"{name} is {one[:40]}", names=name, path=path)


_FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat()
_HEADERS = {
    "idempotency-key": ("", "two words", "k" * 129, "tab\there", "\u00e9"),
    "if-match": ("3", '"three"', 'W/"3"', '"1", "2"', '"-1"'),
    "occurred-at": (
        _FUTURE,
        "yesterday",
        "2026-03-02",
        "2026-03-02T09:00:00",
        "1812-06-24T00:00:00Z",
        "9e9",
    ),
    "concord-on-behalf-of": ("", "ann@example.com", "mallory", "a b", "a" * 65),
    "concord-after": (
        "sales",
        "sales=-1",
        "sales=",
        "sales=1.5",
        "=3",
        "sales=1;legal=2",
        "a" * 3000,
    ),
}
"""Invalid values of headers; the first two are the main ones."""


def _of_headers(right: Mistake, tokens: Tokens, *, every: bool) -> Iterator[Mistake]:
    for name, values in _HEADERS.items():
        if name in right.route.headers:
            for value in values if every else values[:2]:
                headers = {n: v for n, v in right.headers.items() if n.lower() != name}
                headers[name] = value
                why = f"{name}: {value[:40]}"
                yield replace(right, why=why, names=name, headers=headers)
    if right.route.is_command:
        headers = {n: v for n, v in right.headers.items() if n != "Idempotency-Key"}
        yield replace(right, why="no key", names="idempotency-key", headers=headers)
        headers = {
            **right.headers,
            "Authorization": f"Bearer {tokens.no_historian}",
            "Occurred-At": "2026-03-02T09:00:00Z",
        }
        why = "history by somebody who may not record it"
        yield replace(right, why=why, status=403, code="not-allowed", headers=headers)


def _of_query(right: Mistake) -> Iterator[Mistake]:
    if right.route.method != "GET":
        return
    if right.route.path != "/changes":
        yield replace(right, why="an unknown parameter", names="nonsense", query="nonsense=1")
    wrong = {
        "limit": ("0", "-1", "201", "ten", "1e3", "9" * 400, "1.5", ""),
        "sort": ("nonsense", "--id", "", "id;drop"),
        "cursor": ("nonsense", "e30", "WzFd", "%00", "a" * 500, "bnVsbA"),
        # Lists of the departments compare the text as it is.
        "engagement": ("E-1", "%00") if right.route.service == "gateway" else (),
        "stage": (),
        "severity": ("dreadful",),
        "waived": ("perhaps",),
    }
    for name, values in wrong.items():
        if name in right.route.query:
            for value in values:
                why = f"{name}={value[:40]}"
                yield replace(right, why=why, names=name, query=f"{name}={value}")


_NOT_JSON = (
    b"{",
    b'{"a": NaN}',
    b'{"a": 1e400}',
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"nonsense",
    b"\xff\xfe",
    b"{'a': 1}",
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1' + b"0" * 5000 + b"}",
    b'{"a": 1, "a": 2}',
    b'{"a": 1} {"b": 2}',
    b"[" * 20_000 + b"]" * 20_000,
)
"""Bodies that are not valid JSON; the first four are the main ones."""


def _of_the_body(right: Mistake, *, every: bool) -> Iterator[Mistake]:
    for content in _NOT_JSON if every else _NOT_JSON[:4]:
        why = f"the body is {content[:20]!r}"
        yield replace(right, why=why, status=400, code="malformed-json", content=content)
    for content in (b"[]", b'"text"', b"3", b"null"):
        yield replace(right, why=f"the body is {content!r}", names="body", content=content)
    for media in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {**right.headers, "Content-Type": media}
        yield replace(right, why=media, status=415, code="unsupported-media-type", headers=headers)
    content = (right.content or b"") + b" " * LARGEST
    yield replace(right, why="too large", status=413, code="body-too-large", content=content)


def _of_objects(right: Mistake, schema: Schema) -> Iterator[Mistake]:
    body = whole(schema)

    def mistake(why: str, place: Place, wrong: Any) -> Mistake:
        content = written_as_json(wrong)
        return replace(right, why=why, names=written(place), content=content)

    for place, known in objects(schema):
        unknown = (*place, "nonsense")
        yield mistake(f"unknown field {written(unknown)}", unknown, put(body, unknown, 1))
        for name in known.get("required", ()):
            missing = (*place, name)
            yield mistake(f"{written(missing)} is missing", missing, without(body, missing))


def _of_fields(right: Mistake, schema: Schema) -> Iterator[Mistake]:
    body = whole(schema)
    longest: tuple[Place, int] = ((), 0)
    for place, known in fields(schema):
        for why, value in wrong_values(known):
            content = written_as_json(put(body, place, value))
            name = written(place)
            yield replace(right, why=f"{name} is {why}", names=name, content=content)
        limit = kinds(known).get("string", {}).get("maxLength", 0)
        if limit > longest[1]:
            longest = (place, limit)
    if longest[1]:
        content = written_as_json(put(body, longest[0], "a" * 1_000_000))
        name = written(longest[0])
        yield replace(right, why=f"{name} is a million characters", names=name, content=content)


def wrong_values(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield values that a field does not accept, each with a name."""
    known = kinds(schema)
    if len(known) == len(schema.get("anyOf", [schema])):
        yield "null", None
    if "enum" in schema or any("enum" in each for each in known.values()):
        yield "no choice", "nonsense"
        yield "a list", ["nonsense"]
    elif is_decimal(schema):
        yield from _no_decimals(known["number"])
    elif "object" in known:
        yield "a text for an object", "nonsense"
        yield "a list for an object", [1]
        yield "a number for an object", 7
    elif "array" in known:
        yield "a text for a list", "nonsense"
        yield "an object for a list", {"nonsense": 1}
        most = known["array"].get("maxItems")
        if most is not None and most <= 200:
            yield "too long a list", [whole(item(known["array"]))] * (most + 1)
        if known["array"].get("minItems"):
            yield "an empty list", []
    elif "integer" in known:
        yield from _no_integers(known["integer"])
    elif "boolean" in known:
        yield from _each("for a truth", "perhaps", 0, 1, 2, [], {})
    elif "string" in known:
        yield from _no_texts(known["string"])


def _each(what: str, *values: Any) -> Iterator[tuple[str, Any]]:
    for value in values:
        yield f"{value!r} {what}", value


def _no_decimals(schema: Schema) -> Iterator[tuple[str, Any]]:
    yield from _each("for a number", "nonsense", "NaN", "Infinity", "-Infinity", "1,5", "1e400")
    yield from _each("for a number", "", "0x10", [], {}, True)
    yield "10^30", 10**30
    yield "10^30 in words", str(10**30)
    if schema.get("minimum") is not None:
        yield "too small", schema["minimum"] - 1
        yield "too small in words", str(schema["minimum"] - 1)
    if schema.get("exclusiveMinimum") is not None:
        yield "just too small", schema["exclusiveMinimum"]
    if schema.get("maximum") is not None:
        yield "too large", schema["maximum"] + 1


def _no_integers(schema: Schema) -> Iterator[tuple[str, Any]]:
    yield from _each("for a whole number", "three", 1.5, [], {}, "", "1.5", 10**30, -(10**30))
    if schema.get("minimum") is not None:
        yield "too small", int(schema["minimum"]) - 1
    if schema.get("maximum") is not None:
        yield "too large", int(schema["maximum"]) + 1


def _no_texts(schema: Schema) -> Iterator[tuple[str, Any]]:
    if "format" in schema:
        yield from _each("for a day", "nonsense", "2026-02-30", "0000-01-01", "99999-01-01")
        yield from _each("for a day", "01/02/2026", "", 1.5, True, [], 0, 1_767_571_200)
        return
    yield from _each("for a text", 7, True, [], {}, 1.5)
    yield "a text with a NUL in it", "a\x00b"
    yield "a text with a bell in it", "a\x07b"
    yield "half a character", "a\ud800b"
    if schema.get("minLength") or not re.search(schema.get("pattern", ""), ""):
        yield "an empty text", ""
    if schema.get("maxLength"):
        yield "too long a text", "a" * (schema["maxLength"] + 1)
    if schema.get("pattern") == "^[A-Z]{3}$":
        for currency in ("XXX", "eur", "EURO", "E", "ZZZ"):
            yield f"the currency {currency}", currency
    elif schema.get("pattern"):
        yield "a text of another form", " !"
