"""The engine: carries commands and heard facts to the deciders, and commits what follows.

States are kept in the process and may lag behind another process. That is harmless for what is
accepted, since the journal's unique numbers refuse a commit decided on an old state. Whatever is
not settled by an append (a refusal, a command with no effect, a repeated key, a read) is answered
from the cached state plus one bounded read of the commits after it, so it is always fresh.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import telemetry
from chassis.decider import (
    Command,
    Context,
    Records,
    Refused,
    Step,
    Stream,
    hear,
    heard_channels,
    take,
)
from chassis.journal import MOST_FACTS, AlreadyDone, Commit, Journal, Kept, Raced
from chassis.snapshots import AnyDecider, Known, Snapshots, advanced, nothing_known
from chassis.store import StoreAway
from contracts.channels import CHANNELS, Channel
from contracts.fact import Fact, Recorded, encode

_POLL = 0.1
_HEARD_TOGETHER = 200
_tracer = trace.get_tracer("concord.engine")
_propagator = TraceContextTextMapPropagator()

Facts = Sequence[Recorded[Fact]]
Subject = tuple[str, str]
"""A kind of stream, and the subject: ("engagement", "E-7")."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command led to: the stream after it and the facts it said.

    A repeated key is answered as it was the first time, with `repeated` set.
    """

    stream: Stream[Any]
    said: tuple[Recorded[Fact], ...]
    repeated: bool = False


class Unknown(Exception):
    """There is no such stream, and the command is not one that begins it."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"{stream} is not known here")
        self.stream = stream


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


