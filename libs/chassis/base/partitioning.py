"""The partition of an engagement's events, computed as Kafka's producers compute it."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

from contracts.channels import PARTITIONS


@lru_cache(maxsize=20_000)  # the hash costs a good part of the time that decoding a record does
def partition_of(key: str) -> int:
    """Return the partition of a key: murmur2 of its bytes, without the sign, modulo PARTITIONS."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % PARTITIONS
