"""The context of a decision: actor, moments, ids and reference data from outside the state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Protocol, TypeVar

from chassis.domain.ids import derived
from contracts.event import Recorded
from contracts.places import day_at
from contracts.reference import Reference
from contracts.roles import Role

R = TypeVar("R", bound=Reference)


class ReferenceData(Protocol):
    """Reference data, as far as this process has consumed it."""

    @property
    def revision(self) -> int:
        """A number that changes with every change of a record."""

    def latest(self, kind: type[R], id: str) -> Recorded[R] | None:
        """Return the newest version of a record, or None; its `sequence` is the version."""

    def on(self, kind: type[R], id: str, day: date) -> Recorded[R] | None:
        """Return the version in force on a day, or None."""

    def all(self, kind: type[R]) -> Sequence[Recorded[R]]:
        """Return the newest version of every record of a kind."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a decision needs from outside the state.

    `actor` is the person's id, or the department's name in reactions; `on_behalf_of` is the person
    whom the actor acts for, as a stand-in. `roles` are the actor's, empty in reactions.
    `occurred_at` is the moment that business rules use (it may be in the past); `recorded_at` is
    when the event is written.
    """

    actor: str
    occurred_at: datetime
    recorded_at: datetime
    cause: str
    reference_data: ReferenceData
    new_event_id: Callable[[], str]
    traceparent: str | None = None
    on_behalf_of: str | None = None
    roles: frozenset[Role] = frozenset()
    zone: tzinfo | None = None
    """Time zone of the customer's business days; None where it is not known."""
    documents: frozenset[str] = frozenset()
    """Hashes of those documents that the command names and the department's store has.

    A file with a purpose, such as a receipt, is among them only where the actor or the person whom
    they act for uploaded it.
    """

    @property
    def acting_for(self) -> str:
        """The person whose rights the actor uses: their own, or those of whom they stand in for."""
        return self.on_behalf_of or self.actor

    @property
    def acting(self) -> frozenset[str]:
        """The actor and the person whose stand-in they are: neither may be the author."""
        return frozenset({self.actor, self.acting_for})

    @property
    def today(self) -> date:
        """The business day in `zone`, or in UTC where the time zone is not known."""
        return day_at(self.occurred_at, self.zone)

    def new_id(self, prefix: str) -> str:
        """Return an id for a thing that this command creates: the same for the same command.

        Reactions derive ids from the things they follow from instead, so that the order of events
        does not matter.
        """
        return f"{prefix}-{derived(f'{self.cause}/{prefix}', 10)}"
