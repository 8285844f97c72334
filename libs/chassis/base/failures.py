"""What of an error may be stored, shown, logged and sent: its kind and its place, and no values.

The words of an error can hold what it happened to: pydantic repeats the input, KeyError the key,
and a reaction to an open event computes with confidential figures. Only errors that are known to
name none of them are told in their own words.
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


class SaysNoValues(Exception):
    """An error whose words hold no values of what was processed, so that they may be repeated."""


@runtime_checkable
class HasSafeWords(Protocol):
    """An error that has, beside its own words, some that hold no values."""

    safe_words: str


_TOLD_IN_ITS_WORDS = (SaysNoValues, KafkaError, OSError)


def described(error: BaseException) -> str:
    """Return what went wrong and where in this code, and nothing of the values it happened to."""
    kind = type(error).__name__
    if isinstance(error, _TOLD_IN_ITS_WORDS):
        return f"{kind}: {error}"
    if isinstance(error, HasSafeWords):
        return f"{kind}: {error.safe_words}"
    if isinstance(error, ValidationError):
        kind += f": {error.title}: {'; '.join(_fields(error))}"
    return kind + _place(error)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error and of what led to it, each told as `described` does."""
    told: list[str] = []
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        frames = "".join(traceback.format_tb(each.__traceback__))
        told.append(f"Traceback (most recent call last):\n{frames}{described(each)}\n")
        if isinstance(each, BaseExceptionGroup):
            told.extend(traceback_of(part) for part in each.exceptions)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\nwhich led to:\n\n".join(reversed(told))


def _fields(error: ValidationError) -> Iterator[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for each in found[:_MOST_FIELDS]:
        yield f"{'.'.join(map(str, each['loc']))}: {each['type']}"


def _place(error: BaseException) -> str:
    """Return where this code raised the error, or called what raised it."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [each for each in frames if _module(each[0]).partition(".")[0] in _OWN]
    if not frames:
        return ""
    frame, line = (own or frames)[-1]
    return f" ({_module(frame)}.{frame.f_code.co_name}, line {line})"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
