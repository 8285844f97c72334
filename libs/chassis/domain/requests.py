"""Requests: a stream asks another stream of its department to carry out a command.

    numbering = capability.request(TakeNumber, of="number-series")

    @numbering.outcome
    def numbered(
        state: Engagement, outcome: Outcome[TakeNumber], context: Context
    ) -> Iterable[Event]: ...

A decision or reaction of the capability yields ``numbering(subject, TakeNumber(...), id=..., item=
...)`` among its events. The request is an event of the asking stream's commit. Its outcome is one
commit of the other stream, whose cause is the key of the request, so that a request never acts
twice. The outcome is then recorded on the asking stream, where the decision marked `outcome`
follows from it. See docs/adr/0037-send-requests-between-streams-through-no-topic.md.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import Field

from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.pending import OutcomeRecorded, Refusal, Requested
from chassis.domain.state import Part
from contracts.event import Event

S = TypeVar("S", bound=Part)
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)


class RecordOutcome(Command):
    """Record the outcome of a request; given only by the request dispatcher.

    `key` is the key of the request, `asked` the id of the event by which the stream asked.
    """

    key: str
    asked: str
    # Not a part of what identifies the command: newer code may write the events with more fields.
    events: tuple[Event, ...] = Field((), exclude=True)
    refusal: Refusal | None = Field(None, exclude=True)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[C]):
    """The outcome of a request: the events that the other stream recorded, or the refusal.

    `events` are empty where the command changed nothing.
    """

    request: Requested
    command: C
    events: tuple[Event, ...]
    refusal: Refusal | None

    def only(self, kind: type[E]) -> E:
        """Return the event of a type that the other stream recorded.

        Raises ValueError where it recorded none, or several.
        """
        (event,) = (each for each in self.events if isinstance(each, kind))
        return event


class Asking(Generic[S, C]):
    """The declaration that a capability asks streams of a kind to carry out a command.

    Where that is `confidential`, readers without the role do not see that it asks.
    """

    def __init__(self, command: type[C], kind: str, *, confidential: bool = False) -> None:
        self.command = command
        self.kind = kind
        self.confidential = confidential
        self.decision: Callable[[S, Outcome[C], Context], Iterable[Event]] | None = None
        self.sentence: Callable[[S, Outcome[C]], str | None] = lambda *_: None

    def __call__(
        self,
        subject: str,
        command: C,
        *,
        id: str,
        item: str,
        revision: int | None = None,
        decides: str | None = None,
    ) -> Requested:
        """Return the request, for a decision or reaction to yield.

        A request with the key of one that is pending is not recorded again. A key that is asked
        again later has the outcome of the first time. With the cause of a command in `decides`, the
        command is answered as refused where this request is, and all others that decide it are.
        """
        return Requested(
            id=id,
            item=item,
            stream=f"{self.kind}:{subject}",
            command=self.command.named(),
            content=command.model_dump_json(exclude_defaults=True),
            revision=revision,
            decides=decides,
            confidential=self.confidential,
        )

    def outcome(
        self, decision: Callable[[S, Outcome[C], Context], Iterable[Event]]
    ) -> Callable[[S, Outcome[C], Context], Iterable[Event]]:
        """Register the decision on the outcome; it must not refuse."""
        self.decision = decision
        return decision

    def in_part(
        self, sentence: Callable[[S, Outcome[C]], str | None]
    ) -> Callable[[S, Outcome[C]], str | None]:
        """Register what says which part of a request was carried out, None where all was."""
        self.sentence = sentence
        return sentence

    def decide(
        self, state: S, request: Requested, recorded: RecordOutcome, context: Context
    ) -> Iterator[Event]:
        """Yield the outcome of a request, and the events that follow from it."""
        if self.decision is None:
            raise TypeError(f"nothing is decided on the outcome of {self.command.named()}")
        command = self.command.model_validate_json(request.content)
        outcome = Outcome(request, command, recorded.events, recorded.refusal)
        yield OutcomeRecorded(
            id=request.id,
            item=request.item,
            refusal=recorded.refusal,
            in_part=None if recorded.refusal else self.sentence(state, outcome),
            confidential=request.confidential,
        )
        yield from self.decision(state, outcome, context)


AnyAsking = Asking[Any, Any]
