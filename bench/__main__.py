"""Run the benchmarks: ``python -m bench``.

All processes run on 127.0.0.1 with a temporary folder, and are stopped at the end.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench import commands, folding, freshness, growth, lists, pages
from bench.figures import Figure, show
from bench.testbed import Testbed, busy
from local.platform import SERVICES

OTHERS = tuple(name for name in SERVICES if name != "sales")
PARTS = ("commands", "latency", "alone", "folding", "pages", "growth", "lists")


@dataclass(frozen=True, slots=True)
class Extent:
    """Extent of the measurements: rounds, seconds per round, engagements, requests and rows."""

    rounds: int
    seconds: float
    engagements: int
    sizes: tuple[int, ...]
    requests: int
    rows: tuple[int, ...]


WHOLE = Extent(
    rounds=3,
    seconds=8.0,
    engagements=300,
    sizes=(100, 1_000, 10_000),
    requests=300,
    rows=lists.SIZES,
)
QUICK = Extent(
    rounds=1,
    seconds=3.0,
    engagements=60,
    sizes=(100, 1_000),
    requests=100,
    rows=lists.SIZES[:2],
)


async def measure(
    testbed: Testbed, extent: Extent, parts: tuple[str, ...], report: Callable[[str], None]
) -> list[Figure]:
    """Run the given parts, each with only the processes it needs, and return their figures."""
    figures: list[Figure] = []
    platform = testbed.platform
    if "lists" in parts:
        figures += await lists.measure(extent.rows, report)
        parts = tuple(part for part in parts if part != "lists")
    if {"commands", "latency", "alone"} & {*parts}:
        await asyncio.to_thread(platform.start)
        await testbed.publish()
        highest = 0.0
        if {"commands", "latency"} & {*parts}:
            report("Commands, all five services running ...")
            outcome = await commands.measure(
                testbed, OTHERS, rounds=extent.rounds, seconds=extent.seconds
            )
            highest = outcome.highest
            figures += [
                outcome.figure("commands through HTTP, all five services", aim=1.0),
                outcome.spending(),
            ]
        if "latency" in parts:
            report("Latency from a command's answer to the gateway's view ...")
            figures += await freshness.measure(
                testbed, per_second=highest / 4, seconds=2 * extent.seconds
            )
        for name in OTHERS:
            platform.services[name].stop()
        if "alone" in parts:
            report("Commands, one department running ...")
            outcome = await commands.measure(
                testbed, (), rounds=extent.rounds, seconds=extent.seconds
            )
            figures += [
                outcome.figure(
                    "commands through HTTP, one department, its relay and its consumer", aim=1.0
                ),
                outcome.spending(),
            ]
        platform.services["sales"].stop()
    elif parts:
        await asyncio.to_thread(platform.start_infrastructure)
    if "folding" in parts:
        report("Gateway: a backlog of events ...")
        figures.append(
            await folding.measure(testbed, engagements=extent.engagements, rounds=extent.rounds)
        )
    if "pages" in parts:
        report("Gateway: pages with more and more engagements ...")
        figures += await pages.measure(testbed, extent.sizes, requests=extent.requests)
    if "growth" in parts:
        report("Larger and larger states ...")
        figures += await growth.measure(platform.stores["delivery"].url)
    return figures


def main(
    quick: Annotated[bool, typer.Option(help="One minute instead of five; less exact.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Parts to run: {', '.join(PARTS)}.")
    ] = None,
) -> None:
    """Run the benchmarks and print each figure with its limit on this machine."""
    console = Console()
    if not console.is_terminal:
        console.width = 150
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    parts = tuple(only or PARTS)
    if unknown := set(parts) - set(PARTS):
        console.print(f"unknown part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
        sys.exit(2)
    began, load = time.monotonic(), busy()

    def report(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s  {text}[/]", highlight=False)

    with tempfile.TemporaryDirectory(prefix="concord-bench-") as folder:
        testbed = Testbed(Path(folder), report)
        try:
            figures = uvloop.run(measure(testbed, QUICK if quick else WHOLE, parts, report))
        finally:
            testbed.platform.stop()
    show(f"Concord on {os.cpu_count()} cores, {time.monotonic() - began:.0f} s", figures, console)
    if load > 0.5 * (os.cpu_count() or 1):
        console.print(
            f"[yellow]The machine was busy before the start (load {load:.1f}): the figures are"
            " too low, and the ratios less exact.[/]"
        )


if __name__ == "__main__":
    typer.run(main)
