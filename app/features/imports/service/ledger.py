"""Fingerprints of all rows of a file, set aside in buckets so that each is judged by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Final, Self

import pyarrow as pa

from app.domain.errors import Conflict
from app.domain.records.keys.frame import Frame, in_buckets, nothing_repeated, repeated
from app.features.imports.service.frame import fingerprints_from, joined

_ROWS_PER_BUCKET: Final = 250_000
#: Every bucket is an open file.
_MOST_BUCKETS: Final = 256
#: Below this the fingerprints stay in memory and never touch the disk.
_SPOOLED_BYTES: Final = 32 << 20


class KeyLedger:
    """Finds keys that occur more than once among any number of rows, in bounded memory."""

    def __init__(self, expected_rows: int) -> None:
        self._stack = ExitStack()
        self._buckets: list[IO[bytes]] = []
        self._writers: list[pa.RecordBatchStreamWriter | None] = []
        count = min(expected_rows // _ROWS_PER_BUCKET + 1, _MOST_BUCKETS)
        for _ in range(count):
            spool = SpooledTemporaryFile(_SPOOLED_BYTES // count)  # noqa: SIM115 - the stack closes it.
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
        # What a full disk did not take is thrown away with the file.
        with suppress(OSError):
            self._stack.close()

    def add(self, fingerprints: Frame) -> None:
        """Set fingerprints aside.

        Raises:
            Conflict: the disk for temporary files is full.
        """
        try:
            for number, part in in_buckets(fingerprints, len(self._buckets)).items():
                table = part.to_arrow()
                writer = self._writers[number]
                if writer is None:
                    writer = pa.ipc.new_stream(self._buckets[number], table.schema)
                    self._writers[number] = writer
                writer.write_table(table)
        except OSError:
            raise _full() from None

    def repeated(self) -> Frame:
        """The keys that occur more than once.

        Raises:
            Conflict: the disk for temporary files is full.
        """
        return joined([nothing_repeated(), *self._judged()])

    def _judged(self) -> Iterator[Frame]:
        for file, writer in zip(self._buckets, self._writers, strict=True):
            if writer is None:
                continue
            try:
                writer.close()
                file.seek(0)
                table = pa.ipc.open_stream(file).read_all()
            except OSError:
                raise _full() from None
            yield repeated(fingerprints_from(table))


def _full() -> Conflict:
    return Conflict(
        "disk-full",
        "the disk for temporary files is full: free space, or set TMPDIR to a larger one",
    )
