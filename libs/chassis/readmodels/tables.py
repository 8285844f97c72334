"""Keep the rows of one list in a table of SQLite: its shape, and writing and reading of rows.

Each column has the cells of its encoding. Rows are found by scanning the table, which costs the
same for each filter and sort; an index per column would be faster for some and many times slower
for others, and cost as much memory as the rows. Only the usual sort has one, for pages without a
filter. So that a scan does not meet the rows in the order in which they are sorted (each would then
displace another of the page), the ids of rows are scattered.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias

from chassis.domain.list_kinds import Column, ListKind, R
from chassis.readmodels.encodings import Cell, Encoding, encoding_of

COMPARED: Final = 200
"""Characters of a text by which rows are sorted: a cursor contains them."""
_SPREAD, _IDS = 0x9E3779B97F4A7C15, 2**40
"""An odd factor: products with it, modulo a power of two, are different and far from each other."""


@dataclass(frozen=True, slots=True)
class Upsert(Generic[R]):
    """A row, new or changed, by the number of the commit of its stream."""

    row: R
    number: int


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal of the row with a key, by the number of the commit of its stream."""

    key: str
    number: int


Change: TypeAlias = Upsert[R] | Removal


@dataclass(frozen=True, slots=True)
class Stored:
    """A column with its encoding and the quoted names of its cells."""

    column: Column
    encoding: Encoding

    def _named(self, ends: Iterable[str]) -> tuple[str, ...]:
        return tuple(f'"{self.column.name}{end}"' for end in ends)

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of all cells."""
        return self._named(self.encoding.cells)

    @property
    def sorted_by(self) -> tuple[str, ...]:
        """The cells by which rows are sorted, in order; of texts, their beginnings."""
        names = self._named(self.encoding.sorted_by)
        if self.column.type == "text":
            return tuple(f"substr({name}, 1, {COMPARED})" for name in names)
        return names

    @property
    def folded(self) -> str:
        """The name of the cell with a text without case and accents, or of an id as it is."""
        return self._named(self.encoding.sorted_by)[0]

    @property
    def summed(self) -> tuple[str, ...]:
        """The names of the cells that are summed."""
        return self._named(self.encoding.summed)

    def value(self, cells: Sequence[Cell]) -> Any:
        """Return the value of the cells, which are not null."""
        return self.encoding.decode(*cells) if self.encoding.decode else cells[0]

    @property
    def cell(self) -> str:
        """The name of the cell with the value, of an amount without its currency."""
        return f'"{self.column.name}"'


class Table(Generic[R]):
    """The table of the rows of a kind; `name` is unique in its database.

    Methods that read or write belong to the thread of the connection.
    """

    def __init__(self, kind: ListKind[R], name: str) -> None:
        self.kind = kind
        self.stored: Mapping[str, Stored] = {
            column.name: Stored(column, encoding_of(column)) for column in kind.columns.values()
        }
        self.name = f'"{name}"'
        self.words = f'"{name}:words"'
        self._removed = f'"{name}:removed"'
        self._keys, self._usual = f'"{name}:keys"', f'"{name}:usual"'
        self._key = self.stored[kind.key].cell
        self.order = kind.sort[0].removeprefix("-") if kind.sort else kind.key
        self._texts = [each.folded for each in self.stored.values() if each.column.searched]
        self._cells = [cell for each in self.stored.values() for cell in each.cells]
        self._searched = [self._cells.index(each) for each in self._texts]
        slots = ", ".join("?" for _ in self._cells)
        self._insert = f"INSERT INTO {self.name} VALUES (?, ?, {slots})"
        self._update = (
            f"UPDATE {self.name} SET number = ?, {', '.join(f'{each} = ?' for each in self._cells)}"
            " WHERE n = ?"
        )
        self._add_words = f"INSERT INTO {self.words} (rowid, words) VALUES (?, ?)"
        self._forget_words = (
            f"INSERT INTO {self.words} ({self.words}, rowid, words) VALUES ('delete', ?, ?)"
        )
        self._serial = 0

    @property
    def ordered(self) -> str:
        """The table, read by the index of its usual sort."""
        return (
            f"{self.name} INDEXED BY {self._keys if self.order == self.kind.key else self._usual}"
        )

    @property
    def is_searched(self) -> bool:
        """True where a column is searched."""
        return bool(self._texts)

    def create(self, database: sqlite3.Connection) -> None:
        """Create the table, empty."""
        database.execute(
            f"CREATE TABLE {self.name} (n INTEGER PRIMARY KEY, number, {', '.join(self._cells)})"
        )
        database.execute(f"CREATE UNIQUE INDEX {self._keys} ON {self.name} ({self._key})")
        if self.order != self.kind.key:
            cells = ", ".join([*self.stored[self.order].sorted_by, self._key])
            database.execute(f"CREATE INDEX {self._usual} ON {self.name} ({cells})")
        database.execute(f"CREATE TABLE {self._removed} (key PRIMARY KEY, number) WITHOUT ROWID")
        if self.is_searched:
            database.execute(
                f"CREATE VIRTUAL TABLE {self.words} USING fts5(words, content='', prefix='1 2 3',"
                " tokenize='unicode61 remove_diacritics 2')"
            )

    def drop(self, database: sqlite3.Connection) -> None:
        """Drop the table."""
        for name in (self.name, self._removed, *([self.words] if self.is_searched else [])):
            database.execute(f"DROP TABLE {name}")

    # ---- writing ------------------------------------------------------------------------------

    def write(self, database: sqlite3.Connection, changes: Sequence[Change[R]]) -> None:
        """Write the changes that have a higher number than what is known of their rows.

        Raises ValueError or AttributeError for a row with a value that is not of its column; the
        caller rolls back.
        """
        words: dict[int, tuple[str | None, str | None]] = {}
        for change in changes:
            match change:
                case Upsert():
                    self._put(database, change, words)
                case Removal():
                    self._remove(database, change, words)
        # In order of their ids: the index of words is written out at each id below the one before.
        for n, (old, new) in sorted(words.items()):
            if old is not None:
                database.execute(self._forget_words, (n, old))
            if new is not None:
                database.execute(self._add_words, (n, new))

    def _put(
        self,
        database: sqlite3.Connection,
        change: Upsert[R],
        words: dict[int, tuple[str | None, str | None]],
    ) -> None:
        values = vars(change.row)
        key = values[self.kind.key]
        found = self._found(database, key)
        cells = self._encoded(values)
        if found is None:
            if self._removed_at(database, key) >= change.number:
                return
            self._serial += 1
            n, old = self._serial * _SPREAD % _IDS, None
            database.execute(self._insert, (n, change.number, *cells))
            database.execute(f"DELETE FROM {self._removed} WHERE key = ?", (key,))
        else:
            n, number, old = found
            if number >= change.number:
                return
            database.execute(self._update, (change.number, *cells, n))
        self._note(words, n, old, self._words_of([cells[at] for at in self._searched]))

    def _remove(
        self,
        database: sqlite3.Connection,
        change: Removal,
        words: dict[int, tuple[str | None, str | None]],
    ) -> None:
        found = self._found(database, change.key)
        if found is not None:
            n, number, old = found
            if number >= change.number:
                return
            database.execute(f"DELETE FROM {self.name} WHERE n = ?", (n,))
            self._note(words, n, old, None)
        database.execute(
            f"INSERT INTO {self._removed} VALUES (?, ?) ON CONFLICT DO UPDATE"
            " SET number = max(number, excluded.number)",
            (change.key, change.number),
        )

    def _found(self, database: sqlite3.Connection, key: str) -> tuple[int, int, str | None] | None:
        """Return id, number and words of the row with a key."""
        texts = "".join(f", {each}" for each in self._texts)
        row = database.execute(
            f"SELECT n, number{texts} FROM {self.name} WHERE {self._key} = ?", (key,)
        ).fetchone()
        return None if row is None else (row[0], row[1], self._words_of(row[2:]))

    def _removed_at(self, database: sqlite3.Connection, key: str) -> int:
        row = database.execute(
            f"SELECT number FROM {self._removed} WHERE key = ?", (key,)
        ).fetchone()
        return -1 if row is None else int(row[0])

    @staticmethod
    def _words_of(texts: Sequence[Cell]) -> str | None:
        return "\n".join(str(each) for each in texts if each is not None) or None

    @staticmethod
    def _note(
        words: dict[int, tuple[str | None, str | None]], n: int, old: str | None, new: str | None
    ) -> None:
        first = words.pop(n, (old, None))[0]
        if first != new:
            words[n] = (first, new)

    def _encoded(self, values: Mapping[str, object]) -> list[Cell]:
        cells: list[Cell] = []
        for name, stored in self.stored.items():
            value = values[name]
            encoding = stored.encoding
            cells += (None,) * len(encoding.cells) if value is None else encoding.encode(value)
        return cells

    # ---- reading ------------------------------------------------------------------------------

    def rows(
        self,
        database: sqlite3.Connection,
        ids: Sequence[int],
        where: str = "TRUE",
        values: Sequence[Cell] = (),
    ) -> Iterator[R]:
        """Yield the rows of ids in their order, as far as they exist and match a condition."""
        found = {
            row[0]: row
            for row in database.execute(
                f"SELECT n, {', '.join(self._cells)} FROM {self.name}"
                f" WHERE n IN ({', '.join(map(str, ids))}) AND {where}",
                values,
            )
        }
        return (self._decoded(found[each]) for each in ids if each in found)

    def _decoded(self, row: Sequence[Cell]) -> R:
        values: dict[str, object] = {}
        at = 1
        for name, stored in self.stored.items():
            value, decode = row[at], stored.encoding.decode
            end = at + len(stored.encoding.cells)
            values[name] = value if value is None or decode is None else decode(*row[at:end])
            at = end
        return self.kind.row(**values)
