"""Read the bytes of a CSV file: its encoding, its delimiter, and its records.

Pure. What the file leaves open is refused with the parameter that decides it.
"""

import codecs
import csv
import re
from collections.abc import Callable
from io import StringIO
from typing import Final

from sales.importing.options import DELIMITERS, Delimiter, Unusable

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and their encodings; that of UTF-32 begins with that of UTF-16."""
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of workbooks of spreadsheet programs."""
NO_TEXT: Final = "this is a workbook or an archive, not a text: save it as CSV"
_BINARY: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"SQLite format",
    b"PAR1",
)
"""First bytes of frequent files that are no text."""
_HTML: Final = ("<!doctype html", "<html", "<head", "<table", "<?xml")
_KEPT_AS_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
"""A cell in which spreadsheet programs keep the zeros of a number: `="0061"`."""
_LOOKED_AT: Final = 20
_FEWEST_NAMES: Final = 3


def read_text(content: bytes, encoding: str | None) -> str:
    """Return the text of a file.

    A byte order mark decides the encoding, else `encoding`, else it is UTF-8. Raises Unusable where
    the bytes are no text in that encoding, or a page in HTML, and where the file is empty.
    """
    if content.startswith(_WORKBOOKS):
        raise Unusable(NO_TEXT)
    wide = (encoding or "").startswith(("utf-16", "utf-32"))
    if content.startswith(_BINARY) or (not wide and _is_binary(content)):
        raise Unusable("this is a binary file, not a text: export the deals as CSV")
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(marked or encoding or "utf-8")
    except UnicodeDecodeError as error:
        chosen = marked.removesuffix("-sig") if marked else encoding or "utf-8"
        raise Unusable(
            f"byte {error.start} is not {chosen.upper()}; name the encoding of the file",
            parameter=None if marked else "encoding",
        ) from None
    if "\0" in text.partition("\n")[0]:
        raise Unusable(
            "the first line has null characters, as UTF-16 without a mark has; "
            "name the encoding of the file",
            parameter="encoding",
        )
    if not text.strip():
        raise Unusable("the file is empty; the first line must name the columns")
    if text.lstrip()[:20].lower().startswith(_HTML):
        raise Unusable(
            "this is a page in HTML or XML, as a report saved as .xls or a page to sign in; "
            "export the deals as CSV"
        )
    return text


def _is_binary(content: bytes) -> bool:
    """Return whether a file has many control characters, and not as UTF-16 has them.

    That encoding has them in every second byte.
    """
    if content.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    looked_at = content[:4000]
    places = [
        place for place, byte in enumerate(looked_at) if byte < 32 and byte not in b"\t\n\r\f"
    ]
    return len(places) * 20 > len(looked_at) and len({place % 2 for place in places}) == 2


def misread(
    text: str, delimiter: Delimiter | None, is_known: Callable[[str], bool]
) -> Unusable | None:
    """Return what is probably wrong with a file whose first line does not name the columns.

    The names are in a later line, or divided by another sign than the given one.
    """
    lines = text.splitlines()[:_LOOKED_AT]
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    for number, line in enumerate(lines, 1):
        for name, sign in DELIMITERS.items():
            if sum(is_known(cell.strip(' "')) for cell in line.split(sign)) < _FEWEST_NAMES:
                continue
            if number > first:
                return Unusable(f"line {number} names the columns; remove the lines above it")
            if delimiter not in {None, name}:
                return Unusable(
                    f"delimiter is given as {delimiter}, and the first line is divided by {name}",
                    parameter="delimiter",
                )
    only = lines[first - 1].strip()
    if only and not is_known(only) and not any(sign in only for sign in DELIMITERS.values()):
        return Unusable(
            f"the first line is a single cell, {only[:40]!r}; it must name the columns, divided by "
            f"{', '.join(DELIMITERS)}"
        )
    return None


def read_records(
    text: str, delimiter: Delimiter | None, is_known: Callable[[str], bool]
) -> list[list[str]]:
    """Return the records of a CSV text; one without a cell is an empty line.

    Without `delimiter` it is that of the first line: of the characters that divide it, the one that
    yields most known column names, then most columns. Raises Unusable where two do, and where the
    text is not well-formed CSV. An instruction for spreadsheet programs (`sep=;`) before the names
    counts as an empty line.
    """
    announced, _, rest = text.partition("\n")
    announced = announced.strip('"\r')
    if announced[:4].lower() == "sep=" and len(announced) == 5:
        sign, text = announced[4], f"\n{rest}"
        delimiter = delimiter or next(
            (name for name, each in DELIMITERS.items() if each == sign), None
        )
    return _parsed(text, DELIMITERS[delimiter or _delimiter(text, is_known)])


def _delimiter(text: str, is_known: Callable[[str], bool]) -> Delimiter:
    found: dict[Delimiter, tuple[int, int]] = {}
    for name, sign in DELIMITERS.items():
        try:
            lines = csv.reader(StringIO(text, newline=""), delimiter=sign)
            header = next((each for each in lines if any(each)), [])
        except csv.Error:
            continue
        found[name] = sum(map(is_known, header)), len(header)
    best = max(found.values(), default=(0, 0))
    names = [name for name, each in found.items() if each == best]
    if best[1] > 1 and len(names) > 1:
        raise Unusable(
            f"the first line may be divided by {' or '.join(names)}; name the delimiter",
            parameter="delimiter",
        )
    return names[0] if names else "comma"


def _bare(cell: str) -> str:
    cell = cell.strip()
    kept = _KEPT_AS_TEXT.fullmatch(cell)
    return kept[1].strip() if kept else cell


def _parsed(text: str, sign: str) -> list[list[str]]:
    lines = csv.reader(StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        return [[_bare(cell) for cell in record] for record in lines]
    except csv.Error as error:
        raise Unusable(f"line {lines.line_num} is not well-formed CSV: {error}") from None
