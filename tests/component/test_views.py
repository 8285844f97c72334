"""Test that read models follow the journal, page by page, and equal a full replay."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import pytest

from chassis.application.read_models import Listing, UnknownField, Views
from tests.component.sample_department import (
    DEALS,
    NOW,
    PEOPLE,
    Advance,
    Deal,
    Open,
    Process,
    Publish,
    assigned,
    until,
)
from tests.infrastructure import StoreServer

LISTING = Listing(
    "engagement",
    ("title", "chance", "manager"),
    lambda deal: {
        "title": deal.title,
        "chance": deal.chances[-1] if deal.chances else None,
        "manager": deal.manager,
    },
)


def views_of(process: Process) -> Views:
    return Views(process.store, process.journal, process.snapshots, process.repository, [LISTING])


@asynccontextmanager
async def viewing(process: Process) -> AsyncIterator[Views]:
    views = views_of(process)
    await views.prepare()
    task = asyncio.create_task(views.run())
    try:
        yield views
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def open_deals(process: Process, *titles: str) -> None:
    await asyncio.gather(
        *(
            process.engine.command(
                "engagement", f"E-{title}", Open(title=title), actor="ann", key=f"open/{title}"
            )
            for title in titles
        )
    )


async def advance(process: Process, title: str, probability: int) -> None:
    await process.engine.command(
        "engagement",
        f"E-{title}",
        Advance(probability=probability),
        actor="ann",
        key=f"{title}/{probability}",
    )


async def written(process: Process, stream: str, number: int) -> bool:
    document = await process.store.views.find_one({"_id": stream})
    return document is not None and document["number"] >= number


async def titles(views: Views, **asked) -> list[str]:
    """Return the titles of all pages, of at most two rows each."""
    listed: list[str] = []
    cursor: str | None = None
    while True:
        page = await views.page("engagement", limit=2, cursor=cursor, **asked)
        assert len(page.rows) <= 2
        listed += [str(row.fields["title"]) for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            return listed


async def test_listings_filter_sort_and_page(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process, viewing(process) as views:
        names = ["Attic", "barn", "Cellar", "dome", "Eaves"]
        await open_deals(process, *names)
        for name, chance in (("Attic", 20), ("barn", 90), ("Cellar", 20), ("dome", 5)):
            await advance(process, name, chance)
        await process.event_handler.handle_events("engagement:E-Eaves", [assigned("E-Eaves")])
        for name in names:
            await until(partial(written, process, f"engagement:E-{name}", 2))
        for _ in range(2):  # the second time from the page boundaries that the first one cached
            assert await titles(views) == names
            assert await titles(views, sort="title") == names
            assert await titles(views, sort="title", descending=True) == names[::-1]
            assert await titles(views, sort="chance") == [
                "dome",
                "Attic",
                "Cellar",
                "Eaves",
                "barn",
            ]
            assert await titles(views, filters={"chance": 20}, sort="title") == ["Attic", "Cellar"]
            assert await titles(views, filters={"title": ["dome", "barn"]}) == ["barn", "dome"]
            assert await titles(views, filters={"manager": "max"}) == ["Eaves"]
            either = {"chance": [20, 5], "manager": ["max"]}
            assert await titles(views, any_of=either) == ["Attic", "Cellar", "dome", "Eaves"]
            some = {"title": ["Attic", "barn", "Eaves"]}
            assert await titles(views, any_of=either, filters=some) == ["Attic", "Eaves"]
        # A new row appears at its place in the order.
        await open_deals(process, "Beam")
        await until(lambda: written(process, "engagement:E-Beam", 1))
        assert await titles(views, sort="title") == [
            "Attic", "barn", "Beam", "Cellar", "dome", "Eaves",
        ]  # fmt: skip
        with pytest.raises(UnknownField):
            await views.page("engagement", sort="margin")


async def test_a_snapshot_and_later_commits_equal_a_full_replay(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as writer, viewing(writer):
        await open_deals(writer, "Roof")
        await advance(writer, "Roof", 10)
        await until(lambda: written(writer, "engagement:E-Roof", 2))
    async with Process(store.url, isolation) as late:
        await advance(late, "Roof", 30)
    async with Process(store.url, isolation) as reader, Process(store.url, isolation) as replaying:
        assert (await reader.snapshots.load("engagement:E-Roof")).stream.number == 2
        await replaying.store.views.update_one(
            {"_id": "engagement:E-Roof"}, {"$set": {"fold": "other code", "state": "{}"}}
        )
        assert (await replaying.snapshots.load("engagement:E-Roof")).stream.number == 0
        by_replay = await replaying.engine.read("engagement", "E-Roof")
        assert isinstance(by_replay.state, Deal)
        assert by_replay.state.chances == (10, 30)
        await writer_again(store, isolation)
        by_snapshot = await reader.engine.read("engagement", "E-Roof")
        assert by_snapshot == by_replay


async def writer_again(store: StoreServer, isolation: str) -> None:
    """Run another process, which continues to write the views."""
    async with Process(store.url, isolation) as process, viewing(process):
        await until(lambda: written(process, "engagement:E-Roof", 3))


async def test_commits_that_do_not_change_the_list_are_written_later(
    store: StoreServer, isolation: str
) -> None:
    events = [assigned("E-Roof", number) for number in range(1, 22)]  # the same manager each time

    async def consume(process: Process, times: int) -> None:
        await process.event_handler.handle_events("engagement:E-Roof", events[:times])

    async with Process(store.url, isolation) as process, viewing(process):
        await open_deals(process, "Roof")
        await consume(process, 1)
        await until(lambda: written(process, "engagement:E-Roof", 2))
        await consume(process, 2)
        await open_deals(process, "Wall")
        await until(lambda: written(process, "engagement:E-Wall", 1))
        assert not await written(process, "engagement:E-Roof", 3)
        for times in range(3, 22):
            await consume(process, times)
        await until(lambda: written(process, "engagement:E-Roof", 22))


async def test_a_removed_kind_of_stream_delays_no_other(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation, deciders=(DEALS, PEOPLE)) as process:
        async with viewing(process):
            await open_deals(process, "Roof")
            await until(lambda: written(process, "engagement:E-Roof", 1))
        await process.engine.command("person", "bob", Publish(name="Bob"), actor="hr", key="k1")
    async with Process(store.url, isolation) as newer, viewing(newer):
        for name in (
            "Wall",
            "Attic",
        ):  # the first is built at the start, the second from the change stream
            await open_deals(newer, name)
            await until(partial(written, newer, f"engagement:E-{name}", 1), limit=8.0)


async def test_views_made_by_other_code_are_rebuilt(store: StoreServer, isolation: str) -> None:
    async with Process(store.url, isolation) as process:
        async with viewing(process):
            await open_deals(process, "Roof", "Wall")
            for name in ("Roof", "Wall"):
                await until(partial(written, process, f"engagement:E-{name}", 1))
        older = {"fold": "other code", "fields": {}, "keys": {}}
        await process.store.views.update_many({}, {"$set": older})
        await process.store.leases.update_one(
            {"_id": "views-folds"}, {"$set": {"folds.engagement": "other code"}}
        )
        async with viewing(process) as views:
            await until(lambda: _lists(views, ["Roof", "Wall"]))
        await views.rebuild()
        assert await titles(views, sort="title") == ["Roof", "Wall"]


async def _lists(views: Views, expected: list[str]) -> bool:
    return await titles(views, sort="title") == expected


async def test_an_erased_person_does_not_come_back_by_a_late_write(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation, deciders=(PEOPLE,)) as process:
        views = Views(process.store, process.journal, process.snapshots, process.repository)
        await process.engine.command("person", "bob", Publish(name="Bob"), actor="hr", key="k1")
        late = await process.repository.current("person:bob")
        await process.engine.erase("person", "bob", actor="hr", key="k2")
        await views._write(views._with_rows([late]))
        assert "Bob" not in repr(await process.store.views.find({}).to_list(None))


@pytest.mark.fault
async def test_views_are_complete_after_the_store_was_killed(
    fresh_store: Callable[[], StoreServer], isolation: str
) -> None:
    server = fresh_store()
    async with Process(server.url, isolation, patience=30.0) as process, viewing(process) as views:
        names = [f"{number:03}" for number in range(200)]
        await open_deals(process, *names[:100])
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await open_deals(process, *names[100:])
        await until(lambda: _lists_all(views, names))
        await until(lambda: views.subscription.backlog(NOW + timedelta(days=1)) == 0.0)


async def _lists_all(views: Views, names: list[str]) -> bool:
    page = await views.page("engagement", sort="title", limit=500)
    return [row.fields["title"] for row in page.rows] == names


def test_processes_of_the_same_code_have_the_same_fingerprint() -> None:
    """Compare processes with other hash seeds, by which Python orders sets differently."""
    program = (
        "from chassis.eventstore.snapshots import fingerprint_of;"
        " from legal.service import ENGAGEMENT; print(fingerprint_of(ENGAGEMENT))"
    )
    fingerprints = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(fingerprints) == 1
