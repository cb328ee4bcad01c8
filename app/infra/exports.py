"""Writing files for others: row by row, and never half a file under its own name."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.errors import Invalid
from app.infra.ids import new_id

Cell = str | int | datetime | date | None

#: A spreadsheet takes a cell that begins with one of these for a formula, or for its continuation;
#: some versions know them in full width too.
_FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_TYPES: Final[dict[type, Any]] = {
    str: pa.string(),
    int: pa.int64(),
    datetime: pa.timestamp("us", tz="UTC"),
}


class ExportWriter(Protocol):
    """Takes the rows of an export."""

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Write some rows, in the order of the columns."""


@contextmanager
def open_export(
    path: Path, columns: dict[str, type[str | int | datetime]]
) -> Iterator[ExportWriter]:
    """A file that gets its name when the block is left without an error.

    Args:
        path: where to; `.csv` or `.parquet` says the format.
        columns: names and types of the columns. In CSV null is empty, times are ISO 8601 in UTC,
            and a text that a spreadsheet would take for a formula begins with an apostrophe.

    Raises:
        Invalid: `export-format` for another suffix; `export-failed` if the file cannot be written.
    """
    formats: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
        ".csv": _csv_file,
        ".parquet": _parquet_file,
    }
    if path.suffix not in formats:
        raise Invalid("export-format", f"{path}: the name must end with .csv or .parquet")
    require_replaceable(path)
    with replacing(path) as part, formats[path.suffix](part, columns) as writer:
        yield writer


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what becomes the file of that name if the block is left without an error.

    Raises:
        Invalid: `export-failed` if it cannot be written.
    """
    # In the same folder, since a file can only be renamed within one file system.
    part = path.with_name(f".{path.name}.{new_id().hex}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise Invalid("export-failed", f"{path}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def require_replaceable(path: Path, inputs: Sequence[Path] = ()) -> None:
    """Refuse a target whose replacement would lose something: a device, a folder, an input.

    Args:
        path: where a file is to appear.
        inputs: files that are read for it.

    Raises:
        Invalid: `output-refused`, naming the target.
    """
    if not path.parent.is_dir():
        raise Invalid("output-refused", f"{path}: its folder does not exist; name another place")
    if path.exists() and not path.is_file():
        raise Invalid("output-refused", f"{path}: not a regular file; name another place")
    if path.exists() and any(other.exists() and path.samefile(other) for other in inputs):
        raise Invalid("output-refused", f"{path}: is read by this very command; name another place")


@contextmanager
def _csv_file(path: Path, columns: dict[str, Any]) -> Iterator[ExportWriter]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _CsvWriter(file, columns)
        file.flush()
        os.fsync(file.fileno())


class _CsvWriter:
    def __init__(self, file: TextIO, columns: Iterable[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        self._writer.writerows([escaped(cell) for cell in row] for row in rows)


def escaped(cell: Cell) -> str | int:
    """A cell as CSV carries it.

    >>> escaped("=1+1"), escaped(None), escaped(-3), escaped("plain")
    ("'=1+1", '', -3, 'plain')
    """
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(_FORMULA_MARKS):
        return f"'{cell}"
    return cell


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    r"""Rows as a CSV file carries them.

    >>> csv_lines([("a", "=1"), (None, 2)])
    b"a,'=1\n,2\n"
    """
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([escaped(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


@contextmanager
def _parquet_file(path: Path, columns: dict[str, Any]) -> Iterator[ExportWriter]:
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema) as writer:
            yield _ParquetWriter(writer, schema)
        file.flush()
        os.fsync(file.fileno())


class _ParquetWriter:
    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema

    def write(self, rows: Sequence[Sequence[Cell]]) -> None:
        if not rows:
            return
        columns = [
            pa.array(cells, field.type)
            for cells, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
