"""Test that deadlines pass once, dated to the deadline, and not while the scheduler is held."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from chassis.application.deadlines import DeadlineScheduler
from chassis.application.read_models import Views
from tests.component.sample_department import NOW, Deal, Open, Process, until
from tests.infrastructure import StoreServer

DUE = NOW + timedelta(days=5)


@asynccontextmanager
async def ticking(process: Process) -> AsyncIterator[DeadlineScheduler]:
    scheduler = DeadlineScheduler(
        process.store, process.engine, now=lambda: process.moment, every=0.05
    )
    views = Views(process.store, process.journal, process.snapshots, process.repository)
    tasks = [asyncio.create_task(work) for work in (scheduler.run(), views.run())]
    try:
        yield scheduler
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def open_deal(process: Process, subject: str = "E-1") -> None:
    await process.engine.command(
        "engagement", subject, Open(title="Roof"), actor="ann", key=subject, occurred_at=NOW
    )


async def is_silent(process: Process, subject: str = "E-1") -> bool:
    deal = (await process.engine.read("engagement", subject)).state
    assert isinstance(deal, Deal)
    return deal.silent


async def is_due(process: Process) -> bool:
    return await process.store.views.find_one({"due_at": DUE}) is not None


async def test_a_deadline_passes_once_and_as_of_the_deadline(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation) as one, Process(store.url, isolation) as two:
        async with ticking(one), ticking(two):
            await open_deal(one)
            await until(lambda: is_due(one))
            one.moment = two.moment = DUE - timedelta(seconds=1)
            await open_deal(one, "E-2")
            assert not await is_silent(one)
            one.moment = two.moment = DUE + timedelta(days=30)
            await until(lambda: is_silent(two))
            await until(lambda: is_silent(two, "E-2"))
        commits = [each async for each in one.journal.read("engagement:E-1")]
        (event,) = commits[1].own_events()
        assert len(commits) == 2
        assert (event.occurred_at, event.recorded_at) == (DUE, DUE + timedelta(days=30))
        assert event.actor == "sales"


async def test_no_deadline_after_the_moment_of_a_hold_passes(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation, moment=DUE + timedelta(days=400)) as process:
        scheduler = DeadlineScheduler(process.store, process.engine, now=lambda: process.moment)
        await scheduler.hold(DUE - timedelta(days=1), by="ops")
        assert await scheduler.held_at() == DUE - timedelta(days=1)
        async with ticking(process):
            await open_deal(process)
            await until(lambda: is_due(process))
            await scheduler.tick()
            assert not await is_silent(process)
            await scheduler.hold(DUE, by="ops")
            await until(lambda: is_silent(process))
            await scheduler.release()
            assert await scheduler.held_at() is None
