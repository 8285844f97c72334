"""Reference data in memory: every version of every record; `reference_feed` keeps it current."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self, TypeVar

from contracts.event import Event, Recorded
from contracts.reference import Reference, VersionsByDay

R = TypeVar("R", bound=Reference)


@dataclass(slots=True)
class _Versions:
    """The versions of one record, by number; `by_day` is None until it is computed."""

    by_number: dict[int, Recorded[Any]] = field(default_factory=dict)
    newest: int = 0
    by_day: VersionsByDay[Recorded[Any]] | None = None

    def on(self, day: date) -> Recorded[Any] | None:
        """Return the version in force on a day; the first call computes the order by day."""
        if self.by_day is None:
            self.by_day = self._arranged()
        return self.by_day.on(day)

    def _arranged(self) -> VersionsByDay[Recorded[Any]]:
        in_order = (self.by_number[number] for number in sorted(self.by_number))
        return VersionsByDay(in_order, lambda recorded: recorded.event.effective_from)


class ReferenceDataCache:
    """Reference data as far as it was consumed; lookups take constant time, or bisect by day."""

    def __init__(self, recorded: Iterable[Recorded[Event]] = ()) -> None:
        self._kinds: dict[str, dict[str, _Versions]] = {}
        self.revision = 0
        """A number that grows with each change of any record."""
        for each in recorded:
            self.put(each)

    @classmethod
    def fixed(cls, *recorded: Recorded[Event]) -> Self:
        """Return a cache with these records, for tests."""
        return cls(recorded)

    def latest(self, kind: type[R], id: str) -> Recorded[R] | None:
        """Return the newest version of a record, or None; its `sequence` is the version."""
        versions = self._kinds.get(kind.kind, {}).get(id)
        return None if versions is None else versions.by_number[versions.newest]

    def on(self, kind: type[R], id: str, day: date) -> Recorded[R] | None:
        """Return the version in force on a day, or None."""
        versions = self._kinds.get(kind.kind, {}).get(id)
        return None if versions is None else versions.on(day)

    def all(self, kind: type[R]) -> Sequence[Recorded[R]]:
        """Return the newest version of every record of a kind, in the order of their ids."""
        records = self._kinds.get(kind.kind, {})
        return [records[name].by_number[records[name].newest] for name in sorted(records)]

    def put(self, recorded: Recorded[Event]) -> None:
        """Add a version; repeating it is harmless. Raises TypeError for any other event."""
        event = recorded.event
        if not isinstance(event, Reference):
            raise TypeError(f"{event.type} is no reference data")
        versions = self._kinds.setdefault(event.kind, {}).setdefault(recorded.subject, _Versions())
        versions.by_number[recorded.sequence] = recorded
        versions.newest = max(versions.newest, recorded.sequence)
        versions.by_day = None
        self.revision += 1

    def remove(self, key: str) -> None:
        """Remove a version by its key on the topic, ``<kind>:<id>@<version>``."""
        kind, _, rest = key.partition(":")
        name, _, number = rest.rpartition("@")
        records = self._kinds.get(kind, {})
        versions = records.get(name)
        if versions is None or not number.isdecimal():
            return
        versions.by_number.pop(int(number), None)
        self.revision += 1
        if versions.by_number:
            versions.newest = max(versions.by_number)
            versions.by_day = None
        else:
            del records[name]
