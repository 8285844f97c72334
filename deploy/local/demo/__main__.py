"""Play the company in: ``python -m local.demo``, as ``make run`` and ``make demo`` do."""

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
from local.demo.actors import Actors
from local.demo.driver import DemoError, Driver, PlatformAccess
from local.demo.engagement_run import new_run
from local.demo.lifecycle import run_lifecycle
from local.demo.reference_data import publish, roles
from local.demo.scenarios import ENGAGEMENTS, MONTHS, scenarios

SERVICES = ("gateway", "sales", "legal", "delivery", "finance")


def company() -> PlatformAccess:
    """The platform that the environment names; raises KeyError where it does not."""
    return PlatformAccess(
        urls={name: os.environ[f"CONCORD_{name.upper()}_URL"].rstrip("/") for name in SERVICES},
        secret=os.environ["CONCORD_TOKEN_SECRET"],
        issuer=os.environ.get("CONCORD_TOKEN_ISSUER", LOCAL_ISSUER),
        roles=roles(),
    )


async def play(
    at: PlatformAccess, today: date, seed: int, number: int, progress: Progress | None = None
) -> int:
    """Play the company in; answers how many commands it took. Raises Hitch."""
    stories = scenarios(today, seed, number)
    begins = min(scenario.begins for scenario in stories) - timedelta(days=7)
    last_day = today - timedelta(days=1)
    async with Driver(at, begins, f"{seed}/{today}/{number}") as driver:
        await publish(driver, begins - timedelta(days=30))
        await driver.hold_clocks()
        watching = asyncio.create_task(_show(progress, driver, begins, last_day))
        try:
            await driver.calendar.run(
                [
                    run_lifecycle(new_run(scenario, Actors(driver, scenario.name), last_day))
                    for scenario in stories
                ]
            )
        finally:
            watching.cancel()
        await driver.release_clocks()
        return driver.acts


async def _show(progress: Progress | None, driver: Driver, begins: date, last_day: date) -> None:
    if progress is None:
        return
    days = (last_day - begins).days
    task = progress.add_task("Playing", total=days, day=f"{begins:%d %b %Y}", acts=0)
    while True:
        done = (driver.calendar.today - begins).days
        progress.update(
            task, completed=done, day=f"{driver.calendar.today:%d %b %Y}", acts=driver.acts
        )
        await asyncio.sleep(0.2)


def main(
    seed: Annotated[int, typer.Option(help="Another seed is another company.")] = 2026,
    engagements: Annotated[int, typer.Option(min=1, max=500)] = ENGAGEMENTS,
) -> None:
    """Play eighteen months of a services company into the running platform."""
    console = Console()
    try:
        at = company()
    except KeyError as missing:
        console.print(f"{missing.args[0]} is not set: run it through `make demo`", style="red")
        sys.exit(2)
    today = datetime.now(UTC).date()
    console.print(f"Playing {MONTHS} months of {engagements} engagements (seed {seed})")
    began = time.monotonic()
    columns = (
        TextColumn("{task.fields[day]}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[acts]} acts"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            acts = asyncio.run(play(at, today, seed, engagements, progress))
    except DemoError as hitch:
        console.print(str(hitch), style="red", markup=False, highlight=False)
        sys.exit(1)
    console.print(f"{acts} commands in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    typer.run(main)
