"""Files of rows: CSV and Parquet in batches, so that any size fits into memory, and XLSX."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from app.domain.errors import Conflict, Invalid
from app.domain.records.mapping.document import Source, SourceFormat
from app.features.imports.service.texts import (
    check_names,
    digest_of,
    examine,
    name_ragged_row,
    read_header,
    refuse,
)
from app.features.imports.service.workbooks import (
    MAGIC as WORKBOOK,
)
from app.features.imports.service.workbooks import (
    OLD_MAGIC as OLD_WORKBOOK,
)
from app.features.imports.service.workbooks import (
    examine_sheet,
    read_sheet,
    refuse_old_workbook,
)
from app.infra.confined import Refused, confined
from app.infra.confined.parquet import plain_schema

_PARQUET: Final = b"PAR1"
_SUFFIXES: Final = {
    ".parquet": SourceFormat.PARQUET,
    ".pq": SourceFormat.PARQUET,
    ".xlsx": SourceFormat.XLSX,
}
_BLOCK_BYTES: Final = 1 << 20
_BATCH_ROWS: Final = 32_768
#: Length of the description of a Parquet file, and the mark it ends with.
_FOOTER_END: Final = struct.Struct("<I4s")
_LARGEST_FOOTER_BYTES: Final = 16 << 20
_OFFSET: Final = re.compile(r"[+-]\d{2}:\d{2}")


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file that was examined: whole, of one kind, with a header that can be used.

    ``rows`` is known for Parquet only. ``stamp`` tells whether the file was changed since.
    """

    path: Path
    kind: SourceFormat
    source: Source
    digest: str
    schema: pa.Schema
    rows: int | None
    has_rows: bool
    has_quotes: bool
    stamp: tuple[int, int]


def open_rows(path: Path, source: Source) -> RowFile:
    """Examine a file.

    Raises:
        Invalid: it is missing, empty, truncated, in another encoding, …; the message names the
            place and what to do.
    """
    stamp = _stamp(path)
    kind = _kind(path, source)
    try:
        return _OPENERS[kind](path, source, stamp)
    except OSError as error:
        raise _unreadable(path, error) from None


