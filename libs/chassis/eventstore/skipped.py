"""Streams left behind: those that a follower of the journal could not work on, and why.

They are kept in the store, so that the next process in the follower's name tries them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.eventstore.mongo import Document, Store, reaching


@dataclass(frozen=True, slots=True)
class SkippedStream:
    """A stream was left behind at its commit of this number."""

    number: int
    why: str


class SkippedStreams:
    """The streams that one follower has left behind; everything raises StoreAway."""

    def __init__(self, store: Store, follower: str) -> None:
        self._collection = store.left
        self._follower = follower
        self._streams: dict[str, SkippedStream] = {}

    @property
    def streams(self) -> Mapping[str, SkippedStream]:
        """The streams, as this process last read or wrote them."""
        return self._streams

    async def load(self) -> None:
        """Read them again: another process may have worked in this name."""
        with reaching():
            found = await self._collection.find({"follower": self._follower}).to_list(None)
        self._streams = {
            each["stream"]: SkippedStream(each["number"], each["why"]) for each in found
        }

    async def put(self, stream: str, number: int, why: str) -> None:
        """Leave a stream behind; the first commit that it was left at stays."""
        before = self._streams.get(stream)
        behind = SkippedStream(number if before is None else min(before.number, number), why)
        if behind != before:
            await self.move(stream, behind)

    async def move(self, stream: str, behind: SkippedStream) -> None:
        """Leave a stream at another commit than before."""
        document: Document = {"follower": self._follower, "stream": stream}
        document |= {"number": behind.number, "why": behind.why}
        with reaching():
            await self._collection.replace_one({"_id": self._id(stream)}, document, upsert=True)
        self._streams[stream] = behind

    async def drop(self, stream: str) -> None:
        """Forget a stream: it was worked on after all."""
        if stream in self._streams:
            with reaching():
                await self._collection.delete_one({"_id": self._id(stream)})
            del self._streams[stream]

    async def clear(self) -> None:
        """Forget them all: every stream is worked on from its first commit."""
        with reaching():
            await self._collection.delete_many({"follower": self._follower})
        self._streams.clear()

    def _id(self, stream: str) -> str:
        return f"{self._follower}/{stream}"
