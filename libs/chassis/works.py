"""What a running service is made of: its store, journal, engine, relay, listener and the rest.

It comes up in the background, so that the process answers at once and says what it waits for:
first the store is prepared, then reference data is read, and then commands and facts are taken.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import uuid_utils

from chassis.access import group
from chassis.clock import Clock
from chassis.decider import Decider, heard_channels
from chassis.engine import Engine
from chassis.follower import Follower
from chassis.hearing import Hearer, routes_of
from chassis.identity import identity
from chassis.journal import Journal
from chassis.listener import REST_PER_RECORD, Listener
from chassis.parking import Parking
from chassis.reader import Reader
from chassis.records import Records, RecordsFeed
from chassis.relay import RELAY, Relay
from chassis.settings import Settings
from chassis.snapshots import Snapshots
from chassis.sorting import Routes
from chassis.store import Store, StoreAway
from chassis.streams import Streams, Surroundings
from chassis.views import VIEWS, Listing, Views
from contracts.channels import Channel, Department

Check = Callable[[], Awaitable[str | None]]
"""Says why a part is not ready, or None."""

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 2.0
_FAR_BEHIND = 30.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is done with facts that are heard, which streams hear them, and where they are said.

    `prepare` is done once the store is there (it may raise StoreAway and is then done again);
    `beside` is work that goes on for as long as the service does, by name. `rest_per_record`
    (seconds) is the listener's.
    """

    reader: Reader
    routes: Routes
    channels: Collection[Channel]
    prepare: Callable[[], Awaitable[object]] | None = None
    beside: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    rest_per_record: float = REST_PER_RECORD


class Works:
    """A service's parts, alive while it is entered (``async with``)."""

    def __init__(
        self,
        *,
        name: Department,
        settings: Settings,
        deciders: Sequence[Decider[Any]],
        listings: Sequence[Listing] = (),
        reference: Collection[Channel] = (),
        hearing: "Callable[[Works], Hearing] | None" = None,
    ) -> None:
        self.name = name
        self.settings = settings
        account = identity(settings)
        url = settings.store_url.get_secret_value()
        self.store = Store(url, settings.store_database or name)
        self.journal = Journal(self.store)
        self.snapshots = Snapshots(self.store, {each.kind: each for each in deciders})
        self.feed = (
            RecordsFeed(
                settings.kafka_bootstrap, reference, settings.topic_prefix, identity=account
            )
            if reference
            else None
        )
        self.records = Records() if self.feed is None else self.feed.records
        self.streams = Streams(deciders, self.journal, self.snapshots, now=_now)
        surroundings = Surroundings(self.records, _now, lambda: str(uuid_utils.uuid7()))
        self.at_work = Engine(self.streams, surroundings)
        self.relay = Relay(
            self.store,
            self.journal,
            bootstrap=settings.kafka_bootstrap,
            prefix=settings.topic_prefix,
            identity=account,
        )
        self.views = Views(self.store, self.journal, self.snapshots, self.streams, listings)
        self.clock = Clock(self.store, self.at_work, now=_now)
        self.parking = Parking(self.store.parked)
        self.hearing = (
            hearing(self)
            if hearing is not None
            else Hearing(
                Hearer(self.streams, surroundings), routes_of(deciders), heard_channels(deciders)
            )
        )
        self.listener = (
            Listener(
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
        self.waits_for: str | None = "the store is not prepared yet"
        """What it waits for before it takes commands and facts; None when it takes them."""
        self.stopping = self.streams.stopping
        """Set when the service is told to stop: answers without an end, or that wait, end then."""
        self._tasks: list[asyncio.Task[None]] = []
        self._entered: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    async def __aenter__(self) -> Self:
        self._entered = [("store", self.store.close), ("journal", self.journal.close)]
        self._spawn("coming up", self._come_up())
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
        self.waits_for = "the service is stopping"
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
                _log.warning("%s: did not stop in order: %r", name, trouble)
        _log.info("stopped")

    @property
    def checks(self) -> dict[str, Check]:
        """What readiness asks, by the name of the part."""
        checks: dict[str, Check] = {"service": self._service, "store": self._store}
        checks["relay"] = self._relay
        checks["views"] = self._views
        if self.listener is not None:
            checks["listener"] = self._listener
        if self.feed is not None:
            checks["records"] = self._records
        return checks

    async def _come_up(self) -> None:
        await self._until_prepared()
        self._keep("relay", self.relay.run())
        self._keep("views", self.views.run())
        if self.feed is not None:
            await self._enter("records", self.feed)
            await self._until_read(self.feed)
        if self.listener is not None:
            await self._enter("listener", self.listener)
        for name, work in self.hearing.beside.items():
            self._keep(name, work())
        self._keep("clock", self.clock.run())
        self.waits_for = None
        _log.info("%s takes commands and facts", self.name)

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
                self.waits_for = "the store is away"
            except Exception as trouble:  # noqa: BLE001 - said, and tried again
                _log.exception("the store cannot be prepared")
                self.waits_for = f"the store cannot be prepared: {trouble}"
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _until_read(self, feed: RecordsFeed) -> None:
        while True:
            with suppress(TimeoutError):
                await feed.ready(within=1.0)
                return
            self.waits_for = feed.not_ready()

    async def _enter(self, name: str, part: RecordsFeed | Listener) -> None:
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

    # ---- readiness ----------------------------------------------------------------------------

    async def _service(self) -> str | None:
        ended = [task.get_name() for task in self._tasks[1:] if task.done()]
        return f"{', '.join(ended)} ended" if ended else self.waits_for

    async def _store(self) -> str | None:
        try:
            await self.store.ping()
        except StoreAway as away:
            return str(away)[:200]
        return None

    async def _relay(self) -> str | None:
        return self.relay.refused or _behind(self.relay.follower)

    async def _views(self) -> str | None:
        return _behind(self.views.follower)

    async def _listener(self) -> str | None:
        return None if self.listener is None else self.listener.not_ready()

    async def _records(self) -> str | None:
        return None if self.feed is None else self.feed.not_ready()


def _behind(follower: Follower) -> str | None:
    if follower.progress == "away":
        return "the journal cannot be followed now"
    backlog = follower.backlog(_now())
    return f"behind by {backlog:.0f} s" if backlog > _FAR_BEHIND else None


def _now() -> datetime:
    return datetime.now(UTC)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended: %r", task.get_name(), error, exc_info=error)
