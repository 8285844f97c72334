"""Clean text: normalised, visible, and without control characters and hidden formatting."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_SPACES = "\t\n\r" + "".join(
    character for character in map(chr, range(0x3001)) if unicodedata.category(character)[0] == "Z"
)
"""Characters that are removed at both ends of a text."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category that are drawn as nothing: Hangul fillers, empty Braille."""
_FORMATS = frozenset("\u200c\u200d\u200e\u200f\u061c")
"""Format characters that scripts need: zero-width joiner and non-joiner, marks of direction."""
_VISIBLE = frozenset("LNPS")
"""First letters of the categories of visible characters: letters, numbers, punctuation, symbols."""


def _clean(text: str, allowed: str) -> str:
    """Return a text in normal form C without spaces at its ends.

    `allowed` are control characters that it may contain. Raises ValueError for other control
    characters, format characters (which are hidden, so that two equal-looking texts would differ)
    except joiners and marks of direction, line and paragraph separators unless a line feed is
    allowed, lone surrogates, and where no character is visible.
    """
    text = text.replace("\r\n", "\n").strip(_SPACES)
    if text.isascii() and text.isprintable():
        return text  # the usual case; an empty one is refused by its length
    text = unicodedata.normalize("NFC", text)
    visible = False
    for character in dict.fromkeys(text):  # each once: a document has 500,000 characters
        category = unicodedata.category(character)
        if category[0] in _VISIBLE:
            visible = visible or character not in _BLANK
        elif character not in allowed:
            wrong = _why_not(character, category, allowed)
            if wrong:
                raise ValueError(f"must not contain {wrong} U+{ord(character):04X}")
    if text and not visible:
        raise ValueError("must contain a visible character")
    return text


def _why_not(character: str, category: str, allowed: str) -> str | None:
    if category == "Cc":
        return "the control character"
    if category == "Cs":
        return "the lone surrogate"
    if category == "Cf" and character not in _FORMATS:
        return "the format character"
    if category in {"Zl", "Zp"} and "\n" not in allowed:
        return "the line separator"
    return None


@dataclass(frozen=True, slots=True)
class _Clean:
    """Annotation of a clean text, with the keyword `x-clean-text` in the JSON Schema."""

    keyword: Literal["line", "text", "document"]
    allowed: str

    def _cleaned(self, value: object) -> object:
        return _clean(value, self.allowed) if isinstance(value, str) else value

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._cleaned, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "x-clean-text": self.keyword}


CLEAN_LINE = _Clean("line", allowed="")
"""Annotation of a text of one line; in `Annotated` it comes after the bounds of its length."""
CLEAN_TEXT = _Clean("text", allowed="\n\t")
"""Annotation of a text of any number of lines (tabs too), like `CLEAN_LINE`."""
CLEAN_DOCUMENT = _Clean("document", allowed="\n\t")
"""Annotation of the content of a document: the same characters as `CLEAN_TEXT`."""


def without_prefix(message: str) -> str:
    """Return the message of a validator without the words that pydantic puts before it."""
    return message.removeprefix("Value error, ")
