"""Background work: publish disconnects as events, and evaluate rules on a new day.

It also makes checkpoints of what a new day changes: the consumer makes them only after events.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex

from chassis.application.command_handler import CommandHandler
from chassis.application.ports import CannotBeKept
from chassis.eventstore.mongo import StoreAway
from gateway.decider import PublishDisconnects, detected
from gateway.projection.projector import Projector

_log = logging.getLogger(__name__)
_INTERVAL = 0.5
"""Seconds between two rounds."""
_QUIET_FOR = 1.0
"""Seconds without a change after which disconnects of an engagement are published."""
_PUBLISHED_TOGETHER = 20
_JUDGED_TOGETHER = 200
_RETRY_AFTER = 10.0
"""Seconds after which an engagement is tried again whose disconnects could not be published."""
_PAUSE_PER_DURATION, _MAX_PAUSE = 9, 10.0
"""Pause after a read of other workers' rows: in durations of that read, and in seconds at most."""


class DisconnectPublisher:
    """Publishes what the rules find, once no events of an engagement arrive any more.

    Nothing is published while the projector is `behind`, nor of an engagement that changed within
    the last second: a later event often resolves a disconnect at once.
    """

    def __init__(
        self,
        projector: Projector,
        commands: CommandHandler,
        behind: Callable[[], bool],
        before_each_round: Callable[[], Awaitable[None]],
    ) -> None:
        self._before_each_round = before_each_round
        self._projector = projector
        self._commands = commands
        self._behind = behind
        self._next_read = 0.0

    async def run(self) -> None:
        """Publish until cancelled; while the store is away, wait."""
        while True:
            try:
                await asyncio.sleep(_INTERVAL)
                await self._before_each_round()
                await self._judge_again()
                with suppress(CannotBeKept):  # the consumer gets the same error and handles it
                    await self._projector.flush(now=False)
                await self.refresh_other_rows()
                await self.publish()
            except StoreAway as away:
                _log.info("publishing of disconnects waits: %s", away)
            except Exception:  # noqa: BLE001 - it must not end silently
                _log.exception("publishing of disconnects failed, and is tried again")

    async def refresh_other_rows(self) -> None:
        """Read other workers' rows if it is due; raises StoreAway.

        The longer it takes, the less often it is done.
        """
        started = time.monotonic()
        if started >= self._next_read:
            await self._projector.refresh_other_rows()
            ended = time.monotonic()
            pause = min(_PAUSE_PER_DURATION * (ended - started), _MAX_PAUSE)
            self._next_read = ended + pause

    async def publish(self) -> None:
        """Publish the disconnects of engagements that changed a while ago; raises StoreAway.

        An engagement whose disconnects cannot be published is tried again later and delays no
        other.
        """
        while not self._behind():
            engagements = self._projector.to_publish(_QUIET_FOR, _PUBLISHED_TOGETHER)
            if not engagements:
                return
            try:
                await asyncio.gather(*(self._try_to_publish(each) for each in engagements))
            except BaseException:
                self._projector.publish_later(engagements)
                raise

    async def _try_to_publish(self, engagement: str) -> None:
        try:
            await self._publish_one(engagement)
        except StoreAway:
            raise
        except Exception:  # noqa: BLE001 - a bug concerns this engagement alone
            _log.exception("disconnects of %s cannot be published, and are retried", engagement)
            self._projector.publish_later([engagement], _RETRY_AFTER)

    async def _publish_one(self, engagement: str) -> None:
        cached = await self._projector.look(engagement)
        if cached is None or not cached.open_part_complete:
            return
        disconnects = tuple(detected(each) for each in cached.disconnects.values())
        command = PublishDisconnects(disconnects=disconnects)
        # Random: the key becomes the cause of open events, and a key that followed from the view
        # would tell how many confidential events it has. A repeated command changes nothing.
        key = token_hex(12)
        # Not of all channels: an open event would tell when a confidential one occurred.
        latest = max(fresh.occurred_at for fresh in cached.view.open_freshness())
        await self._commands.command(
            "engagement", engagement, command, actor="gateway", key=key, occurred_at=latest
        )

    async def _judge_again(self) -> None:
        engagements = self._projector.to_judge()
        try:
            for start in range(0, len(engagements), _JUDGED_TOGETHER):
                await self._projector.judge_again(engagements[start : start + _JUDGED_TOGETHER])
                await asyncio.sleep(0)
        except BaseException:
            self._projector.judge_later()
            raise
