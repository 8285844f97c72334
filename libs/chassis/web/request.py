"""Strict parsing of request headers and bodies, and the headers of responses.

========================  =====================================================================
``Idempotency-Key``       identifies the request: repeated with the same key, it has no second
                          effect
``If-Match``              the number of the stream (its ETag) that the caller saw
``Occurred-At``           when it happened, RFC 3339, not in the future (role `historian`)
``Concord-On-Behalf-Of``  the person for whom the caller gives the command, as their stand-in
``Concord-After``         wait until the stream has processed this much (``sales=17,legal=4``)
``Prefer: wait=SECONDS``  how long to wait, RFC 7240; up to the setting `wait_limit`
``Prefer: return=...``    ``representation`` for the whole view in the answer to a command;
                          ``minimal``, the default, for what the command changed
``Preference-Applied``    (response) the preferences that the request gave and that were followed
``ETag``                  (response) the number of the stream
``Concord-Position``      (response) the last ``streamsequence`` published or processed, by channel
``Concord-As-Of``         (response) the answer contains all that other departments published
                          before this moment
========================  =====================================================================
"""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from typing import Any, Literal, NoReturn, TypeAlias

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from chassis.application import as_of
from chassis.web.auth import Caller, Guard
from chassis.web.problems import Problem, field_error
from contracts.event import read_position, write_position
from contracts.values import PersonId

MOST_ITEMS = 3_000
"""Items that a list in a request may have, as many as a plan has tasks."""
MOST_FIELDS = 200
"""Fields that an object in a request may have."""
MOST_VALUES = 100_000
"""Values of any kind that a request may have in total; a plan of 3,000 tasks has 75,000."""

_LARGEST_EXPONENT = 64
_KEY = re.compile(r"[!#-\[\]-~]{1,128}")
_ETAG = re.compile(r'"([0-9]{1,12})"')
_NO_NAME = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates, which an answer that names the field cannot contain."""
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,6})\"?", re.IGNORECASE)
_RETURN = re.compile(r"return\s*=\s*\"?(minimal|representation)\"?", re.IGNORECASE)
_PERSON = TypeAdapter[str](PersonId)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

AS_OF: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            as_of.HEADER: {
                "description": "The answer contains all that other departments published before"
                " this moment (RFC 3339, UTC), and possibly newer events. Omitted where the moment"
                " is unknown, and for an engagement whose events are parked.",
                "schema": {"type": "string", "format": "date-time"},
                "example": "2026-03-02T09:00:00.000Z",
            }
        }
    }
}
"""The response header of views and lists, for the OpenAPI document."""

_POSITION = {
    "description": "The last `streamsequence` published or processed, by channel, for"
    " `Concord-After`.",
    "schema": {"type": "string"},
    "example": "legal=4,sales=17",
}
VIEW_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            **AS_OF[200]["headers"],
            "ETag": {
                "description": "The number of the stream, for `If-None-Match` and `If-Match`.",
                "schema": {"type": "string"},
                "example": '"4"',
            },
            "Concord-Position": _POSITION,
        }
    }
}
"""The response headers of the view of one stream, for the OpenAPI document."""

FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""A body that is the bytes of a file, for the OpenAPI document."""


Returns: TypeAlias = Literal["minimal", "representation"]
"""The form of an answer to a command that a request asks for; see `chassis.web.command_answers`."""


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """The options in the headers of a request. `wait` is in seconds, `occurred_at` in UTC."""

    key: str | None = None
    if_match: int | None = None
    occurred_at: datetime | None = None
    after: Mapping[str, int] | None = None
    wait: float = 0.0
    on_behalf_of: str | None = None
    returns: Returns | None = None

    @property
    def applied(self) -> dict[str, str]:
        """The header `Preference-Applied`, if the request has preferences."""
        followed = [f"return={self.returns}"] if self.returns else []
        if self.wait:
            followed.append(f"wait={self.wait:g}")
        return {"Preference-Applied": ", ".join(followed)} if followed else {}


