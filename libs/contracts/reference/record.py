"""Define the base of all reference records, and which of their versions is in force on a day."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date
from typing import ClassVar, Generic, TypeVar

from contracts.event import Event
from contracts.values import Day


class Reference(Event):
    """Base of reference records; `kind` is the kind of the record's stream, such as `account`.

    The record's id is a field with the name of the kind (`rate_card` for `rate-card`).
    """

    kind: ClassVar[str] = ""
    effective_from: Day | None = None
    """First day on which this version is in force, until the first day of another version.

    Null where it always was.
    """

    @classmethod
    def id_field(cls) -> str:
        """Return the name of the field with the record's id."""
        return cls.kind.replace("-", "_")


R = TypeVar("R", bound=Reference)
V = TypeVar("V")


class VersionsByDay(Generic[V]):
    """Versions of one record, each in force from its first day until that of the next one."""

    __slots__ = ("_first_days", "_versions")

    def __init__(self, versions: Iterable[V], first_day: Callable[[V], date | None]) -> None:
        """Arrange versions, in the order of their publication; of one first day, the last counts.

        `first_day` returns None for a version that was always in force.
        """
        by_day = {first_day(each) or date.min: each for each in versions}
        self._first_days = sorted(by_day)
        self._versions = [by_day[day] for day in self._first_days]

    def on(self, day: date) -> V | None:
        """Return the version in force on a day; None before the first one."""
        place = bisect_right(self._first_days, day)
        return self._versions[place - 1] if place else None


def in_force(versions: Iterable[R], day: date) -> R | None:
    """Return the version in force on a day: the one with the latest first day that is not after it.

    `versions` are in the order of their publication; of one first day, the last one counts. None
    where none is in force.
    """
    return VersionsByDay(versions, lambda each: each.effective_from).on(day)
