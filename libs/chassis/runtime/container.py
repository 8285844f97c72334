"""What a running service is made of: its store, journal, engine, relay, listener and the rest.

It comes up in the background, so that the process answers at once and says what it waits for:
first the store is prepared, then reference data are read, from the copy in the store or from Kafka.
From then on requests are taken; the consumer connects to Kafka meanwhile, however long that takes.
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
from typing import Any, Self, TypeAlias

import uuid_utils
from fastapi import Request
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from chassis.application.as_of import OLD_AFTER, AsOf
from chassis.application.command_handler import CommandHandler
from chassis.application.deadlines import DeadlineScheduler
from chassis.application.event_handler import StreamEventHandler, stream_router
from chassis.application.ports import EventHandler, StreamRouter
from chassis.application.read_models import VIEWS, Listing, Views
from chassis.application.repository import ContextFactory, Repository
from chassis.base.settings import Settings
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
from chassis.web.dependencies import refuse_unready
from contracts.channels import Channel, Department

_log = logging.getLogger(__name__)
_meter = metrics.get_meter("concord.works")
_Callback: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]
_LONGEST_PAUSE = 2.0
_FAR_BEHIND = 30.0


@dataclass(frozen=True, slots=True)
class EventHandling:
    """What is done with events that are heard, which streams hear them, and where they are said.

    `prepare` is done once the store is there (it may raise StoreAway and is then done again);
    `beside` is work that goes on for as long as the service does, by name. `rest_per_record`
    (seconds) is the listener's. `lists_read_at`, where lists are kept in memory, returns the moment
    at which what other replicas wrote was last read into them.
    """

    reader: EventHandler
    routes: StreamRouter
    channels: Collection[Channel]
    prepare: Callable[[], Awaitable[object]] | None = None
    beside: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    rest_per_record: float = REST_PER_RECORD
    lists_read_at: Callable[[], datetime | None] | None = None


class Container:
    """A service's parts, alive while it is entered (``async with``)."""

    def __init__(
        self,
        *,
        name: Department,
        settings: Settings,
        deciders: Sequence[Decider[Any]],
        listings: Sequence[Listing] = (),
        reference: Collection[Channel] = (),
        hearing: "Callable[[Container], EventHandling] | None" = None,
    ) -> None:
        self.name = name
        self.settings = settings
        account = identity(settings)
        url = settings.store_url.get_secret_value()
        self.store = Store(url, settings.store_database or name)
        self.journal = Journal(self.store)
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
        self.records = ReferenceDataCache() if self.feed is None else self.feed.records
        self.repository = Repository(deciders, self.journal, self.snapshots, now=_now)
        contexts = ContextFactory(self.records, _now, lambda: str(uuid_utils.uuid7()))
        self.commands = CommandHandler(self.repository, contexts)
        self.relay = Relay(
            self.store,
            self.journal,
            bootstrap=settings.kafka_bootstrap,
            prefix=settings.topic_prefix,
            identity=account,
        )
        self.views = Views(self.store, self.journal, self.snapshots, self.repository, listings)
        self.clock = DeadlineScheduler(self.store, self.commands, now=_now)
        self.parking = ParkedRecordStore(self.store.parked)
        self.hearing = (
            hearing(self)
            if hearing is not None
            else EventHandling(
                StreamEventHandler(self.repository, contexts),
                stream_router(deciders),
                consumed_channels(deciders),
            )
        )
        self.listener = (
            Consumer(
                settings.kafka_bootstrap,
                group=group(name, settings.topic_prefix),
                channels=self.hearing.channels,
                routes=self.hearing.routes,
                reader=self.hearing.reader,
                parking=self.parking,
                prefix=settings.topic_prefix,
                identity=account,
                rest_per_record=self.hearing.rest_per_record,
            )
            if self.hearing.channels
            else None
        )
        self.as_of = AsOf(
            self.store.as_of,
            None if self.listener is None else self.listener.caught_up,
            listed=self.hearing.lists_read_at or (lambda: self.views.subscription.done_until),
            parked=lambda: self.parking.heads,
            lists_in_memory=self.hearing.lists_read_at is not None,
        )
        self.health = Monitor(name, lambda: self.preconditions, lambda: self.checks)
        self._measure()
        self._not_usable: str | None = "the store is not prepared yet"
        self.stopping = self.repository.stopping
        """Set when the service is told to stop: answers without an end, or that wait, end then."""
        self._tasks: list[asyncio.Task[None]] = []
        self._entered: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    async def __aenter__(self) -> Self:
        self._entered = [("store", self.store.close), ("journal", self.journal.close)]
        self._spawn("coming up", self._come_up())
        self._keep("health", self.health.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop in the reverse order of coming up, within two thirds of `stop_within`.

        A part may take half of that. When all of it is over, the parts that remain are told to stop
        and are not waited for.
        """
        self._not_usable = "the service is stopping"
        for task in self._tasks[:1]:  # nothing more comes up
            task.cancel()
            await asyncio.wait([task])
        loop, share = asyncio.get_running_loop(), self.settings.stop_within / 3
        ends = loop.time() + 2 * share
        for name, end in reversed(self._entered):
            try:
                async with asyncio.timeout_at(min(ends, loop.time() + share)):
                    await end()
            except Exception as trouble:  # noqa: BLE001 - the others are stopped all the same
                _log.warning("%s: did not stop in order: %s", name, trouble)
        _log.info("stopped")

    @property
    def waits_for(self) -> str | None:
        """What it waits for before it takes requests; None when it takes them."""
        if self._not_usable is not None:
            return self._not_usable
        return None if self.feed is None else self.feed.not_ready()

    @property
    def preconditions(self) -> dict[str, Check]:
        """What must be true so that requests can be taken, by name; Kafka is not needed."""
        checks: dict[str, Check] = {"process": self._usable, "store": self._store}
        if self.feed is not None:
            checks["reference-data"] = self._reference_read
        return checks

    @property
    def checks(self) -> dict[str, Check]:
        """How each part of the service does, by its name."""
        checks: dict[str, Check] = {
            "process": self._process,
            "store": self._store,
            "relay": self._relay,
            "views": self._views,
            "deadlines": self._deadlines,
        }
        if self.listener is not None:
            checks["consumer"] = self._consumer
            checks["events"] = self._events
            checks["as-of"] = self._moments
        if self.feed is not None:
            checks["reference-data"] = self._reference
        return checks

    def _measure(self) -> None:
        """Measure in seconds how old the data are that this service answers from."""

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

    async def _come_up(self) -> None:
        await self._until_prepared()
        self._not_usable = None
        self._keep("relay", self.relay.run())
        self._keep("views", self.views.run())
        self._keep("as-of", self.as_of.run())
        if self.feed is not None:
            await self._enter("reference data", self.feed)
            await self.feed.ready()
        for name, work in self.hearing.beside.items():
            self._keep(name, work())
        self._keep("clock", self.clock.run())
        _log.info("%s takes requests", self.name)
        if self.listener is not None:
            await self._enter("listener", self.listener)

    async def _until_prepared(self) -> None:
        pause = 0.1
        while True:
            try:
                await self.store.prepare(RELAY, VIEWS)
                await self.views.prepare()
                await self.parking.prepare()
                if self.hearing.prepare is not None:
                    await self.hearing.prepare()
            except StoreAway as away:
                if pause == 0.1:
                    _log.warning("the store is away: %s", away)
                self._not_usable = "the store is away"
            except Exception as trouble:  # noqa: BLE001 - said, and tried again
                _log.exception("the store cannot be prepared")
                kind = type(trouble).__name__
                self._not_usable = f"the store cannot be prepared, see the log: {kind}"
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _enter(self, name: str, part: ReferenceFeed | Consumer) -> None:
        await part.__aenter__()
        self._entered.append((name, lambda: part.__aexit__(None, None, None)))

    def _keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._spawn(name, work)

        async def end() -> None:
            while not task.done():  # again and again: a driver can swallow a cancellation
                task.cancel()
                await asyncio.wait([task], timeout=1.0)

        self._entered.append((name, end))

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_ended)
        self._tasks.append(task)
        return task

    # ---- readiness and health -----------------------------------------------------------------

    async def _usable(self) -> str | None:
        return "the service is stopping" if self.stopping.is_set() else self._not_usable

    async def _store(self) -> str | None:
        try:
            await self.store.ping()
        except StoreAway as away:
            return f"the store does not answer: {away}"[:200]
        return None

    async def _reference_read(self) -> str | None:
        return None if self.feed is None else self.feed.not_ready()

    async def _process(self) -> str | None:
        ended = [
            task.get_name()
            for task in self._tasks
            if task.done() and (task.cancelled() or task.exception() or task is not self._tasks[0])
        ]
        return f"{', '.join(ended)} ended" if ended else await self._usable()

    async def _relay(self) -> Condition:
        refused = None
        if self.relay.refused is not None:
            # What it says names an engagement; the log has it.
            refused = "an event cannot be published, see the log"
        return _followed(self.relay.subscription, "events are published", refused)

    async def _views(self) -> Condition:
        condition = _followed(self.views.subscription, "lists are written")
        if condition.reason is None and (unwritten := len(self.views.unwritten)):
            reason = f"{unwritten} views could not be written, see the log"
            return replace(condition, reason=reason, degraded=True)
        return condition

    async def _deadlines(self) -> Condition:
        looked = self.clock.looked_at
        details: dict[str, Detail] = {"looked_at": _text(looked)}
        if looked is None:
            return Condition("deadlines were not looked at yet", details=details)
        if (behind := (_now() - looked).total_seconds()) > _FAR_BEHIND:
            return Condition(f"deadlines were not looked at for {behind:.0f} s", details=details)
        return Condition(details=details)

    async def _consumer(self) -> Condition:
        if self.listener is None:
            return Condition()
        reason, waits = self.listener.not_ready(), self.listener.progress.hindrance
        if reason is not None and reason == waits:
            # What comes behind the name of an error may be of a record; the log has it.
            reason = f"waits, see the log: {reason.partition(':')[0]}"
        return Condition(reason, details=self.listener.details())

    async def _events(self) -> Condition:
        """Return whether all records are accounted for, and whether any engagement waits."""
        if self.listener is None:
            return Condition()
        heads = self.listener.parking.heads.values()
        parked = sum(head.is_parked for head in heads)
        details: dict[str, Detail] = {
            "parked_engagements": parked,
            "waiting_for_newer_version": len(heads) - parked,
            "set_aside": self.listener.account.aside_open,
        }
        if (reason := self.listener.unaccounted()) is not None:
            return Condition(reason, details=details)
        reason = f"{parked} engagements are parked" if parked else None
        return Condition(reason, degraded=True, details=details)

    async def _moments(self) -> Condition:
        moment = self.as_of.of_all()
        details: dict[str, Detail] = {
            "as_of": _text(moment),
            "lists_as_of": _text(self.as_of.of_lists()),
        }
        if moment is None:
            unknown = ", ".join(map(str, self.as_of.unknown))
            reason = f"not known for partitions {unknown}: answers have no Concord-As-Of"
            return Condition(reason, degraded=True, details=details)
        if (old := (_now() - moment).total_seconds()) > OLD_AFTER:
            return Condition(f"data are {old:.0f} s old", degraded=True, details=details)
        return Condition(details=details)

    async def _reference(self) -> Condition:
        feed = self.feed
        if feed is None:
            return Condition()
        details: dict[str, Detail] = {
            "as_of": _text(feed.as_of),
            "unreadable_records": feed.unreadable,
        }
        if (never := feed.not_ready()) is not None:
            return Condition(never, details=details)
        reasons = [
            feed.behind and f"not updated at present: {feed.behind}",
            feed.not_written and f"the copy in the store is not written: {feed.not_written}",
            feed.unreadable and f"{feed.unreadable} records were passed over, the log names them",
        ]
        reason = "; ".join(each for each in reasons if each) or None
        return Condition(reason, degraded=True, details=details)


def get_container(request: Request) -> Container:
    """Return all parts of the service; raises Problem 503 while it does not take requests."""
    container: Container = request.app.state.container
    refuse_unready(container)
    return container


def _followed(follower: Subscription, work: str, refused: str | None = None) -> Condition:
    """Return how work on the journal does, which one replica does for all."""
    backlog = follower.backlog(_now())
    details: dict[str, Detail] = {"state": follower.progress, "backlog_seconds": round(backlog, 1)}
    if refused is None and follower.progress == "away":
        refused = "the journal cannot be followed now"
    if refused is None and backlog > _FAR_BEHIND:
        refused = f"{work} {backlog:.0f} s late"
    return Condition(refused, details=details)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _now() -> datetime:
    return datetime.now(UTC)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended", task.get_name(), exc_info=error)
