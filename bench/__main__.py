"""``python -m bench``: what the platform does on this machine, beside what the machine allows.

Everything runs on 127.0.0.1, in a folder that is thrown away, and stops by itself.
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

from bench import commands, folding, freshness, pages
from bench.figures import Figure, show
from bench.ground import Ground, busy
from local.platform import SERVICES

OTHERS = tuple(name for name in SERVICES if name != "sales")
PARTS = ("commands", "latency", "alone", "folding", "pages")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    seconds: float
    engagements: int
    sizes: tuple[int, ...]
    requests: int


WHOLE = Extent(rounds=3, seconds=8.0, engagements=300, sizes=(100, 1_000, 10_000), requests=300)
QUICK = Extent(rounds=1, seconds=3.0, engagements=60, sizes=(100, 1_000), requests=100)


async def measure(
    ground: Ground, extent: Extent, parts: tuple[str, ...], report: Callable[[str], None]
) -> list[Figure]:
    """One part after the other, each on what it needs."""
    figures: list[Figure] = []
    platform = ground.platform
    if {"commands", "latency", "alone"} & {*parts}:
        await asyncio.to_thread(platform.start)
        await ground.publish()
        highest = 0.0
        if {"commands", "latency"} & {*parts}:
            report("Commands, all five services running ...")
            outcome = await commands.measure(
                ground, OTHERS, rounds=extent.rounds, seconds=extent.seconds
            )
            highest = outcome.highest
            figures += [
                outcome.figure("commands through HTTP, all five services", aim=1.0),
                outcome.spending(),
            ]
        if "latency" in parts:
            report("From an answer to its effect ...")
            figures += await freshness.measure(
                ground, per_second=highest / 4, seconds=2 * extent.seconds
            )
        for name in OTHERS:
            platform.services[name].stop()
        if "alone" in parts:
            report("Commands, one department running ...")
            outcome = await commands.measure(
                ground, (), rounds=extent.rounds, seconds=extent.seconds
            )
            figures += [
                outcome.figure(
                    "commands through HTTP, one department, its relay and its listener", aim=1.0
                ),
                outcome.spending(),
            ]
        platform.services["sales"].stop()
    else:
        await asyncio.to_thread(platform.start_infrastructure)
    if "folding" in parts:
        report("A backlog for the gateway ...")
        figures.append(
            await folding.measure(ground, engagements=extent.engagements, rounds=extent.rounds)
        )
    if "pages" in parts:
        report("Pages with more and more engagements ...")
        figures += await pages.measure(ground, extent.sizes, requests=extent.requests)
    return figures


def main(
    quick: Annotated[
        bool, typer.Option(help="A minute in place of five; rougher figures.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}.")] = None,
) -> None:
    """Measure, and print each figure beside its ceiling on this machine."""
    console = Console()
    if not console.is_terminal:
        console.width = 150
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    parts = tuple(only or PARTS)
    if unknown := set(parts) - set(PARTS):
        console.print(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}")
        sys.exit(2)
    began, load = time.monotonic(), busy()

    def report(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s  {text}[/]", highlight=False)

    with tempfile.TemporaryDirectory(prefix="concord-bench-") as folder:
        ground = Ground(Path(folder), report)
        try:
            figures = uvloop.run(measure(ground, QUICK if quick else WHOLE, parts, report))
        finally:
            ground.platform.stop()
    show(f"Concord on {os.cpu_count()} cores, {time.monotonic() - began:.0f} s", figures, console)
    if load > 0.5 * (os.cpu_count() or 1):
        console.print(
            f"[yellow]The machine was busy before this began (load {load:.1f}): the figures are"
            " too low, the ratios rougher than on a quiet one.[/]"
        )


if __name__ == "__main__":
    typer.run(main)
