"""The container: the parts of a running service, wired, started, stopped and checked.

It starts in the background, so that ``/ready`` and ``/health`` answer at once with the reason why
requests are not accepted yet: first the store is prepared, then reference data are read, from the
copy in the store or from Kafka. From then on requests are accepted; the consumer connects to Kafka
independently of that, and may take longer.
"""

import asyncio
import logging
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias

import uuid_utils
from fastapi import Request
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from typing_extensions import TypeVar

from chassis.application.as_of import OLD_AFTER, AsOf
from chassis.application.command_handler import CommandHandler
from chassis.application.deadlines import DeadlineScheduler
from chassis.application.event_handler import StreamEventHandler, stream_router
from chassis.application.ports import EventHandler, StreamRouter
from chassis.application.read_models import VIEWS, Listing, Views
from chassis.application.repository import ContextFactory, Repository
from chassis.application.requests import RequestDispatcher
from chassis.base.backoff import Backoff
from chassis.base.settings import Settings
from chassis.documents.store import DocumentStore
from chassis.domain.decider import Decider, consumed_channels
from chassis.eventstore.journal import Journal
from chassis.eventstore.mongo import Store, StoreAway
from chassis.eventstore.snapshots import Snapshots
from chassis.eventstore.subscription import Subscription
from chassis.kafka.acls import group
from chassis.kafka.consumer import REST_PER_RECORD, Consumer
from chassis.kafka.credentials import identity
from chassis.kafka.outbox_relay import RELAY, Relay
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.reference_data import ReferenceDataCache
from chassis.kafka.reference_feed import ReferenceFeed
from chassis.runtime.health import Check, Condition, Detail, Monitor
from chassis.web.auth import Tokens
from chassis.web.dependencies import refuse_unready
from contracts.channels import Channel, Department
from contracts.counting import counted

_log = logging.getLogger(__name__)
_meter = metrics.get_meter("concord.works")
_Callback: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]
_LATE_AFTER = 30.0