def _header(
    name: str, description: str, example: str, *, required: bool = False
) -> dict[str, object]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string", "examples": [example]},
        "description": description,
    }


# FastAPI would take a twentieth of the time of a command to read these as parameters.
READ_HEADERS: dict[str, object] = {
    "parameters": [
        _header(
            "concord-after",
            "Wait, for the time in `Prefer: wait`, until the stream has processed this"
            " `streamsequence` of each channel; if it has not by then, the answer is 504"
            " `not-processed-yet`.",
            "sales=17,legal=4",
        ),
        _header("prefer", "`wait=SECONDS` (RFC 7240), 30 at most.", "wait=5"),
        _header(
            "if-none-match",
            "The ETag of an earlier answer: where it is current, the answer is 304 without a body.",
            '"3"',
        ),
    ]
}
"""The headers of a request that reads one stream, for the OpenAPI document."""
COMMAND_HEADERS: dict[str, object] = {
    "parameters": [
        _header(
            "idempotency-key",
            "Identifies this request of the caller: repeated with the same key, it has no second"
            " effect and gets the same answer.",
            "4b7e0c5e-5f0e-4f0e-9d5e-0d5f9c7b1a2e",
            required=True,
        ),
        _header(
            "if-match",
            "The ETag that the caller saw; 412 `stale` if the stream has changed.",
            '"3"',
        ),
        _header(
            "occurred-at",
            "When it happened, if not now: RFC 3339, not in the future. Needs the role"
            " `historian`.",
            "2026-03-02T09:00:00Z",
        ),
        _header(
            "concord-on-behalf-of",
            "Id of the person for whom the caller gives the command; 403 `stand-in-not-recorded`"
            " unless a stand-in record of this person names the caller.",
            "emma.lind",
        ),
        _header(
            "concord-after",
            "Decide when the stream has processed this `streamsequence` of each channel.",
            "sales=17,legal=4",
        ),
        _header(
            "prefer",
            "RFC 7240. `return=representation`: the answer has the view of the stream in `state`;"
            " `return=minimal`, the default: it has not. `wait=SECONDS`, 30 at most: within this"
            " time a refused command is decided again whenever the stream changes.",
            "return=representation, wait=5",
        ),
    ]
}
"""The headers that `command_options` reads, for the OpenAPI document."""
COMMAND_ANSWER: dict[str, Any] = {
    "headers": {
        "Preference-Applied": {
            "description": "The preferences of `Prefer` that were followed.",
            "schema": {"type": "string"},
            "example": "return=representation, wait=5",
        },
        "ETag": {
            "description": "The number of the stream after the command, for `If-Match`.",
            "schema": {"type": "string"},
            "example": '"4"',
        },
        "Concord-Position": _POSITION,
        "Idempotency-Replayed": {
            "description": "`true` where the request was repeated; omitted otherwise.",
            "schema": {"type": "string", "enum": ["true"]},
        },
    }
}
"""The response headers of commands, for the OpenAPI document."""


async def read_options(request: Request) -> CommandOptions:
    """Return the options of a request that reads; raises Problem 422."""
    headers, limit = request.headers, request.app.state.wait_limit
    prefer = ",".join(headers.getlist("prefer"))
    return CommandOptions(after=position(headers.get("concord-after")), wait=wait(prefer, limit))


async def command_options(request: Request) -> CommandOptions:
    """Return the options of a command; raises Problem 403 and 422."""
    headers, caller = request.headers, request.state.caller
    prefer = ",".join(headers.getlist("prefer"))
    return CommandOptions(
        key=key(headers.get("idempotency-key")),
        if_match=etag(headers.get("if-match")),
        occurred_at=moment(headers.get("occurred-at"), caller),
        after=position(headers.get("concord-after")),
        wait=wait(prefer, request.app.state.wait_limit),
        on_behalf_of=represented(headers.get("concord-on-behalf-of"), caller),
        returns=returns(prefer),
    )


