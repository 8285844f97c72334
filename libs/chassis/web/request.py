"""What stands in a request's headers and body, read strictly; and what stands in an answer's.

========================  =====================================================================
``Idempotency-Key``       names the request: the same key never has its effect twice
``If-Match``              the stream's number (its ETag) that the person saw
``Occurred-At``           when it happened, RFC 3339, never in the future (role `historian`)
``Concord-After``         wait until the stream has heard this much (``sales=17,legal=4``)
``Prefer: wait=SECONDS``  how long to wait, RFC 7240; 30 at most
``ETag``                  (answer) the stream's number
``Concord-Position``      (answer) the last sequence said or heard, by channel
``Concord-As-Of``         (answer) all that other departments published before this moment is in
                          the answer
========================  =====================================================================
"""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from typing import Annotated, Any, NoReturn

from fastapi import Header, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from chassis.application import as_of
from chassis.web.auth import Caller, Guard
from chassis.web.problems import Problem, field_error
from contracts.event import read_position, write_position

MOST_ITEMS = 1_000
"""Items a list of a request may have."""
MOST_FIELDS = 200
"""Fields an object of a request may have."""
MOST_VALUES = 50_000
"""Values of any kind that a request may have in all; a plan of a thousand tasks has half of it."""

_LARGEST_EXPONENT = 64
_KEY = re.compile(r"[!#-\[\]-~]{1,128}")
_ETAG = re.compile(r'"([0-9]{1,12})"')
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters other than tabs and ends of lines, and halves of characters."""
_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,6})\"?", re.IGNORECASE)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

AS_OF: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            as_of.HEADER: {
                "description": "All that other departments published before this moment (RFC 3339,"
                " UTC) is in the answer; newer events may be. Left out where it is not known, and"
                " for an engagement whose events wait until a person has looked at them.",
                "schema": {"type": "string", "format": "date-time"},
                "example": "2026-03-02T09:00:00.000Z",
            }
        }
    }
}
"""The header of answers that show views or lists, for the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What a request asks for beside its body. `wait` is in seconds."""

    key: str | None = None
    if_match: int | None = None
    occurred_at: datetime | None = None
    after: Mapping[str, int] | None = None
    wait: float = 0.0

    @property
    def applied(self) -> dict[str, str]:
        """The header that says which preference was followed."""
        return {"Preference-Applied": f"wait={self.wait:g}"} if self.wait else {}


async def read_options(
    request: Request,
    concord_after: Annotated[
        str | None,
        Header(
            description="Wait (as long as `Prefer: wait` says) until the stream has heard this"
            " much of each channel; answers 504 `not-heard-yet` when it has not by then.",
            examples=["sales=17,legal=4"],
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(description="`wait=SECONDS` (RFC 7240), 30 at most.", examples=["wait=5"]),
    ] = None,
) -> CommandOptions:
    """What a request to read asks for."""
    limit: float = request.app.state.wait_limit
    return CommandOptions(after=position(concord_after), wait=wait(prefer, limit))


async def command_options(
    request: Request,
    idempotency_key: Annotated[
        str,
        Header(
            description="Names this request, for its actor: sent again with the same key it has"
            " no second effect and gets the same answer.",
            examples=["4b7e0c5e-5f0e-4f0e-9d5e-0d5f9c7b1a2e"],
        ),
    ],
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag that the person saw; 412 `stale` when the stream has moved on.",
            examples=['"3"'],
        ),
    ] = None,
    occurred_at: Annotated[
        str | None,
        Header(
            description="When it happened, if not now: RFC 3339, never in the future. Needs the"
            " role `historian`.",
            examples=["2026-03-02T09:00:00Z"],
        ),
    ] = None,
    concord_after: Annotated[
        str | None,
        Header(
            description="Decide only when the stream has heard this much of each channel.",
            examples=["sales=17,legal=4"],
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=SECONDS` (RFC 7240), 30 at most: a refused command is decided again"
            " each time the stream moves, until then.",
            examples=["wait=5"],
        ),
    ] = None,
) -> CommandOptions:
    """What a command asks for beside its body."""
    return CommandOptions(
        key=key(idempotency_key),
        if_match=etag(if_match),
        occurred_at=moment(occurred_at, request.state.caller),
        after=position(concord_after),
        wait=wait(prefer, request.app.state.wait_limit),
    )


def key(text: str) -> str:
    """An Idempotency-Key: 1 to 128 printable characters, in quotes or not."""
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if not _KEY.fullmatch(bare):
        raise field_error("Idempotency-Key", "must be 1 to 128 printable characters, no spaces")
    return bare


def etag(text: str | None) -> int | None:
    """The stream's number in an If-Match; None where any number will do."""
    if text is None or text.strip() == "*":
        return None
    found = _ETAG.fullmatch(text.strip())
    if found is None:
        raise field_error("If-Match", 'must be one ETag as it was given, such as "3"')
    return int(found[1])


