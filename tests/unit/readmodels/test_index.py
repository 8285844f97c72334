"""The index answers beside the loop, within its deadline, and while long batches are written."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from chassis.readmodels.index import EXPORTED, MOST_IN_SCOPE, ListIndex, TooManyRows, TooSlow
from chassis.readmodels.query import AnyOf, Order, Query, SumOf
from chassis.readmodels.tables import Removal, Upsert
from tests.unit.readmodels.samples import KIND, Sample, sample

LONG = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000000)"
    " SELECT max(i) FROM n"
)
"""A query that takes half a minute."""
BY_KEY = Query(sort=(Order("key", descending=False),), total=True, limit=2)


@asynccontextmanager
async def holding(*rows: Sample, deadline: float = 20.0) -> AsyncIterator[ListIndex]:
    index = ListIndex([KIND], deadline=deadline)
    try:
        await index.write(index.table(KIND), [Upsert(row, 1) for row in rows])
        yield index
    finally:
        await index.close()


def many(count: int) -> Iterator[Sample]:
    return (sample(f"K-{n:06}", title=f"Title {n % 7}", count=n) for n in range(count))


async def test_an_answer_has_page_total_and_sums():
    async with holding(*many(5)) as index:
        table = index.table(KIND)
        query = replace(BY_KEY, sum_of=SumOf("count", None))
        first = await index.ask(table, query)
        assert [row.key for row in first.rows] == ["K-000000", "K-000001"]
        assert (first.total, [each.sum for each in first.sums or []]) == (5, [Decimal(10)])
        second = await index.ask(table, query, after=first.next)
        assert [row.key for row in second.rows] == ["K-000002", "K-000003"]
        assert second.total == 5


async def test_a_read_is_answered_while_a_long_batch_is_written():
    async with holding(*many(10)) as index:
        table = index.table(KIND)
        changes = [Upsert(row, 2) for row in many(4_000)]
        writing = asyncio.create_task(index.write(table, changes))
        totals: list[int] = []
        while not writing.done():
            totals.append((await index.ask(table, BY_KEY)).total or 0)
        await writing
        assert len([each for each in totals if each < 4_000]) > 5
        assert (await index.ask(table, BY_KEY)).total == 4_000


async def test_a_batch_with_a_wrong_row_writes_nothing_of_it():
    async with holding() as index:
        table = index.table(KIND)
        wrong = sample("K-2", value=Decimal(1))
        with pytest.raises(AttributeError):
            await index.write(table, [Upsert(sample("K-1"), 1), Upsert(wrong, 1)])
        assert (await index.ask(table, BY_KEY)).total == 0


async def test_a_read_beyond_its_deadline_is_interrupted_and_the_next_is_answered():
    async with holding(*many(200)) as index:
        index._deadline = 0.1
        began = time.monotonic()
        with pytest.raises(TooSlow):
            await index._read(lambda database: database.execute(LONG).fetchone())
        assert time.monotonic() - began < 5
        index._deadline = 20.0
        assert (await index.ask(index.table(KIND), BY_KEY)).total == 200


async def test_a_read_that_waited_beyond_its_deadline_is_not_begun():
    async with holding(*many(3)) as index:
        blocked = asyncio.get_running_loop().run_in_executor(index._thread, time.sleep, 0.3)
        index._deadline = 0.05
        with pytest.raises(TooSlow):
            await index.ask(index.table(KIND), BY_KEY)
        await blocked


async def test_a_read_whose_caller_is_cancelled_is_interrupted():
    async with holding() as index:
        reading = asyncio.create_task(
            index._read(lambda database: database.execute(LONG).fetchone())
        )
        await asyncio.sleep(0.1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (await index.ask(index.table(KIND), BY_KEY)).total == 0


async def test_all_rows_are_exported_in_order_in_parts():
    rows = [*many(2 * EXPORTED + 10)]
    async with holding(*rows) as index:
        query = Query(sort=(Order("title", descending=True), Order("key", descending=False)))
        parts = [part async for part in index.rows(index.table(KIND), query)]
        assert [len(part) for part in parts] == [EXPORTED, EXPORTED, 10]
        expected = sorted(rows, key=lambda row: row.key)
        expected.sort(key=lambda row: row.title, reverse=True)
        assert [row.key for part in parts for row in part] == [row.key for row in expected]


async def test_an_export_shows_no_row_that_its_reader_may_not_see_any_more():
    rows = [sample(f"K-{n:04}", manager="bob", note="a") for n in range(EXPORTED + 3)]
    async with holding(*rows) as index:
        table = index.table(KIND)
        query = replace(BY_KEY, filters=(AnyOf("note", ("a",)),))
        export = index.rows(table, query, limits={"manager": ["bob"]})
        keys = [row.key for row in await anext(export)]
        late = [sample(f"K-{EXPORTED:04}", manager="cyd", note="a"), sample("K-0000-new")]
        await index.write(table, [Upsert(each, 2) for each in late])
        await index.write(table, [Removal(f"K-{EXPORTED + 1:04}", 2)])
        keys += [row.key async for part in export_of(export) for row in part]
        assert keys == [row.key for row in rows if row.key not in {late[0].key, "K-0501"}]


async def export_of(parts: AsyncIterator[list[Sample]]) -> AsyncIterator[list[Sample]]:
    async for part in parts:
        yield part


async def test_rows_of_a_scope_are_asked_like_rows_that_are_held():
    async with holding(*many(3)) as index:
        limits = {"account": ["acme"]}
        async with index.scope(KIND, [*many(300), sample("X", account="zeta")]) as table:
            query = replace(BY_KEY, search="title", sum_of=SumOf("count", "title"))
            answer = await index.ask(table, query, limits=limits)
            assert (answer.total, len(answer.sums or [])) == (300, 7)
            keys = [row.key async for part in index.rows(table, BY_KEY) for row in part]
            assert keys == [*(row.key for row in many(300)), "X"]
        assert (await index.ask(index.table(KIND), BY_KEY)).total == 3
        names = index._database.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE '% 1%'")
        assert names.fetchone() == (0,)


async def test_a_scope_with_too_many_rows_is_refused():
    async with holding() as index:
        with pytest.raises(TooManyRows, match="samples: more than 5,000 rows"):
            async with index.scope(KIND, [*many(MOST_IN_SCOPE + 1)]):
                pass
