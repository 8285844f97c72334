"""Lenient record headers: read records with a header name that is not UTF-8, which Kafka accepts.

The Kafka client raises at such a record, at every attempt: it would read nothing more of the
partition, and drop the records that it had read before. Here the name is decoded with replacement
characters, and the record is checked like any other.
"""

from collections.abc import Iterator
from struct import unpack_from
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT, _OVERHEAD = 8, 12
"""The position of a batch's length field, and the bytes that the length does not include."""


def read_odd_headers() -> None:
    """Make every consumer of this process read such headers; repeating it changes nothing."""
    fetcher.MemoryRecords = Records


class Records:
    """The batches of one fetch, with the interface of the client's own class."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._batches = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        """Return the number of fetched bytes."""
        size: int = self._batches.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """Return whether there is another batch."""
        there: bool = self._batches.has_next()
        return there

    def next_batch(self) -> Any:
        """Return the next batch, or None."""
        batch = self._batches.next_batch()
        if batch is None:
            return None
        begin = self._at
        (length,) = unpack_from(">i", self._data, begin + _LENGTH_AT)
        self._at += _OVERHEAD + length
        if not isinstance(batch, DefaultRecordBatch):
            return batch  # an old format, without headers
        return _Batch(batch, memoryview(self._data)[begin : self._at])


class _Batch:
    """A batch that is read leniently from the first record that the client cannot read."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        last = -1
        try:
            for record in self._batch:
                last = record.offset
                yield record
        except (UnicodeDecodeError, CorruptRecordException):
            for record in _Lenient(self._data):
                if record.offset > last:
                    yield record


class _Lenient(_DefaultRecordBatchPy):  # type: ignore[misc]  # ships no types
    """A batch whose texts are decoded with replacement characters."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Text(self._buffer)


class _Text(bytearray):
    """Bytes of which every slice can be decoded."""

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return _Text(part) if isinstance(key, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return bytes(self).decode(encoding, errors)
