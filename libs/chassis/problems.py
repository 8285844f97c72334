"""Problems: every error of the HTTP interface as RFC 9457 says, with a `code` that never changes.

Programs go by `code`; `detail` is for people. Nothing that was sent is repeated back unless it is
a short plain value of a field that holds no secret.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.decider import Refused

MEDIA_TYPE = "application/problem+json"
_SECRETS = ("token", "secret", "password", "authorization", "key")
_log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One field that was refused: where it stands, what is wrong, and what was given if short."""

    field: str
    problem: str
    given: str | int | float | bool | None = None


class MissingItem(BaseModel):
    """One thing a refused command waits for, and the department that owes it."""

    code: str
    sentence: str
    owed_by: str | None = None


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 lays it out. `code` is stable; the sentence in `detail` may change."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["urn:concord:problem:proposal-not-ready"])
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = None
    missing: list[MissingItem] | None = None
    errors: list[FieldError] | None = None


class Problem(HTTPException):
    """An answer that is an error; raise it anywhere below a route."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        missing: Sequence[MissingItem] | None = None,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.missing = None if missing is None else list(missing)
        self.errors = None if errors is None else list(errors)

    def response(self, instance: str | None = None) -> Response:
        """The problem as bytes, headers and all; `instance` is the path it is about."""
        document = ProblemDocument(
            type=f"urn:concord:problem:{self.code}",
            title=self.code.replace("-", " ").capitalize(),
            status=self.status_code,
            code=self.code,
            detail=self.detail,
            instance=instance,
            missing=self.missing,
            errors=self.errors,
        )
        return Response(
            to_json(document, exclude_none=True),
            self.status_code,
            headers={**(self.headers or {}), "Cache-Control": "no-store"},
            media_type=MEDIA_TYPE,
        )


def refusal(refused: Refused) -> Problem:
    """A decision that is no, with all that would change it."""
    missing = [
        MissingItem(code=m.code, sentence=m.sentence, owed_by=m.owed_by) for m in refused.missing
    ]
    return Problem(409, refused.code, str(refused), missing=missing)


def field_error(field: str, problem: str, status: Literal[400, 422] = 422) -> Problem:
    """One field, header or parameter that was refused."""
    error = FieldError(field=field, problem=problem)
    return Problem(status, "invalid-input", f"{field}: {problem}", errors=[error])
