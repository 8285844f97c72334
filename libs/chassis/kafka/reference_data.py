"""Reference data in memory: every version of every record; `reference_feed` keeps it current."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self, TypeVar

from contracts.event import Event, Recorded
from contracts.reference import Reference

R = TypeVar("R", bound=Reference)


@dataclass(slots=True)
class _Versions:
    """The versions of one record, by number, and by the first day on which each is in force."""

    by_number: dict[int, Recorded[Any]] = field(default_factory=dict)
    newest: int = 0
    days: list[date] = field(default_factory=list)
    in_force: list[int] = field(default_factory=list)
    arranged: bool = False

    def on(self, day: date) -> Recorded[Any] | None:
        """Return the version in force on a day; the first call computes the order by day."""
        if not self.arranged:
            self._arrange()
        place = bisect_right(self.days, day)
        return self.by_number[self.in_force[place - 1]] if place else None

    def _arrange(self) -> None:
        """Compute which version is in force on which day: of all dated until then, the newest."""
        self.arranged = True
        self.days, self.in_force = [], []
        dated = sorted(
            (recorded.event.effective_from or date.min, number)
            for number, recorded in self.by_number.items()
        )
        for day, number in dated:
            if self.days and self.days[-1] == day:
                self.in_force[-1] = max(self.in_force[-1], number)
            else:
                self.days.append(day)
                self.in_force.append(max([number, *self.in_force[-1:]]))


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
        """Return the newest version whose effective_from is not after the day, or None."""
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
        versions.arranged = False
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
            versions.arranged = False
        else:
            del records[name]
