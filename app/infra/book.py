"""The whole book in DuckDB: one snapshot streamed out of PostgreSQL, facts computed batch by batch.

A run over the book opens one, walks through its batches and leaves:

    queries = {"states": "SELECT customer_id, tier, since FROM scoring_states"}
    with open_book(url, data_dir, extra=queries) as book:
        benchmarks = book.relation("market_benchmarks")
        for batch in book.batches(as_of, size=50_000):
            batch.facts             # pyarrow.Table: customer_id and every fact of the catalogue
            batch.rows["states"]    # pyarrow.Table: what the query gave for these customers

* Everything in it is one REPEATABLE READ snapshot, taken at `book.snapshot_at`; `extra` too.
* Batches follow each other by customer id in byte order, and each holds all customers with
  `batch.first <= customer_id <= batch.last`, so every customer is in exactly one. A run that was
  interrupted goes on with `book.batches(as_of, after=last_id_done)`.
* A facts row has the columns of `app.domain.facts.catalogue.CATALOGUE`, typed as
  `app.domain.facts.frame.facts_frame` makes a Polars frame of them.
* An extra query must give `customer_id` (text); its other columns may be of type text, boolean,
  date, smallint, integer, bigint, bytea or timestamptz. Cast a uuid or numeric to one of these.
* The database file lives in a folder of its own below `folder`; it goes when the block is left,
  however it is left. What a killed run leaves there, the next one removes.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import cast

import duckdb
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from app.db.facts_query import Scope, facts_query
from app.domain.errors import Invalid
from app.infra.database import libpq_url

#: The relations that facts.sql reads, as PostgreSQL's schema `book` offers them; long ones first.
RELATIONS = (
    "policy_terms",
    "interactions",
    "policies",
    "scoring_inputs",
    "consents",
    "customers",
    "claims",
    "service_uses",
    "surveys",
    "external_checks",
    "referrals",
    "model_scores",
    "product_services",
    "market_benchmarks",
)

#: Those that belong to no customer.
_SHARED = {"book.product_services", "book.market_benchmarks"}

_PREFIX = "book-"
#: Rows wait in memory in pieces of this size on their way from one database to the other.
_SMALL_BATCHES = {"adbc.postgresql.batch_size_hint_bytes": str(4 << 20)}
#: Together with the interpreter, Arrow and Polars the process stays below 600 MB.
_MEMORY_LIMIT = "256MB"
#: Packing texts costs more time than it saves in a file that lives for minutes.
_NO_PACKING = "fsst,dict_fsst,zstd"


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of some customers, and what the extra queries gave for the same ones."""

    first: str
    last: str
    facts: pa.Table
    rows: Mapping[str, pa.Table]


