"""Descriptions of errors that may be stored, shown, logged and sent: type and place, no values.

The message of an error can contain the data it was raised for: pydantic repeats the input, KeyError
the key, and a reaction to an open event computes with confidential figures. So only the messages of
errors that are known to contain no such values are used.
"""

import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Protocol, runtime_checkable

from aiokafka.errors import KafkaError
from pydantic import ValidationError

from contracts.channels import DEPARTMENTS

_OWN = frozenset({"chassis", "contracts", *DEPARTMENTS})
_MOST_FIELDS = 5


class ValueFreeError(Exception):
    """An error whose message contains no values of the processed data, so that it may be shown."""


@runtime_checkable
class HasSafeMessage(Protocol):
    """An error with a second message, `safe_message`, that contains no values."""

    safe_message: str


_WITH_SAFE_MESSAGE = (ValueFreeError, KafkaError, OSError)


def described(error: BaseException) -> str:
    """Return the type of an error and its place in this code, or its message if that is safe."""
    kind = type(error).__name__
    if isinstance(error, _WITH_SAFE_MESSAGE):
        return f"{kind}: {error}"
    if isinstance(error, HasSafeMessage):
        return f"{kind}: {error.safe_message}"
    if isinstance(error, ValidationError):
        kind += f": {error.title}: {'; '.join(_fields(error))}"
    return kind + _place(error)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error and of its causes, each described by `described`."""
    parts: list[str] = []
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        frames = "".join(traceback.format_tb(each.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{described(each)}\n")
        if isinstance(each, BaseExceptionGroup):
            parts.extend(traceback_of(part) for part in each.exceptions)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\nwhich led to:\n\n".join(reversed(parts))


def _fields(error: ValidationError) -> Iterator[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for each in found[:_MOST_FIELDS]:
        yield f"{'.'.join(map(str, each['loc']))}: {each['type']}"


def _place(error: BaseException) -> str:
    """Return the innermost place in this code, or in any code if the traceback has none."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [each for each in frames if _module(each[0]).partition(".")[0] in _OWN]
    if not frames:
        return ""
    frame, line = (own or frames)[-1]
    return f" ({_module(frame)}.{frame.f_code.co_name}, line {line})"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
