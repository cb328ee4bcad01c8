"""Internal ids: UUID version 7 (RFC 9562), made here so that PostgreSQL 15 will do."""

from __future__ import annotations

import os
from collections import deque
from uuid import UUID

from app.infra.clock import utc_now

_RANDOM_BYTES = 10
_AT_ONCE = 128
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_MASK_RAND_A = ((1 << 12) - 1) << 64
_MASK_RAND_B = (1 << 62) - 1


def new_id() -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    bits = int.from_bytes(_draw())
    return UUID(int=_prefix() | (bits & _MASK_RAND_A) | (bits & _MASK_RAND_B))


def new_ids(count: int) -> list[UUID]:
    """`count` new ids of one millisecond, in ascending order.

    A whole-book run needs tens of thousands at once; one call to the random source serves all.
    """
    prefix = _prefix()
    noise = os.urandom(_RANDOM_BYTES * count)
    made = []
    for start in range(0, len(noise), _RANDOM_BYTES):
        bits = int.from_bytes(noise[start : start + _RANDOM_BYTES])
        made.append(prefix | (bits & _MASK_RAND_A) | (bits & _MASK_RAND_B))
    # Numbers sort far faster than ids do, and in the same order.
    return [UUID(int=number) for number in sorted(made)]


def _draw() -> bytes:
    """Random bytes of one id; the system is asked for those of many at once."""
    try:
        return _drawn.pop()
    except IndexError:
        noise = os.urandom(_RANDOM_BYTES * _AT_ONCE)
        starts = range(0, len(noise), _RANDOM_BYTES)
        _drawn.extend(noise[start : start + _RANDOM_BYTES] for start in starts)
        return _drawn.pop()


_drawn: deque[bytes] = deque()
# A child process draws its own, or two would give the same ids.
os.register_at_fork(after_in_child=_drawn.clear)


def _prefix() -> int:
    """The bits that time and version give."""
    return (int(utc_now().timestamp() * 1000) << 80) | _VERSION_7 | _VARIANT
