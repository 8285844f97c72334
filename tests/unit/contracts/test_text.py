"""Clean text is normalised and visible, and has no control characters or hidden formatting."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.reference import PersonPublished
from contracts.values import DocumentText, ShortText, Text

LINE: TypeAdapter[str] = TypeAdapter(ShortText)
TEXT: TypeAdapter[str] = TypeAdapter(Text)
NEEDED = "\u200c\u200d\u200e\u200f\u061c"
"""Format characters that scripts need: joiners and marks of direction."""
HIDDEN = [
    *(chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    *"\u00ad\u200b\u2060\ufeff\ufff9\U000e0001\U000e0041",
]
"""Embeddings, overrides and isolates of bidirectional text, and characters without width."""


def accepted(kind: TypeAdapter[str], given: str) -> str | None:
    try:
        return kind.validate_python(given)
    except ValidationError:
        return None


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("  Order desk \n", "Order desk"),
        ("\N{NO-BREAK SPACE}Łódź\N{IDEOGRAPHIC SPACE}", "Łódź"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "Café"),
        ("한국어, 😀 and שלום", "한국어, 😀 and שלום"),
        ("\N{RIGHT-TO-LEFT MARK}שלום\N{LEFT-TO-RIGHT MARK}", "\u200fשלום\u200e"),  # noqa: RUF001
        ("नमस्\N{ZERO WIDTH JOINER}ते", "नमस्\u200dते"),
    ],
)
def test_text_is_stripped_and_composed_and_may_be_of_any_script(given: str, clean: str) -> None:
    assert LINE.validate_python(given) == TEXT.validate_python(given) == clean


@pytest.mark.parametrize("kind", [LINE, TEXT])
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("a\0b", "must not contain the control character U+0000"),
        ("a\x1fb", "must not contain the control character U+001F"),
        ("a\x1f", "must not contain the control character U+001F"),
        ("a\x85b", "must not contain the control character U+0085"),
        ("a\rb", "must not contain the control character U+000D"),
        ("a\ud800b", "must not contain the lone surrogate U+D800"),
        *((f"a{each}b", f"the format character U+{ord(each):04X}") for each in HIDDEN),
        ("Acme\u200b", "must not contain the format character U+200B"),
        (f" {NEEDED} ", "must contain a visible character"),
        ("\N{COMBINING ACUTE ACCENT}", "must contain a visible character"),
        ("\N{HANGUL FILLER}", "must contain a visible character"),
        ("\N{BRAILLE PATTERN BLANK}", "must contain a visible character"),
        ("  ", "at least 1 character"),
    ],
)
def test_what_is_wrong_with_a_text_is_named(kind: TypeAdapter[str], given: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.validate_python(given)
    assert why in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize("between", ["\n", "\r\n", "\t", "\N{LINE SEPARATOR}"])
def test_only_a_text_has_several_lines(between: str) -> None:
    assert accepted(LINE, f"a{between}b") is None
    assert accepted(TEXT, f"a{between}b") == f"a{between}b".replace("\r", "")


def test_the_length_is_that_of_the_composed_text() -> None:
    decomposed = "e\N{COMBINING ACUTE ACCENT}" * 200
    assert accepted(LINE, decomposed) == "é" * 200
    assert accepted(LINE, decomposed + "e") is None
    document: TypeAdapter[str] = TypeAdapter(DocumentText)
    assert len(document.validate_python("é\n" * 250_000)) == 499_999
    assert accepted(document, "a" * 500_001) is None


@given(st.text(st.characters(codec=None), max_size=60))
@example("\ud800")
@example("a\n\u202eb")
def test_accepted_text_is_clean_and_stays_the_same(given: str) -> None:
    line, text = accepted(LINE, given), accepted(TEXT, given)
    assert line is None or line == text
    for clean, allowed in ((line, ""), (text, "\n\t")):
        if clean is None:
            continue
        kind = TEXT if allowed else LINE
        assert kind.validate_python(clean) == clean
        assert unicodedata.is_normalized("NFC", clean)
        kept = [each for each in clean if each not in (*allowed, *NEEDED)]
        categories = {unicodedata.category(each) for each in kept}
        assert not categories & {"Cc", "Cf", "Cs"}
        assert any(category[0] in "LNPS" for category in categories)


def test_an_e_mail_address_has_no_hidden_characters() -> None:
    person = {"person": "ann", "name": "Ann", "department": "sales"}
    assert PersonPublished.model_validate({**person, "email": " ann@acme.com "}).email
    with pytest.raises(ValidationError, match=r"U\+202E"):
        PersonPublished.model_validate({**person, "email": "ann@\u202eacme.com"})
