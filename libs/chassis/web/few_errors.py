"""Limit the errors that are described in the answer to a request."""

from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler

from chassis.web.problems import field_error

_MOST_ERRORS = 1_000


def few_errors(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Return the command in a body; raises Problem 422 where it has more than 1,000 errors.

    Errors are found quickly, but describing a single one takes as long as a command.
    """
    try:
        return validate(given)
    except ValidationError as error:
        if (count := error.error_count()) <= _MOST_ERRORS:
            raise
        detail = f"has {count:,} errors, too many to list: send a part of it"
        raise field_error("body", detail) from None
