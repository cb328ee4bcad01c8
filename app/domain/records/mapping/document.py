"""A mapping document: where the rows come from, which are left out, which records they become."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.records.findings import MappingError, nearest
from app.domain.records.mapping.expressions import Condition, Constant, Expression
from app.domain.records.mapping.reader import Reader
from app.domain.records.specs import CURRENCY, RECORDS, Record

FORMAT: Final = "tiering-mapping/1"
_CURRENCY_LETTERS: Final = 3
_DOCUMENT_KEYS: Final = ("format", "title", "source", "currency", "filters", "records")
_SOURCE_KEYS: Final = ("format", "encoding", "delimiter", "decimal_mark", "sheet", "nulls", "group")
_CSV_ONLY: Final = ("encoding", "delimiter", "decimal_mark")
_XLSX_ONLY: Final = ("sheet",)
_RECORD_KEYS: Final = ("record", "when", "distinct", "on_duplicate", "columns")


class SourceFormat(StrEnum):
    """What kind of file the rows come from."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


class Distinct(StrEnum):
    """Which row of a group stands for the group."""

    FIRST = "first"
    LAST = "last"


class OnDuplicate(StrEnum):
    """What becomes of rows with one key and different contents."""

    REJECT = "reject"
    LAST = "last"


_FOREIGN_KEYS: Final = {
    SourceFormat.CSV: _XLSX_ONLY,
    SourceFormat.PARQUET: (*_CSV_ONLY, *_XLSX_ONLY),
    SourceFormat.XLSX: _CSV_ONLY,
}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together; the file holds them next to each other, in this order."""

    by: tuple[str, ...]
    order: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """How the file is to be read; the format is None where the file's name decides.

    ``sheet`` names a sheet of a workbook; without it the first one is read.
    """

    format: SourceFormat | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal_mark: str = "."
    nulls: tuple[str, ...] = ()
    group: Group | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Rows that are left out, and why."""

    name: str
    reason: str
    when: Condition


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """One record that a row becomes, if its condition holds."""

    path: str
    record: Record
    columns: Mapping[str, Expression]
    when: Condition | None = None
    distinct: Distinct | None = None
    on_duplicate: OnDuplicate = OnDuplicate.REJECT


@dataclass(frozen=True, slots=True)
class RecordsMapping:
    """A whole mapping."""

    source: Source
    records: tuple[RecordMapping, ...]
    filters: tuple[Filter, ...] = ()
    currency: str | None = None


def parse_mapping(raw: Mapping[str, object]) -> RecordsMapping:
    """The mapping that a document describes.

    Raises:
        MappingError: with everything that is wrong with it, each with its place and remedy.
    """
    reader = Reader()
    entry = reader.mapping(dict(raw), "", _DOCUMENT_KEYS)
    if entry.get("format") != FORMAT:
        reader.note("format", "this is no mapping that can be read here", f"write {FORMAT}")
    source = _source(reader, entry.get("source", {}))
    reader.decimal_mark = source.decimal_mark
    filters = tuple(_filters(reader, entry))
    records = tuple(
        _record(reader, item, f"records[{number}]", source)
        for number, item in enumerate(reader.items(entry.get("records"), "records"))
    )
    currency = _currency(reader, entry.get("currency"))
    _names_once(reader, filters)
    if reader.findings:
        raise MappingError(reader.findings)
    return RecordsMapping(source, records, filters, currency)


def _names_once(reader: Reader, filters: tuple[Filter, ...]) -> None:
    seen: set[str] = set()
    for number, item in enumerate(filters):
        if item.name in seen:
            reader.note(f"filters[{number}].name", "this name is taken", "name each filter")
        seen.add(item.name)


def _currency(reader: Reader, raw: object) -> str | None:
    if raw is None:
        return None
    if isinstance(raw, str) and len(raw) == _CURRENCY_LETTERS and raw.isalpha() and raw.isupper():
        return raw
    reader.note("currency", "no currency", "write its ISO 4217 code, as EUR")
    return None


def _source(reader: Reader, raw: object) -> Source:
    entry = reader.mapping(raw, "source", _SOURCE_KEYS)
    kind = entry.get("format")
    if kind not in set(SourceFormat):
        known = "csv, parquet or xlsx"
        reader.note("source.format", "the format is missing or unknown", f"write {known}")
        kind = SourceFormat.CSV
    for key in _FOREIGN_KEYS[SourceFormat(str(kind))]:
        if key in entry:
            reader.note(f"source.{key}", f"a file of format {kind} has none", "drop it")
    return Source(
        format=SourceFormat(str(kind)),
        encoding=_encoding(reader, entry.get("encoding", "utf-8")),
        delimiter=_one_of_marks(reader, entry, "delimiter", ",;\t|"),
        decimal_mark=_one_of_marks(reader, entry, "decimal_mark", ".,"),
        nulls=reader.words(entry["nulls"], "source.nulls") if "nulls" in entry else (),
        group=_group(reader, entry["group"]) if "group" in entry else None,
        sheet=reader.text(entry["sheet"], "source.sheet") if "sheet" in entry else None,
    )


