"""Trouble: why a record could not be processed, and what its engagement waits for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

AsideCode = Literal[
    "no-event",
    "wrong-channel",
    "wrong-key",
    "wrong-partition",
    "no-key",
    "passed-over",
    "other-event",
    "not-handled",
]
"""Why a record was set aside: it is no event of its key's engagement on its channel, its number had
been passed over or was taken by another event, or handling it failed outside of any engagement."""

ParkedCode = Literal["gap", "failed", "unreadable", "newer-version", "waiting"]
"""Why an event parks its engagement. ``newer-version``: its type is unknown here. ``waiting``: it
is behind another."""

TroubleCode = AsideCode | ParkedCode
"""Why a record was not taken in."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a record: a stable code, and a sentence for whoever looks at it."""

    code: TroubleCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Head:
    """What an engagement waits for, as far as a reader must know it for every record."""

    code: TroubleCode
    sentence: str
    channel: str
    sequence: int | None
    expected: int | None
    since: datetime
    partition: int

    @property
    def is_parked(self) -> bool:
        """Return whether something is wrong; otherwise it waits for a newer version."""
        return self.code != "newer-version"
