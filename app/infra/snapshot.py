"""What several queries give in one snapshot of PostgreSQL, copied to disk in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_postgresql import dbapi

from app.infra.partitions import PART, Partitions, PartitionWriter


@dataclass(frozen=True, slots=True)
class Wanted:
    """One query to copy.

    Args:
        name: what the copy is called, unique among all.
        query: SQL that gives `customer_id`, unless `is_shared`.
        is_shared: the rows belong to no customer; all of them are part 0.
        unsent: a column that says the part of a row and is of no further use.
        earliest: names of days, each with the columns whose latest is that day; the earliest such
            day over all rows is found on the way.
    """

    name: str
    query: str
    is_shared: bool = False
    unsent: str | None = None
    earliest: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was copied, when, and in how many parts."""

    taken_at: datetime
    customers: int
    parts: int
    copies: Mapping[str, Partitions]
    earliest: Mapping[str, date]


@contextmanager
def take_snapshot(
    url: str, folder: Path, wanted: Sequence[Wanted], *, part_size: int
) -> Iterator[Snapshot]:
    """Copy all queries in one REPEATABLE READ snapshot.

    Two connections share it, since reading, sending and storing rows keep more than one core
    busy. The part of a row follows from its customer id alone, so a part has all rows of its
    customers.

    Args:
        url: the database, as libpq wants it.
        folder: where the copies go, one file each.
        wanted: the queries, long ones first.
        part_size: customers in a part, about.
    """
    waiting = SimpleQueue[Wanted]()
    for one in wanted:
        waiting.put(one)
    with ExitStack() as stack:
        first = stack.enter_context(_transaction(url, _FIRST))
        taken_at, name, customers = cast("tuple[datetime, str, int]", first.fetchone())
        second = stack.enter_context(_transaction(url, f"SET TRANSACTION SNAPSHOT '{name}'"))
        copier = _Copier(folder, max(1, -(-customers // part_size)), waiting)
        threads = stack.enter_context(ThreadPoolExecutor(2))
        try:
            for copied in [threads.submit(copier.copy, source) for source in (first, second)]:
                copied.result()
        except BaseException:
            # The block is left only when both threads have ended, so they are told to.
            copier.stopped.set()
            raise
    # What reading took from the system is not needed again, and would be missing elsewhere.
    pa.default_memory_pool().release_unused()
    try:
        yield Snapshot(taken_at, customers, copier.parts, copier.copies, copier.earliest)
    finally:
        for copy in copier.copies.values():
            copy.close()


_FIRST = "SELECT now(), pg_export_snapshot(), (SELECT count(*) FROM book.customers)"


@contextmanager
def _transaction(url: str, first_statement: str) -> Iterator[dbapi.Cursor]:
    """A cursor in a read-only REPEATABLE READ transaction whose first statement was executed."""
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(first_statement)
        yield cursor


class _Copier:
    """Copies what waits, in as many threads as call it."""

    def __init__(self, folder: Path, parts: int, waiting: SimpleQueue[Wanted]) -> None:
        self.parts = parts
        self.copies: dict[str, Partitions] = {}
        self.earliest: dict[str, date] = {}
        self.stopped = Event()
        self._folder = folder
        self._waiting = waiting

    def copy(self, source: dbapi.Cursor) -> None:
        """Copy one query after the other until none waits."""
        source.execute("SET LOCAL statement_timeout = 0")
        with suppress(Empty):
            while True:
                self._copy_one(source, self._waiting.get_nowait())

    def _copy_one(self, source: dbapi.Cursor, wanted: Wanted) -> None:
        part = "0" if wanted.is_shared else _PART_OF_CUSTOMER.format(parts=self.parts)
        sent = "*" if wanted.unsent is None else _sent(source, wanted)
        source.execute(f"SELECT {sent}, {part} AS {PART} FROM ({wanted.query}) AS wanted")  # noqa: S608 - the callers' own SQL.
        with source.fetch_record_batch() as pieces:
            writer = PartitionWriter(self._folder / f"{wanted.name}.arrow", pieces.schema)
            for piece in pieces:
                if self.stopped.is_set():
                    return
                writer.write(piece)
                self._note_earliest(piece, wanted.earliest or {})
            self.copies[wanted.name] = writer.close()

    def _note_earliest(self, piece: pa.RecordBatch, days: Mapping[str, Sequence[str]]) -> None:
        for name, columns in days.items():
            latest = pc.max_element_wise(*map(piece.column, columns), skip_nulls=False)
            found: date | None = pc.min(latest).as_py()
            if found is not None:
                self.earliest[name] = min(found, self.earliest.get(name, found))


def _sent(source: dbapi.Cursor, wanted: Wanted) -> str:
    """The columns of a query that are sent."""
    source.execute(f"SELECT * FROM ({wanted.query}) AS wanted LIMIT 0")  # noqa: S608 - the callers' own SQL.
    names = source.fetch_arrow_table().column_names
    return ", ".join(f'"{name}"' for name in names if name != wanted.unsent)


#: PostgreSQL's hash of a text is the same in every session, and spreads ids evenly.
_PART_OF_CUSTOMER = '((hashtext(customer_id COLLATE "C")::bigint + 2147483648) % {parts})::integer'