class Engine:
    """One department's deciders at work on its journal."""

    def __init__(
        self,
        deciders: Iterable[AnyDecider],
        journal: Journal,
        snapshots: Snapshots,
        records: Records,
        *,
        now: Callable[[], datetime],
        new_fact_id: Callable[[], str],
        keep: int = 5_000,
    ) -> None:
        """`now` gives UTC moments; `keep` bounds how many streams are kept in memory."""
        self.deciders = {decider.kind: decider for decider in deciders}
        self.snapshots = snapshots
        self._journal = journal
        self._records = records
        self._now = now
        self._new_fact_id = new_fact_id
        self._keep = keep
        self._cache: OrderedDict[str, Known] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watchers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

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
        decider = self.deciders[kind]
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
        ends = asyncio.get_running_loop().time() + wait
        with _tracer.start_as_current_span("decide") as span:
            span.set_attribute("concord.stream", request.stream)
            span.set_attribute("concord.command", command.named())
            if traceparent is None:
                request = replace(request, traceparent=_traceparent())
            while True:
                cached = self._cache.get(request.stream)
                at = 0 if cached is None else cached.stream.number
                revision = self._records.revision
                try:
                    async with self._lock(request.stream):
                        return await self._decided(decider, request)
                except (Refused, Unknown):
                    if not await self._moved(decider, request.stream, at, ends, revision):
                        raise

    async def hear(
        self,
        kind: str,
        subject: str,
        facts: Facts,
        whole: Callable[[Recorded[Fact]], bytes] = encode,
    ) -> None:
        """Take in facts of other streams, in order; those heard before pass by.

        `whole` gives the bytes in which a fact came. Raises Gap, StoreAway, or whatever a
        reaction raises; what precedes the fact in trouble has been taken in then.
        """
        decider = self.deciders[kind]
        stream = decider.stream(subject)
        async with self._lock(stream):
            for start in range(0, len(facts), _HEARD_TOGETHER):
                await self._heard(decider, stream, facts[start : start + _HEARD_TOGETHER], whole)

    async def hear_all(
        self,
        batch: Mapping[Subject, Facts],
        whole: Callable[[Recorded[Fact]], bytes] = encode,
    ) -> dict[Subject, Exception]:
        """Hear on many streams at once, and return what went wrong where; see `hear`.

        Their snapshots come, and their commits travel, together. Raises StoreAway.
        """
        await self._recall([self.deciders[kind].stream(subject) for kind, subject in batch])
        outcomes = await asyncio.gather(
            *(self._hear_traced(subject, facts, whole) for subject, facts in batch.items()),
            return_exceptions=True,
        )
        failures: dict[Subject, Exception] = {}
        for subject, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failures[subject] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return failures

    async def _hear_traced(
        self, subject: Subject, facts: Facts, whole: Callable[[Recorded[Fact]], bytes]
    ) -> None:
        """One stream's commit, in the trace of the first fact that it hears."""
        kind, name = subject
        stream = self.deciders[kind].stream(name)
        with telemetry.step("hear", facts[0].traceparent, stream=stream):
            await self.hear(kind, name, facts, whole)

    async def skip(
        self, kind: str, subject: str, channel: Channel, sequence: int, *, actor: str, why: str
    ) -> None:
        """Pass over a channel's facts up to this one, because a person says so; raises StoreAway.

        What was heard so far stays heard: again, or behind what was heard, it changes nothing.
        """
        decider = self.deciders[kind]
        stream = decider.stream(subject)
        async with self._lock(stream):
            while True:
                known = await self._fresh(decider, stream)
                before = known.stream
                if before.position.get(channel.name, 0) >= sequence:
                    return
                position = {**before.position, channel.name: sequence}
                after = replace(before, position=position, number=before.number + 1)
                commit = Commit(
                    cause=f"{stream}/skipped/{channel.name}/{subject}/{sequence}",
                    stream=stream,
                    number=after.number,
                    position=position,
                    actor=actor,
                    at=self._now(),
                    command="skip",
                    note=why,
                )
                try:
                    await self._append(after, commit)
                except (Raced, AlreadyDone):
                    continue
                return

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
        decider = self.deciders[kind]
        stream = decider.stream(subject)
        ends = asyncio.get_running_loop().time() + wait
        while True:
            known = await self._fresh(decider, stream)
            lacking = self._lacking(decider, known, after)
            if known.open and not lacking:
                return known.stream
            if not await self._moved(decider, stream, known.stream.number, ends):
                raise NotYet(stream, lacking) if known.open else Unknown(stream)

    async def until_heard(
        self, kind: str, subject: str, after: Mapping[str, int], wait: float
    ) -> None:
        """Wait as `read` does; at once where this process knows already that it was heard."""
        decider = self.deciders[kind]
        known = self._cache.get(decider.stream(subject))
        if known is None or not known.open or self._lacking(decider, known, after):
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
        heard = heard_channels([decider])
        return {
            name: last
            for name, last in lacking.items()
            if CHANNELS[name].department == decider.department or CHANNELS[name] in heard
        }

    async def current(self, stream: str) -> Known:
        """What is known of a stream now, by its id; raises StoreAway."""
        return await self._fresh(self.deciders[stream.partition(":")[0]], stream)

    def cached(self, stream: str) -> Known | None:
        """What this process remembers of a stream; it may lag behind another process."""
        return self._cache.get(stream)

    async def stream_at(self, stream: str, number: int) -> Stream[Any]:
        """The stream as it was after its commit of this number; raises Unknown, StoreAway."""
        decider = self.deciders[stream.partition(":")[0]]
        known = self._cache.get(stream)
        if known is None or known.stream.number > number:
            known = nothing_known(decider, stream)
        async for commit in self._journal.read(stream, after=known.stream.number, until=number):
            known = advanced(decider, known, commit)
        if known.stream.number != number:
            raise Unknown(stream)
        return known.stream

    async def erase(self, kind: str, subject: str, *, actor: str, key: str) -> Answer:
        """Erase a stream of reference data: a person who asked for it.

        One commit stays, which names the records to take off the topics; the relay publishes their
        tombstones. Raises Unknown, StoreAway, and ValueError for a stream whose facts are kept.
        """
        decider = self.deciders[kind]
        stream = decider.stream(subject)
        cause = f"{actor}/{key}"
        async with self._lock(stream):
            commit = await self._journal.by_cause(cause)
            while commit is None:
                known = await self._fresh(decider, stream)
                if not known.open:
                    raise Unknown(stream)
                said = [
                    kept
                    async for each in self._journal.read(stream)
                    for kept in each.facts
                    if kept.said
                ]
                if any(CHANNELS[kept.channel].kind != "reference" for kept in said):
                    raise ValueError(f"{stream} says facts that are kept for ever")
                commit = Commit(
                    cause=cause,
                    stream=stream,
                    number=known.stream.number + 1,
                    position=known.stream.position,
                    actor=actor,
                    at=self._now(),
                    command="erase",
                    fingerprint=_fingerprint(stream, None, None),
                    erases=tuple((kept.channel, kept.key) for kept in said),
                )
                try:
                    await self._journal.append(commit)
                except (Raced, AlreadyDone):
                    commit = await self._journal.by_cause(cause)
            if commit.stream != stream or commit.command != "erase":
                raise KeyReused(key)
            await self._journal.erase(stream, commit.number)
            await self.snapshots.erase(stream, commit)
            self._remember(advanced(decider, nothing_known(decider, stream), commit))
        return Answer((await self._fresh(decider, stream)).stream, ())

    # ---- commands -----------------------------------------------------------------------------

    async def _decided(self, decider: AnyDecider, request: _Request) -> Answer:
        known = self._cache.get(request.stream)
        fresh = False
        if known is None and type(request.command) in decider.opens and request.expected is None:
            # What a command opens is new as a rule; if not, the append says so.
            known = nothing_known(decider, request.stream)
        while True:
            if known is None:
                known, fresh = await self._fresh(decider, request.stream), True
            try:
                step = self._step(decider, known, request)
                if step.moved:
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
        now = self._now()
        context = Context(
            actor=request.actor,
            occurred_at=request.occurred_at or now,
            recorded_at=now,
            cause=request.cause,
            records=self._records,
            new_fact_id=self._new_fact_id,
            traceparent=request.traceparent,
        )
        return take(decider, known.stream, request.command, context)

    async def _append_decision(self, step: Step[Any], request: _Request) -> None:
        await self._append(
            step.stream,
            Commit(
                cause=request.cause,
                stream=request.stream,
                number=step.stream.number,
                position=step.stream.position,
                actor=request.actor,
                at=self._now(),
                facts=tuple(Kept.of(each.recorded, said=each.said) for each in step.entries),
                command=request.command.named(),
                fingerprint=request.fingerprint,
            ),
        )

    async def _repeated(self, request: _Request) -> Answer | None:
        commit = await self._journal.by_cause(request.cause)
        if commit is None:
            return None
        if commit.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        stream = await self.stream_at(commit.stream, commit.number)
        return Answer(stream, tuple(commit.said()), repeated=True)

    # ---- facts of others ----------------------------------------------------------------------

    async def _heard(
        self,
        decider: AnyDecider,
        stream: str,
        facts: Facts,
        whole: Callable[[Recorded[Fact]], bytes],
    ) -> None:
        known = self._cache.get(stream)
        fresh = known is None
        while facts:
            if known is None:
                known = await self._fresh(decider, stream)
            try:
                step = hear(decider, known.stream, facts, self._reaction(decider))
                taken = _first_taken(known, facts) if decider.numbered else facts[0]
                if not step.moved or not (step.entries or decider.numbered):
                    return
                if len(step.entries) <= MOST_FACTS or len(facts) == 1:
                    await self._append_heard(decider, step, taken, whole)
                    return
            except (Raced, AlreadyDone) as lost:
                if isinstance(lost, AlreadyDone) and not decider.numbered:
                    facts = facts[1:]  # the commit of this name took in the first of them
                known, fresh = None, True
                continue
            except StoreAway:
                raise
            except Exception:
                if not fresh:
                    known, fresh = None, True
                    continue
                if len(facts) == 1:
                    raise
            # Too much for one commit, or one of them is in trouble: take in the first half first.
            half = len(facts) // 2
            await self._heard(decider, stream, facts[:half], whole)
            facts, known = facts[half:], self._cache.get(stream)

    async def _append_heard(
        self,
        decider: AnyDecider,
        step: Step[Any],
        first: Recorded[Fact],
        whole: Callable[[Recorded[Fact]], bytes],
    ) -> None:
        stream = step.stream.id
        await self._append(
            step.stream,
            Commit(
                cause=f"{stream}/heard/{first.channel.name}/{first.subject}/{first.sequence}",
                stream=stream,
                number=step.stream.number,
                position=step.stream.position,
                actor=decider.department,
                at=self._now(),
                facts=tuple(
                    Kept.of(
                        each.recorded,
                        said=each.said,
                        record=None if each.said else whole(each.recorded),
                    )
                    for each in step.entries
                ),
            ),
        )

    def _reaction(self, decider: AnyDecider) -> Callable[[Recorded[Fact]], Context]:
        now = self._now()
        return lambda recorded: Context(
            actor=decider.department,
            occurred_at=recorded.occurred_at,
            recorded_at=now,
            cause=recorded.id,
            records=self._records,
            new_fact_id=self._new_fact_id,
            traceparent=recorded.traceparent,
        )

    # ---- what is known ------------------------------------------------------------------------

    async def _append(self, stream: Stream[Any], commit: Commit) -> None:
        with _tracer.start_as_current_span("append"):
            await self._journal.append(commit)
        self._remember(Known(stream, open=True))

    async def _recall(self, streams: Sequence[str]) -> None:
        """Remember snapshots of streams of which nothing is known: mostly they are up to date.

        Where they are not, the append says so.
        """
        forgotten = [stream for stream in streams if stream not in self._cache]
        for known in await self.snapshots.load_all(forgotten):
            self._remember(known)

    async def _fresh(self, decider: AnyDecider, stream: str) -> Known:
        known = self._cache.get(stream) or await self.snapshots.load(stream)
        async for commit in self._journal.read(stream, after=known.stream.number):
            known = advanced(decider, known, commit)
        return self._remember(known)

    def _remember(self, known: Known) -> Known:
        """Keep what is known, unless more is known already, and wake who waits for it."""
        stream = known.stream.id
        cached = self._cache.get(stream)
        if cached is not None and cached.stream.number >= known.stream.number:
            known = cached
        self._cache[stream] = known
        self._cache.move_to_end(stream)
        if len(self._cache) > self._keep:
            self._cache.popitem(last=False)
        for watcher in self._watchers.pop(stream, ()):
            if not watcher.done():
                watcher.set_result(None)
        return known

    async def _moved(
        self,
        decider: AnyDecider,
        stream: str,
        number: int,
        ends: float,
        revision: int | None = None,
    ) -> bool:
        """Wait until the stream has more commits than `number`; false when time is up.

        With `revision`, a change of the reference data since then counts as well.
        """
        loop = asyncio.get_running_loop()
        while (left := ends - loop.time()) > 0:
            watcher: asyncio.Future[None] = loop.create_future()
            self._watchers[stream].add(watcher)
            await asyncio.wait([watcher], timeout=min(left, _POLL))
            self._watchers[stream].discard(watcher)
            if (await self._fresh(decider, stream)).stream.number > number:
                return True
            if revision is not None and self._records.revision != revision:
                return True
        return False

    def _lock(self, stream: str) -> asyncio.Lock:
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock


def _first_taken(known: Known, facts: Facts) -> Recorded[Fact]:
    position = known.stream.position
    news = (each for each in facts if each.sequence > position.get(each.channel.name, 0))
    return next(news, facts[0])


def _fingerprint(stream: str, command: Command | None, occurred_at: datetime | None) -> str:
    said = "" if command is None else command.model_dump_json(exclude_defaults=True)
    name = "" if command is None else command.named()
    text = "\n".join((stream, name, said, occurred_at.isoformat() if occurred_at else ""))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _traceparent() -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")