def _encoding(reader: Reader, raw: object) -> str:
    try:
        # Some codecs are of bytes only, which looking them up does not tell.
        "".encode(str(raw))
        return codecs.lookup(str(raw)).name
    except (LookupError, ValueError):
        reader.note("source.encoding", "unknown encoding", "write one such as utf-8 or gb18030")
        return "utf-8"


def _one_of_marks(reader: Reader, entry: Mapping[str, object], key: str, marks: str) -> str:
    raw = entry.get(key, marks[0])
    if isinstance(raw, str) and len(raw) == 1 and raw in marks:
        return raw
    reader.note(
        f"source.{key}", "this mark is not known", f"write one of {' '.join(map(repr, marks))}"
    )
    return marks[0]


def _group(reader: Reader, raw: object) -> Group:
    entry = reader.mapping(raw, "source.group", ("by", "order"))
    by = reader.words(entry.get("by"), "source.group.by")
    if len(set(by)) < len(by):
        reader.note("source.group.by", "a column is named twice", "name each once")
    order = reader.items(entry["order"], "source.group.order") if "order" in entry else []
    return Group(
        by,
        tuple(
            reader.expression(item, f"source.group.order[{number}]")
            for number, item in enumerate(order)
        ),
    )


def _filters(reader: Reader, entry: Mapping[str, object]) -> Iterator[Filter]:
    if "filters" not in entry:
        return
    for number, item in enumerate(reader.items(entry["filters"], "filters")):
        path = f"filters[{number}]"
        raw = reader.mapping(item, path, ("name", "reason", "when"))
        yield Filter(
            name=reader.text(raw.get("name"), f"{path}.name"),
            reason=reader.text(raw.get("reason"), f"{path}.reason"),
            when=reader.condition(raw.get("when"), f"{path}.when"),
        )


def _record(reader: Reader, raw: object, path: str, source: Source) -> RecordMapping:
    entry = reader.mapping(raw, path, _RECORD_KEYS)
    name = reader.text(entry.get("record"), f"{path}.record")
    if name and name not in RECORDS:
        reader.note(f"{path}.record", f"unknown record {name!r}", nearest(name, RECORDS))
    record = RECORDS.get(name, _NO_RECORD)
    distinct = _choice(reader, entry, "distinct", Distinct, path)
    if distinct and source.group is None:
        reader.note(f"{path}.distinct", "there is no group to take a row of", "add source.group")
    duplicate = _choice(reader, entry, "on_duplicate", OnDuplicate, path)
    return RecordMapping(
        path=path,
        record=record,
        columns=_columns(reader, entry.get("columns"), f"{path}.columns", record),
        when=reader.condition(entry["when"], f"{path}.when") if "when" in entry else None,
        distinct=None if distinct is None else Distinct(distinct),
        on_duplicate=OnDuplicate(duplicate or OnDuplicate.REJECT),
    )


#: Stands for a record that is not known, so that the rest of its entry is still read.
_NO_RECORD: Final = Record("", (), MappingProxyType({}))


def _choice(
    reader: Reader, entry: Mapping[str, object], key: str, choices: type[StrEnum], path: str
) -> str | None:
    raw = entry.get(key)
    if raw is None or raw in set(choices):
        return None if raw is None else str(raw)
    reader.note(f"{path}.{key}", f"unknown word {raw!r}", f"write {' or '.join(choices)}")
    return None


def _columns(reader: Reader, raw: object, path: str, record: Record) -> Mapping[str, Expression]:
    known = [*record.columns, *([CURRENCY] if record.has_amounts else [])]
    entry = reader.mapping(
        raw, path, known if record.name else list(raw) if isinstance(raw, dict) else []
    )
    columns = {name: reader.expression(value, f"{path}.{name}") for name, value in entry.items()}
    for name in required_columns(record):
        if entry and name not in entry:
            reader.note(path, f"{name} is missing", "every record needs it; map or set it")
    for name, value in columns.items():
        if isinstance(value, Constant) and name in record.required and value.value is None:
            reader.note(value.path, f"{name} may not be absent", "give it a value")
    return MappingProxyType(columns)


def required_columns(record: Record) -> tuple[str, ...]:
    """The columns a file must have; the first day of a customer's attributes may be given apart.

    >>> "valid_from" in required_columns(RECORDS["customers"])
    False
    """
    apart = "valid_from" if record.name == "customers" else None
    return tuple(name for name in record.required if name != apart)
