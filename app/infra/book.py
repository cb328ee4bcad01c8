"""The whole book in DuckDB: one snapshot streamed out of PostgreSQL, facts computed batch by batch.

A run over the book opens one, walks through its batches and leaves:

    queries = {"states": "SELECT customer_id, tier, since FROM scoring_states"}
    with open_book(url, data_dir, extra=queries) as book:
        benchmarks = book.relation("market_benchmarks")
        for batch in book.batches(as_of):
            batch.facts             # pyarrow.Table: customer_id and every fact of the catalogue
            batch.rows["states"]    # pyarrow.Table: what the query gave for these customers

* Everything in it is one REPEATABLE READ snapshot, taken at `book.snapshot_at`; `extra` too.
* Every customer is in exactly one batch, in no particular order.
* A facts row has the columns of `app.domain.facts.catalogue.CATALOGUE`, typed as
  `app.domain.facts.frame.facts_frame` makes a Polars frame of them.
* An extra query must give `customer_id` (text); its other columns may be of type text, boolean,
  date, smallint, integer, bigint, bytea or timestamptz. Cast a uuid or numeric to one of these.
* The copied rows live in a folder of their own below `folder`; it goes when the block is left,
  however it is left. What a killed run leaves there, the next one removes.

Time per customer and memory do not grow with the book: the rows are copied once, in parts of
some customers each, and the facts of a part are computed from its own rows alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from app.db.facts_query import FACTS, Scope, Step, facts_steps
from app.domain.errors import Invalid
from app.infra.database import libpq_url
from app.infra.scratch import scratch_folder
from app.infra.snapshot import Snapshot, Wanted, take_snapshot

#: The relations of customers that facts.sql reads, as PostgreSQL's schema `book` offers them;
#: long ones first. The days are those of PostgreSQL's view `book.source_days`.
_OF_CUSTOMERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "policy_terms": {"policy_terms": ("term_start",), "payments": ("term_start", "due_on")},
    "interactions": {"interactions": ("occurred_on",)},
    "policies": {},
    "scoring_inputs": {},
    "consents": {},
    "customers": {},
    "claims": {"claims": ("reported_on",)},
    "service_uses": {"service_uses": ("used_on",)},
    "surveys": {},
    "external_checks": {},
    "referrals": {"referrals": ("succeeded_on",)},
    "model_scores": {},
}

#: Those of them whose customers facts.sql takes from their policies.
_OF_POLICIES = ("policy_terms",)

#: Relations that belong to no customer.
_SHARED = ("product_services", "market_benchmarks")

RELATIONS = (*_OF_CUSTOMERS, *_SHARED)
"""Every relation of schema `book` that is copied."""

PART_CUSTOMERS: Final = 18_000
"""Customers in a part, about, whose facts are computed at once.

Fewer cost time, since planning the statements takes as long for ten as for ten thousand; more cost
memory, some 2 MB for each thousand.
"""

BATCH_CUSTOMERS: Final = 9_500
"""Customers in a batch at most, who are judged at once: a little more than half a part.

More would cost memory, and save less time than a larger part does.
"""

_PREFIX = "book-"
#: Of the whole process's memory, which is several times as much: see benchmarks/README.md.
_MEMORY_LIMIT = "160MB"

#: What rows are joined by, and the relation whose rows it identifies.
_KEYS = {"customer_id": "customers", "policy_no": "policies"}


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of some customers, and what the extra queries gave for the same ones."""

    facts: pa.Table
    rows: Mapping[str, pa.Table]


