"""Requests of a stream to others of its department, pending until their outcome is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import StringConstraints

from chassis.domain.internal import Internal
from contracts.event import Event, Recorded

KeyPart = Annotated[str, StringConstraints(pattern=r"^[^/\s]+$", max_length=200)]
"""Part of the key of a request: any text without space and slash."""


class Requested(Internal):
    """The stream asks another stream of its department to carry out a command."""

    id: KeyPart
    """Id of the request among those of the stream."""
    item: KeyPart
    """Thing that the request concerns, where several requests have the same id."""
    stream: str
    """Id of the stream that is asked: its kind, a colon and its subject."""
    command: str
    """Name of the command."""
    content: str
    """The command as JSON."""
    revision: int | None = None
    """Revision of what the stream asks for, so that it can ignore outcomes of older ones."""
    decides: str | None = None
    """Id of the commit of a command that has no effect where all that decides it is refused."""
    confidential: bool = False
    """True where it is confidential that the stream asks."""

    @property
    def is_confidential(self) -> bool:
        """Return whether it is confidential that the stream asks."""
        return self.confidential

    @property
    def key(self) -> str:
        """Return the key of the request among those of the stream."""
        return f"{self.id}/{self.item}"

    @property
    def kind(self) -> str:
        """Return the kind of the stream that is asked."""
        return self.stream.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of a request: a stable code and a sentence."""

    code: str
    sentence: str


class OutcomeRecorded(Internal):
    """The outcome of a request is known: it was carried out, or refused."""

    id: KeyPart
    """Id of the request."""
    item: KeyPart
    """Thing that the request concerns."""
    refusal: Refusal | None = None
    """Why the request was refused; null where it was carried out."""
    in_part: str | None = None
    """Which part was carried out and which was not; null where all was, or the whole refused."""
    confidential: bool = False
    """True where it is confidential that the stream asked."""

    @property
    def is_confidential(self) -> bool:
        """Return whether it is confidential that the stream asked."""
        return self.confidential

    @property
    def key(self) -> str:
        """Return the key of the request among those of the stream."""
        return f"{self.id}/{self.item}"


class Deferred(Internal):
    """Base of internal events by which a command waits for the outcomes of requests.

    `cause` is the id of the commit, by which the answer to the command finds what became of it.
    """

    cause: str


class DeferredDecided(Internal):
    """Base of internal events that tell what became of a deferred command.

    `refusal` is null where it was carried out.
    """

    cause: str
    refusal: Refusal | None = None


Pending = Mapping[str, Recorded[Requested]]
"""The requests of a stream whose outcome is not recorded yet, by their keys."""


def pending_after(pending: Pending, recorded: Recorded[Event]) -> Pending:
    """Return the pending requests of a stream after one of its events."""
    event = recorded.event
    if isinstance(event, Requested):
        return {**pending, event.key: cast("Recorded[Requested]", recorded)}
    if isinstance(event, OutcomeRecorded):
        return {key: each for key, each in pending.items() if key != event.key}
    return pending
