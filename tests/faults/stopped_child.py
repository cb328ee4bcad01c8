"""`tiering …` that says when its book is at work: `python -m tests.faults.stopped_child …`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from time import monotonic

from app.cli import main
from app.infra.book import Batch, Book

BUSY_SECONDS = 1.0
AT_WORK = "at work"

original = Book.batches


def busy(self: Book, as_of: date) -> Iterator[Batch]:
    """The batches, before which DuckDB works for a while, as it does on a large book."""
    sys.stdout.write(f"{AT_WORK}\n")
    sys.stdout.flush()
    end = monotonic() + BUSY_SECONDS
    while monotonic() < end:
        self._connection.execute("SELECT sum(range) FROM range(20_000_000)").fetchall()
    yield from original(self, as_of)


if __name__ == "__main__":
    Book.batches = busy  # type: ignore[method-assign]
    main()
