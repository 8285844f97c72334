"""The answers with a problem that an operation can give, with their codes, for OpenAPI documents.

What an operation has decides most of them: a token, a body, an id in its path, headers. Routes
declare only the codes that follow from something else, by `problem_answer`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.web.problems import MEDIA_TYPE
from contracts.refusals import PROBLEMS, REFUSALS, ProblemCode, RefusalCode

Answer = dict[str, Any]
Operation = Mapping[str, Any]

_SENTENCES: dict[str, str] = dict([*PROBLEMS.items(), *REFUSALS.items()])
_RETRY = {
    "Retry-After": {
        "description": "Seconds after which the request may succeed.",
        "schema": {"type": "string"},
        "example": "1",
    }
}
_CHALLENGE = {
    "WWW-Authenticate": {
        "description": "The scheme, and what is wrong with the token (RFC 6750).",
        "schema": {"type": "string"},
        "example": 'Bearer realm="concord", error="invalid_token"',
    }
}
_CURRENT = {
    "ETag": {
        "description": "The number that the stream has now.",
        "schema": {"type": "string"},
        "example": '"4"',
    }
}


def problem_answer(status: int, *codes: ProblemCode | RefusalCode) -> dict[int | str, Any]:
    """Return an answer of a route with further codes, by status, for its `responses`."""
    return {status: _answer(" ".join(_SENTENCES[code] for code in codes), codes)}


def refusal_answer(codes: list[RefusalCode]) -> dict[int | str, Any]:
    """Return the answer of a command that is refused, by status, for the `responses` of a route."""
    text = (
        "Refused: `code` is the reason, and `missing` lists the conditions that are not met. Where"
        " others may give the command, and not the caller, the status is 403."
    )
    every = sorted({*codes, "commit-too-large", "currency-not-in-use", "document-unknown"})
    return {409: _answer(text, tuple(every))}


def _answer(
    description: str, codes: tuple[str, ...], headers: Mapping[str, Answer] | None = None
) -> Answer:
    answer: Answer = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        "x-codes": {code: _SENTENCES[code] for code in codes},
    }
    return {**answer, "headers": headers} if headers else answer


def _has_body(operation: Operation) -> bool:
    return "requestBody" in operation


def _has_json(operation: Operation) -> bool:
    return "application/json" in operation.get("requestBody", {}).get("content", {})


def _has(place: str, name: str | None = None) -> Callable[[Operation], bool]:
    return lambda operation: any(
        each["in"] == place and name in {None, each["name"]}
        for each in operation.get("parameters", ())
    )


def _always(_: Operation) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Shared:
    """An answer of each operation for which a condition is true; its name is in the document."""

    name: str
    status: str
    codes: tuple[ProblemCode | RefusalCode, ...]
    condition: Callable[[Operation], bool]
    headers: Mapping[str, Answer] | None = None

    @property
    def answer(self) -> Answer:
        text = " ".join(_SENTENCES[code] for code in self.codes)
        return _answer(text, self.codes, self.headers)


_KEY = _has("header", "idempotency-key")
_SHARED = (
    _Shared("MalformedRequest", "400", ("malformed-json",), _has_json),
    _Shared(
        "TokenRefused",
        "401",
        ("invalid-token", "token-expired", "token-missing"),
        _always,
        _CHALLENGE,
    ),
    _Shared("NotAllowed", "403", ("not-allowed",), _always, _CHALLENGE),
    _Shared("CommandNotAllowed", "403", ("not-allowed", "stand-in-not-recorded"), _KEY),
    _Shared("UnknownStream", "404", ("unknown-stream",), _has("path")),
    _Shared("Stale", "412", ("stale",), _has("header", "if-match"), _CURRENT),
    _Shared("BodyTooLarge", "413", ("body-too-large",), _has_body),
    _Shared("UnsupportedMediaType", "415", ("unsupported-media-type",), _has_body),
    _Shared("InvalidInput", "422", ("invalid-input",), _always),
    _Shared("InvalidCommand", "422", ("event-not-recordable", "invalid-input", "key-reused"), _KEY),
    _Shared("InternalError", "500", ("internal-error", "unreadable-stream"), _always),
    _Shared("NotAvailable", "503", ("starting", "store-away"), _always, _RETRY),
    _Shared(
        "NotProcessedYet", "504", ("not-processed-yet",), _has("header", "concord-after"), _RETRY
    ),
)
"""The last one of a status is the answer of an operation, with the codes that its route adds."""

SHARED_ANSWERS = {each.name: each.answer for each in _SHARED}
"""The answers that several operations have, for the components of a document."""


def with_problems(operation: Operation) -> dict[str, Any]:
    """Return an operation that needs a token, with its answers with a problem."""
    shared = {each.status: each for each in _SHARED if each.condition(operation)}
    answers = {name: each for name, each in operation["responses"].items() if name != "422"}
    declared = {
        status: each for status, each in operation["responses"].items() if "x-codes" in each
    }
    for status, each in shared.items():
        if status in declared:
            own = declared[status]
            codes = dict(sorted({**each.answer["x-codes"], **own["x-codes"]}.items()))
            text = f"{each.answer['description']} {own['description']}"
            answers[status] = {**each.answer, "description": text, "x-codes": codes}
        else:
            answers[status] = {"$ref": f"#/components/responses/{each.name}"}
    return {**operation, "responses": dict(sorted(answers.items()))}
