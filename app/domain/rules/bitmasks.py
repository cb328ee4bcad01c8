"""Sets as integers: bit ``n`` says whether ``n`` is in the set."""

from collections.abc import Iterator, Sequence

_PART_BITS = 64
_PART = (1 << _PART_BITS) - 1


def members(mask: int) -> Iterator[int]:
    """Yield the members of a set, the smallest first.

    >>> list(members(0b1011))
    [0, 1, 3]
    >>> list(members(1 << 200 | 1 << 64 | 1))
    [0, 64, 200]
    """
    at = 0
    while mask:
        gap = (mask & -mask).bit_length() - 1
        mask >>= gap
        at += gap
        # Every step on a set of thousands would copy all of it, so it is taken apart first.
        part = mask & _PART
        while part:
            lowest = part & -part
            yield at + lowest.bit_length() - 1
            part ^= lowest
        mask >>= _PART_BITS
        at += _PART_BITS


def transposed(masks: Sequence[int], size: int) -> list[int]:
    """Turn for each row the set of its columns into for each of ``size`` columns its rows.

    >>> transposed([0b01, 0b11, 0b11], 2)
    [7, 6]
    """
    full = (1 << size) - 1
    everywhere = 0
    columns = [0] * size
    for row, mask in enumerate(masks):
        # A row that is in every column is by far the most frequent one, and needs no loop.
        if mask == full:
            everywhere |= 1 << row
        else:
            for column in members(mask):
                columns[column] |= 1 << row
    return [column | everywhere for column in columns]
