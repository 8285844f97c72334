"""A stream with its position on each channel, and the check that decides which event is next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from chassis.domain.internal import Internal
from chassis.domain.latest_ids import LatestIds, id_taken_in
from chassis.domain.pending import Pending
from chassis.domain.trouble import AsideCode
from contracts.event import Event, Recorded, Undecoded

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Missing events of a channel, numbered `first` to `last`, that a person decided to skip.

    `by` is the person's id, `why` the reason given, `at` the moment of the decision (UTC).
    """

    channel: str
    first: int
    last: int
    by: str
    why: str
    at: datetime

    def covers(self, recorded: Recorded[Event]) -> bool:
        """Return whether the event is one of them."""
        return (
            self.channel == recorded.channel.name and self.first <= recorded.sequence <= self.last
        )

    def document(self) -> dict[str, Any]:
        """Return it as a document for the store."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "PassedOver":
        """Read it from a document of the store; raises KeyError, TypeError, AttributeError."""
        return cls(**{**document, "at": document["at"].astimezone(UTC)})


@dataclass(frozen=True, slots=True)
class Stream(Generic[S]):
    """A stream after its commit `number`: its state and its position.

    `position` has the last sequence of each channel: recorded by this stream on its own channels,
    processed on all others. `latest_ids` has the ids of the last events processed on each channel,
    `passed_over` the missing events that a person decided to skip, `requests` the requests whose
    outcome is not recorded yet. `open_number` counts the commits that every reader may see.
    `measured` is the size of the state as JSON in bytes when it was last measured, `since` the
    bytes of the events after that; their sum estimates the present size.
    """

    id: str
    state: S
    number: int = 0
    open_number: int = 0
    position: Mapping[str, int] = field(default_factory=dict)
    latest_ids: LatestIds = field(default_factory=dict)
    passed_over: tuple[PassedOver, ...] = ()
    requests: Pending = field(default_factory=dict)
    measured: int = field(default=0, compare=False)
    since: int = field(default=0, compare=False)

    @property
    def subject(self) -> str:
        """The id of the engagement, person or other thing that the stream is about."""
        return self.id.partition(":")[2]

    def number_for(self, *, confidential: bool) -> int:
        """Return the number that a reader is given, who may see confidential events or not.

        That of a reader who may not counts no commits of confidential events only.
        """
        return self.number if confidential else self.open_number

    def numbered_after(self, events: Iterable[Recorded[Event]]) -> Self:
        """Return it with the numbers that it has after a commit of these events.

        A commit without events moves positions on open channels or skips events, which all see.
        """
        kinds = {_is_open(each) for each in events}
        return replace(
            self,
            number=self.number + 1,
            open_number=self.open_number + (kinds != {False}),
        )


def _is_open(recorded: Recorded[Event]) -> bool:
    """Return whether an event changes what every reader of its stream may see.

    Internal events do, unless they are confidential, and so does reference data: who may read a
    record without its confidential fields sees that there is a new version.
    """
    if isinstance(recorded.event, Internal):
        return not recorded.event.is_confidential
    return recorded.channel.kind == "reference" or not recorded.channel.confidential


class Gap(Exception):
    """An event of a channel arrived before its predecessor."""

    def __init__(self, recorded: Recorded[Event], expected: int) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came where {expected} was expected"
        )
        self.recorded, self.expected = recorded, expected


class NotDecoded(Exception):
    """The next event of its channel cannot be decoded by this version of the contracts."""

    def __init__(self, event: Undecoded) -> None:
        super().__init__(event.sentence)
        self.newer_version = event.why is None


class NotTakenIn(Exception):
    """An event whose sequence number is used already and that is no repeat: it is set aside.

    `without_numbers` is the message for channels whose sequence numbers are confidential.
    """

    code: ClassVar[AsideCode]
    without_numbers: ClassVar[str]


class CameLate(NotTakenIn):
    """An event arrived after a person had decided to skip it."""

    code = "passed-over"
    without_numbers = "it came after it had been passed over"

    def __init__(self, recorded: Recorded[Event], passed: PassedOver) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came after {passed.by} had passed over it"
        )


class OtherEvent(NotTakenIn):
    """An event arrived with the sequence number of another event that was processed before."""

    code = "other-event"
    without_numbers = "another event was taken in under its number"

    def __init__(self, recorded: Recorded[Event], taken_in: str) -> None:
        super().__init__(
            f"another event, {taken_in}, was taken in as {recorded.channel.name}"
            f" {recorded.sequence}"
        )


def is_next(
    recorded: Recorded[Event],
    last: int,
    passed_over: Sequence[PassedOver] = (),
    latest_ids: Sequence[str] = (),
) -> bool:
    """Return whether a stream that processed a channel up to `last` handles the event.

    False means that it was processed before. `latest_ids` are the ids of the last events that were
    processed. Raises Gap if an earlier event is missing, CameLate, OtherEvent and NotDecoded.
    """
    if recorded.sequence <= last:
        for passed in passed_over:
            if passed.covers(recorded):
                raise CameLate(recorded, passed)
        taken_in = id_taken_in(latest_ids, last, recorded.sequence)
        if taken_in is not None and taken_in != recorded.id:
            raise OtherEvent(recorded, taken_in)
        return False
    if recorded.sequence > last + 1:
        raise Gap(recorded, last + 1)
    refuse_undecoded(recorded)
    return True


def refuse_undecoded(recorded: Recorded[Event]) -> None:
    """Raise NotDecoded for an event that this version of the contracts cannot decode."""
    if isinstance(recorded.event, Undecoded):
        raise NotDecoded(recorded.event)
