"""Sorting a batch: which stream hears which of its records, and which of them must wait."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from chassis.bus import Arrival, Trouble
from contracts.fact import Fact, Recorded

Routes: TypeAlias = Callable[[Recorded[Fact]], Iterable[str]]
"""The streams that hear a fact."""

WAITING = Trouble("waiting", "it stands behind another")


@dataclass(slots=True)
class Sorted:
    """A batch sorted: facts by stream in order, records that must wait, records set aside."""

    all: Sequence[Arrival]
    groups: dict[str, list[Arrival]] = field(default_factory=dict)
    stopped: list[tuple[Arrival, Trouble]] = field(default_factory=list)
    aside: list[tuple[Arrival, Trouble]] = field(default_factory=list)


def sort_out(arrivals: Sequence[Arrival], parked: Container[object], routes: Routes) -> Sorted:
    """Sort a batch; whatever follows a record that must wait, for the same engagement, waits too.

    Tombstones of reference records, and facts that nobody here hears, are in none of the lists.
    """
    found = Sorted(arrivals)
    stopped: set[str] = set()
    for arrival in arrivals:
        key, trouble, recorded = arrival.key, arrival.trouble, arrival.recorded
        if key is None:
            found.aside.append((arrival, trouble or Trouble("no-key", "it names no engagement")))
        elif key in stopped or key in parked:
            found.stopped.append((arrival, WAITING))
        elif trouble is not None:
            found.stopped.append((arrival, trouble))
            stopped.add(key)
        elif recorded is not None:
            try:
                streams = list(routes(recorded))
            except Exception as error:  # noqa: BLE001 - a bug in routing concerns this fact alone
                found.stopped.append((arrival, Trouble("failed", f"routing failed: {error!r}")))
                stopped.add(key)
                continue
            for stream in streams:
                group = found.groups.get(stream)
                if group is None:
                    found.groups[stream] = [arrival]
                else:
                    group.append(arrival)
    return found
