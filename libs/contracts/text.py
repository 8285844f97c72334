"""Clean text: normalised, visible, and without characters that mislead a reader."""

import unicodedata
from collections.abc import Callable

from pydantic import BeforeValidator

_SPACES = "\t\n\r" + "".join(
    character for character in map(chr, range(0x3001)) if unicodedata.category(character)[0] == "Z"
)
"""Characters that are removed at both ends of a text."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category that are drawn as nothing: Hangul fillers, empty Braille."""
_BIDIRECTIONAL = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
_VISIBLE = frozenset("LNPS")
"""First letters of the categories of visible characters: letters, numbers, punctuation, symbols."""


def _clean(text: str, allowed: str) -> str:
    """Return a text in normal form C without spaces at its ends.

    `allowed` are control characters that it may contain. Raises ValueError for other control
    characters and for those that change the direction of text, line and paragraph separators
    unless a line feed is allowed, lone surrogates, and where no character is visible.
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
    if category in {"Zl", "Zp"} and "\n" not in allowed:
        return "the line separator"
    if unicodedata.bidirectional(character) in _BIDIRECTIONAL:
        return "the character for the direction of text"
    return None


def _validator(allowed: str) -> Callable[[object], object]:
    return lambda value: _clean(value, allowed) if isinstance(value, str) else value


CLEAN_LINE = BeforeValidator(_validator(allowed=""))
"""Validator of a text of one line; in `Annotated` it comes after the bounds of its length."""
CLEAN_TEXT = BeforeValidator(_validator(allowed="\n\t"))
"""Validator of a text of any number of lines (tabs too), like `CLEAN_LINE`."""
