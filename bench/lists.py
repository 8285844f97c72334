"""Measure lists: pages, totals, sums and search by the number of rows, in this process alone.

Each query is asked through the thread of the index, as a service asks it. Of all columns, the one
with the longest time is shown. Times are processor time of the process, which on a machine without
other work is the time that passes; that time is shown beside it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

from bench.figures import Figure
from chassis.domain.list_kinds import SEARCHED, ListKind, ListRow
from chassis.readmodels.index import ListIndex
from chassis.readmodels.query import AnyOf, Contains, Empty, Filter, Order, Query, SumOf
from chassis.readmodels.tables import Table, Upsert
from contracts.money import Money
from contracts.values import (
    AccountId,
    Day,
    Hours,
    Identifier,
    LineKind,
    Moment,
    Month,
    Percent,
    PersonId,
    ShortText,
    Tier,
    TotalDays,
)

SIZES = (100, 10_000, 100_000)
AIMS = {100: (10, 20), 10_000: (10, 20), 100_000: (60, 150)}
"""Milliseconds of a page, without and with total, by the number of rows."""
SEARCH_AIM = 10
_TIMES = 5
_WORDS = [
    "Alpha",
    "Migration",
    "Cloud",
    "Rollout",
    "Data",
    "Ärzte",
    "Upgrade",
    "Platform",
    "Portal",
    "Billing",
]
_PAGE = 4096


class BenchRow(ListRow):
    """A row with columns of all types."""

    engagement: Annotated[Identifier, SEARCHED]
    title: Annotated[ShortText, SEARCHED]
    phase: ShortText | None
    manager: PersonId | None
    account: Annotated[AccountId, SEARCHED]
    month: Month
    due: Day | None
    updated: Moment
    days: TotalDays
    hours: Hours
    progress: Percent | None
    value: Money | None
    cost: Money
    is_late: bool
    tier: Tier | None
    kind: LineKind


KIND = ListKind("bench", BenchRow, key="engagement", readers=("executive",), sort=("engagement",))


@dataclass(frozen=True, slots=True)
class _Worst:
    """The longest of the times of several columns, in milliseconds, and the time that passed."""

    column: str
    milliseconds: float
    passed: float

    def figure(self, what: str, aim: float | None) -> Figure:
        met = None if aim is None else self.milliseconds <= aim
        aimed = "" if aim is None else f"≤ {aim:g} ms"
        measured = f"{self.milliseconds:.1f} ms ({self.passed:.1f} passed)"
        return Figure(f"{what} ({self.column})", measured, "", "", aimed, met)


def rows(count: int, seed: int = 1) -> Iterator[BenchRow]:
    """Yield rows in the order of their ids and moments, with random values in the others."""
    chance = Random(seed)
    began = datetime(2024, 1, 1, tzinfo=UTC)
    for n in range(count):
        yield BenchRow(
            engagement=f"E-{n:013}",
            title=f"{' '.join(chance.choices(_WORDS, k=4))} {n}",
            phase=chance.choice([None, "Discovery", "Build", "Roll-out"]),
            manager=chance.choice([None, *(f"person.{each}" for each in range(60))]),
            account=f"account-{chance.randrange(2_000)}",
            month=f"2026-{chance.randrange(12) + 1:02}",
            due=chance.choice([None, date(2026, 1, 1) + timedelta(chance.randrange(900))]),
            updated=began + timedelta(minutes=n),
            days=chance.randrange(-50, 400),
            hours=Decimal(chance.randrange(400_000)) / 100,
            progress=chance.choice([None, Decimal(chance.randrange(101))]),
            value=chance.choice([None, _money(chance)]),
            cost=_money(chance),
            is_late=chance.random() < 0.1,
            tier=chance.choice([None, "light", "standard", "critical"]),
            kind=chance.choice(["delivery", "project-management"]),
        )


def _money(chance: Random) -> Money:
    amount = Decimal(chance.randrange(50_000_000)) / 100
    return Money.model_construct(amount=amount, currency=chance.choice(["EUR", "USD"]))


async def measure(sizes: Sequence[int], report: Callable[[str], None]) -> list[Figure]:
    """Return the figures at each number of rows."""
    figures: list[Figure] = []
    for size in sizes:
        report(f"Lists of {size:,} rows ...")
        index = ListIndex([KIND], deadline=60)
        figures += await _measured(index, size)
        await index.close()
    return figures


async def _measured(index: ListIndex, size: int) -> list[Figure]:
    table, given = index.table(KIND), [*rows(size)]
    before, began = _memory(), time.process_time()
    await index.write(table, [Upsert(row, 1) for row in given])
    filled, used = time.process_time() - began, _memory() - before
    updated = given[:: max(1, size // 2_000)]
    began = time.process_time()
    await index.write(
        table, [Upsert(row.model_copy(update={"days": row.days + 1}), 2) for row in updated]
    )
    changed = time.process_time() - began
    page, counted = AIMS[size]
    name = f"lists, {size:,} rows: "
    return [
        Figure(f"{name}insert of a row", f"{filled / size * 1e6:.0f} µs", "", "", ""),
        Figure(f"{name}update of a row", f"{changed / len(updated) * 1e6:.0f} µs", "", "", ""),
        Figure(
            f"{name}filled, and memory of 100,000",
            f"{filled:.2f} s, {used / size * 100_000 / 2**20:.0f} MiB",
            "",
            "",
            "",
        ),
        *[
            figure
            for total, aim in ((False, page), (True, counted))
            for figure in await _pages(index, table, given, total=total, aim=aim)
        ],
        *await _searches(index, table),
        *await _sums(index, table),
        await _export(index, table),
    ]


async def _pages(
    index: ListIndex, table: Table[BenchRow], given: Sequence[BenchRow], *, total: bool, aim: float
) -> list[Figure]:
    name = f"  page{' and total' if total else ''}, "
    usual = Query(total=total)
    sort = {
        column: [replace(usual, sort=(Order(column, down),)) for down in (False, True)]
        for column in KIND.columns
    }
    filtered = {
        column: [replace(each, filters=(_equal(column, given),)) for each in sort[column]]
        for column in KIND.columns
    }
    nothing = {
        column: [
            replace(each, filters=(_equal(column, given), Contains("title", "no such title")))
            for each in sort[column]
        ]
        for column in KIND.columns
    }
    two = {
        column: [
            replace(usual, sort=(Order("kind", descending=True), Order(column, down)))
            for down in (False, True)
        ]
        for column in KIND.columns
        if column != "kind"
    }
    return [
        (await _worst(index, table, sort)).figure(f"{name}sorted", aim),
        (await _worst(index, table, two)).figure(f"{name}sorted by kind and another", aim),
        (await _worst(index, table, filtered)).figure(f"{name}filtered and sorted", aim),
        (await _worst(index, table, nothing)).figure(f"{name}no row matches", aim),
    ]


def _equal(column: str, given: Sequence[BenchRow]) -> Filter:
    value = getattr(given[len(given) // 2], column)
    return Empty(column, empty=True) if value is None else AnyOf(column, (value,))


async def _searches(index: ListIndex, table: Table[BenchRow]) -> list[Figure]:
    sort = (Order("engagement", descending=False),)
    for_words = {
        search: [Query(search=search, sort=sort)]
        for search in ("ärzte 77", "platform billing", "account-17", "E-00000000000", "nothing")
    }
    return [(await _worst(index, table, for_words)).figure("  search", SEARCH_AIM)]


async def _sums(index: ListIndex, table: Table[BenchRow]) -> list[Figure]:
    by = {
        column or "one sum": [Query(limit=1, sum_of=SumOf("value", column))]
        for column in (None, "manager", "month", "tier", "phase", "is_late")
    }
    return [(await _worst(index, table, by)).figure("  page and sums of an amount", None)]


async def _export(index: ListIndex, table: Table[BenchRow]) -> Figure:
    began, longest, count = time.perf_counter(), 0.0, 0
    at = began
    async for part in index.rows(table, Query(sort=(Order("title", descending=False),))):
        now = time.perf_counter()
        longest, at, count = max(longest, now - at), now, count + len(part)
    spent = time.perf_counter() - began
    measured = f"{spent:.2f} s, longest part {longest * 1000:.0f} ms"
    return Figure(f"  all rows, sorted by title ({count:,})", measured, "", "", "")


async def _worst(index: ListIndex, table: Table[BenchRow], asked: dict[str, list[Query]]) -> _Worst:
    """Return the longest median of the queries of a column."""
    found: list[_Worst] = []
    for column, queries in asked.items():
        for query in queries:
            times, passed = list[float](), list[float]()
            for _ in range(_TIMES):
                began, at = time.process_time(), time.perf_counter()
                await index.ask(table, query)
                times.append(time.process_time() - began)
                passed.append(time.perf_counter() - at)
            found.append(_Worst(column, 1000 * median(times), 1000 * median(passed)))
    return max(found, key=lambda each: each.milliseconds)


def _memory() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
