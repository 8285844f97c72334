"""Decide what a reader sees, and mark the fields that not every reader sees.

What is confidential is for readers with the role `confidential`; whose time and expenses they are,
with notes and receipts, for those whom they concern (`Reader.sees_details_of`). A marked field
leaves out the rest when it is serialised, unless the context is a `Reader` who may see it. So a
response that forgets its reader shows less and not more. The store is written by adapters that
leave out nothing.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import GetCoreSchemaHandler, PlainSerializer, SerializationInfo, TypeAdapter
from pydantic_core import CoreSchema

from contracts.channels import open_channels, seen
from contracts.event import read_position

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reader:
    """The person who reads an answer about an engagement.

    `confidential` readers see costs, margins and what would disclose them. Readers who see
    `everyone` see whose time and expenses they are, with notes and receipts.
    """

    person: str
    confidential: bool = False
    everyone: bool = False

    def sees_details_of(self, person: str | None) -> bool:
        """Return whether the reader may see time and expenses of a person, or of several (None)."""
        return self.everyone or (person is not None and person == self.person)


NOBODY = Reader("")
"""A reader who sees only what every reader may see."""


def _reader(info: SerializationInfo) -> Reader:
    return info.context if isinstance(info.context, Reader) else NOBODY


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
            return value if _reader(info).confidential else self.without(value)

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
            return seen(read_position(text), confidential=_reader(info).confidential)

        serializer = PlainSerializer(by_channel, return_type=dict[str, int])
        return serializer.__get_pydantic_core_schema__(source, handler)


class _OfPerson(Protocol):
    @property
    def person(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _ByPerson:
    """Mark what is kept of people: a response has that of people whose details its reader sees."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if _of_store.get():
            return handler(source)

        def of_people(
            kept: Mapping[str, _OfPerson], info: SerializationInfo
        ) -> dict[str, _OfPerson]:
            reader = _reader(info)
            return {key: each for key, each in kept.items() if reader.sees_details_of(each.person)}

        serializer = PlainSerializer(of_people, return_type=source)
        return serializer.__get_pydantic_core_schema__(source, handler)


def adapter_of_store(kind: type[T]) -> TypeAdapter[T]:
    """Return an adapter that leaves out nothing, and does not call a function for each field."""
    token = _of_store.set(True)
    try:
        return TypeAdapter(kind)
    finally:
        _of_store.reset(token)


def nothing(value: object) -> None:
    """Return None in place of a value that is confidential as a whole."""
    del value


Position = Annotated[dict[str, int], Redacted(open_channels)]
"""The last sequence of each channel; how many confidential events there are is confidential."""

Kept = TypeVar("Kept", bound=_OfPerson)
ByPerson = Annotated[dict[str, Kept], _ByPerson()]
"""Values by key that are of a person each, such as the time that waits."""

PositionText = Annotated[str, _ByChannel()]
"""The same as a text in memory and in the store, where a view has hundreds and loads them fast."""
