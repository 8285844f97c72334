"""The request dispatcher: gives requests to the streams that they ask, and records their outcomes.

It works at three places. The HTTP request whose command led to a request waits for its outcome.
The process that committed a request carries it out, also where no command led to it. And every
process looks every three seconds for requests that are pending for longer than that, such as those
of a process that was killed. All three may do the same at once: a request has one outcome, which
is recorded once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from chassis.application.command_handler import Answer, CommandHandler
from chassis.base.backoff import Backoff
from chassis.base.failures import described
from chassis.domain.commands import Refused
from chassis.domain.pending import DeferredDecided, Requested
from chassis.domain.requests import RecordOutcome
from chassis.eventstore.mongo import Document, Store, StoreAway, reaching
from chassis.eventstore.unreadable import UnreadableStream, log_once
from contracts.event import Recorded
from contracts.refusals import RefusalCode

_log = logging.getLogger(__name__)
_meter = metrics.get_meter("concord.requests")
_answered = _meter.create_counter(
    "concord.requests.answered", description="requests whose outcome this process recorded"
)
_failed = _meter.create_counter(
    "concord.requests.failed", description="attempts at a request that failed, to be repeated"
)
_AT_ONCE = 20
_RETRIED_TOGETHER = 100
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request whose outcome is not recorded yet, of the stream `asking`.

    `why` is the error of the last attempt of this process, None if there was none.
    """

    asking: str
    recorded: Recorded[Requested]
    why: str | None


class RequestDispatcher:
    """The dispatcher of one department's requests."""

    def __init__(
        self,
        store: Store,
        command_handler: CommandHandler,
        *,
        now: Callable[[], datetime],
        retry_after: float = 3.0,
        settle_within: float | None = 2.0,
    ) -> None:
        """Set up a dispatcher; `now` returns UTC moments.

        Every `retry_after` seconds, requests that are pending for longer than that are tried again.
        An HTTP request waits `settle_within` seconds for outcomes; None: until they are known.
        """
        self._store = store
        self._command_handler = command_handler
        self._now = now
        self._retry_after = retry_after
        self._settle_within = settle_within
        self._failures: dict[str, str] = {}
        self._retried_until = _LONG_AGO
        self._oldest: datetime | None = None
        self.looked_at: datetime | None = None
        """The moment (UTC) at which the pending requests were last looked for; None before."""
        _meter.create_observable_gauge(
            "concord.requests.oldest",
            callbacks=[self._observe],
            unit="s",
            description="age of the oldest request whose outcome is not recorded",
        )

    def oldest(self) -> float:
        """Return the age in seconds of the oldest pending request; 0 if there is none.

        Requests that are pending for less than about three seconds do not count.
        """
        since = self._oldest
        return 0.0 if since is None else max(0.0, (self._now() - since).total_seconds())

    async def settle(self, answer: Answer) -> Answer:
        """Return the answer after the outcomes of its requests, if they are known in time.

        Otherwise the answer is returned as it is, and the requests stay pending. Raises Refused
        where a command was deferred, and refused after the outcomes that it waited for, or where
        every request was refused that decides it.
        """
        asked: Iterable[Recorded[Requested]] = answer.requests
        if answer.is_deferred:  # it may wait for what an earlier command asked for, too
            asked = answer.stream.requests.values()
        if not asked:
            return answer
        stream = answer.stream.id
        outcomes: list[Answer | BaseException] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settle_within), self._lock(stream):
                while asked:
                    some = await asyncio.gather(
                        *(self._finish(stream, each) for each in asked), return_exceptions=True
                    )
                    outcomes += some
                    asked = _asked_next(answer, some)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, StoreAway):
                self._note(stream, outcome)
        known = [each for each in outcomes if isinstance(each, Answer)]
        known.sort(key=lambda each: each.stream.number)
        _require_effect(answer, known)
        return replace(
            answer,
            stream=known[-1].stream if known else answer.stream,
            events=(*answer.events, *(event for each in known for event in each.events)),
            outcomes=tuple(outcome for each in known for outcome in each.outcomes),
        )

    async def finish(self, stream: str, *, cached: bool = False) -> None:
        """Carry out all pending requests of a stream, and record their outcomes.

        With `cached`, those that only other processes know may be left out. Raises
        UnreadableStream, StoreAway, or the error of a decision.
        """
        repository = self._command_handler.repository
        async with self._lock(stream):
            known = repository.cached(stream) if cached else None
            if known is None:
                known = await repository.current(stream)
            for asked in known.stream.requests.values():
                await self._finish(stream, asked)
        self._failures.pop(stream, None)

    async def run(self) -> None:
        """Carry out requests until cancelled: new ones of this process, and pending ones again."""
        await asyncio.gather(self._carry_out_own(), self._retry_in_turn())

    async def _carry_out_own(self) -> None:
        """Carry out the requests that this process commits, until cancelled."""
        asking = self._command_handler.repository.asking
        while True:
            streams = [await asking.get()]
            while not asking.empty():
                streams.append(asking.get_nowait())
            with suppress(StoreAway):  # they stay pending, and are tried again
                await self._finish_each(streams, cached=True)

    async def _retry_in_turn(self) -> None:
        """Try pending requests again until cancelled; log each outage of the store once."""
        backoff = Backoff(1.0, 5.0)
        while True:
            try:
                await self.retry()
            except StoreAway as away:
                if backoff.must_log():
                    _log.warning("requests: the store is not available: %s", away)
                await backoff.pause()
            else:
                self.looked_at = datetime.now(UTC)
                backoff.reset()
                await asyncio.sleep(self._retry_after)

    async def retry(self) -> None:
        """Carry out requests that are pending for some seconds, in turn; raises StoreAway."""
        is_start = self._retried_until == _LONG_AGO
        until = self._now() - timedelta(seconds=self._retry_after)
        found = await self._pending_since(self._retried_until, until)
        if is_start:
            self._oldest = found[0]["asked_at"].astimezone(UTC) if found else None
        await self._finish_each(each["_id"] for each in found)
        is_end = len(found) < _RETRIED_TOGETHER
        self._retried_until = _LONG_AGO if is_end else found[-1]["asked_at"].astimezone(UTC)

    async def pending(self) -> list[PendingRequest]:
        """Return the pending requests of the streams that wait longest; raises StoreAway.

        At most a hundred streams are read. One that cannot be read is left out.
        """
        requests: list[PendingRequest] = []
        for document in await self._pending_since(_LONG_AGO, self._now()):
            stream = document["_id"]
            try:
                known = await self._command_handler.repository.current(stream)
            except UnreadableStream as unreadable:
                log_once(unreadable)
                continue
            why = self._failures.get(stream)
            requests += (
                PendingRequest(stream, each, why) for each in known.stream.requests.values()
            )
        return sorted(requests, key=lambda each: each.recorded.recorded_at)

    async def _finish_each(self, streams: Iterable[str], *, cached: bool = False) -> None:
        """Carry out the requests of streams, some at once; raises StoreAway.

        Other errors are logged, and tried again later.
        """
        names = [*dict.fromkeys(streams)]
        for start in range(0, len(names), _AT_ONCE):
            group = names[start : start + _AT_ONCE]
            outcomes = await asyncio.gather(
                *(self.finish(stream, cached=cached) for stream in group), return_exceptions=True
            )
            for stream, outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, StoreAway | asyncio.CancelledError):
                    raise outcome
                if isinstance(outcome, Exception):
                    self._note(stream, outcome)

    def _lock(self, stream: str) -> asyncio.Lock:
        """Return the lock under which this process carries out the requests of a stream."""
        return self._command_handler.repository.lock(f"requests/{stream}")

    async def _finish(self, asking: str, asked: Recorded[Requested]) -> Answer:
        commands = self._command_handler
        known = commands.repository.cached(asking)
        is_recorded = (
            known is not None
            and known.stream.number >= asked.sequence
            and asked.event.key not in known.stream.requests
        )
        carried = None if is_recorded else await commands.carry_out(asking, asked)
        kind, _, subject = asking.partition(":")
        answer = await commands.command(
            kind,
            subject,
            RecordOutcome(
                key=asked.event.key,
                asked=asked.id,
                events=carried.events if carried else (),
                refusal=carried.refusal if carried else None,
            ),
            actor=commands.repository.deciders[kind].department,
            key=asked.event.key,
            cause=f"{asking}/outcome/{asked.id}",
            occurred_at=asked.occurred_at,
            traceparent=asked.traceparent,
        )
        _answered.add(not answer.repeated)
        return answer

    async def _pending_since(self, after: datetime, until: datetime) -> list[Document]:
        asked = {"asked_at": {"$gt": after, "$lte": until}}
        with reaching():
            found: list[Document] = (
                await self._store.views.find(asked, {"asked_at": 1})
                .sort("asked_at")
                .limit(_RETRIED_TOGETHER)
                .to_list(None)
            )
        return found

    def _note(self, stream: str, error: Exception) -> None:
        """Log an error once in this process for each stream, and keep it for operators."""
        _failed.add(1)
        why = described(error)
        if self._failures.get(stream) != why:
            _log.error("a request of %s failed and will be repeated", stream, exc_info=error)
        self._failures[stream] = why

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(self.oldest())]


