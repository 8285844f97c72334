"""Streams that a subscription to the journal skips because processing one of their commits failed.

They are stored, so that the next process that runs the subscription retries them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.eventstore.mongo import Document, Store, reaching


@dataclass(frozen=True, slots=True)
class SkippedStream:
    """The number of the commit at which a stream is skipped, and the reason."""

    number: int
    why: str


class SkippedStreams:
    """The streams that one subscription skips; all methods raise StoreAway."""

    def __init__(self, store: Store, subscription: str) -> None:
        self._collection = store.skipped
        self._subscription = subscription
        self._streams: dict[str, SkippedStream] = {}

    @property
    def streams(self) -> Mapping[str, SkippedStream]:
        """The skipped streams, as last read or written by this process."""
        return self._streams

    async def load(self) -> None:
        """Read them again: another process may have run the subscription in between."""
        with reaching():
            found = await self._collection.find({"follower": self._subscription}).to_list(None)
        self._streams = {
            each["stream"]: SkippedStream(each["number"], each["why"]) for each in found
        }

    async def put(self, stream: str, number: int, why: str) -> None:
        """Skip a stream from this commit on, or from the earlier one if it is skipped already."""
        before = self._streams.get(stream)
        skipped = SkippedStream(number if before is None else min(before.number, number), why)
        if skipped != before:
            await self.move(stream, skipped)

    async def move(self, stream: str, skipped: SkippedStream) -> None:
        """Skip a stream from the given commit on, also if it was skipped from an earlier one."""
        document: Document = {"follower": self._subscription, "stream": stream}
        document |= {"number": skipped.number, "why": skipped.why}
        with reaching():
            await self._collection.replace_one({"_id": self._id(stream)}, document, upsert=True)
        self._streams[stream] = skipped

    async def drop(self, stream: str) -> None:
        """Remove a stream whose commits are processed now."""
        if stream in self._streams:
            with reaching():
                await self._collection.delete_one({"_id": self._id(stream)})
            del self._streams[stream]

    async def clear(self) -> None:
        """Remove all, since every stream is processed again from its first commit."""
        with reaching():
            await self._collection.delete_many({"follower": self._subscription})
        self._streams.clear()

    def _id(self, stream: str) -> str:
        return f"{self._subscription}/{stream}"
