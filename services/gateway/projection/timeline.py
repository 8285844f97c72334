"""The timeline: every event of an engagement, in the bytes of its record.

Events are written in runs: those of one channel that arrived between two checkpoints. A run that is
written again after a restart may be longer or shorter than before, so runs may overlap; readers
skip repeated events.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contracts.event import Event, Recorded, Undecodable, decode, whole

LONGEST = 1_000_000
"""Bytes of events in a run at most, unless a single event is larger."""


@dataclass(slots=True)
class Run:
    """Consecutive events of one channel of one engagement."""

    engagement: str
    channel: str
    first: int
    last: int
    events: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of the events; counted only while the run is being filled."""

    @property
    def id(self) -> str:
        """The id of the run in the store; runs that begin with the same event have the same."""
        return f"{self.engagement}/{self.channel}/{self.first}"


class Unwritten:
    """Runs of one engagement that are not yet written, or are being written."""

    __slots__ = ("_engagement", "_full", "_open", "_writing")

    def __init__(self, engagement: str) -> None:
        self._engagement = engagement
        self._open: dict[str, Run] = {}
        self._full: list[Run] = []
        self._writing: list[Run] = []

    def add(self, recorded: Recorded[Event]) -> None:
        """Add an event after the last one of its channel."""
        channel, sequence = recorded.event.channel.name, recorded.sequence
        record = whole(recorded)
        run = self._open.get(channel)
        if run is not None and run.size + len(record) > LONGEST:
            self._full.append(run)
            run = None
        if run is None:
            run = self._open[channel] = Run(self._engagement, channel, sequence, sequence)
        run.last = sequence
        run.events.append(record)
        run.size += len(record)

    @property
    def runs(self) -> list[Run]:
        """All runs that are not certain to be in the store."""
        return [*self._writing, *self._full, *self._open.values()]

    def begin(self) -> list[Run]:
        """Return the runs to write now; call `written` or `not_written` afterwards."""
        self._writing = [*self._full, *self._open.values()]
        self._full, self._open = [], {}
        return self._writing

    def written(self) -> None:
        """Forget the runs that were being written: they are in the store."""
        self._writing = []

    def not_written(self) -> None:
        """Keep the runs that were being written for the next time."""
        self._full = [*self._writing, *self._full]
        self._writing = []


def in_order(runs: Iterable[Run]) -> Iterator[Recorded[Event]]:
    """Yield each event of the runs once, by channel and sequence."""
    seen: dict[str, int] = {}
    for run in sorted(runs, key=lambda run: (run.channel, run.first, run.last)):
        for record in run.events:
            try:
                recorded = decode(record)
            except Undecodable:  # of a type that the contracts no longer have
                continue
            if recorded.sequence > seen.get(run.channel, 0):
                seen[run.channel] = recorded.sequence
                yield recorded
