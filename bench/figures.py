"""Format benchmark results as a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement with this machine's limit (`ceiling`) and the target (`aim`), as text."""

    what: str
    measured: str
    ceiling: str
    ratio: str
    aim: str
    met: bool | None = None
    """True if the target was met; None where there is none."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 99th percentile of durations, in milliseconds."""

    p50: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        """Return the spread of durations given in seconds, in any order."""
        ordered = sorted(seconds)
        last = ordered[min(len(ordered) - 1, math.ceil(len(ordered) * 0.99) - 1)]
        return cls(1000 * median(ordered), 1000 * last, len(ordered))

    def __str__(self) -> str:
        return f"{_short(self.p50)} / {_short(self.p99)} ms"


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"


def show(title: str, figures: Sequence[Figure], console: Console) -> None:
    """Print the figures as a table."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("what", overflow="fold")
    for name in ("measured", "ceiling", "ratio", "aim"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in figures:
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[each.met]
        table.add_row(each.what, each.measured, each.ceiling, each.ratio, each.aim, mark)
    console.print(table)
