"""Writing a few rows that came one by one, with the checks and the statements of whole files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.errors import Invalid
from app.domain.records.findings import MappingError
from app.domain.records.keys.frame import fingerprint, repeated
from app.domain.records.mapping.frame import Frame, Setting, compile_mapping, draw
from app.domain.records.mapping.own_layout import own_layout
from app.domain.records.reasons import REASONS, REJECTING
from app.domain.records.specs import get_record
from app.features.imports.service.frame import from_rows
from app.features.imports.service.results import RecordCounts
from app.features.imports.service.writing import Desk, write_batches
from app.infra.cipher import Vault
from app.infra.database import AsyncSession
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with one row: its position from 0 and its column, a stable code, a remedy."""

    loc: tuple[int, str]
    code: str
    remedy: str


class RowsRejected(Invalid):
    """Rows that cannot be stored; nothing of them was. It repeats no value."""

    def __init__(self, errors: Iterable[RowError]) -> None:
        self.errors = tuple(errors)
        listed = "; ".join(f"row {e.loc[0] + 1}: {e.code}: {e.remedy}" for e in self.errors)
        super().__init__("rows-rejected", listed)


async def write_records(
    session: AsyncSession,
    *,
    record: str,
    rows: Sequence[Mapping[str, object]],
    vault: Vault,
    settings: Settings,
    valid_from: date,
) -> RecordCounts:
    """Write rows of one record in the caller's transaction, all of them or none.

    Columns that no row names stay as they are stored; a column that a row leaves out while another
    names it becomes absent.

    Args:
        session: the caller's transaction; nothing is committed here.
        record: the record type, as `customers`.
        rows: by column; texts, integers, booleans, dates and decimals, or texts that read so.
        vault: seals what is kept encrypted.
        settings: for the currency and the business zone.
        valid_from: today, from which attributes hold that come without a day of their own.

    Raises:
        RowsRejected: with every place that is wrong.
    """
    kind = get_record(record)
    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        mapping = own_layout(kind, names)
    except MappingError as error:
        raise RowsRejected(
            RowError((0, finding.path.removeprefix("header.")), "bad-column", finding.remedy)
            for finding in error.findings
        ) from None
    source = from_rows([{name: _as_text(row.get(name)) for name in names} for row in rows], names)
    plan = compile_mapping(mapping, source.schema, Setting(settings.business_zone, valid_from))
    drawn = draw(plan, source)
    keys = repeated(fingerprint(kind, drawn.records[0][1]))
    desk = Desk(session, vault, settings.currency, valid_from, keys)
    async with session.begin_nested():
        counts, findings = await write_batches(desk, drawn.records, drawn.findings)
        if errors := list(_errors(findings)):
            raise RowsRejected(errors)
    return counts[record]


def _as_text(value: object) -> str | None:
    """A value as a file would hold it, so that both are read by the same rules."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def _errors(findings: Frame) -> Iterable[RowError]:
    for row, record, column, code, _ in findings.iter_rows():
        if code in REJECTING:
            yield RowError((row - 1, column), code, REASONS[code].remedy(record, column))
