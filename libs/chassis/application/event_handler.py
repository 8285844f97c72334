"""The event handler of a department: gives consumed events to its streams, which react to them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chassis.application.ports import Batch, StreamRouter
from chassis.application.repository import ContextFactory, Repository
from chassis.base import telemetry
from chassis.domain.context import Context
from chassis.domain.decider import Decider, Step, handle_events
from chassis.domain.stream import PassedOver
from chassis.domain.trouble import Head
from chassis.eventstore.journal import MOST_EVENTS, AlreadyDone, Commit, Raced, StoredEvent
from chassis.eventstore.mongo import StoreAway
from chassis.eventstore.snapshots import AnyDecider, Known
from contracts.event import Event, Recorded, whole

_BATCH_SIZE = 200

Events = Sequence[Recorded[Event]]


def stream_router(deciders: Iterable[Decider[Any]]) -> StreamRouter:
    """Return a function that returns the id of the stream that processes an event, or None."""
    kinds = tuple(deciders)

    def route(recorded: Recorded[Event]) -> str | None:
        subjects = ((decider, decider.subject_for(recorded)) for decider in kinds)
        streams = (decider.stream(each) for decider, each in subjects if each is not None)
        return next(streams, None)

    return route


class StreamEventHandler:
    """The event handler of a department's consumer: it commits events on the streams they concern.

    A stream commits several events together, and the commits of a batch are written together.
    """

    def __init__(self, repository: Repository, contexts: ContextFactory) -> None:
        self._repository = repository
        self._contexts = contexts

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        """Process events, by stream and in order; return the errors by stream; raises StoreAway.

        Repeats are skipped. Snapshots are loaded, and commits written, for all streams together.
        """
        await self._repository.preload([*batch])
        outcomes = await asyncio.gather(
            *(self._handle_traced(stream, events) for stream, events in batch.items()),
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
        """Process events on one stream, in order; skip repeats.

        Raises Gap, CameLate, OtherEvent, NotDecoded, UnreadableStream, StoreAway, or an error of a
        reaction; the events before the one at fault are committed then.
        """
        decider = self._repository.decider(stream)
        async with self._repository.lock(stream):
            for start in range(0, len(events), _BATCH_SIZE):
                await self._commit_events(decider, stream, events[start : start + _BATCH_SIZE])

    async def flush(self, *, now: bool) -> bool:
        """Write deferred positions, if due or `now`; return whether all is written.

        Events that change a state are in the journal already. Raises StoreAway.
        """
        return await self._repository.flush_positions(now=now)

    async def give_up(self, engagement: str) -> Events:  # noqa: ARG002
        """Return nothing: a commit that cannot be written is refused when it is appended."""
        return ()

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Skip missing events in the stream of this engagement.

        A stream that is past them already does not change. Raises StoreAway.
        """
        decider = self._repository.deciders["engagement"]
        await self._pass_over(decider.stream(engagement), passed)

    async def show_parked(self, engagement: str, head: Head | None) -> None:
        """Do nothing: operators see it in the list of parked engagements."""

    async def show_only_parked(self, heads: Mapping[str, Head]) -> None:
        """Do nothing, as `show_parked`."""

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Do nothing: a department loads streams when it needs them."""

    async def revoked(self) -> None:
        """Discard deferred positions: these events will be consumed again, here or elsewhere."""
        self._repository.discard_deferred()

    async def _handle_traced(self, stream: str, events: Events) -> None:
        """Process events on one stream, in a span in the trace of the first of them."""
        with telemetry.step("hear", events[0].traceparent, stream=stream):
            await self.handle_events(stream, events)

    async def _pass_over(self, stream: str, passed: PassedOver) -> None:
        async with self._repository.lock(stream):
            while True:
                before = (await self._repository.current(stream)).stream
                if before.position.get(passed.channel, 0) >= passed.last:
                    return
                position = {**before.position, passed.channel: passed.last}
                ids = {**before.latest_ids, passed.channel: ()}
                after = replace(
                    before.numbered_after(()),
                    position=position,
                    latest_ids=ids,
                    passed_over=(*before.passed_over, passed),
                )
                commit = Commit(
                    cause=f"{stream}/passed-over/{passed.channel}/{before.subject}/{passed.last}",
                    stream=stream,
                    number=after.number,
                    position=position,
                    latest_ids=ids,
                    actor=passed.by,
                    at=self._contexts.now(),
                    command="pass-over",
                    passed_over=passed,
                )
                try:
                    await self._repository.append(after, commit)
                except (Raced, AlreadyDone):
                    continue
                return

    async def _commit_events(self, decider: AnyDecider, stream: str, events: Events) -> None:
        """Commit events together, or in halves if together they are too many or one fails."""
        known = self._repository.cached(stream)
        fresh = known is None
        while events:
            if known is None:
                known = await self._repository.current(stream)
            try:
                step = handle_events(decider, known.stream, events, self._reaction(decider))
                if not step.entries:
                    if step.changed:
                        self._repository.defer_position(step.stream)
                    return
                if len(step.entries) <= MOST_EVENTS or len(events) == 1:
                    first = _first_new(known, events)
                    commit = self._commit(decider, step, first)
                    await self._repository.append(step.stream, commit, contents=step.contents)
                    return
            except (Raced, AlreadyDone):
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
            # Too many events for one commit, or one of them fails: commit the first half first.
            half = len(events) // 2
            await self._commit_events(decider, stream, events[:half])
            events, known = events[half:], self._repository.cached(stream)

    def _commit(self, decider: AnyDecider, step: Step[Any], first: Recorded[Event]) -> Commit:
        stream = step.stream.id
        return Commit(
            cause=f"{stream}/heard/{first.channel.name}/{first.subject}/{first.sequence}",
            stream=stream,
            number=step.stream.number,
            position=step.stream.position,
            latest_ids=step.stream.latest_ids,
            actor=decider.department,
            at=self._contexts.now(),
            events=tuple(
                StoredEvent.of(
                    each.recorded,
                    own=each.own,
                    record=None if each.own or each.is_internal else whole(each.recorded),
                    schemas_url=self._contexts.schemas_url,
                )
                for each in step.entries
            ),
        )

    def _reaction(self, decider: AnyDecider) -> Callable[[Recorded[Event]], Context]:
        return lambda recorded: self._contexts.context(
            actor=decider.department,
            occurred_at=recorded.occurred_at,
            cause=recorded.id,
            traceparent=recorded.traceparent,
        )


def _first_new(known: Known, events: Events) -> Recorded[Event]:
    position = known.stream.position
    new = (each for each in events if each.sequence > position.get(each.channel.name, 0))
    return next(new, events[0])
