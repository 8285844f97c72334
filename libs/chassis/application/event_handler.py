"""How a department hears: events of others come to its streams, which react to them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chassis.application.ports import Batch, StreamRouter
from chassis.application.repository import Repository, Surroundings
from chassis.base import telemetry
from chassis.domain.decider import Context, Decider, PassedOver, Step, handle_events
from chassis.domain.trouble import Head
from chassis.eventstore.journal import MOST_EVENTS, AlreadyDone, Commit, Kept, Raced
from chassis.eventstore.mongo import StoreAway
from chassis.eventstore.snapshots import AnyDecider, Known
from contracts.event import Event, Recorded, whole

_TOGETHER = 200

Events = Sequence[Recorded[Event]]


def stream_router(deciders: Iterable[Decider[Any]]) -> StreamRouter:
    """Which streams of a department hear an event: each kind of stream is asked."""
    kinds = tuple(deciders)

    def routes(recorded: Recorded[Event]) -> list[str]:
        return [
            decider.stream(subject)
            for decider in kinds
            if (subject := decider.subject_for(recorded)) is not None
        ]

    return routes


class StreamEventHandler:
    """Gives events to the streams of a department.

    It is the reader of the department's listener.
    """

    def __init__(self, streams: Repository, surroundings: Surroundings) -> None:
        self._streams = streams
        self._surroundings = surroundings

    async def take(self, batch: Batch) -> Mapping[str, Exception]:
        """Take events in, by stream and in order; seen ones pass by. What went wrong, by stream.

        Snapshots come, and commits travel, together. Raises StoreAway.
        """
        await self._streams.recall([*batch])
        outcomes = await asyncio.gather(
            *(self._hear_traced(stream, events) for stream, events in batch.items()),
            return_exceptions=True,
        )
        failures: dict[str, Exception] = {}
        for stream, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failures[stream] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return failures

    async def handle_events(self, stream: str, events: Events) -> None:
        """Take in events on one stream, in order; those heard before pass by.

        Raises Gap, StoreAway, or whatever a reaction raises; what precedes the event in trouble has
        been taken in then.
        """
        decider = self._streams.decider(stream)
        async with self._streams.lock(stream):
            for start in range(0, len(events), _TOGETHER):
                await self._heard(decider, stream, events[start : start + _TOGETHER])

    async def settle(self, *, now: bool) -> bool:
        """What mattered is in the journal; how far was heard beyond it follows within a second."""
        return await self._streams.write_noted(now=now)

    async def give_up(self, engagement: str) -> Events:  # noqa: ARG002
        """Give up nothing: a commit that cannot be written is refused when it is appended."""
        return ()

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Do without missing events in every numbered stream of this engagement.

        A stream that has heard as much already stays as it is. Raises StoreAway.
        """
        for decider in self._streams.deciders.values():
            if decider.gap_free and decider.kind == "engagement":
                await self._pass_over(decider.stream(engagement), passed)

    async def waits(self, engagement: str, head: Head | None) -> None:
        """Show nothing: operators see it in what is parked."""

    async def wait(self, heads: Mapping[str, Head]) -> None:
        """Show nothing, as `waits` does."""

    async def given(self, partitions: frozenset[int]) -> None:
        """A department reads what it needs, when it needs it."""

    async def withdrawn(self) -> None:
        """What was only noted is heard again, here or elsewhere."""
        self._streams.forget_noted()

    async def _hear_traced(self, stream: str, events: Events) -> None:
        """One stream's commit, in the trace of the first event that it hears."""
        with telemetry.step("hear", events[0].traceparent, stream=stream):
            await self.handle_events(stream, events)

    async def _pass_over(self, stream: str, passed: PassedOver) -> None:
        async with self._streams.lock(stream):
            while True:
                before = (await self._streams.current(stream)).stream
                if before.position.get(passed.channel, 0) >= passed.last:
                    return
                position = {**before.position, passed.channel: passed.last}
                ids = {**before.latest_ids, passed.channel: ()}
                after = replace(
                    before,
                    position=position,
                    latest_ids=ids,
                    number=before.number + 1,
                    passed_over=(*before.passed_over, passed),
                )
                commit = Commit(
                    cause=f"{stream}/passed-over/{passed.channel}/{before.subject}/{passed.last}",
                    stream=stream,
                    number=after.number,
                    position=position,
                    latest_ids=ids,
                    actor=passed.by,
                    at=self._surroundings.now(),
                    command="pass-over",
                    passed_over=passed,
                )
                try:
                    await self._streams.append(after, commit)
                except (Raced, AlreadyDone):
                    continue
                return

    async def _heard(self, decider: AnyDecider, stream: str, events: Events) -> None:
        known = self._streams.cached(stream)
        fresh = known is None
        while events:
            if known is None:
                known = await self._streams.current(stream)
            try:
                step = handle_events(decider, known.stream, events, self._reaction(decider))
                if not step.entries:
                    if step.changed and decider.gap_free:
                        self._streams.note(step.stream)
                    return
                if len(step.entries) <= MOST_EVENTS or len(events) == 1:
                    taken = _first_taken(known, events) if decider.gap_free else events[0]
                    await self._streams.append(step.stream, self._commit(decider, step, taken))
                    return
            except (Raced, AlreadyDone) as lost:
                if isinstance(lost, AlreadyDone) and not decider.gap_free:
                    events = events[1:]  # the commit of this name took in the first of them
                known, fresh = None, True
                continue
            except StoreAway:
                raise
            except Exception:
                if not fresh:
                    known, fresh = None, True
                    continue
                if len(events) == 1:
                    raise
            # Too much for one commit, or one of them is in trouble: take in the first half first.
            half = len(events) // 2
            await self._heard(decider, stream, events[:half])
            events, known = events[half:], self._streams.cached(stream)

    def _commit(self, decider: AnyDecider, step: Step[Any], first: Recorded[Event]) -> Commit:
        stream = step.stream.id
        return Commit(
            cause=f"{stream}/heard/{first.channel.name}/{first.subject}/{first.sequence}",
            stream=stream,
            number=step.stream.number,
            position=step.stream.position,
            latest_ids=step.stream.latest_ids,
            actor=decider.department,
            at=self._surroundings.now(),
            events=tuple(
                Kept.of(
                    each.recorded,
                    said=each.said,
                    record=None if each.said else whole(each.recorded),
                )
                for each in step.entries
            ),
        )

    def _reaction(self, decider: AnyDecider) -> Callable[[Recorded[Event]], Context]:
        return lambda recorded: self._surroundings.context(
            actor=decider.department,
            occurred_at=recorded.occurred_at,
            cause=recorded.id,
            traceparent=recorded.traceparent,
        )


def _first_taken(known: Known, events: Events) -> Recorded[Event]:
    position = known.stream.position
    news = (each for each in events if each.sequence > position.get(each.channel.name, 0))
    return next(news, events[0])
