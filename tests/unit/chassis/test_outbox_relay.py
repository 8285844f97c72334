"""Outbox relay: a skipped stream neither delays other streams nor fills the memory."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis.eventstore.journal import Commit
from chassis.eventstore.mongo import Store
from chassis.eventstore.skipped import SkippedStream
from chassis.eventstore.unreadable import UnreadableStream
from chassis.kafka import outbox_relay as relay_module
from chassis.kafka.outbox_relay import Relay

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def commit(stream: str, number: int) -> Commit:
    return Commit(
        cause=f"{stream}/{number}", stream=stream, number=number, position={}, actor="ann", at=AT
    )


class Journal:
    """A journal with `length` commits a stream; `broken` ones cannot be read from a number on."""

    def __init__(self, length: int, **broken: int) -> None:
        self.length = length
        self.broken = broken
        self.read_of: list[str] = []

    async def read(self, stream: str, *, after: int) -> AsyncIterator[Commit]:
        self.read_of.append(stream)
        for number in range(after + 1, self.length + 1):
            if number == self.broken.get(stream):
                raise UnreadableStream(stream, number, "it is damaged")
            yield commit(stream, number)


class Skipped:
    """The skipped streams, without a store."""

    def __init__(self, *streams: str) -> None:
        self.streams = {stream: SkippedStream(1, "it was damaged") for stream in streams}

    async def drop(self, stream: str) -> None:
        del self.streams[stream]

    async def move(self, stream: str, behind: SkippedStream) -> None:
        self.streams[stream] = behind


class Publishing(Relay):
    """A relay that records the portions that it would publish."""

    def __init__(self, journal: Journal, skipped: Skipped) -> None:
        super().__init__(
            Store("mongodb://127.0.0.1:9", "none"),
            cast("Any", journal),
            bootstrap="127.0.0.1:9",
            replayed_together=10,
        )
        self._skipped = cast("Any", skipped)
        self.published: list[list[tuple[str, int]]] = []

    async def _publish_in_order(self, commits: Sequence[Commit]) -> None:
        self.published.append([(each.stream, each.number) for each in commits])


async def test_a_long_skipped_stream_is_published_in_portions() -> None:
    skipped = Skipped("long")
    relay = Publishing(Journal(25), skipped)

    await relay._try_again(["long"])

    assert [len(each) for each in relay.published] == [10, 10, 5]
    assert list(chain(*relay.published)) == [("long", number) for number in range(1, 26)]
    assert skipped.streams == {}


async def test_a_skipped_stream_is_published_up_to_the_next_unreadable_commit() -> None:
    skipped = Skipped("broken")
    relay = Publishing(Journal(25, broken=15), skipped)

    await relay._try_again(["broken"])

    assert sum(map(len, relay.published)) == 14
    assert skipped.streams == {"broken": SkippedStream(15, "it is damaged")}


async def test_skipped_streams_are_tried_in_turn_while_others_are_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither commits of other streams nor many unreadable streams postpone it for ever."""
    rest = [f"rest-{number}" for number in range(12)]
    journal = Journal(1, **dict.fromkeys(("busy", *rest), 1))
    relay = Publishing(journal, Skipped("busy", *rest))
    # Each read takes a tenth of a second, and a batch arrives each second.
    batches = 0
    monkeypatch.setattr(
        relay_module,
        "time",
        SimpleNamespace(monotonic=lambda: batches + len(journal.read_of) / 10),
    )

    tried: list[int] = []
    for batches in range(60):
        before = len(journal.read_of)
        await relay._relay([commit("busy", batches + 2).document()])
        tried.append(len(journal.read_of) - before)

    assert set(rest) <= set(journal.read_of)
    assert max(tried) <= 1 + 6, "the batch's own stream, and half a second for the others"
