"""The command handler: decides commands, commits the resulting events, and reads streams.

Answers that no append confirms (a refusal, a command without effect, a repeated key, a read) are
computed from the cached state and the commits after it, read from the journal, so they are always
up to date.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

from chassis.application.repository import ContextFactory, Repository, Unknown
from chassis.base import telemetry
from chassis.base.telemetry import spanning
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context, ReferenceData
from chassis.domain.decider import (
    Step,
    deferrals_in,
    handle_command,
    handle_request,
    outcomes_in,
    requests_in,
    without_events,
)
from chassis.domain.documents import purposes_of
from chassis.domain.pending import (
    Deferred,
    DeferredDecided,
    OutcomeRecorded,
    Refusal,
    Requested,
)
from chassis.domain.stand_ins import require_stand_in
from chassis.domain.stream import Stream
from chassis.eventstore.journal import AlreadyDone, Commit, Raced, StoredEvent, TooLarge
from chassis.eventstore.snapshots import AnyDecider, Known, advanced, nothing_known
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded
from contracts.roles import Role


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a command: the stream after it, and the events that it recorded and published.

    A command with a repeated key gets the first answer, with `repeated` set. `requests` are those
    of the commit, `outcomes` those of requests as far as they are known. `cause` is the id of the
    commit, and `deferrals` are its events by which commands wait for requests, or end to wait.
    """

    stream: Stream[Any]
    events: tuple[Recorded[Event], ...]
    repeated: bool = False
    requests: tuple[Recorded[Requested], ...] = ()
    outcomes: tuple[OutcomeRecorded, ...] = ()
    cause: str = ""
    deferrals: tuple[Deferred | DeferredDecided, ...] = ()

    @property
    def is_deferred(self) -> bool:
        """Return whether the command waits for the outcomes of requests."""
        own = (each for each in self.deferrals if each.cause == self.cause)
        return any(isinstance(each, Deferred) for each in own)


class Stale(Exception):
    """The stream is not at the expected commit number (optimistic concurrency)."""

    def __init__(self, stream: str, expected: int, number: int) -> None:
        super().__init__(f"{stream} is at {number}, not at {expected}")
        self.stream, self.expected, self.number = stream, expected, number


