"""Mark fields that only readers with the role `confidential` see.

A field that is `Redacted` leaves out what is confidential when it is serialised, unless the context
is `EVERYTHING`. So a response that forgets its reader shows less and not more. The store is written
by adapters that leave out nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import GetCoreSchemaHandler, PlainSerializer, SerializationInfo, TypeAdapter
from pydantic_core import CoreSchema

from contracts.channels import open_channels, seen
from contracts.event import read_position

T = TypeVar("T")

EVERYTHING = {"confidential": True}
"""Context of serialisation for readers with the role `confidential`."""

_of_store = ContextVar("of_store", default=False)


@dataclass(frozen=True, slots=True)
class Redacted:
    """Mark a field in `Annotated`: `without` returns its value without what is confidential."""

    without: Callable[[Any], object]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if _of_store.get():
            return handler(source)

        def redact(value: object, info: SerializationInfo) -> object:
            return value if info.context is EVERYTHING else self.without(value)

        serializer = PlainSerializer(redact, return_type=source)
        return serializer.__get_pydantic_core_schema__(source, handler)


@dataclass(frozen=True, slots=True)
class _ByChannel:
    """Mark a text of `write_position`: a response has what its reader may see of it by channel."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if _of_store.get():
            return handler(source)

        def by_channel(text: str, info: SerializationInfo) -> dict[str, int]:
            return seen(read_position(text), confidential=info.context is EVERYTHING)

        serializer = PlainSerializer(by_channel, return_type=dict[str, int])
        return serializer.__get_pydantic_core_schema__(source, handler)


def adapter_of_store(kind: type[T]) -> TypeAdapter[T]:
    """Return an adapter that leaves out nothing, and does not call a function for each field."""
    token = _of_store.set(True)
    try:
        return TypeAdapter(kind)
    finally:
        _of_store.reset(token)


def context_of(*, confidential: bool) -> dict[str, bool] | None:
    """Return the context of serialisation for a reader."""
    return EVERYTHING if confidential else None


def nothing(value: object) -> None:
    """Return None in place of a value that is confidential as a whole."""
    del value


Position = Annotated[dict[str, int], Redacted(open_channels)]
"""The last sequence of each channel; how many confidential events there are is confidential."""

PositionText = Annotated[str, _ByChannel()]
"""The same as a text in memory and in the store, where a view has hundreds and loads them fast."""
