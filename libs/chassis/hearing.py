"""How a department hears: the reader that hands facts to its engine."""

from collections.abc import Iterable, Mapping
from typing import Any

from chassis.decider import Decider
from chassis.engine import Engine, Subject
from chassis.reader import Batch
from chassis.sorting import Routes
from contracts.channels import Channel
from contracts.fact import Fact, Recorded, whole


def routes_of(deciders: Iterable[Decider[Any]]) -> Routes:
    """Which streams of a department hear a fact: each kind of stream is asked."""
    kinds = tuple(deciders)

    def routes(recorded: Recorded[Fact]) -> list[str]:
        return [
            decider.stream(subject)
            for decider in kinds
            if (subject := decider.hearer(recorded)) is not None
        ]

    return routes


class EngineReader:
    """Gives facts to the streams of a department; each has taken them in when it answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, batch: Batch) -> Mapping[str, Exception]:
        """Take facts in; the commits of all streams travel together."""
        errors = await self._engine.hear_all(
            {_subject(stream): facts for stream, facts in batch.items()}, whole
        )
        return {f"{kind}:{subject}": error for (kind, subject), error in errors.items()}

    async def settle(self, *, now: bool) -> bool:  # noqa: ARG002
        """What was taken in is in the journal."""
        return True

    async def pass_over(
        self, engagement: str, channel: Channel, sequence: int, by: str, why: str
    ) -> None:
        """Move the position of every numbered stream of this engagement; raises StoreAway."""
        for decider in self._engine.deciders.values():
            if decider.numbered and decider.kind == "engagement":
                await self._engine.skip(
                    decider.kind, engagement, channel, sequence, actor=by, why=why
                )

    async def given(self, partitions: frozenset[int]) -> None:
        """An engine reads what it needs, when it needs it."""

    async def withdrawn(self) -> None:
        """An engine keeps nothing that is not durable."""


def _subject(stream: str) -> Subject:
    kind, _, subject = stream.partition(":")
    return kind, subject
