"""Define the base of all reference records, and which of their versions is in force on a day."""

from collections.abc import Iterable
from datetime import date
from typing import ClassVar, TypeVar

from contracts.event import Event
from contracts.values import Day


class Reference(Event):
    """Base of reference records; `kind` is the kind of the record's stream, such as `account`.

    The record's id is a field with the name of the kind (`rate_card` for `rate-card`).
    """

    kind: ClassVar[str] = ""
    effective_from: Day | None = None
    """First day on which this version is in force; null where it always was."""

    @classmethod
    def id_field(cls) -> str:
        """Return the name of the field with the record's id."""
        return cls.kind.replace("-", "_")


R = TypeVar("R", bound=Reference)


def in_force(versions: Iterable[R], day: date) -> R | None:
    """Return the last of the versions, oldest first, whose `effective_from` is not after the day.

    So a later version replaces all earlier ones from its first day on. None where no version is in
    force.
    """
    found: R | None = None
    for version in versions:
        if version.effective_from is None or version.effective_from <= day:
            found = version
    return found