def batches(file: RowFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, these columns only.

    Raises:
        Invalid: rows are not all as long as the header, or a part of the file is damaged.
    """
    if not file.has_rows:
        return
    try:
        yield from _READERS[file.kind](file, columns)
    except pa.ArrowInvalid:
        raise _damaged(file) from None
    except OSError as error:
        # Arrow calls damaged contents an input error too, but one without a number.
        raise (_damaged(file) if error.errno is None else _unreadable(file.path, error)) from None


def check_unchanged(file: RowFile) -> None:
    """Refuse a file that is written to while it is read.

    Raises:
        Conflict: the file is not what it was.
    """
    try:
        same = _stamp(file.path) == file.stamp
    except Invalid:
        same = False
    if not same:
        raise Conflict(
            "file-changed",
            f"{file.path.name} changed while it was read: let it be finished and import it again",
        )


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    if path.is_dir():
        raise refuse(path, "", "this is a directory", "name a file")
    if not path.is_file():
        raise refuse(path, "", "this is no regular file", "save the rows in a file first")
    if status.st_size == 0:
        raise refuse(path, "", "the file is empty", "export it again")
    return status.st_size, status.st_mtime_ns


def _unreadable(path: Path, error: OSError) -> Invalid:
    return refuse(path, "", (error.strerror or "it cannot be read").lower(), "check the path")


def _kind(path: Path, source: Source) -> SourceFormat:
    """What the file is: what the mapping says, else what its first bytes say."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_PARQUET))
    except OSError as error:
        raise _unreadable(path, error) from None
    if start == OLD_WORKBOOK:
        raise refuse_old_workbook(path)
    found = {_PARQUET: SourceFormat.PARQUET, WORKBOOK: SourceFormat.XLSX}.get(
        start, SourceFormat.CSV
    )
    expected = source.format or _SUFFIXES.get(path.suffix.lower(), found)
    if expected is not found:
        remedy = "export it again, or name the right format in the mapping"
        raise refuse(path, "", f"this is no {expected} file", remedy)
    return expected


# -------------------------------------------------------------------------------------------- CSV


def _open_csv(path: Path, source: Source, stamp: tuple[int, int]) -> RowFile:
    texture = examine(path, source.encoding, source.delimiter)
    names, has_rows = read_header(path, source.encoding, source.delimiter)
    check_names(path, names)
    return RowFile(
        path=path,
        kind=SourceFormat.CSV,
        source=source,
        digest=texture.digest,
        schema=pa.schema([(name, pa.string()) for name in names]),
        rows=None,
        has_rows=has_rows,
        has_quotes=texture.has_quotes,
        stamp=stamp,
    )


def _csv_batches(file: RowFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    reader = pacsv.open_csv(
        file.path,
        read_options=pacsv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            encoding=file.source.encoding,
            column_names=file.schema.names,
            skip_rows=1,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=file.source.delimiter, newlines_in_values=file.has_quotes
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=file.schema, include_columns=list(columns), strings_can_be_null=False
        ),
    )
    for batch in reader:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(start, _BATCH_ROWS)


def _damaged(file: RowFile) -> Invalid:
    if file.kind is SourceFormat.CSV:
        return name_ragged_row(file.path, file.source.encoding, file.source.delimiter)
    return refuse(file.path, "", "a part of the file is damaged", "copy it again from its source")


# ---------------------------------------------------------------------------------------- Parquet


def _open_parquet(path: Path, source: Source, stamp: tuple[int, int]) -> RowFile:
    _check_footer(path, stamp[0])
    try:
        with pq.ParquetFile(path) as opened:
            schema, rows = plain_schema(opened.schema_arrow), opened.metadata.num_rows
    except pa.ArrowException:
        remedy = "copy it again, it may have been cut off"
        raise refuse(path, "", "this is no whole Parquet file", remedy) from None
    check_names(path, schema.names)
    _check_types(path, schema)
    return RowFile(
        path=path,
        kind=SourceFormat.PARQUET,
        source=source,
        digest=digest_of(path),
        schema=schema,
        rows=rows,
        has_rows=rows > 0,
        has_quotes=False,
        stamp=stamp,
    )


def _check_footer(path: Path, size: int) -> None:
    """Refuse a description that is itself large; it is read here, and unpacks to several times."""
    with path.open("rb") as file:
        file.seek(max(size - _FOOTER_END.size, 0))
        end = file.read(_FOOTER_END.size)
    if len(end) < _FOOTER_END.size:
        return
    length, mark = _FOOTER_END.unpack(end)
    if mark == _PARQUET and length > _LARGEST_FOOTER_BYTES:
        what = f"its description is larger than {_LARGEST_FOOTER_BYTES:,} bytes"
        raise refuse(path, "", what, "write fewer columns or larger row groups")


def _check_types(path: Path, schema: pa.Schema) -> None:
    """Refuse columns of types that Polars would end the process over, mapped or not."""
    for number, field in enumerate(schema, 1):
        if pa.types.is_decimal256(field.type) or not _is_of_a_known_zone(field.type):
            what = f"a column of type {field.type} cannot be read here"
            raise refuse(path, f"column {number}", what, "convert it, as to text")


def _is_of_a_known_zone(kind: pa.DataType) -> bool:
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    if zone is None or _OFFSET.fullmatch(zone):
        return True
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _parquet_batches(file: RowFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    order = {
        "task": "read-parquet",
        "path": str(file.path),
        "columns": list(columns),
        "rows": _BATCH_ROWS,
    }
    try:
        with confined(order) as told, pa.ipc.open_stream(told) as stream:
            yield from stream
    except Refused as refused:
        raise refuse(file.path, refused.place, refused.what, refused.remedy) from None


# ------------------------------------------------------------------------------------------- XLSX


def _open_xlsx(path: Path, source: Source, stamp: tuple[int, int]) -> RowFile:
    sheet = examine_sheet(path, source.sheet)
    names = sheet.names
    if not names:
        raise refuse(path, "row 1", "no header", "put the columns' names first")
    unnamed = {number for number, name in enumerate(names, 1) if not name}
    if merged := sorted(unnamed & sheet.merged):
        what = "no name in the header, whose cells are merged"
        raise refuse(path, f"column {merged[0]}", what, "unmerge them and name every column")
    check_names(path, names)
    return RowFile(
        path=path,
        kind=SourceFormat.XLSX,
        source=source,
        digest=digest_of(path),
        schema=pa.schema([(name, pa.string()) for name in names]),
        rows=None,
        has_rows=sheet.has_rows,
        has_quotes=False,
        stamp=stamp,
    )


def _xlsx_batches(file: RowFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    places = [file.schema.names.index(name) for name in columns]
    skipped = 1
    for rows in read_sheet(file.path, file.source.sheet):
        held = rows[skipped:]
        skipped = 0
        arrays = [pa.array([row[place] for row in held], pa.string()) for place in places]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


_OPENERS: Final[Mapping[SourceFormat, Callable[[Path, Source, tuple[int, int]], RowFile]]] = {
    SourceFormat.CSV: _open_csv,
    SourceFormat.PARQUET: _open_parquet,
    SourceFormat.XLSX: _open_xlsx,
}
_READERS: Final[
    Mapping[SourceFormat, Callable[[RowFile, Sequence[str]], Iterator[pa.RecordBatch]]]
] = {
    SourceFormat.CSV: _csv_batches,
    SourceFormat.PARQUET: _parquet_batches,
    SourceFormat.XLSX: _xlsx_batches,
}
