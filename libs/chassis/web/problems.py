"""Problem documents (RFC 9457): every error of the HTTP interface, with a stable `code`.

Programs rely on `code`; `detail` is for people. A value from the request is only repeated if it is
short, plain and not of a field that may contain a secret.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi import HTTPException as FastAPIProblem
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.application.command_handler import KeyReused, NotYet, Stale
from chassis.application.repository import Unknown
from chassis.domain.commands import Missing, NotAllowed, NotRecordable, Refused
from chassis.eventstore.mongo import StoreAway
from chassis.eventstore.unreadable import UnreadableStream, log_once
from contracts.refusals import PROBLEMS, REFUSALS, ProblemCode, RefusalCode
from contracts.text import without_prefix

MEDIA_TYPE = "application/problem+json"
TRANSLATED = (Refused, Unknown, Stale, KeyReused, NotYet, UnreadableStream, StoreAway)
"""The exceptions that `translated` converts to problems."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SECRETS = ("token", "secret", "password", "authorization", "key")
_SENTENCES = {
    "extra_forbidden": "is not a field of this request",
    "missing": "is missing",
    "model_attributes_type": "must be a JSON object, sent as application/json",
    "tuple_type": "must be a JSON array",
    "decimal_type": "must be a decimal number",
    "decimal_parsing": "must be a decimal number",
}
_DATE_ERRORS = {
    "date_type",
    "date_parsing",
    "date_from_datetime_parsing",
    "date_from_datetime_inexact",
}
_SUBJECT = re.compile(r"^(Input|String|List|Tuple|Set|Dictionary|Decimal input) should ")
_MAX_SHOWN_LENGTH = 80
_MAX_SHOWN_ERRORS = 50
_CODE_SCHEMA = {
    "type": "string",
    "description": (
        "Stable code of the error. New codes are added at any time, so readers must accept unknown"
        " ones. `x-codes` explains each code."
    ),
    "x-codes": dict(sorted([*PROBLEMS.items(), *REFUSALS.items()])),
    "examples": ["proposal-not-ready"],
}
_FRAMEWORK_ERRORS: dict[int, tuple[ProblemCode, str]] = {
    400: ("malformed-request", "the request cannot be read"),
    404: ("unknown-route", "there is nothing at this address"),
    405: ("method-not-allowed", "the method is not allowed at this address"),
    413: ("body-too-large", "the body is too large"),
}
_STORE_AWAY = (
    "the store is not available; a command may or may not have been recorded: send it again with"
    " the same Idempotency-Key"
)
_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """A refused field: its path, the error, and the given value if it is short and no secret."""

    field: str
    problem: str
    given: str | int | float | bool | None = None


class ProblemDocument(BaseModel):
    """An error as RFC 9457 defines it. `code` is stable; the sentence in `detail` may change."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["urn:concord:problem:proposal-not-ready"])
    title: str
    status: int
    code: Annotated[ProblemCode | RefusalCode, WithJsonSchema(_CODE_SCHEMA)]
    detail: str
    instance: str | None = None
    missing: list[Missing] | None = None
    errors: list[FieldError] | None = None


class Problem(FastAPIProblem):
    """An error response; raise it anywhere below a route."""

    def __init__(
        self,
        status: int,
        code: ProblemCode | RefusalCode,
        detail: str,
        *,
        missing: Sequence[Missing] | None = None,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.missing = None if missing is None else list(missing)
        self.errors = None if errors is None else list(errors)

    def document(self, instance: str | None = None) -> ProblemDocument:
        """Return the body of the response; `instance` is the path of the request."""
        return ProblemDocument(
            type=f"urn:concord:problem:{self.code}",
            title=self.code.replace("-", " ").capitalize(),
            status=self.status_code,
            code=self.code,
            detail=self.detail,
            instance=instance,
            missing=self.missing,
            errors=self.errors,
        )

    def response(self, instance: str | None = None) -> Response:
        """Return the response with body and headers; `instance` is the path of the request."""
        return Response(
            to_json(self.document(instance), exclude_none=True),
            self.status_code,
            headers={**(self.headers or {}), "Cache-Control": "no-store"},
            media_type=MEDIA_TYPE,
        )


def translated(error: Exception, *, confidential: bool = False) -> Problem:
    """Return the problem for an exception of `TRANSLATED`; raise any other again.

    With `confidential`, the caller has the role of that name and is shown confidential details.
    """
    match error:
        case NotRecordable() if error.confidential and not confidential:
            return Problem(422, error.code, str(error))
        case NotRecordable():
            errors = [FieldError(field=error.field, problem=error.why)]
            return Problem(422, error.code, error.whole, errors=errors)
        case NotAllowed():
            return Problem(403, error.code, str(error), missing=error.missing)
        case Refused():
            return Problem(409, error.code, str(error), missing=error.missing)
        case Unknown():
            return Problem(404, "unknown-stream", str(error))
        case Stale():
            return Problem(412, "stale", str(error), headers={"ETag": f'"{error.number}"'})
        case KeyReused():
            return Problem(422, "key-reused", str(error))
        case NotYet():
            return Problem(504, "not-processed-yet", str(error), headers={"Retry-After": "1"})
        case UnreadableStream():
            log_once(error)
            # The cause is only logged: it may be confidential.
            detail = (
                f"{error.stream} cannot be read past commit {error.number - 1} of its journal;"
                " the log of this service has the cause"
            )
            return Problem(500, "unreadable-stream", detail)
        case StoreAway():
            _log.warning("the store is not available: %s", error)
            return Problem(503, "store-away", _STORE_AWAY, headers={"Retry-After": "1"})
        case _:
            raise error


def field_error(field: str, problem: str) -> Problem:
    """Return the problem 422 for one field, header or parameter."""
    error = FieldError(field=field, problem=problem)
    return Problem(422, "invalid-input", f"{field}: {problem}", errors=[error])


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of a problem and its parts, for the OpenAPI document."""
    whole = ProblemDocument.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )
    return {**whole.pop("$defs"), ProblemDocument.__name__: whole}


