"""Work beside the folding: findings are announced as events, and engagements judged on new days.

What a new day changes is written here: the listener writes only after events.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chassis.application.command_handler import CommandHandler
from chassis.application.ports import CannotBeKept
from chassis.domain.ids import derived
from chassis.eventstore.mongo import StoreAway
from gateway.findings import AnnounceFindings, found_now
from gateway.folding import Folding

_log = logging.getLogger(__name__)
_PAUSE = 0.5
_QUIET_FOR = 1.0
_TOGETHER = 20
_JUDGED_TOGETHER = 200
_AGAIN_AFTER = 10.0
_REST, _LONGEST_REST = 9, 10.0
"""How many times as long as it took to read all rows of others they are not read again, and seconds
after which they are."""


class Announcing:
    """Says what the rules find, once an engagement's events have come to rest.

    Nothing is announced while the folding is `behind`, and of no engagement that moved within the
    last second: findings that a later event ends at once would only be noise.
    """

    def __init__(
        self,
        folding: Folding,
        engine: CommandHandler,
        behind: Callable[[], bool],
        look_after: Callable[[], Awaitable[None]],
    ) -> None:
        self._look_after = look_after
        self._folding = folding
        self._engine = engine
        self._behind = behind
        self._look_at = 0.0

    async def run(self) -> None:
        """Announce until cancelled; while the store is away, wait."""
        while True:
            try:
                await asyncio.sleep(_PAUSE)
                await self._look_after()
                await self._judge_on_a_new_day()
                with suppress(CannotBeKept):  # the listener is told the same, and acts on it
                    await self._folding.settle(now=False)
                await self.look_at_others()
                await self.announce()
            except StoreAway as away:
                _log.info("announcing waits: %s", away)
            except Exception:  # noqa: BLE001 - it must not end silently
                _log.exception("announcing cannot go on, and tries again")

    async def look_at_others(self) -> None:
        """Read what other workers wrote, the less often the more it is; raises StoreAway."""
        began = time.monotonic()
        if began >= self._look_at:
            await self._folding.look_at_others()
            ended = time.monotonic()
            self._look_at = ended + min(_REST * (ended - began), _LONGEST_REST)

    async def announce(self) -> None:
        """Say what was found wherever the events have come to rest; raises StoreAway.

        An engagement that cannot be announced is tried again after a while, and holds up no other.
        """
        while not self._behind():
            engagements = self._folding.to_announce(_QUIET_FOR, _TOGETHER)
            if not engagements:
                return
            try:
                await asyncio.gather(*(self._try_to_announce(each) for each in engagements))
            except BaseException:
                self._folding.announce_later(engagements)
                raise

    async def _try_to_announce(self, engagement: str) -> None:
        try:
            await self._announce_one(engagement)
        except StoreAway:
            raise
        except Exception:  # noqa: BLE001 - a bug concerns this engagement alone
            _log.exception("%s cannot be announced now, and is tried again", engagement)
            self._folding.announce_later([engagement], _AGAIN_AFTER)

    async def _announce_one(self, engagement: str) -> None:
        held = await self._folding.look(engagement)
        if held is None or not held.complete:
            return
        findings = tuple(found_now(each) for each in held.findings.values())
        command = AnnounceFindings(findings=findings)
        key = derived(f"{engagement}/{held.revision}/{command.model_dump_json()}", 25)
        latest = max(fresh.occurred_at for fresh in held.view.freshness.values())
        await self._engine.command(
            "engagement", engagement, command, actor="gateway", key=key, occurred_at=latest
        )

    async def _judge_on_a_new_day(self) -> None:
        engagements = self._folding.to_judge()
        try:
            for start in range(0, len(engagements), _JUDGED_TOGETHER):
                await self._folding.judge_again(engagements[start : start + _JUDGED_TOGETHER])
                await asyncio.sleep(0)
        except BaseException:
            self._folding.judge_later()
            raise
