"""Write a demo book: import files, a manifest and a note that nobody in it is real."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from app.demo.chunk import chunk_columns
from app.demo.days import to_day
from app.demo.files import RecordFile
from app.demo.ground import Ground
from app.demo.layout import LAYOUT
from app.demo.products import ProductTable
from app.demo.proportions import load_proportions
from app.demo.reference import benchmark_columns, service_columns

FileFormat: TypeAlias = Literal["parquet", "csv"]

CHUNK_CUSTOMERS = 20_000
"""Customers drawn at once: bounds the memory, whatever the size of the book."""

MANIFEST = "manifest.json"
_README = """\
SYNTHETIC DATA. Nobody in these files exists.

They are import files of the demo book in the project's own record layout, generated from the seed
in manifest.json. ID numbers and credit codes name provinces that do not exist, phone numbers lie in
ranges no operator holds, mail addresses at a domain reserved for examples, company names carry the
word 演示. Proportions are those of app/demo/proportions.toml; many of them are judgement and must
not be quoted as facts about any market.
"""


@dataclass(frozen=True, slots=True)
class BookSummary:
    """What was written: where, from what, and how many rows of each record type."""

    folder: Path
    customers: int
    seed: int
    as_of: date
    rows: Mapping[str, int]


def write_book(
    folder: Path,
    *,
    customers: int,
    seed: int,
    as_of: date,
    file_format: FileFormat = "parquet",
) -> BookSummary:
    """Write a book of made-up customers as import files, one file per record type.

    The same arguments give the same bytes. Files appear under their names only when all are
    complete, the manifest last; a book without a manifest is not one.

    Args:
        folder: where to write; made if absent, files of an earlier book are replaced.
        customers: how many, 0 for a book of reference records only.
        seed: what the draws start from.
        as_of: nothing but the planned ends of running terms is dated after it.
        file_format: `parquet` or `csv`.

    Raises:
        ValueError: if customers or seed is negative.
        OSError: if the folder cannot be written; no file is left half written.
    """
    if customers < 0 or seed < 0:
        raise ValueError("customers and seed must not be negative")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(RecordFile(folder / f"{name}.{file_format}", schema))
            for name, schema in LAYOUT.items()
        }
        _write_records(files, customers, seed, as_of)
    summary = BookSummary(
        folder=folder,
        customers=customers,
        seed=seed,
        as_of=as_of,
        rows={name: file.rows for name, file in files.items()},
    )
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    (folder / MANIFEST).write_text(_manifest(summary, file_format), encoding="utf-8")
    return summary


def _write_records(files: Mapping[str, RecordFile], customers: int, seed: int, as_of: date) -> None:
    proportions = load_proportions()
    table = ProductTable(proportions)
    files["product_services"].write(service_columns(proportions))
    files["market_benchmarks"].write(benchmark_columns(proportions, as_of))
    for chunk, first in enumerate(range(0, customers, CHUNK_CUSTOMERS)):
        size = min(CHUNK_CUSTOMERS, customers - first)
        ground = Ground(proportions, table, seed, chunk, to_day(as_of))
        for name, columns in chunk_columns(ground, first, size).items():
            files[name].write(columns)


def _manifest(summary: BookSummary, file_format: FileFormat) -> str:
    content = {
        "synthetic": True,
        "seed": summary.seed,
        "customers": summary.customers,
        "as_of": summary.as_of.isoformat(),
        "format": file_format,
        "rows": dict(summary.rows),
    }
    return json.dumps(content, indent=2) + "\n"
