"""Read one file of an export into rows with their cells by column."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from contracts.values import ShortText, Value
from sales.importing.columns import Header, is_known, read_header
from sales.importing.dialect import misread, read_records, read_text
from sales.importing.options import Column, Kind, Options, Unusable

Cells = Mapping[Column, str]

_LINES: Final[tuple[Column, ...]] = (
    "title",
    "product",
    "account",
    "owner",
    "region",
    "sector",
    "country",
    "parent",
)
"""Columns whose cells are one line of clean text; a line break in them counts as a space."""
_LINE: Final[TypeAdapter[str]] = TypeAdapter(ShortText)
_BREAK: Final = re.compile(r"\s*[\r\n\t]+\s*")
_NO_VALUE: Final = frozenset(("-", "--", "\u2013", "\u2014", "n/a", "#n/a", "null", "(no value)"))
"""Signs that CRMs and spreadsheet programs write for no value."""
_TOTAL: Final = re.compile(r"(?i)(grand |sub)?(totals?|sum|summe|gesamt\w*|totale|totaal)\b.*")
_WORD: Final = re.compile(r"[A-Za-z0-9._@-]+")


class Refusal(Value):
    """A reason why a row was refused: the column, and what is wrong with it.

    Rows are numbered from 1 as in a spreadsheet, in which the first line names the columns. `file`
    is null where the export is a single file.
    """

    file: str | None = None
    row: int
    opportunity_id: str | None
    field: str
    reason: str


class BadRow(Exception):
    """An error in a row, with the columns and reasons."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Table:
    """A file of an export: its columns, and its rows with their cells by column.

    A cell of a column that the file does not have is absent. `broken` are rows whose number of
    cells is not that of the columns, with their reasons; `left_out` are totals and remarks.
    """

    file: str | None
    header: Header
    rows: tuple[tuple[int, Cells], ...]
    broken: tuple[tuple[int, Cells, str], ...]
    left_out: tuple[int, ...]
    others: tuple[str, ...]
    """Cells of columns without a meaning here."""

    @property
    def kind(self) -> Kind:
        """Return the kind of the file."""
        return self.header.kind

    def name(self, *columns: Column) -> str:
        """Return the file's name of the first of some columns that it has, or of the first one."""
        named = (self.header.names[each] for each in columns if each in self.header.names)
        return next(named, columns[0])

    def cells(self, *columns: Column) -> Iterator[str]:
        """Yield the cells of some columns that are not empty."""
        for _, cells in self.rows:
            for column in columns:
                if cell := cells.get(column):
                    yield cell

    def refused(self, row: int, cells: Cells, *problems: tuple[str, str]) -> Iterator[Refusal]:
        """Yield the refusals of a row for some problems."""
        key = cells.get("external_id", "")[:64] or None
        for field, reason in problems:
            yield Refusal(file=self.file, row=row, opportunity_id=key, field=field, reason=reason)


def read_table(file: str | None, content: bytes, options: Options) -> Table:
    """Return the rows of a file; raises Unusable where it cannot be read."""
    text = read_text(content, options.encoding)

    def is_name(name: str) -> bool:
        return is_known(name) or name.strip() in options.columns

    records = read_records(text, options.delimiter, is_name)
    try:
        header = read_header(records, options)
    except Unusable as error:
        raise misread(text, options.delimiter, is_name) or error from None
    rows = [
        (number, record)
        for number, record in enumerate(records, 1)
        if number > header.row and any(record)
    ]
    left_out: list[int] = []
    while rows and header.kind == "opportunities" and _is_remark(header, rows[-1][1]):
        left_out.insert(0, rows.pop()[0])
    whole: list[tuple[int, Cells]] = []
    broken: list[tuple[int, Cells, str]] = []
    others: list[str] = []
    used = {*header.places.values()}
    for number, record in rows:
        cells = {column: _cell(record, place) for column, place in header.places.items()}
        if len(record) < header.cells or any(record[header.cells :]):
            reason = f"has {len(record)} cells, but the first line has {header.cells}"
            broken.append((number, cells, reason))
        else:
            whole.append((number, cells))
            others += (cell for place, cell in enumerate(record) if place not in used and cell)
    return Table(file, header, tuple(whole), tuple(broken), tuple(left_out), tuple(others))


def _is_remark(header: Header, record: Sequence[str]) -> bool:
    """Return whether a record at the end of a file is a total or a remark, and no opportunity.

    It has no stage. It begins with a word for a total, has neither id nor title nor product, or is
    a single cell with several words.
    """
    places, given = header.places, [cell for cell in record if cell]

    def has(*columns: Column) -> bool:
        return any(_cell(record, places[each]) for each in columns if each in places)

    if has("stage", "status"):
        return False
    if _TOTAL.fullmatch(given[0]) or not has("external_id", "title", "product"):
        return True
    return len(given) == 1 and not _WORD.fullmatch(given[0])


def _cell(record: Sequence[str], place: int) -> str:
    """Return a cell; one with a sign for no value is empty."""
    cell = record[place] if place < len(record) else ""
    return "" if cell.casefold() in _NO_VALUE else cell


def clean_lines(table: Table, cells: Cells, problems: list[tuple[str, str]]) -> dict[Column, str]:
    """Return the cells, those of one line as clean text; add what is wrong to the problems."""
    cleaned = dict(cells)
    for column in _LINES:
        if cell := cells.get(column):
            try:
                cleaned[column] = _LINE.validate_python(_spaced(_BREAK.sub(" ", cell)))
            except ValidationError as error:
                problems += [(table.name(column), sentence(each["msg"])) for each in error.errors()]
    return cleaned


def sentence(message: str) -> str:
    """Return a message of a validator without its beginning."""
    return message.removeprefix("Value error, ")


def short(text: str) -> str:
    """Return a quoted text of at most 40 characters."""
    return repr(_spaced(text if len(text) <= 40 else f"{text[:39]}…"))


def _spaced(text: str) -> str:
    """Return a text with the usual space in place of those that do not break a line."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def in_rows(rows: Sequence[int]) -> str:
    """Return row numbers as text, at most the first eight of them."""
    shown = ", ".join(str(row) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"
