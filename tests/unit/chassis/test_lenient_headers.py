"""Lenient headers: a record with a header name that is not UTF-8 is read, and all around it."""

from struct import pack_into
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from chassis.kafka import consumer_settings
from chassis.kafka.lenient_headers import Records, read_odd_headers

ODD = b"\xff\xfe"
NONE, GZIP = 0, 1


def fetched(compression: int, *names: bytes, begins: int = 0) -> bytes:
    """Return a batch of records with one header of each name; `begins` is the first offset."""
    placeholder = {name: f"{place:02}" for place, name in enumerate(names)}
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=NONE,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    builder._compression_type = compression

    def put(data: bytearray) -> None:
        for name, text in placeholder.items():
            if at := data.find(b"<" + text.encode()) + 1:
                data[at : at + 2] = name

    for place, name in enumerate(names):
        header = [("<" + placeholder[name], b"x")]
        builder.append(place, 1, b"key", b"value %d" % place, headers=header)
    put(builder._buffer)
    batch = builder.build()
    pack_into(">q", batch, 0, begins)
    return bytes(batch)


def read(data: bytes) -> list[Any]:
    """Return the records that the client reads from fetched bytes."""
    return list(
        fetcher.PartitionRecords(
            TopicPartition("topic", 0), fetcher.MemoryRecords(data), [], 0, None, None, True, 0
        )
    )


@pytest.mark.parametrize("compression", [NONE, GZIP])
def test_the_records_around_an_odd_one_are_read_with_it(compression: int) -> None:
    consumer_settings.broker("127.0.0.1:9")
    first = fetched(compression, b"aa", b"bb", ODD, b"cc")
    assert DefaultRecordBatch(bytearray(first)).compression_type == compression

    records = read(first + fetched(compression, ODD, b"dd", begins=4))

    assert [each.value for each in records] == [b"value %d" % at for at in (0, 1, 2, 3, 0, 1)]
    assert [each.offset for each in records] == [*range(6)]
    assert {each.key for each in records} == {b"key"}
    assert records[2].headers == (("<��", b"x"),)


def test_the_client_itself_cannot_read_it() -> None:
    """If it can some day, `chassis.kafka.lenient_headers` is no longer needed."""
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(bytearray(fetched(NONE, ODD))))


def test_a_batch_without_such_headers_is_read_as_by_the_client() -> None:
    data = fetched(NONE, b"aa", b"bb")
    batch, own = Records(data).next_batch(), DefaultRecordBatch(bytearray(data))

    assert batch.next_offset == own.next_offset
    assert batch.validate_crc()
    assert [(each.offset, each.headers) for each in batch] == [
        (each.offset, each.headers) for each in own
    ]


def test_the_patch_can_be_applied_twice() -> None:
    read_odd_headers()
    read_odd_headers()
    assert fetcher.MemoryRecords is Records
