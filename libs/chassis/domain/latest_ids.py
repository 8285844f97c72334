"""The ids of the last events processed on each channel: they tell a repeat from another event.

See docs/adr/0029-set-aside-a-second-event-under-a-used-number.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from contracts.event import Event, Recorded

REMEMBERED = 4
"""The number of events per channel whose ids are kept; of older ones only the number is known."""

LatestIds: TypeAlias = Mapping[str, tuple[str, ...]]
"""The ids of the last events without a gap, by channel; the last id is that of the position."""


def with_latest(ids: Sequence[str], last: int, recorded: Recorded[Event]) -> tuple[str, ...]:
    """Return the ids of a channel's last events after the next one; `last` is the previous number.

    After numbers that were passed over, the ids begin with this event.
    """
    if recorded.sequence != last + 1:
        return (recorded.id,)
    return (*ids[1 - REMEMBERED :], recorded.id)


def id_taken_in(ids: Sequence[str], last: int, sequence: int) -> str | None:
    """Return the id of the event that was processed with this number; None if it is not kept."""
    behind = last - sequence
    return ids[-1 - behind] if behind < len(ids) else None


def write_latest_ids(ids: LatestIds) -> list[dict[str, Any]]:
    """Return the ids as documents for the store.

    Channels are values, not field names, since a channel's name may contain a dot.
    """
    return [{"channel": channel, "ids": list(each)} for channel, each in ids.items()]


def read_latest_ids(documents: Iterable[Mapping[str, Any]]) -> LatestIds:
    """Read the ids from documents of the store; raises KeyError, TypeError."""
    return {each["channel"]: tuple(each["ids"]) for each in documents}
