"""The clock: tells streams that a deadline they named has passed, as of the deadline.

An operator can hold it at a moment while history is played in: then no deadline after that moment
is over yet, whatever the time is.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from chassis.application.command_handler import CommandHandler
from chassis.application.repository import Unknown
from chassis.domain.decider import Deadline, DeadlinePassed, Refused
from chassis.eventstore.mongo import Store, StoreAway, reaching
from chassis.eventstore.snapshots import Known
from chassis.eventstore.unreadable import UnreadableStream, say_once

_log = logging.getLogger(__name__)
_HOLD = "hold"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TOGETHER = 50
_LAST_PAUSE = 5.0


class DeadlineScheduler:
    """Gives `DeadlinePassed` once for each deadline, however many processes run one."""

    def __init__(
        self,
        store: Store,
        engine: CommandHandler,
        *,
        now: Callable[[], datetime],
        every: float = 1.0,
    ) -> None:
        """`now` gives UTC moments; it looks for what is due every so many seconds."""
        self._store = store
        self._engine = engine
        self._now = now
        self._every = every
        self.looked_at: datetime | None = None
        """When it last told all that was due, or found that nothing is; None before."""
        self._in_vain: dict[tuple[str, Deadline], int] = {}

    async def run(self) -> None:
        """Tell the time until cancelled; faults are waited out, and said once for each outage."""
        pause = self._every
        while True:
            try:
                await self.tick()
                self.looked_at = datetime.now(UTC)
                pause = self._every
            except StoreAway as away:
                if pause == self._every:
                    _log.warning("clock: the store is away: %s", away)
                pause = min(2 * pause, _LAST_PAUSE)
            except Exception:  # noqa: BLE001 - a clock never stops silently
                _log.exception("clock: cannot go on, and tries again")
                pause = min(2 * pause, _LAST_PAUSE)
            await asyncio.sleep(pause)

    async def hold(self, at: datetime, *, by: str) -> None:
        """Let no deadline after this moment pass until `release`; raises StoreAway."""
        with reaching():
            held = {"at": at.astimezone(UTC), "by": by}
            await self._store.clock.replace_one({"_id": _HOLD}, held, upsert=True)

    async def release(self) -> None:
        """Let the clock go by the time again; raises StoreAway."""
        with reaching():
            await self._store.clock.delete_one({"_id": _HOLD})

    async def held_at(self) -> datetime | None:
        """The moment (UTC) at which the clock is held, or None; raises StoreAway."""
        with reaching():
            held = await self._store.clock.find_one({"_id": _HOLD})
        return None if held is None else held["at"].astimezone(UTC)

    async def tick(self) -> None:
        """Tell all that is due; raises StoreAway."""
        held, now = await self.held_at(), self._now()
        until = now if held is None else min(now, held)
        with reaching():
            due = await self._store.views.find(
                {"due_at": {"$gt": _LONG_AGO, "$lte": until}}, {"_id": 1}
            ).to_list(None)
        for start in range(0, len(due), _TOGETHER):
            group = due[start : start + _TOGETHER]
            told = await asyncio.gather(
                *(self._tell(each["_id"], until) for each in group), return_exceptions=True
            )
            for outcome in told:
                if isinstance(outcome, StoreAway | asyncio.CancelledError):
                    raise outcome
                if isinstance(outcome, UnreadableStream):
                    say_once(outcome)
                elif outcome is not None:
                    _log.error("clock: a stream cannot be told", exc_info=outcome)
        named = {each["_id"] for each in due}
        self._in_vain = {key: at for key, at in self._in_vain.items() if key[0] in named}

    async def _tell(self, stream: str, until: datetime) -> None:
        known = await self._engine.streams.current(stream)
        decider = self._engine.streams.decider(stream)
        if not known.open:
            return
        due = [each for each in decider.deadlines(known.stream.state) if each.at <= until]
        for deadline in sorted(due, key=lambda each: (each.at, each.name)):
            if self._in_vain.get((stream, deadline)) != known.stream.number:
                await self._tell_one(known, deadline)

    async def _tell_one(self, known: Known, deadline: Deadline) -> None:
        stream = known.stream
        kind = stream.id.partition(":")[0]
        decider = self._engine.streams.deciders[kind]
        at = deadline.at.astimezone(UTC)
        try:
            answer = await self._engine.command(
                kind,
                stream.subject,
                DeadlinePassed(deadline=deadline.name, at=at),
                actor=decider.department,
                key=f"deadline/{stream.id}/{deadline.name}/{at.isoformat()}",
                occurred_at=at,
            )
        except StoreAway:
            raise
        except (Refused, Unknown) as refused:
            _log.debug("clock: %s of %s: %s", deadline.name, stream.id, refused)
        except Exception:  # noqa: BLE001 - a bug in one stream is not the others' trouble
            _log.exception("clock: %s of %s cannot be told", deadline.name, stream.id)
        else:
            if answer.said and not answer.repeated:
                return
        # Nothing came of it: not again before the stream moves.
        self._in_vain[stream.id, deadline] = known.stream.number
