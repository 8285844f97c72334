"""The ids of the last events that a reader took in: they tell a repeat from another event.

See docs/decisions/a-number-used-twice-is-noticed.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from contracts.event import Event, Recorded

REMEMBERED = 4
"""How many events of a channel are remembered by their id; older ones by their number alone."""

LatestIds: TypeAlias = Mapping[str, tuple[str, ...]]
"""By channel, the ids of its last events without a gap. They end with that of the position."""


def with_latest(ids: Sequence[str], last: int, recorded: Recorded[Event]) -> tuple[str, ...]:
    """Return the ids of a channel's last events when one more follows the event numbered `last`.

    They begin anew behind numbers that were passed over.
    """
    if recorded.sequence != last + 1:
        return (recorded.id,)
    return (*ids[1 - REMEMBERED :], recorded.id)


def id_taken_in(ids: Sequence[str], last: int, sequence: int) -> str | None:
    """Return the id of the event that was taken in under a number; None where it is forgotten."""
    behind = last - sequence
    return ids[-1 - behind] if behind < len(ids) else None


def write_latest_ids(ids: LatestIds) -> list[dict[str, Any]]:
    """Return them as a document of the store has them; a channel's name may hold a point."""
    return [{"channel": channel, "ids": list(each)} for channel, each in ids.items()]


def read_latest_ids(documents: Iterable[Mapping[str, Any]]) -> LatestIds:
    """Do the reverse of `write_latest_ids`; raises KeyError, TypeError."""
    return {each["channel"]: tuple(each["ids"]) for each in documents}
