# ruff: noqa: S101 - this module makes assertions
"""Provide reference data for tests, match events, and format differences."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import ndiff
from pprint import pformat
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from chassis.domain.internal import Internal
from contracts.event import Event, Recorded
from contracts.reference import Reference, VersionsByDay

R = TypeVar("R", bound=Reference)

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Time of a scenario unless `on` sets another: Monday, 5 January 2026, 09:00 UTC."""


class RecordsOf:
    """Reference data of a test; the versions of a record are numbered in the order of the list."""

    revision = 0

    def __init__(self, events: Iterable[Reference]) -> None:
        self._versions: dict[tuple[type[Reference], str], list[Recorded[Reference]]] = {}
        for event in events:
            subject = str(getattr(event, event.id_field()))
            versions = self._versions.setdefault((type(event), subject), [])
            versions.append(recorded_as(event, subject, len(versions) + 1, "someone", START, {}))

    def without(self, kinds: Container[type[Reference]]) -> tuple[Reference, ...]:
        """Return all versions of the records of other kinds."""
        versions = (every for (kind, _), every in self._versions.items() if kind not in kinds)
        return tuple(each.event for every in versions for each in every)

    def latest(self, kind: type[R], id: str) -> Recorded[R] | None:
        """Return the last version of a record, or None."""
        versions = self._of(kind, id)
        return versions[-1] if versions else None

    def on(self, kind: type[R], id: str, day: date) -> Recorded[R] | None:
        """Return the version in force on a day, or None."""
        return VersionsByDay(self._of(kind, id), lambda each: each.event.effective_from).on(day)

    def all(self, kind: type[R]) -> Sequence[Recorded[R]]:
        """Return the last version of every record of a kind."""
        return [self._of(kind, subject)[-1] for known, subject in self._versions if known is kind]

    def _of(self, kind: type[R], subject: str) -> list[Recorded[R]]:
        return cast(list[Recorded[R]], self._versions.get((kind, subject), []))


@dataclass(frozen=True)
class Like:
    """Pattern for the events of a type whose named fields have these values."""

    kind: type[Event]
    fields: Mapping[str, Any]

    def matches(self, event: Event) -> bool:
        """Return whether the event matches."""
        return type(event) is self.kind and all(
            getattr(event, name) == value for name, value in self.fields.items()
        )


def like(kind: type[Event], /, **fields: Any) -> Like:
    """Return a pattern for an event of a type that compares only the given fields.

    Raises AssertionError where the type has no such field.
    """
    unknown = fields.keys() - kind.model_fields.keys()
    assert not unknown, f"{kind.__name__} has no field {', '.join(sorted(unknown))}"
    return Like(kind, fields)


def recorded_as(
    event: Event,
    subject: str,
    sequence: int,
    actor: str,
    moment: datetime,
    heard: Mapping[str, int],
) -> Recorded[Any]:
    """Return the event as recorded at a moment; its id is made of channel, subject, sequence."""
    place = event.type if isinstance(event, Internal) else event.channel.name
    return Recorded(
        id=f"{place}-{subject}-{sequence}",
        subject=subject,
        sequence=sequence,
        event=event,
        actor=actor,
        cause="given",
        occurred_at=moment,
        recorded_at=moment,
        heard=heard,
    )


def described(things: Iterable[object]) -> str:
    """Return events and states as text, one field per line."""
    return "\n".join(_lines(things)) or "nothing"


def _lines(things: Iterable[object]) -> list[str]:
    lines: list[str] = []
    for thing in things:
        if isinstance(thing, Like):
            lines.append(f"like {thing.kind.__name__}")
            shown: object = dict(thing.fields)
        elif isinstance(thing, BaseModel):
            lines.append(type(thing).__name__)
            shown = {name: getattr(thing, name) for name in type(thing).model_fields}
        else:
            shown = thing
        lines.extend(f"  {line}" for line in pformat(shown, width=96).splitlines())
    return lines


def difference(expected: Iterable[object], actual: Iterable[object]) -> str:
    """Return a line-by-line comparison: ``-`` marks missing lines, ``+`` unexpected ones."""
    return "\n".join(
        line.rstrip() for line in ndiff(_lines(expected), _lines(actual)) if line[0] != "?"
    )
