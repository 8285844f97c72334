"""Test that deadlines pass once, as of the deadline, and not while the clock is held earlier."""

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
    clock = DeadlineScheduler(process.store, process.engine, now=lambda: process.moment, every=0.05)
    views = Views(process.store, process.journal, process.snapshots, process.streams)
    tasks = [asyncio.create_task(work) for work in (clock.run(), views.run())]
    try:
        yield clock
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
        (event,) = commits[1].said()
        assert len(commits) == 2
        assert (event.occurred_at, event.recorded_at) == (DUE, DUE + timedelta(days=30))
        assert event.actor == "sales"


async def test_a_held_clock_lets_nothing_after_its_moment_pass(
    store: StoreServer, isolation: str
) -> None:
    async with Process(store.url, isolation, moment=DUE + timedelta(days=400)) as process:
        clock = DeadlineScheduler(process.store, process.engine, now=lambda: process.moment)
        await clock.hold(DUE - timedelta(days=1), by="ops")
        assert await clock.held_at() == DUE - timedelta(days=1)
        async with ticking(process):
            await open_deal(process)
            await until(lambda: is_due(process))
            await clock.tick()
            assert not await is_silent(process)
            await clock.hold(DUE, by="ops")
            await until(lambda: is_silent(process))
            await clock.release()
            assert await clock.held_at() is None
