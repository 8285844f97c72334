"""Codes for records that could not be processed, and what a parked engagement waits for."""

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
"""Codes for records that are set aside: the record is no event of its key's engagement on its
channel, its number was passed over or used by another event, or handling it failed with an error
that concerns no engagement."""

ParkedCode = Literal["gap", "failed", "unreadable", "newer-version", "waiting"]
"""Codes for events that park their engagement. ``newer-version``: this version of the contracts
does not know the type. ``waiting``: an earlier event of the engagement is parked."""

TroubleCode = AsideCode | ParkedCode
"""Codes for records that were not processed."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The reason why a record was not processed: a stable code, and a sentence for operators."""

    code: TroubleCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Head:
    """The first parked event of an engagement: the part that the consumer needs for each record."""

    code: TroubleCode
    sentence: str
    channel: str
    sequence: int | None
    expected: int | None
    since: datetime
    partition: int

    @property
    def is_parked(self) -> bool:
        """False if the engagement only waits for a newer version of the contracts."""
        return self.code != "newer-version"