def moment(text: str | None, caller: Caller) -> datetime | None:
    """An Occurred-At in UTC; raises Problem 403 where the caller may not record history."""
    if text is None:
        return None
    if not caller.may("historian"):
        raise Problem(403, "not-allowed", "Occurred-At needs the role historian")
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise field_error("Occurred-At", "must be a moment as RFC 3339 writes it") from None
    if when.tzinfo is None:
        raise field_error("Occurred-At", "must have a time zone, such as Z or +02:00")
    if when > datetime.now(UTC):
        raise field_error("Occurred-At", "must not be in the future")
    if when < _EARLIEST:
        raise field_error("Occurred-At", "must not be before 1970")
    return when.astimezone(UTC)  # which a moment at either end of the calendar has none of


def position(text: str | None) -> Mapping[str, int] | None:
    """A position in a Concord-After header."""
    if text is None:
        return None
    try:
        return read_position(text.replace(" ", ""))
    except ValueError as error:
        raise field_error("Concord-After", str(error)) from None


def wait(prefer: str | None, limit: float) -> float:
    """Seconds up to a limit that a Prefer header asks to wait; others of its are passed over."""
    for preference in re.split("[,;]", prefer or ""):
        found = _WAIT.fullmatch(preference.strip())
        if found:
            return min(float(found[1]), limit)
    return 0.0


def stands_at(number: int, position: Mapping[str, int]) -> dict[str, str]:
    """The headers that say how far a stream is."""
    return {
        "ETag": f'"{number}"',
        "Concord-Position": write_position(position),
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
    }


def not_modified(request: Request, number: int) -> bool:
    """Tell whether the reader's If-None-Match names what stands already."""
    known = request.headers.get("if-none-match", "")
    return f'"{number}"' in {tag.strip().removeprefix("W/") for tag in known.split(",")}


def reject_unknown_query(request: Request, *parameters: str) -> None:
    """Refuse query parameters that nobody asked for, by name."""
    for name in request.query_params:
        if name not in parameters:
            raise field_error(name, "is not a parameter of this request")


class Number(Decimal):
    """A number of JSON: exact, and nothing but a number.

    What can be made a float is taken for a truth value, or for a day in seconds since 1970.
    """

    def __float__(self) -> NoReturn:
        """Raise TypeError."""
        raise TypeError("a number of a request stays as it was written")


class StrictRequest(Request):
    """A request whose body is bounded, and whose JSON is read as decimals and as nothing else."""

    async def body(self) -> bytes:
        """The body; raises Problem 413 before more of it is taken than is allowed."""
        if not hasattr(self, "_body"):
            limit: int = self.app.state.body_limit
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > limit:
                    raise Problem(413, "body-too-large", f"a body has at most {limit} bytes here")
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        """The body; raises Problem 400 where it is not JSON, 422 where nobody would send it."""
        body = await self.body()
        if _values(body) > MOST_VALUES and _values(_QUOTED.sub(b"", body)) > MOST_VALUES:
            raise field_error("body", f"must have at most {MOST_VALUES} values in all")
        try:
            content = json.loads(
                body,
                parse_int=_number,
                parse_float=_number,
                parse_constant=_no_constant,
                object_pairs_hook=_no_twins,
            )
            if isinstance(content, Number):  # which a model would take for an object of its own
                raise field_error("body", "must be a JSON object, sent as application/json")
            only_texts(content)
            return content
        except (ValueError, RecursionError, UnicodeError) as error:
            detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Problem(400, "malformed-json", f"the body is not JSON: {detail}") from None


class StrictRoute(APIRoute):
    """A route that knows who asks before it reads a byte of the body, and reads that strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, behind a strict reader."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        guards = [each.dependency for each in self.dependencies]

        async def strictly(request: Request) -> Response:
            for guard in guards:
                if isinstance(guard, Guard):  # before a byte of the body is read
                    await guard(request)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if takes_body and kind not in {"application/json", ""}:
                raise Problem(415, "unsupported-media-type", "send the body as application/json")
            response = await handle(StrictRequest(request.scope, request.receive))
            response.headers.setdefault("Cache-Control", "private, no-cache")
            response.headers.update(as_of.header(getattr(request.state, "as_of", None)))
            return response

        return strictly


def _values(body: bytes) -> int:
    """No fewer values than these, and about as many, stand in a body."""
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
    raise ValueError(f"{text} is no number of JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field stands twice in one object")
    return fields


def only_texts(content: Any, place: str = "") -> None:
    """Refuse what no text may hold, and more items or fields than anybody would send.

    No text holds control characters, or halves of characters. Raises Problem 422 that names the
    field, and ValueError for a field's name.
    """
    match content:
        case str():
            if _NO_TEXT.search(content):
                raise field_error(place or "body", "must be text without control characters")
        case dict():
            if len(content) > MOST_FIELDS:
                raise field_error(place or "body", f"must have at most {MOST_FIELDS} fields")
            for name, value in content.items():
                if _NO_TEXT.search(name):
                    raise ValueError("a field's name holds what is no text")
                only_texts(value, f"{place}.{name}".removeprefix("."))
        case list():
            if len(content) > MOST_ITEMS:
                raise field_error(place or "body", f"must have at most {MOST_ITEMS} items")
            for number, value in enumerate(content):
                only_texts(value, f"{place}[{number}]")
        case _:
            pass
