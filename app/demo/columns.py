"""Arrow columns from arrays of numbers; whatever is marked absent becomes null."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.demo.days import NO_DAY
from app.demo.dice import Flags, Ints

Glyphs: TypeAlias = NDArray[np.uint8]
"""ASCII texts of one width, a row of character codes each."""

MONEY = pa.decimal128(18, 2)


def digits(numbers: Ints, width: int) -> Glyphs:
    """Decimal digits with leading zeros.

    Raises:
        ValueError: if a number is negative or has more digits than the width.
    """
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= 10**width):
        raise ValueError(f"a number does not fit into {width} digits")
    scales = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // scales % 10 + ord("0")).astype(np.uint8)


def constant(letters: str, size: int) -> Glyphs:
    """The same ASCII letters, ``size`` times."""
    return np.tile(np.frombuffer(letters.encode("ascii"), dtype=np.uint8), (size, 1))


def one_of_texts(texts: Sequence[str], picked: Ints) -> Glyphs:
    """For each entry the picked one of some ASCII texts of equal length."""
    table = np.array([list(letters.encode("ascii")) for letters in texts], dtype=np.uint8)
    return np.asarray(table[picked], dtype=np.uint8)


def customer_ids(numbers: Ints) -> Glyphs:
    """Customer ids, as C00000042."""
    return numbered("C", numbers)


def numbered(prefix: str, customers: Ints, running: Ints | None = None, width: int = 2) -> Glyphs:
    """Record numbers made of a prefix, the customer's number and a running number within it."""
    parts = [constant(prefix, len(customers)), digits(customers, 8)]
    if running is not None:
        parts += [constant("-", len(customers)), digits(running, width)]
    return np.hstack(parts)


def ascii_texts(glyphs: Glyphs, present: Flags | None = None) -> pa.Array:
    """A text column; rows not present are null."""
    size, width = glyphs.shape
    offsets = np.arange(0, (size + 1) * width, max(width, 1), dtype=np.int32)[: size + 1]
    return pa.StringArray.from_buffers(
        size,
        pa.py_buffer(offsets.tobytes()),
        pa.py_buffer(np.ascontiguousarray(glyphs).tobytes()),
        _validity(present),
    )


def words(vocabulary: Sequence[str], picked: Ints, present: Flags | None = None) -> pa.Array:
    """For each row the picked word; rows not present are null."""
    absent = None if present is None else ~present
    return pa.array(vocabulary, pa.string()).take(pa.array(picked, mask=absent))


def dates(days: Ints) -> pa.Array:
    """A date column; NO_DAY is null."""
    return pa.array(days.astype(np.int32), mask=days == NO_DAY).cast(pa.date32())


def money(cents: Ints, present: Flags | None = None) -> pa.Array:
    """A column of amounts with two digits from whole cents; rows not present are null."""
    low_and_high = np.column_stack([cents, cents >> 63])
    return pa.Array.from_buffers(
        MONEY, len(cents), [_validity(present), pa.py_buffer(low_and_high.tobytes())]
    )


def whole(numbers: Ints, present: Flags | None = None) -> pa.Array:
    """A column of whole numbers; rows not present are null."""
    return pa.array(numbers, pa.int64(), mask=None if present is None else ~present)


def flags(claims: Flags, present: Flags | None = None) -> pa.Array:
    """A column of true and false; rows not present are null."""
    return pa.array(claims, pa.bool_(), mask=None if present is None else ~present)


def nothing(size: int, kind: pa.DataType) -> pa.Array:
    """A column of nulls."""
    return pa.nulls(size, kind)


def _validity(present: Flags | None) -> pa.Buffer | None:
    if present is None:
        return None
    return pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