class Book:
    """One snapshot of the raw records; made by `open_book` only."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        snapshot_at: datetime,
        extra: tuple[str, ...],
    ) -> None:
        self._connection = connection
        self._extra = extra
        self.snapshot_at = snapshot_at
        self.customers: int = connection.execute("SELECT count(*) FROM book.customers").fetchall()[
            0
        ][0]

    def relation(self, name: str) -> pa.Table:
        """A whole relation of schema `book`; meant for small ones, as `market_benchmarks`.

        Raises:
            KeyError: no such relation.
        """
        if name not in RELATIONS:
            raise KeyError(name)
        return self._table(f"SELECT * FROM book.{name}")  # noqa: S608 - one of RELATIONS.

    def batches(
        self, as_of: date, size: int = 50_000, *, after: str | None = None
    ) -> Iterator[Batch]:
        """The facts of every customer as of the end of a day, in order of customer id.

        Args:
            as_of: the business day.
            size: the most customers in a batch; where their records do not fit into the memory,
                batches are smaller.
            after: leave out the customers up to and including this id.
        """
        first, last = self._bounds(after or "")
        if first is not None and last is not None:
            for bounds in self._ranges(first, last, size):
                yield from self._batch(as_of, *bounds)

    def _batch(self, as_of: date, first: str, last: str) -> Iterator[Batch]:
        """One batch, or several smaller ones where memory does not suffice for one."""
        try:
            facts = self._table(facts_query(Scope.BETWEEN), as_of, first, last)
        except duckdb.OutOfMemoryException:
            if first == last:
                raise
            count = "SELECT count(*) FROM book.customers WHERE customer_id BETWEEN $1 AND $2"
            ((customers,),) = self._connection.execute(count, [first, last]).fetchall()
            for bounds in self._ranges(first, last, -(-customers // 2)):
                yield from self._batch(as_of, *bounds)
            return
        rows = {
            name: self._table(
                f"SELECT * FROM extra.{name} WHERE customer_id BETWEEN $1 AND $2",  # noqa: S608 - checked by open_book.
                first,
                last,
            )
            for name in self._extra
        }
        yield Batch(first, last, facts, MappingProxyType(rows))

    def _bounds(self, after: str) -> tuple[str | None, str | None]:
        """The first and last customer id after one."""
        query = (
            "SELECT min(customer_id), max(customer_id) FROM book.customers WHERE customer_id > $1"
        )
        ((first, last),) = self._connection.execute(query, [after]).fetchall()
        return first, last

    def _ranges(self, first: str, last: str, size: int) -> list[tuple[str, str]]:
        """First and last customer id of each batch between two ids."""
        found = self._connection.execute(
            "SELECT min(customer_id), max(customer_id) FROM ("
            " SELECT customer_id, (row_number() OVER (ORDER BY customer_id) - 1) // $1 AS batch"
            " FROM book.customers WHERE customer_id BETWEEN $2 AND $3"
            ") GROUP BY batch ORDER BY 1",
            [size, first, last],
        ).fetchall()
        return [(low, high) for low, high in found]

    def _table(self, query: str, *parameters: object) -> pa.Table:
        return self._connection.sql(query, params=list(parameters)).to_arrow_table()


@contextmanager
def open_book(
    url: str, folder: Path, *, extra: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Book]:
    """Copy the book out of PostgreSQL and hold it open for a run.

    Args:
        url: the database, in any spelling that `app.infra.database` takes.
        folder: where the temporary database file may live.
        extra: further queries by name, copied in the same snapshot; each gives `customer_id`.

    Raises:
        Invalid: an extra query's name is no identifier.
    """
    for name in extra:
        if not name.isidentifier():
            raise Invalid("book-query", f"{name!r} cannot name a query")
    queries = {f"book.{name}": f"SELECT * FROM book.{name}" for name in RELATIONS}  # noqa: S608 - constants.
    queries |= {f"extra.{name}": query for name, query in extra.items()}
    with ExitStack() as stack:
        home = stack.enter_context(_temporary_folder(folder))
        connection = stack.enter_context(_database(home))
        yield Book(connection, _copy(libpq_url(url), connection, queries), tuple(extra))


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """A folder that goes with the block; one that a killed run left behind goes now.

    Its user holds a lock on it, which dies with the process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError), (left / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _database(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database on disk that takes a bounded part of the memory."""
    connection = duckdb.connect(
        home / "snapshot.duckdb",
        config={
            "memory_limit": _MEMORY_LIMIT,
            "preserve_insertion_order": False,
            "temp_directory": str(home / "spill"),
            "disabled_compression_methods": _NO_PACKING,
        },
    )
    try:
        for schema in ("book", "extra"):
            connection.execute(f"CREATE SCHEMA {schema}").fetchall()
        yield connection
    finally:
        connection.close()


def _copy(url: str, database: duckdb.DuckDBPyConnection, queries: Mapping[str, str]) -> datetime:
    """Copy what each query gives into the table it is named by, all in one snapshot.

    Two connections share the snapshot, since reading, sending and storing rows keep more than one
    core busy. Rows are stored in order of customer id: then a batch reads its own rows only.
    """
    waiting = SimpleQueue[tuple[str, str]]()
    for job in queries.items():
        waiting.put(job)
    with ExitStack() as stack:
        first = stack.enter_context(_transaction(url, "SELECT now(), pg_export_snapshot()"))
        snapshot_at, snapshot = cast("tuple[datetime, str]", first.fetchone())
        second = stack.enter_context(_transaction(url, f"SET TRANSACTION SNAPSHOT '{snapshot}'"))
        targets = [stack.enter_context(closing(database.cursor())) for _ in range(2)]
        threads = stack.enter_context(ThreadPoolExecutor(2))
        try:
            for copied in [
                threads.submit(_copy_waiting, waiting, source, target)
                for source, target in zip((first, second), targets, strict=True)
            ]:
                copied.result()
        except BaseException:
            _stop(waiting, targets)
            raise
    return snapshot_at


def _stop(
    waiting: SimpleQueue[tuple[str, str]], targets: Sequence[duckdb.DuckDBPyConnection]
) -> None:
    """Let the threads end soon, since the block is left only when they have."""
    with suppress(Empty):
        while True:
            waiting.get_nowait()
    for target in targets:
        target.interrupt()


def _copy_waiting(
    waiting: SimpleQueue[tuple[str, str]],
    source: dbapi.Cursor,
    target: duckdb.DuckDBPyConnection,
) -> None:
    """Copy one query after the other until none waits; the queue's order starts the long ones."""
    with suppress(Empty):
        while True:
            table, query = waiting.get_nowait()
            source.execute(query)
            target.register("incoming", source.fetch_record_batch())
            order = "" if table in _SHARED else "ORDER BY customer_id"
            target.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming {order}").fetchall()  # noqa: S608 - names are checked.
            target.unregister("incoming")


@contextmanager
def _transaction(url: str, first_statement: str) -> Iterator[dbapi.Cursor]:
    """A cursor in a read-only REPEATABLE READ transaction whose first statement was executed."""
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(first_statement)
        cursor.adbc_statement.set_options(**_SMALL_BATCHES)
        yield cursor
