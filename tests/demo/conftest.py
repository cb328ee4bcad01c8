"""One demo book of two chunks, written once, and its files as views to ask questions of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from app.demo.book import BookSummary, write_book
from app.demo.layout import LAYOUT

AS_OF = date(2026, 6, 30)
CUSTOMERS = 20_050


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> BookSummary:
    folder: Path = tmp_path_factory.mktemp("book")
    return write_book(folder, customers=CUSTOMERS, seed=7, as_of=AS_OF)


@pytest.fixture(scope="session")
def records(book: BookSummary) -> Iterator[duckdb.DuckDBPyConnection]:
    """A view per record type; `terms` has each term's product and whether it is in force."""
    with duckdb.connect() as connection:
        for name in LAYOUT:
            path = book.folder / f"{name}.parquet"
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{path}'")
        connection.execute(f"CREATE MACRO as_of() AS DATE '{AS_OF}'")
        connection.execute(
            "CREATE VIEW terms AS SELECT t.*, p.product, p.product_line, p.cooling_off_until,"
            " term_start <= as_of() AND as_of() < least(term_end, coalesce(ended_on, term_end))"
            " AS in_force FROM policy_terms t JOIN policies p USING (policy_no)"
        )
        yield connection


def ask(records: duckdb.DuckDBPyConnection, query: str) -> float:
    """The one number a query answers."""
    row = records.execute(query).fetchone()
    assert row is not None
    return float(row[0])