def _decided(answer: Answer, outcomes: Iterable[Answer]) -> DeferredDecided | None:
    """Return what became of a deferred command, if one of the outcomes tells it."""
    every = (each for outcome in outcomes for each in outcome.deferrals)
    decided = (each for each in every if isinstance(each, DeferredDecided))
    return next((each for each in decided if each.cause == answer.cause), None)


def _require_effect(answer: Answer, outcomes: Sequence[Answer]) -> None:
    """Raise Refused where a deferred command was refused, or every request that decides it."""
    every = (answer, *outcomes)
    asked = [each.event for one in every for each in one.requests]
    known = {each.key: each.refusal for one in every for each in one.outcomes}
    found = [known.get(each.key) for each in asked if each.decides == answer.cause]
    decided = _decided(answer, outcomes)
    refusals = [each for each in found if each]
    if decided and decided.refusal:
        refusals = [decided.refusal]
    elif len(refusals) < len(found):
        return
    if refusals:
        sentence = "; ".join(dict.fromkeys(each.sentence for each in refusals))
        raise Refused(cast("RefusalCode", refusals[0].code), sentence)


def _asked_next(
    answer: Answer, outcomes: Iterable[Answer | BaseException]
) -> tuple[Recorded[Requested], ...]:
    """Return the requests of outcomes for which a command still waits."""
    known = [each for each in outcomes if isinstance(each, Answer)]
    asked = (request for each in known for request in each.requests)
    if answer.is_deferred and not _decided(answer, known):
        return tuple(asked)
    return tuple(each for each in asked if each.event.decides == answer.cause)
