"""Snapshots of streams, so that a stream is loaded without replaying its whole journal."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis.base.failures import described
from chassis.base.fingerprint import files_beside, fingerprint
from chassis.domain.decider import Decider, replay
from chassis.domain.internal import decode_internal, encode_internal
from chassis.domain.latest_ids import read_latest_ids, write_latest_ids
from chassis.domain.pending import Pending, pending_after
from chassis.domain.state import Part
from chassis.domain.stream import PassedOver, Stream
from chassis.eventstore.journal import Commit
from chassis.eventstore.mongo import Document, Store, reaching, replace_older, size_of
from chassis.eventstore.unreadable import UnreadableStream
from contracts.event import read_position, write_position
from contracts.vocabularies import HEARD

AnyDecider = Decider[Any]
_log = logging.getLogger(__name__)
_BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A stream as loaded.

    `open` is false before its first commit and after its erasure. A refused request is a commit
    that does not open the stream.
    """

    stream: Stream[Any]
    open: bool = False


def nothing_known(decider: AnyDecider, stream: str) -> Known:
    """Return the stream before its first commit."""
    return Known(Stream(stream, decider.initial(stream.partition(":")[2])))


def advanced(decider: AnyDecider, known: Known, commit: Commit) -> Known:
    """Return the stream after one more commit.

    Raises UnreadableStream if a commit is missing, cannot be read or cannot be replayed.
    """
    if commit.erases:
        empty = nothing_known(decider, commit.stream).stream
        erased = replace(empty, number=commit.number, open_number=commit.number)
        return Known(replace(erased, position=dict(commit.position)))
    missing = known.stream.number + 1
    if commit.number != missing:
        raise UnreadableStream(commit.stream, missing, "it is missing in the journal")
    recorded = list(commit.recorded())
    try:
        stream = replay(decider, known.stream, recorded, commit.position, commit.latest_ids)
    except Exception as error:
        why = f"its events cannot be replayed: {described(error)}"
        raise UnreadableStream(commit.stream, commit.number, why) from error
    if commit.passed_over is not None:
        stream = replace(stream, passed_over=(*stream.passed_over, commit.passed_over))
    return Known(grown(stream, commit.size), open=known.open or commit.refusal is None)


def grown(stream: Stream[Any], size: int) -> Stream[Any]:
    """Return the stream with `size` bytes of events added since its state was measured."""
    return replace(stream, since=stream.since + size)


def measured(stream: Stream[Any]) -> Stream[Any]:
    """Return the stream with its state measured now; the cost grows with the size of the state."""
    size = len(stream.state.model_dump_json().encode())
    return replace(stream, measured=size, since=0)


def fingerprint_of(decider: AnyDecider) -> str:
    """Return a fingerprint of the code that computes states.

    It covers the schema of the state, all modules in and below the folders of the state and its
    parts, the contracts, and how parts apply events. A snapshot with another fingerprint is not
    used; its stream is replayed.
    """
    state = decider.state_type
    modules = {each.__module__ for each in (*_parts_of(state), Part)}
    sources = [file for name in modules for file in files_beside(sys.modules[name])]
    return fingerprint(sources, f"{state.model_json_schema()} {sorted(Stream.__annotations__)}")


def _parts_of(state: type[Part]) -> Iterator[type[Part]]:
    yield state
    for field in state.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Part):
            yield from _parts_of(field.annotation)


class Snapshots:
    """The snapshots of streams, in the documents of the read models, which contain the state."""

    def __init__(self, store: Store, deciders: Mapping[str, AnyDecider]) -> None:
        self._store = store
        self._deciders = deciders
        self.fingerprints = {kind: fingerprint_of(decider) for kind, decider in deciders.items()}
        """The fingerprint of the code, by kind of stream."""

    async def load(self, stream: str) -> Known:
        """Return the snapshot if this code wrote it, otherwise the stream before its first commit.

        Raises StoreAway.
        """
        (known,) = await self.load_all([stream])
        return known

    async def load_all(self, streams: Sequence[str]) -> list[Known]:
        """Return the snapshots of many streams, in the order given; raises StoreAway."""
        found: dict[str, Document] = {}
        for start in range(0, len(streams), _BATCH_SIZE):
            asked = {"_id": {"$in": list(streams[start : start + _BATCH_SIZE])}}
            with reaching():
                page = await self._store.views.find(asked).to_list(None)
            found.update((document["_id"], document) for document in page)
        return [self._known(stream, found.get(stream)) for stream in streams]

    def _known(self, stream: str, document: Document | None) -> Known:
        kind = stream.partition(":")[0]
        if document is not None and document.get("fold") == self.fingerprints[kind]:
            try:
                return self.read(document)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                _log.error("the snapshot of %s is ignored: %s", stream, described(error))
        return nothing_known(self._deciders[kind], stream)

    async def erase(self, stream: str, tombstone: Commit) -> None:
        """Replace the snapshot by one of an erased stream; raises StoreAway."""
        decider = self._deciders[stream.partition(":")[0]]
        known = advanced(decider, nothing_known(decider, stream), tombstone)
        await replace_older(self._store.views, [self.document(known)])

    def read(self, document: Document) -> Known:
        """Read a snapshot from its document.

        Raises KeyError, TypeError, ValueError, AttributeError.
        """
        stream = str(document["_id"])
        empty = self._deciders[document["kind"]].initial(stream.partition(":")[2])
        requests: Pending = {}
        for each in document["requests"]:
            requests = pending_after(requests, decode_internal(each))
        return Known(
            Stream(
                id=stream,
                state=type(empty).model_validate_json(document["state"], context=HEARD),
                measured=size_of(document["state"]),
                number=document["number"],
                open_number=document["open_number"],
                position=read_position(document["position"]),
                latest_ids=read_latest_ids(document["latest_ids"]),
                passed_over=tuple(map(PassedOver.read, document["passed_over"])),
                requests=requests,
            ),
            open=document["open"],
        )

    def document(self, known: Known) -> Document:
        """Return the fields of a read model's document that are the snapshot."""
        kind = known.stream.id.partition(":")[0]
        return {
            "_id": known.stream.id,
            "kind": kind,
            "number": known.stream.number,
            "open_number": known.stream.open_number,
            "position": write_position(known.stream.position),
            "latest_ids": write_latest_ids(known.stream.latest_ids),
            "passed_over": [each.document() for each in known.stream.passed_over],
            "requests": [encode_internal(each) for each in known.stream.requests.values()],
            "open": known.open,
            "fold": self.fingerprints[kind],
            "state": known.stream.state.model_dump_json(),
        }