Handler_co = TypeVar("Handler_co", bound=EventHandler, covariant=True, default=EventHandler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The classes of the parts that a container makes; a test hands over its own."""

    store: Callable[[str, str], Store] = Store
    journal: Callable[[Store], Journal] = Journal
    relay: type[Relay] = Relay
    consumer: type[Consumer] = Consumer


REAL_PARTS = Parts()


@dataclass(frozen=True, slots=True)
class EventHandling(Generic[Handler_co]):
    """The handler of consumed events, the router to their streams, and the channels they are on.

    `prepare` is called once the store is available, and again if it raises StoreAway. `tasks` are
    started with the service and run until it stops, by name. `rest_per_record` is the consumer's,
    in seconds. `lists_read_at`, where lists are kept in memory, returns the moment (UTC) at which
    the changes of other replicas were last read into them.
    """

    handler: Handler_co
    router: StreamRouter
    channels: Collection[Channel]
    prepare: Callable[[], Awaitable[object]] | None = None
    tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    rest_per_record: float = REST_PER_RECORD
    lists_read_at: Callable[[], datetime | None] | None = None


def handle_by_streams(
    container: "Container", handler: type[StreamEventHandler] = StreamEventHandler
) -> EventHandling[StreamEventHandler]:
    """Return the event handling of a department: its deciders' streams consume the events."""
    deciders = container.repository.deciders.values()
    return EventHandling(
        handler(container.repository, container.contexts),
        stream_router(deciders),
        consumed_channels(deciders),
    )


class Container(Generic[Handler_co]):
    """The parts of a service, which run while it is entered (``async with``)."""

    def __init__(
        self,
        *,
        name: Department,
        settings: Settings,
        deciders: Sequence[Decider[Any]],
        listings: Sequence[Listing] = (),
        reference: Collection[Channel] = (),
        event_handling: "Callable[[Container], EventHandling[Handler_co]]",
        parts: Parts = REAL_PARTS,
        tokens: Tokens | None = None,
    ) -> None:
        self.name = name
        self._tokens = tokens
        self.settings = settings
        account = identity(settings)
        url = settings.store_url.get_secret_value()
        self.store = parts.store(url, settings.store_database or name)
        self.journal = parts.journal(self.store)
        self.snapshots = Snapshots(self.store, {each.kind: each for each in deciders})
        self.feed = (
            ReferenceFeed(
                settings.kafka_bootstrap,
                reference,
                self.store,
                settings.topic_prefix,
                identity=account,
            )
            if reference
            else None
        )
        self.reference_data = ReferenceDataCache() if self.feed is None else self.feed.records
        self.documents = DocumentStore(self.store)
        self.repository = Repository(
            deciders, self.journal, self.snapshots, now=_now, documents=self.documents
        )
        self.contexts = ContextFactory(
            self.reference_data, _now, lambda: str(uuid_utils.uuid7()), settings.schemas_url
        )
        self.commands = CommandHandler(self.repository, self.contexts)
        self.relay = parts.relay(
            self.store,
            self.journal,
            bootstrap=settings.kafka_bootstrap,
            prefix=settings.topic_prefix,
            identity=account,
        )
        self.requests = RequestDispatcher(self.store, self.commands, now=_now)
        self.views = Views(self.store, self.journal, self.snapshots, self.repository, listings)
        self.deadlines = DeadlineScheduler(self.store, self.commands, now=_now)
        self.parked_records = ParkedRecordStore(self.store.parked)
        self.event_handling = event_handling(self)
        self.consumer = (
            parts.consumer(
                settings.kafka_bootstrap,
                group=group(name, settings.topic_prefix),
                channels=self.event_handling.channels,
                router=self.event_handling.router,
                event_handler=self.event_handling.handler,
                parked_records=self.parked_records,
                prefix=settings.topic_prefix,
                identity=account,
                rest_per_record=self.event_handling.rest_per_record,
            )
            if self.event_handling.channels
            else None
        )
        self.as_of = AsOf(
            self.store.as_of,
            None if self.consumer is None else self.consumer.caught_up,
            listed=self.event_handling.lists_read_at
            or (lambda: self.views.subscription.done_until),
            parked=lambda: self.parked_records.heads,
            lists_in_memory=self.event_handling.lists_read_at is not None,
        )
        self.health = Monitor(name, lambda: self.preconditions, lambda: self.checks)
        self._add_metrics()
        self._not_usable: str | None = "the store is not prepared yet"
        self.stopping = self.repository.stopping
        """Set when the service is told to stop: event streams and requests that wait end then."""
        self._tasks: list[asyncio.Task[None]] = []
        self._to_stop: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    async def __aenter__(self) -> Self:
        self._to_stop = [("store", self.store.close), ("journal", self.journal.close)]
        self._create_task("start", self._start())
        self._start_task("health", self.health.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the parts in the reverse order of their start, within two thirds of `stop_within`.

        Each part has at most half of that time. After it, the remaining parts are told to stop
        without being waited for.
        """
        self._not_usable = "the service is stopping"
        for task in self._tasks[:1]:  # start no further part
            task.cancel()
            await asyncio.wait([task])
        loop, share = asyncio.get_running_loop(), self.settings.stop_within / 3
        ends = loop.time() + 2 * share
        for name, stop in reversed(self._to_stop):
            try:
                async with asyncio.timeout_at(min(ends, loop.time() + share)):
                    await stop()
            except Exception as failure:  # noqa: BLE001 - the others are stopped too
                _log.warning("%s: not stopped in order: %s", name, failure)
        _log.info("stopped")

    @property
    def waits_for(self) -> str | None:
        """The reason why the service does not accept requests yet; None when it does."""
        if self._not_usable is not None:
            return self._not_usable
        return None if self.feed is None else self.feed.not_ready()

    @property
    def preconditions(self) -> dict[str, Check]:
        """The checks that must pass before requests are accepted; Kafka is not among them."""
        checks: dict[str, Check] = {"process": self._check_usable, "store": self._check_store}
        if self.feed is not None:
            checks["reference-data"] = self._check_reference_data_read
        return checks

    @property
    def checks(self) -> dict[str, Check]:
        """The checks of all parts of the service, by name."""
        checks: dict[str, Check] = {
            "process": self._check_process,
            "store": self._check_store,
            "relay": self._check_relay,
            "views": self._check_views,
            "deadlines": self._check_deadlines,
            "requests": self._check_requests,
        }
        if self._tokens is not None:
            checks["tokens"] = self._check_tokens
        if self.consumer is not None:
            checks["consumer"] = self._check_consumer
            checks["events"] = self._check_events
            checks["as-of"] = self._check_as_of
        if self.feed is not None:
            checks["reference-data"] = self._check_reference_data
        return checks

    def _add_metrics(self) -> None:
        """Add gauges of the age in seconds of the data that answers are made from."""

        def age(moment: Callable[[], datetime | None]) -> _Callback:
            def observe(_: CallbackOptions) -> Iterator[Observation]:
                if (known := moment()) is not None:
                    yield Observation((_now() - known).total_seconds(), {"service": self.name})

            return observe

        feed = self.feed
        moments: dict[str, Callable[[], datetime | None]] = {
            "concord.as_of.age": self.as_of.of_all,
            "concord.as_of.lists.age": self.as_of.of_lists,
        }
        if feed is not None:
            moments["concord.reference.age"] = lambda: feed.as_of
        for metric, moment in moments.items():
            _meter.create_observable_gauge(metric, [age(moment)], unit="s")
        _meter.create_observable_gauge(
            "concord.views.backlog",
            [
                lambda _: [
                    Observation(self.views.subscription.backlog(_now()), {"service": self.name})
                ]
            ],
            unit="s",
        )

    async def _start(self) -> None:
        await self._prepare()
        self._not_usable = None
        self._start_task("relay", self.relay.run())
        self._start_task("views", self.views.run())
        self._start_task("as-of", self.as_of.run())
        if self.feed is not None:
            await self._enter("reference data", self.feed)
            await self.feed.ready()
        for name, run in self.event_handling.tasks.items():
            self._start_task(name, run())
        self._start_task("deadlines", self.deadlines.run())
        self._start_task("requests", self.requests.run())
        _log.info("%s accepts requests", self.name)
        if self.consumer is not None:
            await self._enter("consumer", self.consumer)

    async def _prepare(self) -> None:
        """Prepare the store; on failure log it, wait and try again."""
        backoff = Backoff()
        while True:
            try:
                await self.store.prepare(RELAY, VIEWS)
                await self.views.prepare()
                await self.documents.prepare()
                await self.parked_records.prepare()
                if self.event_handling.prepare is not None:
                    await self.event_handling.prepare()
            except StoreAway as away:
                if backoff.must_log():
                    _log.warning("the store is not available: %s", away)
                self._not_usable = "the store is not available"
            except Exception as error:  # noqa: BLE001 - logged, and tried again
                _log.exception("the store cannot be prepared")
                kind = type(error).__name__
                self._not_usable = f"the store cannot be prepared, see the log: {kind}"
            else:
                return
            await backoff.pause()

    async def _enter(self, name: str, part: ReferenceFeed | Consumer) -> None:
        await part.__aenter__()
        self._to_stop.append((name, lambda: part.__aexit__(None, None, None)))

    def _start_task(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._create_task(name, work)

        async def stop() -> None:
            while not task.done():  # repeatedly: a driver can swallow a cancellation
                task.cancel()
                await asyncio.wait([task], timeout=1.0)

        self._to_stop.append((name, stop))

    def _create_task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)
        return task

    # ---- readiness and health -----------------------------------------------------------------

    async def _check_usable(self) -> str | None:
        return "the service is stopping" if self.stopping.is_set() else self._not_usable

    async def _check_store(self) -> str | None:
        try:
            await self.store.ping()
        except StoreAway as away:
            return f"the store does not answer: {away}"[:200]
        return None

    async def _check_reference_data_read(self) -> str | None:
        return None if self.feed is None else self.feed.not_ready()

    async def _check_process(self) -> str | None:
        ended = [
            task.get_name()
            for task in self._tasks
            if task.done() and (task.cancelled() or task.exception() or task is not self._tasks[0])
        ]
        return f"{', '.join(ended)} ended" if ended else await self._check_usable()

    async def _check_relay(self) -> Condition:
        reason = None
        if self.relay.refused is not None:
            # Only logged in full: it contains the id of an engagement.
            reason = "an event cannot be published, see the log"
        return _condition_of(self.relay.subscription, "events are published", reason)

    async def _check_views(self) -> Condition:
        condition = _condition_of(self.views.subscription, "lists are written")
        if condition.reason is None and (unwritten := len(self.views.unwritten)):
            reason = f"{unwritten} views could not be written, see the log"
            return replace(condition, reason=reason, degraded=True)
        return condition

    async def _check_deadlines(self) -> Condition:
        looked_at = self.deadlines.looked_at
        return _looked_at(looked_at, "deadlines", {"looked_at": _text(looked_at)})

    async def _check_requests(self) -> Condition:
        """Check that requests between streams get their outcome."""
        looked_at, oldest = self.requests.looked_at, self.requests.oldest()
        details: dict[str, Detail] = {
            "looked_at": _text(looked_at),
            "oldest_pending_seconds": round(oldest, 1),
        }
        if oldest > _LATE_AFTER:
            why = f"a request between streams waits for {oldest:.0f} s, see /operations/requests"
            return Condition(why, degraded=True, details=details)
        return _looked_at(looked_at, "pending requests", details)

    async def _check_tokens(self) -> Condition:
        """Check that the keys of the issuers were read; begin to read them where they are old."""
        problems = {} if self._tokens is None else self._tokens.problems()
        return Condition("; ".join(problems) or None, degraded=not any(problems.values()))

    async def _check_consumer(self) -> Condition:
        if self.consumer is None:
            return Condition()
        reason, hindrance = self.consumer.not_ready(), self.consumer.progress.hindrance
        if reason is not None and reason == hindrance:
            # Without the message of the error, which may contain data of a record.
            reason = f"waits, see the log: {reason.partition(':')[0]}"
        return Condition(reason, details=self.consumer.details())

    async def _check_events(self) -> Condition:
        """Check that all records are accounted for and that no engagement is parked."""
        if self.consumer is None:
            return Condition()
        heads = self.consumer.parked_records.heads.values()
        parked = sum(head.is_parked for head in heads)
        details: dict[str, Detail] = {
            "parked_engagements": parked,
            "waiting_for_newer_version": len(heads) - parked,
            "set_aside": self.consumer.account.aside_open,
        }
        if (reason := self.consumer.unaccounted()) is not None:
            return Condition(reason, details=details)
        reason = (
            counted(parked, "engagement is parked", "engagements are parked") if parked else None
        )
        return Condition(reason, degraded=True, details=details)

    async def _check_as_of(self) -> Condition:
        moment = self.as_of.of_all()
        details: dict[str, Detail] = {
            "as_of": _text(moment),
            "lists_as_of": _text(self.as_of.of_lists()),
        }
        if moment is None:
            unknown = ", ".join(map(str, self.as_of.unknown))
            reason = f"unknown for partitions {unknown}: answers have no Concord-As-Of"
            return Condition(reason, degraded=True, details=details)
        if (age := (_now() - moment).total_seconds()) > OLD_AFTER:
            return Condition(f"data are {age:.0f} s old", degraded=True, details=details)
        return Condition(details=details)

    async def _check_reference_data(self) -> Condition:
        feed = self.feed
        if feed is None:
            return Condition()
        details: dict[str, Detail] = {
            "as_of": _text(feed.as_of),
            "unreadable_records": feed.unreadable,
        }
        if (not_ready := feed.not_ready()) is not None:
            return Condition(not_ready, details=details)
        reasons = [
            feed.behind and f"not updated at present: {feed.behind}",
            feed.not_written and f"the copy in the store is not written: {feed.not_written}",
            feed.unreadable and f"{feed.unreadable} unreadable records were skipped, see the log",
        ]
        reason = "; ".join(each for each in reasons if each) or None
        return Condition(reason, degraded=True, details=details)


def get_container(request: Request) -> Container:
    """Return all parts of the service; raises Problem 503 while it does not accept requests."""
    container: Container = request.app.state.container
    refuse_unready(container)
    return container


def _looked_at(looked_at: datetime | None, sought: str, details: Mapping[str, Detail]) -> Condition:
    """Return the condition of a part that looks in the store regularly, such as for "deadlines"."""
    if looked_at is None:
        return Condition(f"{sought} were not checked yet", details=details)
    if (age := (_now() - looked_at).total_seconds()) > _LATE_AFTER:
        return Condition(f"{sought} were last checked {age:.0f} s ago", details=details)
    return Condition(details=details)


def _condition_of(subscription: Subscription, work: str, reason: str | None = None) -> Condition:
    """Return the condition of work on the journal, which one replica does for all.

    `work` is a clause such as "events are published"; `reason`, if given, comes first.
    """
    backlog = subscription.backlog(_now())
    details: dict[str, Detail] = {
        "state": subscription.progress,
        "backlog_seconds": round(backlog, 1),
    }
    if reason is None and subscription.progress == "away":
        reason = "the journal cannot be read at present"
    elif reason is None and backlog > _LATE_AFTER:
        reason = f"{work} {backlog:.0f} s late"
    return Condition(reason, details=details)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _now() -> datetime:
    return datetime.now(UTC)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended with an error", task.get_name(), exc_info=error)
