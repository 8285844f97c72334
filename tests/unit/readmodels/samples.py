"""A row with a column of each type, random rows, and the same answers computed in Python."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Annotated, Any

from hypothesis import settings
from hypothesis import strategies as st

from chassis.domain.list_kinds import SEARCHED, Limits, ListKind, ListRow
from chassis.readmodels.encodings import folded
from chassis.readmodels.query import Order, Query
from chassis.readmodels.selections import Answer, Place, Selection
from chassis.readmodels.tables import Table, Upsert
from contracts.decimals import Number
from contracts.money import Money, Rate
from contracts.values import (
    AccountId,
    Day,
    Identifier,
    LineKind,
    Moment,
    Month,
    PersonId,
    ShortText,
    Text,
    Tier,
    TotalDays,
)
from contracts.vocabularies import Unlisted


class Sample(ListRow):
    key: Annotated[Identifier, SEARCHED]
    title: Annotated[ShortText, SEARCHED]
    note: Annotated[Text | None, SEARCHED]
    manager: PersonId | None
    account: AccountId
    month: Month | None
    due: Day | None
    at: Moment | None
    count: TotalDays | None
    hours: Number | None
    value: Money | None
    rate: Rate | None
    urgent: bool | None
    tier: Tier | None
    kind: LineKind | None


KIND = ListKind("samples", Sample, key="key", readers=("executive",), sort=("key",))
COLUMNS = tuple(KIND.columns)
TIERS = ["light", "standard", "critical"]

LISTED = ["delivery", "project-management"]
_LETTERS = "aAbBzZäÄéøßﬁ 'x1=+-@\t0\u0301\u0939\u093f\U0001f600"
_NAMES = ["Ärzte", "arzte", "Arzt", "ARZT", "Zoo", "zoo", "Émile", "emile 2", "ﬁne"]
_ZONES = [UTC, timezone(timedelta(hours=5, minutes=30))]


def _text(chance: Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(_NAMES)
    return "".join(chance.choices(_LETTERS, k=chance.randint(1, 6)))


_SIZES = [(1, 1), (1, 0), (17, 2), (28, 2)]


def _decimal(
    chance: Random, sizes: Sequence[tuple[int, int]] = (*_SIZES, (19, 4), (19, 8))
) -> Decimal:
    """Return a number of some digits and decimals: small, up to 10^15, or too large for SQLite."""
    digits, decimals = chance.choice(sizes)
    largest = 10**digits
    return Decimal(chance.randint(-largest, largest)).scaleb(-decimals)


def _money(chance: Random) -> Money:
    currency = chance.choice(["EUR", "USD", "CHF"])
    return Money.model_construct(amount=_decimal(chance, _SIZES), currency=currency)


def _rate(chance: Random) -> Rate:
    amount = Decimal(chance.randint(0, 3_000)).scaleb(-4)
    return Rate.model_construct(amount=amount, currency=chance.choice(["EUR", "USD"]))


def _moment(chance: Random) -> datetime:
    seconds = chance.choice([chance.randint(0, 3), chance.randint(0, 32_000_000_000)])
    moment = datetime(1970, 1, 2, tzinfo=chance.choice(_ZONES))
    return moment + timedelta(seconds=seconds, microseconds=chance.randint(0, 2))


def _count(chance: Random) -> int:
    most = chance.choice([3, 2**53, 2**63 - 1])
    return chance.randint(-most, most)


VALUES: Mapping[str, Callable[[Random], Any]] = {
    "key": lambda chance: f"K-{chance.randrange(100):02}",
    "title": _text,
    "note": _text,
    "manager": lambda chance: chance.choice(["ann.archer", "bob", "Cyd"]),
    "account": lambda chance: chance.choice(["acme", "acme-2", "Zeta"]),
    "month": lambda chance: chance.choice(["2025-12", "2026-01", "2026-11"]),
    "due": lambda chance: date(2026, 1, chance.randint(1, 9)),
    "at": _moment,
    "count": _count,
    "hours": _decimal,
    "value": _money,
    "rate": _rate,
    "urgent": lambda chance: chance.random() < 0.5,
    "tier": lambda chance: chance.choice(TIERS),
    "kind": lambda chance: chance.choice([*LISTED, Unlisted("travel"), Unlisted("art")]),
}
"""A random value of each column, from few enough that rows have equal ones."""


def random_row(chance: Random) -> Sample:
    """Return a row, in which some columns have no value."""
    values: dict[str, Any] = {
        name: None if column.optional and chance.random() < 0.2 else VALUES[name](chance)
        for name, column in KIND.columns.items()
    }
    return Sample(**values)


def random_rows(seed: int, most: int = 30) -> list[Sample]:
    """Return rows with different keys."""
    chance = Random(seed)
    found = [random_row(chance) for _ in range(chance.randint(0, most))]
    return list({row.key: row for row in found}.values())


quick = settings(max_examples=25)
seeds = st.integers(0, 2**32)
lists_of_rows = seeds.map(random_rows)


def sample(key: str = "K-00", **fields: Any) -> Sample:
    """Return a row with some fields, and no value or a usual one in the others."""
    usual: dict[str, Any] = dict.fromkeys(COLUMNS)
    return Sample(**usual | {"key": key, "title": "Title", "account": "acme"} | fields)


# ---- answers of a table ------------------------------------------------------------------------


class Asked:
    """A table with rows that is asked without a thread."""

    def __init__(self, rows: Iterable[Sample] = (), kind: ListKind[Sample] = KIND) -> None:
        self.database = sqlite3.connect(":memory:", isolation_level=None)
        self.table = Table(kind, "samples")
        self.table.create(self.database)
        self.put(*rows)

    def put(self, *rows: Sample, number: int = 1) -> None:
        self.table.write(self.database, [Upsert(row, number) for row in rows])

    def answer(
        self, query: Query, limits: Limits | None = None, after: Place | None = None
    ) -> Answer[Sample]:
        selection = Selection(self.table, query, limits, {"samples": self.table})
        return selection.answer(self.database, after)

    def keys(self, query: Query, limits: Limits | None = None) -> list[str]:
        """Return the keys on all pages, and assert that the total is their number."""
        found: list[str] = []
        after: Place | None = None
        while True:
            answer = self.answer(query, limits, after)
            found += (row.key for row in answer.rows)
            after = answer.next
            if after is None:
                assert answer.total in {None, len(found)}
                return found


# ---- the same in Python ------------------------------------------------------------------------


def place_of(row: Sample, column: str) -> Any:
    """Return what the value of a column is compared by."""
    value = getattr(row, column)
    match column:
        case "title" | "note":
            return folded(value), value
        case "value" | "rate":
            return value.currency, value.amount
        case "tier":
            return TIERS.index(value)
        case "kind":
            return (LISTED.index(value), "") if value in LISTED else (2, value)
        case _:
            return value


def in_order(rows: Sequence[Sample], sort: Sequence[Order]) -> list[str]:
    """Return the keys of rows in order: without a value last, equals by their key."""
    ordered = sorted(rows, key=lambda row: row.key)
    for column, descending in reversed(sort):
        known = [row for row in ordered if getattr(row, column) is not None]
        without = [row for row in ordered if getattr(row, column) is None]
        known.sort(key=_by(column), reverse=descending)
        ordered = known + without
    return [row.key for row in ordered]


def _by(column: str) -> Callable[[Sample], Any]:
    return lambda row: place_of(row, column)


def total(amounts: Iterable[Decimal | int]) -> Decimal:
    """Return an exact sum."""
    return sum((Decimal(each) for each in amounts), Decimal(0))
