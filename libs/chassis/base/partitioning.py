"""Which partition an engagement's events are on, worked out as Kafka's producers do."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

from contracts.channels import PARTITIONS


@lru_cache(maxsize=20_000)  # hashing costs a good part of what decoding a record does
def partition_of(key: str) -> int:
    """The partition of a key: murmur2 of its bytes, without the sign, modulo PARTITIONS."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % PARTITIONS
