"""Writing a book: the same bytes from the same seed, complete files or none."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from app.demo import book as writing
from app.demo.book import FileFormat, write_book
from app.demo.layout import LAYOUT
from tests.demo.conftest import AS_OF, CUSTOMERS


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def small_book(folder: Path, seed: int = 3, file_format: FileFormat = "parquet") -> Path:
    write_book(folder, customers=400, seed=seed, as_of=AS_OF, file_format=file_format)
    return folder


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    assert digests(small_book(tmp_path / "a")) == digests(small_book(tmp_path / "b"))


def test_another_seed_gives_other_customers(tmp_path: Path) -> None:
    one, other = digests(small_book(tmp_path / "a")), digests(small_book(tmp_path / "b", seed=4))
    drawn = set(LAYOUT) - {"product_services", "market_benchmarks"}
    assert all(one[f"{name}.parquet"] != other[f"{name}.parquet"] for name in drawn)


def test_a_book_is_written_over_an_earlier_one(tmp_path: Path) -> None:
    small_book(tmp_path / "a", seed=1)
    assert digests(small_book(tmp_path / "a")) == digests(small_book(tmp_path / "b"))


def test_the_folder_holds_one_file_per_record_a_note_and_a_manifest(
    book: writing.BookSummary,
) -> None:
    assert {path.name for path in book.folder.iterdir()} == {
        *(f"{name}.parquet" for name in LAYOUT),
        "README.txt",
        "manifest.json",
    }
    assert "SYNTHETIC" in (book.folder / "README.txt").read_text(encoding="utf-8")
    assert json.loads((book.folder / "manifest.json").read_text(encoding="utf-8")) == {
        "synthetic": True,
        "seed": 7,
        "customers": CUSTOMERS,
        "as_of": "2026-06-30",
        "format": "parquet",
        "rows": dict(book.rows),
    }


def test_the_summary_counts_the_rows_of_every_file(book: writing.BookSummary) -> None:
    assert dict(book.rows) == {
        name: parquet.read_metadata(book.folder / f"{name}.parquet").num_rows for name in LAYOUT
    }
    assert book.rows["customers"] == CUSTOMERS


def test_a_chunk_does_not_depend_on_how_many_follow(
    book: writing.BookSummary, tmp_path: Path
) -> None:
    write_book(tmp_path, customers=writing.CHUNK_CUSTOMERS, seed=7, as_of=AS_OF)
    for name in ("customers", "policy_terms", "claims"):
        short = parquet.read_table(tmp_path / f"{name}.parquet")
        long = parquet.read_table(book.folder / f"{name}.parquet")
        assert long.slice(0, short.num_rows).equals(short)


def test_csv_says_the_same_as_parquet(tmp_path: Path) -> None:
    columnar, textual = tmp_path / "parquet", tmp_path / "csv"
    small_book(columnar)
    small_book(textual, file_format="csv")
    for name, schema in LAYOUT.items():
        read = csv.read_csv(
            textual / f"{name}.csv",
            convert_options=csv.ConvertOptions(
                column_types=schema, strings_can_be_null=True, null_values=[""]
            ),
        )
        assert read.equals(parquet.read_table(columnar / f"{name}.parquet")), name


def test_an_empty_book_has_reference_records_only(tmp_path: Path) -> None:
    summary = write_book(tmp_path, customers=0, seed=1, as_of=AS_OF)
    filled = {name for name, rows in summary.rows.items() if rows}
    assert filled == {"product_services", "market_benchmarks"}
    assert parquet.read_schema(tmp_path / "customers.parquet") == LAYOUT["customers"]


@pytest.mark.parametrize("customers", [1, 2, 7])
def test_a_book_of_a_few_is_a_book(customers: int, tmp_path: Path) -> None:
    rows = write_book(tmp_path, customers=customers, seed=5, as_of=date(2024, 2, 29)).rows
    assert rows["customers"] == customers
    assert rows["policy_terms"] >= rows["policies"] >= customers


@pytest.mark.parametrize(("customers", "seed"), [(-1, 1), (1, -1)])
def test_negative_numbers_are_refused_before_anything_is_written(
    customers: int, seed: int, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        write_book(tmp_path / "book", customers=customers, seed=seed, as_of=AS_OF)
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_book_broken_off_leaves_no_file_and_no_manifest(
    file_format: FileFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_book(tmp_path / "book", file_format=file_format)
    before = digests(tmp_path / "book")

    def full_disk(*_: object) -> dict[str, dict[str, pa.Array]]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "chunk_columns", full_disk)
    with pytest.raises(OSError, match="No space left"):
        small_book(tmp_path / "book", seed=9, file_format=file_format)
    del before["manifest.json"]
    assert digests(tmp_path / "book") == before


def test_duckdb_and_arrow_read_the_same_amounts(
    book: writing.BookSummary, records: duckdb.DuckDBPyConnection
) -> None:
    premiums = parquet.read_table(book.folder / "policy_terms.parquet")["premium"]
    row = records.execute("SELECT sum(premium) FROM policy_terms").fetchone()
    assert row == (sum(premiums.to_pylist()),)
