"""Fingerprints of all rows of a file, set aside in buckets so that each is judged by itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Final, Self

import pyarrow as pa

from app.domain.errors import Conflict
from app.domain.records.keys.frame import Frame, bucket, nothing_repeated, repeated
from app.features.imports.service.frame import fingerprints_from, joined

_ROWS_PER_BUCKET: Final = 1_000_000
_BYTES_PER_ROW: Final = 40
#: Below this a bucket stays in memory and never touches the disk.
_SPOOLED_BYTES: Final = 16 << 20


class KeyLedger:
    """Finds keys that occur more than once among any number of rows, in bounded memory."""

    def __init__(self, expected_rows: int) -> None:
        self._stack = ExitStack()
        self._buckets: list[IO[bytes]] = []
        self._writers: list[pa.RecordBatchStreamWriter | None] = []
        for _ in range(expected_rows // _ROWS_PER_BUCKET + 1):
            spool = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 - the stack closes it.
            self._buckets.append(self._stack.enter_context(spool))
            self._writers.append(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, fingerprints: Frame) -> None:
        """Set fingerprints aside.

        Raises:
            Conflict: the disk for temporary files is full.
        """
        try:
            for number, file in enumerate(self._buckets):
                table = bucket(fingerprints, number, len(self._buckets)).to_arrow()
                writer = self._writers[number]
                if writer is None:
                    writer = pa.ipc.new_stream(file, table.schema)
                    self._writers[number] = writer
                writer.write_table(table)
        except OSError:
            raise _full() from None

    def repeated(self) -> Frame:
        """The keys that occur more than once."""
        return joined([nothing_repeated(), *self._judged()])

    def _judged(self) -> Iterator[Frame]:
        for file, writer in zip(self._buckets, self._writers, strict=True):
            if writer is None:
                continue
            writer.close()
            file.seek(0)
            yield repeated(fingerprints_from(pa.ipc.open_stream(file).read_all()))


def _full() -> Conflict:
    return Conflict(
        "disk-full",
        "the disk for temporary files is full: free space, or set TMPDIR to a larger one",
    )