def key(text: str | None) -> str:
    """Return an Idempotency-Key without its quotes.

    Raises Problem 422 unless it is given and has 1 to 128 printable characters.
    """
    if text is None:
        raise field_error("Idempotency-Key", "is missing")
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if not _KEY.fullmatch(bare):
        raise field_error("Idempotency-Key", "must be 1 to 128 printable characters, no spaces")
    return bare


def etag(text: str | None) -> int | None:
    """Return the number of the stream in an If-Match, or None for any; raises Problem 422."""
    if text is None or text.strip() == "*":
        return None
    found = _ETAG.fullmatch(text.strip())
    if found is None:
        raise field_error("If-Match", 'must be one ETag of an earlier answer, such as "3"')
    return int(found[1])


def moment(text: str | None, caller: Caller) -> datetime | None:
    """Return an Occurred-At in UTC.

    Raises Problem 403 without the role `historian`, and 422 for a time that is malformed, has no
    time zone, is in the future or before 1970.
    """
    if text is None:
        return None
    if not caller.may("historian"):
        raise Problem(403, "not-allowed", "Occurred-At needs the role historian")
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise field_error("Occurred-At", "must be a time in the format of RFC 3339") from None
    if when.tzinfo is None:
        raise field_error("Occurred-At", "must have a time zone, such as Z or +02:00")
    if when > datetime.now(UTC):
        raise field_error("Occurred-At", "must not be in the future")
    if when < _EARLIEST:
        raise field_error("Occurred-At", "must not be before 1970")
    return when.astimezone(UTC)  # after the checks: it fails at either end of the calendar


def represented(text: str | None, caller: Caller) -> str | None:
    """Return the person in a Concord-On-Behalf-Of header; raises Problem 422."""
    if text is None:
        return None
    try:
        person: str = _PERSON.validate_python(text)
    except ValidationError:
        raise field_error("Concord-On-Behalf-Of", "must be the id of a person") from None
    if person == caller.actor:
        raise field_error("Concord-On-Behalf-Of", "must name another person than the caller")
    return person


def position(text: str | None) -> Mapping[str, int] | None:
    """Return the position in a Concord-After header, by channel; raises Problem 422."""
    if text is None:
        return None
    try:
        return read_position(text.replace(" ", ""))
    except ValueError as error:
        raise field_error("Concord-After", str(error)) from None


def wait(prefer: str, limit: float) -> float:
    """Return the seconds to wait that a Prefer header asks for, up to a limit; 0 if it does not."""
    for preference in _preferences(prefer):
        found = _WAIT.fullmatch(preference)
        if found:
            return min(float(found[1]), limit)
    return 0.0


def returns(prefer: str) -> Returns | None:
    """Return what a Prefer header wants to be answered with; None for nothing, or for both."""
    wanted = {
        found[1].lower() for each in _preferences(prefer) if (found := _RETURN.fullmatch(each))
    }
    if wanted == {"representation"}:
        return "representation"
    return "minimal" if wanted == {"minimal"} else None


def _preferences(prefer: str) -> list[str]:
    return [each.strip() for each in re.split("[,;]", prefer)]


def position_headers(number: int, position: Mapping[str, int]) -> dict[str, str]:
    """Return the headers with a stream's number and position."""
    return {
        "ETag": f'"{number}"',
        "Concord-Position": write_position(position),
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
    }


def not_modified(request: Request, tag: int | str) -> bool:
    """Return whether the If-None-Match of the request contains the current ETag."""
    known = request.headers.get("if-none-match", "")
    return f'"{tag}"' in {each.strip().removeprefix("W/") for each in known.split(",")}


def reject_unknown_query(request: Request, *parameters: str) -> None:
    """Raise Problem 422 for a query parameter that is not among these."""
    for name in request.query_params:
        if name not in parameters:
            raise field_error(name, "is not a parameter of this request")