def install(app: FastAPI) -> None:
    """Make the application answer every error with a problem."""
    app.add_exception_handler(HTTPException, _from_http)
    app.add_exception_handler(RequestValidationError, _from_validation)
    for kind in TRANSLATED:
        app.add_exception_handler(kind, _from_translated)
    app.add_exception_handler(Exception, _from_bug)


def _causes(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the errors without those that follow from others.

    Pydantic counts only valid items, so a list with enough items is too short if one is invalid.
    """
    within = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or error["loc"] not in within
        or len(error["input"]) < error["ctx"]["min_length"]
    ]


def describe(error: Mapping[str, Any]) -> FieldError:
    """Return the error of the field that an error of pydantic is about."""
    place, *path = error["loc"] or ("body",)
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    field = field.removeprefix(".") or str(place)
    return FieldError(field=field, problem=_sentence(error), given=_shown(field, error))


def _sentence(error: Mapping[str, Any]) -> str:
    """Return what the value has to be, in the words of a request and not in those of Python."""
    if error["type"] in _DATE_ERRORS:
        return "must be a day that exists, as YYYY-MM-DD"
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]]
    message = without_prefix(str(error["msg"])).split(" after validation, ")[0]
    return _SUBJECT.sub("must ", message)


def _shown(field: str, error: Mapping[str, Any]) -> str | int | float | bool | None:
    given = error.get("input")
    if error["loc"][:1] == ("header",) or error["type"] in {"missing", "extra_forbidden"}:
        return None
    if any(word in field.lower() for word in _SECRETS):
        return None
    if isinstance(given, Decimal):
        given = int(given) if given == given.to_integral_value() else str(given)
    if isinstance(given, str):
        is_shown = len(given) <= _MAX_SHOWN_LENGTH and not _SURROGATE.search(given)
        return given if is_shown else None
    if isinstance(given, bool):
        return given
    if isinstance(given, int):
        return given if abs(given) <= 2**53 else None
    return None


async def _from_http(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response(request.url.path)
    if not isinstance(error, HTTPException):
        raise error
    other: tuple[ProblemCode, str] = ("http-error", str(error.detail))
    code, detail = _FRAMEWORK_ERRORS.get(error.status_code, other)
    return Problem(error.status_code, code, detail, headers=error.headers).response(
        request.url.path
    )


async def _from_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [describe(each) for each in _causes(error.errors())[:_MAX_SHOWN_ERRORS]]
    detail = "; ".join(f"{each.field}: {each.problem}" for each in errors)
    return Problem(422, "invalid-input", detail, errors=errors).response(request.url.path)


async def _from_translated(request: Request, error: Exception) -> Response:
    caller = getattr(request.state, "caller", None)
    confidential = caller is not None and caller.may("confidential")
    return translated(error, confidential=confidential).response(request.url.path)


async def _from_bug(request: Request, error: Exception) -> Response:
    problem = Problem(500, "internal-error", "internal error; the log of this service has details")
    return problem.response(request.url.path)
