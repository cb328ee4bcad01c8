"""Rows on disk in parts: written in the order they come, read back one part at a time.

A part holds the rows of some customers. Rows arrive in any order, so each piece that arrives is
put in order of its parts, and the stretch of each part becomes one batch of an Arrow file; which
batches make up a part is remembered. Writing is sequential and reading a part touches nothing
else, so the time per row stays the same however many rows there are.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

PART = "part"
"""The column that says which part a row belongs to; it is not stored."""


class PartitionWriter:
    """Takes rows until it is closed; what it wrote is read by `Partitions`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema.remove(schema.get_field_index(PART))
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, self._schema)
        self._batches: dict[int, list[int]] = defaultdict(list)
        self._written = 0

    def write(self, piece: pa.RecordBatch) -> None:
        """Store a piece of rows in the parts they belong to."""
        ordered = piece.take(pc.sort_indices(piece.column(PART)))
        rows = ordered.drop_columns([PART])
        start = 0
        for stretch in pc.value_counts(ordered.column(PART)).to_pylist():
            self._writer.write_batch(rows.slice(start, stretch["counts"]))
            self._batches[stretch["values"]].append(self._written)
            self._written += 1
            start += stretch["counts"]

    def close(self) -> Partitions:
        """Finish the file and open it for reading."""
        self._writer.close()
        self._file.close()
        return Partitions(self._path, self._batches)


class Partitions:
    """The parts of one relation."""

    def __init__(self, path: Path, batches: dict[int, list[int]]) -> None:
        self._file = pa.OSFile(str(path), "rb")
        self._reader = pa.ipc.open_file(self._file)
        self._batches = batches

    def read(self, part: int) -> pa.Table:
        """The rows of one part; none for a part that nothing was written to."""
        found = [self._reader.get_batch(number) for number in self._batches.get(part, ())]
        return pa.Table.from_batches(found, self._reader.schema)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