class Number(Decimal):
    """An exact number in JSON that cannot become a float.

    From a float, pydantic would make a boolean, or a date in seconds since 1970.
    """

    # FastAPI lets pydantic read the fields of an object from attributes, so a number would be an
    # object without optional fields. Pydantic does not read attributes of types of this module.
    __module__ = "builtins"

    def __float__(self) -> NoReturn:
        """Raise TypeError."""
        raise TypeError("a number in a request cannot be converted to a float")


class StrictRequest(Request):
    """A request with a limited body, whose JSON numbers are read as decimals."""

    async def body(self) -> bytes:
        """Return the body; raises Problem 413 as soon as more than `body_limit` bytes came."""
        if not hasattr(self, "_body"):
            self._body = await self.limited_body(self.app.state.body_limit)
        return self._body

    async def limited_body(self, limit: int) -> bytes:
        """Return the body; raises Problem 413 as soon as more than `limit` bytes came."""
        chunks, size = [], 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > limit:
                raise Problem(413, "body-too-large", f"the body must have at most {limit} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    async def json(self) -> Any:
        """Return the parsed body.

        Raises Problem 400 where it is not JSON, and 422 where it has too many values, or fails
        `reject_large_parts`.
        """
        body = await self.body()
        if _values(body) > MOST_VALUES and _values(_QUOTED.sub(b"", body)) > MOST_VALUES:
            raise field_error("body", f"must have at most {MOST_VALUES} values in total")
        try:
            content = json.loads(
                body,
                parse_int=_number,
                parse_float=_number,
                parse_constant=_no_constant,
                object_pairs_hook=_unique_fields,
            )
            reject_large_parts(content)
            return content
        except (ValueError, RecursionError, UnicodeError) as error:
            detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Problem(400, "malformed-json", f"the body is not JSON: {detail}") from None


class StrictRoute(APIRoute):
    """A route that authorises the caller before it reads the body, and parses the body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, which is given a `StrictRequest`."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        guards = [each.dependency for each in self.dependencies]

        async def handle_strictly(request: Request) -> Response:
            for guard in guards:
                if isinstance(guard, Guard):  # before the body is read
                    await guard(request)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if takes_body and kind not in {"application/json", ""}:
                raise Problem(415, "unsupported-media-type", "send the body as application/json")
            response = await handle(StrictRequest(request.scope, request.receive))
            response.headers.setdefault("Cache-Control", "private, no-cache")
            response.headers.update(as_of.header(getattr(request.state, "as_of", None)))
            return response

        return handle_strictly


def _values(body: bytes) -> int:
    """Return an estimate of the number of values in a body: at least their number minus one."""
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _number(text: str) -> Number:
    try:
        number = Number(text)
    except DecimalException:
        number = Number("Infinity")
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a number is too large")
    return number


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number in JSON")


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("an object has a field twice")
    return fields


def reject_large_parts(content: Any, place: str = "") -> None:
    """Reject too long lists and objects, and names that no field can have.

    A list has at most 1,000 items, an object at most 200 fields. Raises Problem 422 with the field,
    and ValueError where the name of a field has control characters or lone surrogates. `place` is
    the path of `content`. The types of the fields check texts.
    """
    match content:
        case dict():
            if len(content) > MOST_FIELDS:
                raise field_error(place or "body", f"must have at most {MOST_FIELDS} fields")
            for name, value in content.items():
                if _NO_NAME.search(name):
                    raise ValueError("the name of a field has control characters")
                reject_large_parts(value, f"{place}.{name}".removeprefix("."))
        case list():
            if len(content) > MOST_ITEMS:
                raise field_error(place or "body", f"must have at most {MOST_ITEMS} items")
            for number, value in enumerate(content):
                reject_large_parts(value, f"{place}[{number}]")
        case _:
            pass
