"""The engine: carries commands to the deciders, commits what follows, and lets streams be read.

Whatever is not settled by an append (a refusal, a command with no effect, a repeated key, a read)
is answered from the remembered state plus one bounded read of the commits after it, so it is always
fresh.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.application.repository import Repository, Surroundings, Unknown
from chassis.base.telemetry import spanning
from chassis.domain.decider import Command, ReferenceData, Refused, Step, Stream, handle_command
from chassis.eventstore.journal import AlreadyDone, Commit, Kept, Raced
from chassis.eventstore.snapshots import AnyDecider, Known, advanced, nothing_known
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded

_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command led to: the stream after it and the events it said.

    A repeated key is answered as it was the first time, with `repeated` set.
    """

    stream: Stream[Any]
    said: tuple[Recorded[Event], ...]
    repeated: bool = False


class Stale(Exception):
    """The stream is not (any more) at the number that the caller saw."""

    def __init__(self, stream: str, expected: int, number: int) -> None:
        super().__init__(f"{stream} is at {number}, not at {expected}")
        self.stream, self.expected, self.number = stream, expected, number


class KeyReused(Exception):
    """The actor used this idempotency key before, for another command."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} was used for another command")
        self.key = key


class NotYet(Exception):
    """Within the time given the stream did not hear as much as was asked for."""

    def __init__(self, stream: str, lacking: Mapping[str, int]) -> None:
        super().__init__(f"{stream} has not heard {dict(lacking)} yet")
        self.stream, self.lacking = stream, lacking


@dataclass(frozen=True, slots=True)
class _Request:
    stream: str
    command: Command
    actor: str
    key: str
    cause: str
    fingerprint: str
    expected: int | None
    occurred_at: datetime | None
    traceparent: str | None


class CommandHandler:
    """One department's deciders at work on its journal."""

    def __init__(self, streams: Repository, surroundings: Surroundings) -> None:
        self.streams = streams
        self._surroundings = surroundings

    async def command(
        self,
        kind: str,
        subject: str,
        command: Command,
        *,
        actor: str,
        key: str,
        occurred_at: datetime | None = None,
        expected: int | None = None,
        wait: float = 0.0,
        traceparent: str | None = None,
    ) -> Answer:
        """Decide a command, commit what follows, and answer.

        `key` makes it happen once, however often it is sent by this actor. `expected` is the
        stream's number that the actor saw. Up to `wait` seconds a refusal waits for the stream,
        or reference data, to move and is decided again. Raises Refused, Unknown, Stale, KeyReused,
        StoreAway.
        """
        decider = self.streams.deciders[kind]
        request = _Request(
            stream=decider.stream(subject),
            command=command,
            actor=actor,
            key=key,
            cause=f"{actor}/{key}",
            fingerprint=_fingerprint(decider.stream(subject), command, occurred_at),
            expected=expected,
            occurred_at=occurred_at,
            traceparent=traceparent,
        )
        records = self._surroundings.records
        ends = asyncio.get_running_loop().time() + wait
        with spanning("decide") as span:
            span.set_attribute("concord.stream", request.stream)
            span.set_attribute("concord.command", command.named())
            if traceparent is None:
                request = replace(request, traceparent=_traceparent())
            while True:
                known = self.streams.cached(request.stream)
                before = (known or nothing_known(decider, request.stream)).stream
                revision = records.revision
                try:
                    async with self.streams.lock(request.stream):
                        return await self._decided(decider, request)
                except (Refused, Unknown):
                    if not await self.streams.moved(
                        before, ends, partial(_revised, records, revision)
                    ):
                        raise

    async def read(
        self,
        kind: str,
        subject: str,
        after: Mapping[str, int] | None = None,
        wait: float = 0.0,
    ) -> Stream[Any]:
        """The stream as it is now, or as soon as it has heard `after`, within `wait` seconds.

        Channels that this kind of stream neither says nor hears are not waited for.
        Raises Unknown, NotYet, StoreAway.
        """
        decider = self.streams.deciders[kind]
        stream = decider.stream(subject)
        ends = asyncio.get_running_loop().time() + wait
        while True:
            known = await self.streams.current(stream)
            lacking = self._lacking(decider, known, after)
            if known.open and not lacking:
                return known.stream
            if not await self.streams.moved(known.stream, ends, lambda: False):
                raise NotYet(stream, lacking) if known.open else Unknown(stream)

    async def until_heard(
        self, kind: str, subject: str, after: Mapping[str, int], wait: float
    ) -> None:
        """Wait as `read` does; at once where this process knows already that it was heard."""
        decider = self.streams.deciders[kind]
        stream = decider.stream(subject)
        known = self.streams.cached(stream) or nothing_known(decider, stream)
        if self._lacking(decider, known, after):
            await self.read(kind, subject, after, wait)

    def _lacking(
        self, decider: AnyDecider, known: Known, after: Mapping[str, int] | None
    ) -> dict[str, int]:
        """What of `after` was not heard; what this kind of stream never hears is left out."""
        position = known.stream.position
        lacking = {
            name: last for name, last in (after or {}).items() if last > position.get(name, 0)
        }
        if not lacking:
            return lacking
        concerned = {kind.channel.name for kind in decider.evolve.types}
        return {name: last for name, last in lacking.items() if name in concerned}

    async def erase(self, kind: str, subject: str, *, actor: str, key: str) -> Answer:
        """Erase a stream of reference data: a person who asked for it.

        Its commits stay, empty, and one more names the records to take off the topics; the relay
        publishes their tombstones, and within the hour Kafka has forgotten them. Raises Unknown,
        StoreAway, and ValueError for a stream whose events are kept.
        """
        decider = self.streams.deciders[kind]
        stream = decider.stream(subject)
        cause = f"{actor}/{key}"
        async with self.streams.lock(stream):
            commit = await self.streams.journal.by_cause(cause)
            while commit is None:
                known = await self.streams.current(stream)
                if not known.open:
                    raise Unknown(stream)
                said = [
                    kept
                    async for each in self.streams.journal.read(stream)
                    for kept in each.events
                    if kept.said
                ]
                if any(CHANNELS[kept.channel].kind != "reference" for kept in said):
                    raise ValueError(f"{stream} says events that are kept for ever")
                commit = Commit(
                    cause=cause,
                    stream=stream,
                    number=known.stream.number + 1,
                    position=known.stream.position,
                    actor=actor,
                    at=self._surroundings.now(),
                    command="erase",
                    fingerprint=_fingerprint(stream, None, None),
                    erases=tuple((kept.channel, kept.key) for kept in said),
                )
                try:
                    await self.streams.journal.append(commit)
                except (Raced, AlreadyDone):
                    commit = await self.streams.journal.by_cause(cause)
            if commit.stream != stream or commit.command != "erase":
                raise KeyReused(key)
            await self.streams.journal.erase(stream, commit.number)
            await self.streams.snapshots.erase(stream, commit)
            self.streams.remember(advanced(decider, nothing_known(decider, stream), commit))
        return Answer((await self.streams.current(stream)).stream, ())

    # ---- commands -----------------------------------------------------------------------------

    async def _decided(self, decider: AnyDecider, request: _Request) -> Answer:
        known = self.streams.cached(request.stream)
        fresh = False
        if known is None and type(request.command) in decider.opens and request.expected is None:
            # What a command opens is new as a rule; if not, the append says so.
            known = nothing_known(decider, request.stream)
        while True:
            if known is None:
                known, fresh = await self.streams.current(request.stream), True
            try:
                step = self._step(decider, known, request)
                if step.changed:
                    await self._append_decision(step, request)
                    return Answer(step.stream, step.said)
                answer = Answer(known.stream, ())
            except (Refused, Unknown, Stale):
                if fresh and (repeated := await self._repeated(request)):
                    return repeated
                if fresh:
                    raise
            except (Raced, AlreadyDone):
                if repeated := await self._repeated(request):
                    return repeated
            else:
                if fresh:
                    return await self._repeated(request) or answer
            known = None

    def _step(self, decider: AnyDecider, known: Known, request: _Request) -> Step[Any]:
        if not known.open and type(request.command) not in decider.opens:
            raise Unknown(request.stream)
        number = known.stream.number
        if request.expected is not None and request.expected != number:
            raise Stale(request.stream, request.expected, number)
        context = self._surroundings.context(
            actor=request.actor,
            occurred_at=request.occurred_at,
            cause=request.cause,
            traceparent=request.traceparent,
        )
        return handle_command(decider, known.stream, request.command, context)

    async def _append_decision(self, step: Step[Any], request: _Request) -> None:
        await self.streams.append(
            step.stream,
            Commit(
                cause=request.cause,
                stream=request.stream,
                number=step.stream.number,
                position=step.stream.position,
                latest_ids=step.stream.latest_ids,
                actor=request.actor,
                at=self._surroundings.now(),
                events=tuple(Kept.of(each.recorded, said=each.said) for each in step.entries),
                command=request.command.named(),
                fingerprint=request.fingerprint,
            ),
        )

    async def _repeated(self, request: _Request) -> Answer | None:
        commit = await self.streams.journal.by_cause(request.cause)
        if commit is None:
            return None
        if commit.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        stream = await self.streams.at(commit.stream, commit.number)
        return Answer(stream, tuple(commit.said()), repeated=True)


def _fingerprint(stream: str, command: Command | None, occurred_at: datetime | None) -> str:
    said = "" if command is None else command.model_dump_json(exclude_defaults=True)
    name = "" if command is None else command.named()
    text = "\n".join((stream, name, said, occurred_at.isoformat() if occurred_at else ""))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _revised(records: ReferenceData, revision: int) -> bool:
    return records.revision != revision


def _traceparent() -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")
