"""The deadline scheduler: gives a stream the command `DeadlinePassed`, dated to the deadline.

An operator can hold it at a moment while history is imported: then deadlines after that moment do
not pass, even when they are in the past.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from chassis.application.command_handler import CommandHandler
from chassis.application.repository import Unknown
from chassis.base.backoff import Backoff
from chassis.domain.commands import Refused
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.eventstore.mongo import Store, StoreAway, reaching
from chassis.eventstore.snapshots import Known
from chassis.eventstore.unreadable import UnreadableStream, log_once

_log = logging.getLogger(__name__)
_HOLD = "hold"
"""The id of the document that says at which moment the scheduler is held."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH_SIZE = 50
_LONGEST_PAUSE = 5.0


class DeadlineScheduler:
    """The scheduler of deadlines: one command for each, however many processes run a scheduler."""

    def __init__(
        self,
        store: Store,
        command_handler: CommandHandler,
        *,
        now: Callable[[], datetime],
        every: float = 1.0,
    ) -> None:
        """Set up a scheduler that looks for due deadlines every `every` seconds.

        `now` returns UTC moments.
        """
        self._store = store
        self._command_handler = command_handler
        self._now = now
        self._every = every
        self.looked_at: datetime | None = None
        """The moment (UTC) at which `tick` last succeeded; None before the first time."""
        self._without_effect: dict[tuple[str, Deadline], int] = {}

    async def run(self) -> None:
        """Run until cancelled; retry after faults, and log each outage of the store once."""
        backoff = Backoff(2 * self._every, _LONGEST_PAUSE)
        while True:
            try:
                await self.tick()
            except StoreAway as away:
                if backoff.must_log():
                    _log.warning("deadlines: the store is not available: %s", away)
            except Exception:  # noqa: BLE001 - the scheduler must not end silently
                _log.exception("deadlines: a run failed and will be retried")
            else:
                self.looked_at = datetime.now(UTC)
                backoff.reset()
                await asyncio.sleep(self._every)
                continue
            await backoff.pause()

    async def hold(self, at: datetime, *, by: str) -> None:
        """Let no deadline after this moment pass until `release`; raises StoreAway."""
        with reaching():
            hold = {"at": at.astimezone(UTC), "by": by}
            await self._store.deadlines.replace_one({"_id": _HOLD}, hold, upsert=True)

    async def release(self) -> None:
        """Let deadlines pass by the present time again; raises StoreAway."""
        with reaching():
            await self._store.deadlines.delete_one({"_id": _HOLD})

    async def held_at(self) -> datetime | None:
        """Return the moment (UTC) at which the scheduler is held, or None; raises StoreAway."""
        with reaching():
            hold = await self._store.deadlines.find_one({"_id": _HOLD})
        return None if hold is None else hold["at"].astimezone(UTC)

    async def tick(self) -> None:
        """Give `DeadlinePassed` for all deadlines that are due; raises StoreAway."""
        held_at, now = await self.held_at(), self._now()
        until = now if held_at is None else min(now, held_at)
        with reaching():
            due = await self._store.views.find(
                {"due_at": {"$gt": _LONG_AGO, "$lte": until}}, {"_id": 1}
            ).to_list(None)
        for start in range(0, len(due), _BATCH_SIZE):
            group = due[start : start + _BATCH_SIZE]
            outcomes = await asyncio.gather(
                *(self._pass_due(each["_id"], until) for each in group), return_exceptions=True
            )
            for outcome in outcomes:
                if isinstance(outcome, StoreAway | asyncio.CancelledError):
                    raise outcome
                if isinstance(outcome, UnreadableStream):
                    log_once(outcome)
                elif outcome is not None:
                    _log.error("deadlines: the deadlines of a stream failed", exc_info=outcome)
        found = {each["_id"] for each in due}
        self._without_effect = {
            key: number for key, number in self._without_effect.items() if key[0] in found
        }

    async def _pass_due(self, stream: str, until: datetime) -> None:
        known = await self._command_handler.repository.current(stream)
        decider = self._command_handler.repository.decider(stream)
        if not known.open:
            return
        due = [each for each in decider.deadlines(known.stream.state) if each.at <= until]
        for deadline in sorted(due, key=lambda each: (each.at, each.name)):
            if self._without_effect.get((stream, deadline)) != known.stream.number:
                await self._pass(known, deadline)

    async def _pass(self, known: Known, deadline: Deadline) -> None:
        stream = known.stream
        kind = stream.id.partition(":")[0]
        decider = self._command_handler.repository.deciders[kind]
        at = deadline.at.astimezone(UTC)
        try:
            answer = await self._command_handler.command(
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
            _log.debug("deadlines: %s of %s: %s", deadline.name, stream.id, refused)
        except Exception:  # noqa: BLE001 - a bug in one stream must not affect the others
            _log.exception("deadlines: deciding %s of %s failed", deadline.name, stream.id)
        else:
            if answer.events and not answer.repeated:
                return
        # The command had no effect: give it again only after the stream's next commit.
        self._without_effect[stream.id, deadline] = known.stream.number
