"""Internal ids: UUID version 7 (RFC 9562), made here so that PostgreSQL 15 will do."""

from __future__ import annotations

import os
from uuid import UUID

from app.infra.clock import utc_now

_RANDOM_BYTES = 10
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_MASK_RAND_A = ((1 << 12) - 1) << 64
_MASK_RAND_B = (1 << 62) - 1


def new_id() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """`count` new ids of one millisecond, in ascending order.

    A whole-book run needs tens of thousands at once; one call to the random source serves all.
    """
    milliseconds = int(utc_now().timestamp() * 1000)
    prefix = (milliseconds << 80) | _VERSION_7 | _VARIANT
    noise = os.urandom(_RANDOM_BYTES * count)
    made = []
    for start in range(0, len(noise), _RANDOM_BYTES):
        bits = int.from_bytes(noise[start : start + _RANDOM_BYTES])
        made.append(prefix | (bits & _MASK_RAND_A) | (bits & _MASK_RAND_B))
    # Numbers sort far faster than ids do, and in the same order.
    return [UUID(int=number) for number in sorted(made)]
