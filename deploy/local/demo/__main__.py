"""Load the demo data: ``python -m local.demo``, as ``make run`` and ``make demo`` do."""

import asyncio
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.base.settings import LOCAL_ISSUER
from contracts.counting import counted
from local.demo.actors import Actors
from local.demo.closing import MonthEnds
from local.demo.driver import DemoError, Driver, PlatformAccess
from local.demo.engagement_run import new_run
from local.demo.lifecycle import run_lifecycle
from local.demo.reference_data import publish, roles
from local.demo.scenarios import ENGAGEMENTS, MONTHS, scenarios

SERVICES = ("gateway", "sales", "legal", "delivery", "finance")


def platform_access() -> PlatformAccess:
    """Return the access to the platform that the environment names.

    Raises KeyError where a variable is not set.
    """
    return PlatformAccess(
        urls={name: os.environ[f"CONCORD_{name.upper()}_URL"].rstrip("/") for name in SERVICES},
        secret=os.environ["CONCORD_TOKEN_SECRET"],
        issuer=LOCAL_ISSUER,
        roles=roles(),
    )


async def load_demo(
    access: PlatformAccess, today: date, seed: int, number: int, progress: Progress | None = None
) -> int:
    """Run `number` scenarios up to yesterday; return how many commands were accepted.

    Raises DemoError where a command is refused or a service does not answer.
    """
    chosen = scenarios(today, seed, number)
    begins = min(scenario.begins for scenario in chosen) - timedelta(days=7)
    last_day = today - timedelta(days=1)
    async with Driver(access, begins, f"{seed}/{today}/{number}") as driver:
        await publish(driver, begins - timedelta(days=30))
        await driver.hold_clocks()
        driver.on_new_day.append(MonthEnds(driver, begins).close_due)
        display = asyncio.create_task(_show(progress, driver, begins, last_day))
        try:
            await driver.calendar.run(
                [
                    run_lifecycle(new_run(scenario, Actors(driver, scenario.name), last_day))
                    for scenario in chosen
                ]
            )
        finally:
            display.cancel()
        await driver.release_clocks()
        return driver.accepted


async def _show(progress: Progress | None, driver: Driver, begins: date, last_day: date) -> None:
    if progress is None:
        return
    days = (last_day - begins).days
    task = progress.add_task("Demo data", total=days, day=f"{begins:%d %b %Y}", commands=0)
    while True:
        done = (driver.calendar.today - begins).days
        progress.update(
            task, completed=done, day=f"{driver.calendar.today:%d %b %Y}", commands=driver.accepted
        )
        await asyncio.sleep(0.2)


def main(
    seed: Annotated[int, typer.Option(help="Number from which all data are generated.")] = 2026,
    engagements: Annotated[
        int, typer.Option(min=1, max=500, help="Number of engagements.")
    ] = ENGAGEMENTS,
) -> None:
    """Load eighteen months of a made-up services company into the running platform."""
    console = Console()
    try:
        access = platform_access()
    except KeyError as missing:
        console.print(f"{missing.args[0]} is not set: run it through `make demo`", style="red")
        sys.exit(2)
    today = datetime.now(UTC).date()
    console.print(f"Loading {MONTHS} months of {counted(engagements, 'engagement')} (seed {seed})")
    started = time.monotonic()
    columns = (
        TextColumn("{task.fields[day]}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[commands]} commands"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            accepted = asyncio.run(load_demo(access, today, seed, engagements, progress))
    except DemoError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(1)
    console.print(f"{accepted} commands in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    typer.run(main)
