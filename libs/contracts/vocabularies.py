"""Open vocabularies: lists of words to which later releases add, without a new version of an event.

A producer and a command accept the listed words only. A reader of recorded events accepts any
well-formed word: one that these contracts do not list becomes `Unlisted`, so that the type checker
names each place that must decide what to do about it. Where a word decides a figure, the figure is
unknown then, and never that of a listed word.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

HEARD = {"heard": True}
"""Validation context of recorded events; rules that were added later do not apply to them."""

OPEN_WORDS = "x-extensible-enum"
"""Keyword of JSON Schemas with the listed words of an open vocabulary."""

_LONGEST = 40
_PATTERN = r"^[a-z][a-z0-9-]*$"
_WORD = re.compile(_PATTERN)


class Unlisted(str):
    """Word of an open vocabulary that these contracts do not list."""

    __slots__ = ()


def _well_formed(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and bool(_WORD.fullmatch(value))


@dataclass(frozen=True, slots=True)
class _Open:
    """Annotation of ``Literal[...] | Unlisted``, with the keyword `OPEN_WORDS`.

    An `Unlisted` word is accepted in any context, so that an event may repeat what it follows from.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        listed = get_args(get_args(source)[0])

        def read(
            value: object, known: core_schema.ValidatorFunctionWrapHandler, info: ValidationInfo
        ) -> object:
            if isinstance(value, Unlisted):
                return value
            if info.context is HEARD and value not in listed and _well_formed(value):
                return Unlisted(value)
            return known(value)

        return core_schema.with_info_wrap_validator_function(
            read,
            core_schema.literal_schema(list(listed)),
            serialization=core_schema.to_string_ser_schema(when_used="always"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed: Any = schema["schema"]
        if handler.mode == "validation":
            return handler(listed)
        words = [*listed["expected"]]
        return {"type": "string", "pattern": _PATTERN, "maxLength": _LONGEST, OPEN_WORDS: words}


OPEN: Final = _Open()
"""Annotation of an open vocabulary: ``Annotated[Literal["one", "two"] | Unlisted, OPEN]``."""
