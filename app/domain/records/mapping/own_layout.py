"""Our own record layout: a file named as the record, its columns named as ours."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from app.domain.records.findings import Finding, MappingError, nearest
from app.domain.records.mapping.document import (
    RecordMapping,
    RecordsMapping,
    Source,
    required_columns,
)
from app.domain.records.mapping.expressions import From
from app.domain.records.specs import CURRENCY, Record


def own_layout(record: Record, header: Sequence[str]) -> RecordsMapping:
    """The mapping of a file that already speaks our language.

    Raises:
        MappingError: a column is unknown, or one that every row needs is missing.
    """
    known = [*record.columns, *([CURRENCY] if record.has_amounts else [])]
    findings = [
        Finding(f"header.{name}", f"{record.name} has no column {name!r}", nearest(name, known))
        for name in header
        if name not in known
    ]
    findings += [
        Finding(f"header.{name}", f"the column {name!r} is missing", "add it, or give a mapping")
        for name in required_columns(record)
        if name not in header
    ]
    if findings:
        raise MappingError(findings)
    columns = {name: From(f"header.{name}", name) for name in header}
    entry = RecordMapping("header", record, MappingProxyType(columns))
    return RecordsMapping(Source(), (entry,))
