"""Back-off: growing pauses between attempts, and one log line for each outage.

Each loop logs in its own words, so this module logs nothing.
"""

import asyncio
import math
import random
import time
from contextlib import suppress

_JITTER = 0.2


class Backoff:
    """Pauses that double from `first` to `longest` seconds.

    Each differs at random by up to a fifth, so that processes that failed together do not all try
    again together.
    """

    def __init__(
        self, first: float = 0.1, longest: float = 2.0, *, within: float = math.inf
    ) -> None:
        """Set up the pauses of a loop that gives up `within` seconds from now."""
        self.pauses = 0
        """Number of pauses in this outage."""
        self._first = first
        self._longest = longest
        self._ends = time.monotonic() + within
        self._is_logged = False
        self._began = math.inf
        self.reset()

    def reset(self) -> bool:
        """End the outage; return whether its start was to be logged."""
        was_logged, self._is_logged = self._is_logged, False
        self.pauses = 0
        self._draw()
        return was_logged

    def begin(self) -> None:
        """Note that work begins that runs until a fault.

        If it runs for longer than the longest pause, the fault is the start of a new outage.
        """
        self._began = time.monotonic()

    def must_log(self) -> bool:
        """Return True at the first call in an outage."""
        self._reset_if_it_ran()
        was_logged, self._is_logged = self._is_logged, True
        return not was_logged

    @property
    def left(self) -> float:
        """The seconds until the loop's deadline; negative after it."""
        return self._ends - time.monotonic()

    @property
    def is_over(self) -> bool:
        """True if the next pause would end after the loop's deadline."""
        return self.next_pause > self.left

    async def pause(self, until: asyncio.Event | None = None) -> None:
        """Wait before the next attempt, at most until the event is set."""
        self._reset_if_it_ran()
        self._began = math.inf
        seconds = self.next_pause
        self.pauses += 1
        self._draw()
        if until is None:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await until.wait()

    def _draw(self) -> None:
        # The exponent is limited, since an outage may last for days.
        pause = min(math.ldexp(self._first, min(self.pauses, 30)), self._longest)
        self.next_pause = pause * random.uniform(1 - _JITTER, 1 + _JITTER)
        """Seconds of the next pause."""

    def _reset_if_it_ran(self) -> None:
        if time.monotonic() - self._began > self._longest:
            self.reset()
            self._began = math.inf