class KeyReused(Exception):
    """The actor used this idempotency key before for another command."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} was used for another command")
        self.key = key


@dataclass(frozen=True, slots=True)
class Carried:
    """The outcome of a request: the events that the other stream recorded, or why it refused."""

    events: tuple[Event, ...]
    refusal: Refusal | None


class NotYet(Exception):
    """The stream did not reach the requested position in time; `missing` is the part not reached.

    `missing` has the requested sequence by channel.
    """

    def __init__(self, stream: str, missing: Mapping[str, int]) -> None:
        super().__init__(f"{stream} has not processed {dict(missing)} yet")
        self.stream, self.missing = stream, missing


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
    on_behalf_of: str | None
    roles: frozenset[Role] = frozenset()
    documents: frozenset[str] = frozenset()


class CommandHandler:
    """The handler of one department's commands."""

    def __init__(self, repository: Repository, contexts: ContextFactory) -> None:
        self.repository = repository
        self._contexts = contexts

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
        on_behalf_of: str | None = None,
        cause: str | None = None,
        roles: frozenset[Role] = frozenset(),
    ) -> Answer:
        """Decide a command, commit the resulting events, and return the answer.

        `key` is the actor's idempotency key, `on_behalf_of` the person whose stand-in they are, and
        `roles` are the actor's. `cause` is the id of the commit, by default actor and key.
        `expected` is the number of the stream that the actor saw (optimistic concurrency), which
        depends on their right to see confidential events. A refused
        command is decided again when the stream or reference data change within `wait` seconds.
        Raises Refused (NotAllowed where the actor is no stand-in), Unknown, Stale, KeyReused,
        UnreadableStream and StoreAway.
        """
        decider = self.repository.deciders[kind]
        request = _Request(
            stream=decider.stream(subject),
            command=command,
            actor=actor,
            key=key,
            cause=cause or f"{actor}/{key}",
            fingerprint=_fingerprint(decider.stream(subject), command, occurred_at, on_behalf_of),
            expected=expected,
            occurred_at=occurred_at,
            traceparent=traceparent,
            on_behalf_of=on_behalf_of,
            roles=roles,
        )
        reference_data = self._contexts.reference_data
        ends = asyncio.get_running_loop().time() + wait
        with spanning("decide") as span:
            span.set_attribute("concord.stream", request.stream)
            span.set_attribute("concord.command", command.named())
            if traceparent is None:
                request = replace(request, traceparent=telemetry.traceparent())
            while True:
                known = self.repository.cached(request.stream)
                before = (known or nothing_known(decider, request.stream)).stream
                revision = reference_data.revision
                named = purposes_of(command)
                by = {actor, on_behalf_of or actor}
                kept = await self.repository.kept_documents(request.stream, named, by=by)
                request = replace(request, documents=kept)
                try:
                    async with self.repository.lock(request.stream):
                        return await self._decided(decider, request)
                except (Refused, Unknown):
                    if not await self.repository.wait_for_change(
                        before, ends, partial(_revised, reference_data, revision)
                    ):
                        raise

    def reading(self, actor: str, roles: frozenset[Role]) -> Context:
        """Return the context in which it is decided whether a person may read a stream."""
        return self._contexts.context(
            actor=actor, occurred_at=None, cause="read", traceparent=None, roles=roles
        )

    async def carry_out(self, asking: str, asked: Recorded[Requested]) -> Carried:
        """Decide a request of the stream `asking` on the stream that it asks; return the outcome.

        The outcome is a commit of that stream, also where the request is refused or changes
        nothing. So it is decided once, and a repeated request gets the same outcome. Raises
        UnreadableStream and StoreAway.
        """
        request = asked.event
        kind, _, subject = request.stream.partition(":")
        decider = self.repository.deciders[kind]
        command = decider.by_name[request.command].command.model_validate_json(request.content)
        given = _Request(
            stream=request.stream,
            command=command,
            actor=asked.actor,
            key=request.key,
            cause=f"{asking}/request/{request.key}",
            fingerprint=_fingerprint(decider.stream(subject), command),
            expected=None,
            occurred_at=asked.occurred_at,
            traceparent=asked.traceparent,
            on_behalf_of=asked.on_behalf_of,
        )
        async with self.repository.lock(request.stream):
            return await self._carried_out(decider, given)

    async def read(
        self,
        kind: str,
        subject: str,
        after: Mapping[str, int] | None = None,
        wait: float = 0.0,
    ) -> Stream[Any]:
        """Return the current stream once it has reached the position `after`.

        Channels that do not change this kind of stream are ignored. Raises NotYet if the position
        is not reached within `wait` seconds, Unknown, UnreadableStream and StoreAway.
        """
        decider = self.repository.deciders[kind]
        stream = decider.stream(subject)
        ends = asyncio.get_running_loop().time() + wait
        while True:
            known = await self.repository.current(stream)
            missing = self._missing(decider, known, after)
            if known.open and not missing:
                return known.stream
            if not await self.repository.wait_for_change(known.stream, ends, lambda: False):
                raise NotYet(stream, missing) if known.open else Unknown(stream, decider.begins)

    async def wait_until_processed(
        self, kind: str, subject: str, after: Mapping[str, int], wait: float
    ) -> None:
        """Wait as `read` does, but return at once if the cached stream has reached `after`."""
        decider = self.repository.deciders[kind]
        stream = decider.stream(subject)
        known = self.repository.cached(stream) or nothing_known(decider, stream)
        if self._missing(decider, known, after):
            await self.read(kind, subject, after, wait)

    def _missing(
        self, decider: AnyDecider, known: Known, after: Mapping[str, int] | None
    ) -> dict[str, int]:
        """Return the part of `after` not reached, on channels that change this kind of stream."""
        position = known.stream.position
        missing = {
            name: last for name, last in (after or {}).items() if last > position.get(name, 0)
        }
        if not missing:
            return missing
        relevant = {kind.channel.name for kind in decider.evolves_by}
        return {name: last for name, last in missing.items() if name in relevant}

    async def erase(self, kind: str, subject: str, *, actor: str, key: str) -> Answer:
        """Erase a stream of reference data, such as a person's.

        Its commits stay without their contents, and a further one lists the records to remove from
        the topics; the relay publishes tombstones for them, and Kafka removes the records within
        an hour. Raises Unknown, KeyReused, UnreadableStream, StoreAway, and ValueError for a stream
        with events that are never erased.
        """
        decider = self.repository.deciders[kind]
        stream = decider.stream(subject)
        cause = f"{actor}/{key}"
        async with self.repository.lock(stream):
            commit = await self.repository.journal.by_cause(cause)
            while commit is None:
                known = await self.repository.current(stream)
                if not known.open:
                    raise Unknown(stream)
                published = [
                    each
                    async for before in self.repository.journal.read(stream)
                    for each in before.events
                    if each.own
                ]
                if any(CHANNELS[each.channel].kind != "reference" for each in published):
                    raise ValueError(f"{stream} has events that are never erased")
                commit = Commit(
                    cause=cause,
                    stream=stream,
                    number=known.stream.number + 1,
                    position=known.stream.position,
                    actor=actor,
                    at=self._contexts.now(),
                    command="erase",
                    fingerprint=_fingerprint(stream, None),
                    erases=tuple((each.channel, each.key) for each in published),
                )
                try:
                    await self.repository.journal.append(commit)
                except (Raced, AlreadyDone):
                    commit = await self.repository.journal.by_cause(cause)
            if commit.stream != stream or commit.command != "erase":
                raise KeyReused(key)
            await self.repository.journal.erase(stream, commit.number)
            await self.repository.snapshots.erase(stream, commit)
            self.repository.cache(advanced(decider, nothing_known(decider, stream), commit))
        return Answer((await self.repository.current(stream)).stream, ())

    # ---- commands -----------------------------------------------------------------------------

    async def _decided(self, decider: AnyDecider, request: _Request) -> Answer:
        known = self.repository.cached(request.stream)
        fresh = False
        if known is None and type(request.command) in decider.opens and request.expected is None:
            # A stream that this command may begin is usually new; if not, the append is refused.
            known = nothing_known(decider, request.stream)
        while True:
            if known is None:
                known, fresh = await self.repository.current(request.stream), True
            try:
                step = self._step(decider, known, request)
                if step.changed:
                    await self._append_decision(step, request)
                    return Answer(
                        step.stream,
                        step.own_events,
                        requests=step.requests,
                        outcomes=outcomes_in(step.new_events),
                        cause=request.cause,
                        deferrals=deferrals_in(step.new_events),
                    )
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

    async def _carried_out(self, decider: AnyDecider, request: _Request) -> Carried:
        known = self.repository.cached(request.stream)
        fresh, too_large = False, None
        if known is None and type(request.command) in decider.opens:
            known = nothing_known(decider, request.stream)
        while True:
            if known is None:
                known, fresh = await self.repository.current(request.stream), True
            step, refusal = self._outcome(decider, known, request, too_large)
            if not step.entries and not fresh:
                known = None  # what no event confirms is decided on the current state
                continue
            try:
                opens = known.open or refusal is None
                await self._append_decision(step, request, refusal, opens=opens)
            except TooLarge as refused:
                too_large = Refusal(refused.code, str(refused)) if fresh else None
            except (Raced, AlreadyDone):
                commit = await self.repository.journal.by_cause(request.cause)
                if commit is not None:
                    return _carried_before(commit, request)
            else:
                return Carried(tuple(each.event for each in step.new_events), refusal)
            known = None

    def _outcome(
        self, decider: AnyDecider, known: Known, request: _Request, refusal: Refusal | None
    ) -> tuple[Step[Any], Refusal | None]:
        if refusal is None and not known.open and type(request.command) not in decider.opens:
            refusal = Refusal("unknown-stream", str(Unknown(request.stream, decider.begins)))
        if refusal is not None:
            return without_events(known.stream), refusal
        return handle_request(decider, known.stream, request.command, self._context(request))

    def _step(self, decider: AnyDecider, known: Known, request: _Request) -> Step[Any]:
        if not known.open and type(request.command) not in decider.opens:
            raise Unknown(request.stream, decider.begins)
        number = known.stream.number_for(confidential="confidential" in request.roles)
        if request.expected is not None and request.expected != number:
            raise Stale(request.stream, request.expected, number)
        context = self._context(request)
        if request.on_behalf_of is not None:
            purpose = decider.commands[type(request.command)].stand_in
            require_stand_in(decider.in_zone(known.stream.state, context), purpose)
        return handle_command(decider, known.stream, request.command, context)

    def _context(self, request: _Request) -> Context:
        return self._contexts.context(
            actor=request.actor,
            occurred_at=request.occurred_at,
            cause=request.cause,
            traceparent=request.traceparent,
            on_behalf_of=request.on_behalf_of,
            roles=request.roles,
            documents=request.documents,
        )

    async def _append_decision(
        self,
        step: Step[Any],
        request: _Request,
        refusal: Refusal | None = None,
        *,
        opens: bool = True,
    ) -> None:
        await self.repository.append(
            step.stream,
            Commit(
                cause=request.cause,
                stream=request.stream,
                number=step.stream.number,
                position=step.stream.position,
                latest_ids=step.stream.latest_ids,
                actor=request.actor,
                on_behalf_of=request.on_behalf_of,
                at=self._contexts.now(),
                events=tuple(
                    StoredEvent.of(
                        each.recorded, own=each.own, schemas_url=self._contexts.schemas_url
                    )
                    for each in step.entries
                ),
                command=request.command.named(),
                fingerprint=request.fingerprint,
                refusal=refusal,
            ),
            contents=step.contents,
            opens=opens,
        )

    async def _repeated(self, request: _Request) -> Answer | None:
        commit = await self.repository.journal.by_cause(request.cause)
        if commit is None:
            return None
        if commit.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        stream = await self.repository.at(commit.stream, commit.number)
        new = tuple(commit.new_events())
        return Answer(
            stream,
            tuple(commit.own_events()),
            repeated=True,
            requests=requests_in(new),
            outcomes=outcomes_in(new),
            cause=request.cause,
            deferrals=deferrals_in(new),
        )


def _carried_before(commit: Commit, request: _Request) -> Carried:
    """Return the outcome in the commit of a request; another command under its key is refused."""
    if commit.fingerprint != request.fingerprint:
        return Carried((), Refusal("key-reused", str(KeyReused(request.key))))
    return Carried(tuple(each.event for each in commit.new_events()), commit.refusal)


def _fingerprint(
    stream: str,
    command: Command | None,
    occurred_at: datetime | None = None,
    on_behalf_of: str | None = None,
) -> str:
    content = "" if command is None else command.model_dump_json(exclude_defaults=True)
    name = "" if command is None else command.named()
    moment = occurred_at.isoformat() if occurred_at else ""
    text = "\n".join((stream, name, content, moment, on_behalf_of or ""))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _revised(reference_data: ReferenceData, revision: int) -> bool:
    return reference_data.revision != revision
