"""Which partition a key belongs to, as every other client of Kafka would say."""

from __future__ import annotations

from functools import lru_cache

from kafka.partitioner.default import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key: murmur2, the default of Kafka's own client."""
    return _hash(key) % partitions


@lru_cache(maxsize=65_536)
def _hash(key: bytes) -> int:
    # Hashing in Python costs as much as sending; streams come again and again.
    return int(murmur2(key)) & 0x7FFFFFFF