class Book:
    """One snapshot of the raw records; made by `open_book` only."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, extra: tuple[str, ...]
    ) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self._extra = extra
        self.snapshot_at: datetime = snapshot.taken_at
        self.customers: int = snapshot.customers
        for name in _SHARED:
            self._show(name, self.relation(name))
        self._show("source_days", self._source_days())
        self._steps = [
            (_statement(connection, step), step.read_last) for step in facts_steps(Scope.BETWEEN)
        ]

    def relation(self, name: str) -> pa.Table:
        """A whole relation that belongs to no customer.

        Raises:
            KeyError: it is neither `product_services` nor `market_benchmarks`.
        """
        if name not in _SHARED:
            raise KeyError(name)
        return self._snapshot.copies[f"book.{name}"].read(0)

    def batches(self, as_of: date) -> Iterator[Batch]:
        """The facts of every customer as of the end of a business day.

        A batch is half of a part of the book, about, or less where the records of so many do not
        fit into the memory.
        """
        for part in range(self._snapshot.parts):
            numbers = {
                key: self._copy("book", relation, part).column(key).combine_chunks()
                for key, relation in _KEYS.items()
            }
            ids = numbers["customer_id"]
            if not ids:
                continue
            for name in _OF_CUSTOMERS:
                self._show(name, _numbered(self._copy("book", name, part), numbers))
            rows = {name: self._copy("extra", name, part) for name in self._extra}
            for facts in self._pieces(as_of, 0, len(ids) - 1):
                for start in range(0, facts.num_rows, BATCH_CUSTOMERS):
                    own = _named(facts.slice(start, BATCH_CUSTOMERS), ids)
                    whose = own.column("customer_id").combine_chunks()
                    theirs = {name: _of(whose, table) for name, table in rows.items()}
                    yield Batch(own, MappingProxyType(theirs))

    def _copy(self, kind: str, name: str, part: int) -> pa.Table:
        return self._snapshot.copies[f"{kind}.{name}"].read(part)

    def _pieces(self, as_of: date, first: int, last: int) -> Iterator[pa.Table]:
        """The facts of the customers from one number to another, as many at once as fit."""
        try:
            facts = self._facts(as_of, first, last)
        except duckdb.OutOfMemoryException:
            if first == last:
                raise
            self._drop(step.table for step in facts_steps(Scope.BETWEEN))
            middle = (first + last) // 2
            yield from self._pieces(as_of, first, middle)
            yield from self._pieces(as_of, middle + 1, last)
        else:
            yield facts

    def _facts(self, as_of: date, first: int, last: int) -> pa.Table:
        """The facts of the customers from one number to another, step by step.

        The rows go through tables, since a query that is asked for its rows is planned twice.
        """
        given = {"1": as_of, "2": first, "3": last}
        for statement, read_last in self._steps:
            named = {name: given[name] for name in statement.named_parameters}
            self._connection.execute(statement, named).fetchall()
            self._drop(read_last)
        facts = self._connection.table(f"temp.main.{FACTS}").to_arrow_table()
        self._drop([FACTS])
        return facts

    def _drop(self, tables: Iterable[str]) -> None:
        for table in tables:
            self._connection.execute(f"DROP TABLE IF EXISTS temp.main.{table}").fetchall()

    def _show(self, name: str, rows: pa.Table) -> None:
        """Let relation `name` of DuckDB be these rows, which stay where they are."""
        self._connection.register(f"{name}_rows", rows)
        self._connection.execute(
            f"CREATE OR REPLACE VIEW book.{name} AS SELECT * FROM temp.main.{name}_rows"  # noqa: S608 - names are constants.
        ).fetchall()

    def _source_days(self) -> pa.Table:
        """The earliest day of each source: what the whole book holds, not only a part."""
        days = dict(self._snapshot.earliest)
        if self.relation("product_services").num_rows:
            days["product_services"] = date.min
        return pa.table(
            {"source": pa.array(days, pa.string()), "day": pa.array(days.values(), pa.date32())}
        )


def _statement(connection: duckdb.DuckDBPyConnection, step: Step) -> duckdb.Statement:
    """What stores the rows of a step in its table; read once, since that takes its time."""
    (statement,) = connection.extract_statements(
        f"CREATE OR REPLACE TEMP TABLE {step.table} AS {step.query}"
    )
    return statement


def _numbered(table: pa.Table, numbers: Mapping[str, pa.Array]) -> pa.Table:
    """The rows with their keys as places in these arrays.

    Joining and grouping by numbers takes less time and memory than by texts.
    """
    for key, values in numbers.items():
        if key in table.column_names:
            at = table.schema.get_field_index(key)
            table = table.set_column(at, key, pc.index_in(table.column(key), value_set=values))
    return table


def _named(table: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows with the customers' ids in the place of their numbers."""
    at = table.schema.get_field_index("customer_id")
    return table.set_column(at, "customer_id", ids.take(table.column("customer_id")))


def _of(ids: pa.Array, table: pa.Table) -> pa.Table:
    """The rows of these customers."""
    return table.filter(pc.is_in(table.column("customer_id"), value_set=ids))


@contextmanager
def open_book(
    url: str, folder: Path, *, extra: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Book]:
    """Copy the book out of PostgreSQL and hold it open for a run.

    Args:
        url: the database, in any spelling that `app.infra.database` takes.
        folder: where the copied rows may live.
        extra: further queries by name, copied in the same snapshot; each gives `customer_id`.

    Raises:
        Invalid: an extra query's name is no identifier.
    """
    for name in extra:
        if not name.isidentifier():
            raise Invalid("book-query", f"{name!r} cannot name a query")
    wanted = [
        Wanted(
            f"book.{name}",
            f"SELECT * FROM book.{name}",  # noqa: S608 - constants.
            unsent="customer_id" if name in _OF_POLICIES else None,
            earliest=days,
        )
        for name, days in _OF_CUSTOMERS.items()
    ]
    wanted += [Wanted(f"extra.{name}", query) for name, query in extra.items()]
    wanted += [
        Wanted(f"book.{name}", f"SELECT * FROM book.{name}", is_shared=True)  # noqa: S608 - constants.
        for name in _SHARED
    ]
    # Its other pools keep some 40 MB of what reading took, as if it were needed again.
    pa.set_memory_pool(pa.system_memory_pool())
    with (
        scratch_folder(folder, _PREFIX) as home,
        take_snapshot(libpq_url(url), home, wanted, part_size=PART_CUSTOMERS) as snapshot,
        _engine(home) as connection,
    ):
        yield Book(connection, snapshot, tuple(extra))


@contextmanager
def _engine(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, which takes a bounded part of it and continues on disk."""
    connection = duckdb.connect(
        config={
            "memory_limit": _MEMORY_LIMIT,
            # Another core judges and writes meanwhile; a second thread for the same part would
            # cost a sixth more time in all.
            "threads": max(1, (os.cpu_count() or 1) - 1),
            "preserve_insertion_order": False,
            "temp_directory": str(home / "spill"),
        }
    )
    try:
        connection.execute("CREATE SCHEMA book").fetchall()
        yield connection
    finally:
        connection.close()
