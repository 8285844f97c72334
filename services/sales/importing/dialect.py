"""Read the bytes of a CSV file: its encoding, its delimiter, and its records.

Pure. What the file leaves open is refused with the parameter that decides it.
"""

import codecs
import csv
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


def read_text(content: bytes, encoding: str | None) -> str:
    """Return the text of a file.

    A byte order mark decides the encoding, else `encoding`, else it is UTF-8. Raises Unusable where
    the bytes are no text in that encoding.
    """
    if content.startswith(_WORKBOOKS):
        raise Unusable("this is a workbook or an archive, not a text: save it as CSV")
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
    return text


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


def _parsed(text: str, sign: str) -> list[list[str]]:
    lines = csv.reader(StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        return [[cell.strip() for cell in record] for record in lines]
    except csv.Error as error:
        raise Unusable(f"line {lines.line_num} is not well-formed CSV: {error}") from None
