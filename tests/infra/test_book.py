"""The book: one snapshot, every customer in one batch, nothing left behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import pyarrow as pa
import pytest

from app.domain.errors import Invalid
from app.infra.book import Book, open_book
from app.infra.database import libpq_url
from tests.parity.facts_of import facts_in_duckdb, store_and_read
from tests.paths import ROOT
from tests.recompute.random_book import random_book
from tests.unmeasured import unmeasured

AS_OF = date(2024, 12, 31)
EXTRA = {"doubles": "SELECT customer_id, generate_series(1, 2) AS number FROM customers"}


@pytest.fixture
def url(fresh_database_url: str) -> str:
    """A database with a random book of forty customers."""
    store_and_read(fresh_database_url, random_book(3, 40, AS_OF), AS_OF)
    return fresh_database_url


def run_sql(url: str, statement: str) -> None:
    async def go() -> None:
        connection = await asyncpg.connect(libpq_url(url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(go())


def read_all(url: str, query: str) -> list[tuple[Any, ...]]:
    async def go() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(libpq_url(url))
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(go())


def ids(table: pa.Table) -> list[str]:
    found: list[str] = table.column("customer_id").to_pylist()
    return found


def test_every_customer_is_in_exactly_one_batch(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 15)
    with open_book(url, tmp_path) as book:
        batches = [ids(batch.facts) for batch in book.batches(AS_OF)]
        assert book.customers == 40
    assert len(batches) == 3
    assert sorted(name for batch in batches for name in batch) == [f"c{n:03d}" for n in range(40)]


def test_the_facts_are_the_same_in_however_many_parts_the_book_is_copied(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = facts_in_duckdb(url, tmp_path, AS_OF)
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 7)
    assert facts_in_duckdb(url, tmp_path, AS_OF) == whole


def test_a_part_comes_in_batches_that_are_small_enough_to_be_judged(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.book.BATCH_CUSTOMERS", 15)
    with open_book(url, tmp_path, extra=EXTRA) as book:
        batches = list(book.batches(AS_OF))
    assert [batch.facts.num_rows for batch in batches] == [15, 15, 10]
    assert sorted(name for batch in batches for name in ids(batch.facts)) == [
        f"c{n:03d}" for n in range(40)
    ]
    for batch in batches:
        assert sorted(ids(batch.rows["doubles"])) == sorted(ids(batch.facts) * 2)


def test_rows_of_extra_queries_come_with_their_customers(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 15)
    held = {"held": "SELECT customer_id, policy_no FROM policies"}
    policies: list[tuple[str, str]] = []
    with open_book(url, tmp_path, extra=EXTRA | held) as book:
        for batch in book.batches(AS_OF):
            names = sorted(ids(batch.facts))
            assert sorted(ids(batch.rows["doubles"])) == sorted(names * 2)
            assert set(ids(batch.rows["held"])) <= set(names)
            policies += zip(*batch.rows["held"].to_pydict().values(), strict=True)
    assert sorted(policies) == sorted(read_all(url, held["held"]))


def test_a_query_that_cannot_name_a_table_is_refused(tmp_path: Path) -> None:
    opening = open_book("postgresql://nowhere", tmp_path, extra={"a b": "SELECT 1"})
    with pytest.raises(Invalid, match="'a b' cannot name a query"):
        opening.__enter__()


def test_relations_that_belong_to_no_customer_can_be_read_whole(url: str, tmp_path: Path) -> None:
    with open_book(url, tmp_path) as book:
        assert "average_premium" in book.relation("market_benchmarks").column_names
        with pytest.raises(KeyError):
            book.relation("customers")


def test_all_of_it_is_one_snapshot(url: str, tmp_path: Path) -> None:
    before = datetime.now(UTC)  # noqa: TID251 - the server's clock is compared with ours.
    with open_book(url, tmp_path, extra=EXTRA) as book:
        run_sql(url, "DELETE FROM interactions; DELETE FROM surveys")
        assert abs((book.snapshot_at - before).total_seconds()) < 60
        facts = next(book.batches(AS_OF)).facts
    assert facts.column("nps").null_count < 40


@contextmanager
def failing(url: str, folder: Path, error: BaseException) -> Iterator[Book]:
    with open_book(url, folder) as book:
        yield book
        raise error


@pytest.mark.parametrize("error", [ValueError("in the run"), KeyboardInterrupt()])
def test_nothing_is_left_behind_by_a_run_that_fails(
    url: str, tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)), failing(url, tmp_path, error):
        assert [path.name[:5] for path in tmp_path.iterdir()] == ["book-"]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_when_a_query_fails(url: str, tmp_path: Path) -> None:
    broken = {"broken": "SELECT customer_id, 1 / (length(customer_id) - 4) FROM customers"}
    opening = open_book(url, tmp_path, extra=broken)
    with pytest.raises(Exception, match="division by zero"):
        opening.__enter__()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_behind_goes_with_the_next(url: str, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom app.infra.book import open_book\n"
        "with open_book(sys.argv[1], Path(sys.argv[2])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, url, str(tmp_path)],
        check=False,
        cwd=ROOT,
        env=unmeasured(),
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with open_book(url, tmp_path):
        (own,) = tmp_path.iterdir()
        assert own != left
        with open_book(url, tmp_path):
            assert own.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_stays(url: str, tmp_path: Path) -> None:
    draft = tmp_path / "book-drafts" / "chapter"
    draft.parent.mkdir()
    draft.write_text("once upon a time")
    with open_book(url, tmp_path):
        pass
    assert draft.read_text() == "once upon a time"
    assert list(draft.parent.iterdir()) == [draft]


def test_a_batch_that_does_not_fit_into_the_memory_comes_in_smaller_ones(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Book._facts  # noqa: SLF001 - the one place where memory runs out.

    def narrow(book: Book, as_of: date, first: int, last: int) -> pa.Table:
        table = read(book, as_of, first, last)
        if table.num_rows > 6:
            raise duckdb.OutOfMemoryException
        return table

    with open_book(url, tmp_path) as book:
        monkeypatch.setattr(Book, "_facts", narrow)
        sizes = [batch.facts.num_rows for batch in book.batches(AS_OF)]
        assert sizes == [5] * 8
        monkeypatch.setattr(Book, "_facts", _always_full)
        with pytest.raises(duckdb.OutOfMemoryException):
            next(book.batches(AS_OF))


def _always_full(_book: Book, _as_of: date, _first: int, _last: int) -> pa.Table:
    raise duckdb.OutOfMemoryException
