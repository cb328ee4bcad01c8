"""The one write path: typed rows of records, checked, sealed, staged, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.records.checks.frame import check, without_rejected
from app.domain.records.deriving.frame import dated_columns, derive
from app.domain.records.keys.frame import fingerprint, repeated, sort_out
from app.domain.records.mapping.document import OnDuplicate, RecordMapping
from app.domain.records.mapping.frame import Frame, no_findings
from app.domain.records.specs import RECORDS, Record
from app.features.imports.repository import customers, records, staging
from app.features.imports.service import frame as rows
from app.features.imports.service.moving import move_merged
from app.features.imports.service.results import RecordCounts
from app.features.imports.service.sealing.frame import (
    Sealing,
    cipher_columns,
    seal,
    sealed_columns,
    subjects,
)
from app.infra.cipher import Vault, ensure_subject_keys
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Desk:
    """What writing needs besides the rows.

    `today` is the business day; `repeated` are the keys a whole file holds twice.
    """

    session: AsyncSession
    vault: Vault
    currency: str
    today: date
    repeated: Frame | None = None


@dataclass(slots=True)
class _Batch:
    """Rows of one record on their way in, and what was found on it."""

    record: Record
    frame: Frame
    findings: list[Frame]
    counts: RecordCounts

    def refuse(self, findings: Frame) -> None:
        """Take the rows that findings reject out."""
        if not findings.is_empty():
            self.findings.append(findings)
            self.frame = without_rejected(self.frame, findings)


async def write_batches(
    desk: Desk, drawn: Iterable[tuple[RecordMapping, Frame]], found: Frame
) -> tuple[dict[str, RecordCounts], Frame]:
    """Write rows of records in one transaction, parents before children.

    Args:
        desk: the transaction and what else it takes.
        drawn: typed rows by record; a record may occur several times.
        found: what was wrong with values on the way here.

    Returns:
        Counts by record, and all findings.
    """
    entries = list(drawn)
    counts: dict[str, RecordCounts] = {}
    findings = [no_findings()]
    aliases = await records.list_aliases(desk.session)
    for record in RECORDS.values():
        mine = [(entry, frame) for entry, frame in entries if entry.record is record]
        if not mine:
            continue
        unread = found.filter(found["record"] == record.name)
        batch = _sorted_out(desk, record, mine, unread)
        batch.refuse(unread)
        if record.name not in {"customers", "customer_aliases"}:
            _follow_merges(batch, aliases, _on_duplicate(mine))
        batch.refuse(check(record, batch.frame, currency=desk.currency))
        batch.frame = rows.without_currency(batch.frame)
        if record.name == "customers":
            batch.refuse(rows.merged_away(record, batch.frame, aliases))
            await _write_customers(desk, batch)
        elif record.name == "customer_aliases":
            batch.refuse(rows.merged_back(record, batch.frame, aliases))
            aliases = await _write_aliases(desk, batch)
        else:
            await _write_plain(desk, batch)
        merged = rows.joined([no_findings(), *batch.findings])
        rejected, warned = rows.count_codes(merged)
        batch.counts.rejected.update(rejected)
        batch.counts.warnings.update(warned)
        counts[record.name] = batch.counts
        findings.append(merged)
    return counts, rows.joined(findings)


def _sorted_out(
    desk: Desk, record: Record, mine: Sequence[tuple[RecordMapping, Frame]], unread: Frame
) -> _Batch:
    """The rows of a record, each key once; whatever else is wrong with the others is told too."""
    frame = rows.joined([frame for _, frame in mine])
    batch = _Batch(record, frame, [], RecordCounts())
    if desk.repeated is not None:
        sorted_out = sort_out(record, frame, desk.repeated, _on_duplicate(mine))
        batch.frame = sorted_out.frame
        batch.counts.duplicates = sorted_out.passed_over
        if not sorted_out.findings.is_empty():
            readable = without_rejected(sorted_out.clashing, unread)
            others = check(record, readable, currency=desk.currency)
            batch.findings += [sorted_out.findings, others]
    return batch


def _on_duplicate(mine: Sequence[tuple[RecordMapping, Frame]]) -> OnDuplicate:
    last = any(entry.on_duplicate is OnDuplicate.LAST for entry, _ in mine)
    return OnDuplicate.LAST if last else OnDuplicate.REJECT


def _follow_merges(batch: _Batch, aliases: Mapping[str, str], on_duplicate: OnDuplicate) -> None:
    """Put survivors in the place of merged ids, and sort out the rows that share a key since."""
    frame = rows.with_survivors(batch.frame, aliases)
    if not frame.equals(batch.frame):
        shared = repeated(fingerprint(batch.record, frame))
        sorted_out = sort_out(batch.record, frame, shared, on_duplicate)
        frame = sorted_out.frame
        batch.counts.duplicates += sorted_out.passed_over
        if not sorted_out.findings.is_empty():
            batch.findings.append(sorted_out.findings)
    batch.frame = frame


async def _write_aliases(desk: Desk, batch: _Batch) -> dict[str, str]:
    """Write merges, move the records of who was merged, and tell all merges there are now."""
    await _write_plain(desk, batch)
    merged_ids = batch.frame["alias_id"].to_list()
    await move_merged(desk.session, merged_ids, vault=desk.vault, today=desk.today)
    return await records.list_aliases(desk.session)


async def _write_plain(desk: Desk, batch: _Batch) -> None:
    record = batch.record
    if sealed_columns(record, batch.frame.columns):
        ids = batch.frame["customer_id"].unique().to_list()
        known = await records.list_known_customers(desk.session, ids)
        batch.frame, strangers = rows.without_strangers(record, batch.frame, known)
        batch.refuse(strangers)
        batch.frame = await _sealed(desk, record, batch.frame)
    if batch.frame.is_empty():
        return
    columns = [name for name in batch.frame.columns if not name.startswith("#")]
    staged = await staging.stage(
        desk.session,
        target=record.name,
        columns=columns,
        content=rows.to_copy(record, batch.frame, columns),
        key=list(dict.fromkeys([*record.key, *(record.parent.columns if record.parent else ())])),
    )
    count = batch.frame.height
    if record.parent is not None:
        orphans = await records.remove_orphans(desk.session, staged, record.parent)
        count -= len(orphans)
        if orphans:
            codes = {
                item.row: "other-customer" if item.is_of_other else "unknown-parent"
                for item in orphans
            }
            column = record.parent.columns[0]
            batch.findings.append(rows.findings_at(record, batch.frame, codes, column))
    upserted = await records.upsert(desk.session, staged, record.key)
    batch.counts.inserted = upserted.inserted
    batch.counts.updated = upserted.updated
    batch.counts.unchanged = count - upserted.inserted - upserted.updated
    await staging.drop(desk.session, staged)


async def _write_customers(desk: Desk, batch: _Batch) -> None:
    record = batch.record
    if batch.frame.is_empty():
        return
    given, carried = dated_columns(record, batch.frame.columns)
    frame = derive(record, batch.frame)
    if sealed_columns(record, frame.columns):
        frame = await _sealed(desk, record, frame)
    # Sealing has locked the customers' keys, so that of two first records the later one sees which.
    kinds = await customers.list_kinds(desk.session, frame["customer_id"].unique().to_list())
    changed = rows.kinds_changed(record, frame, kinds)
    batch.refuse(changed)
    frame = without_rejected(frame, changed)
    if frame.is_empty():
        return
    apart = {*given, *carried, "valid_from"}
    columns = [name for name in frame.columns if name not in apart and not name.startswith("#")]
    held = [*columns, *given, "valid_from", "is_dated"]
    types = {name: staging.type_of("scoring_inputs", name) for name in (*given, "valid_from")}
    staged = await staging.stage(
        desk.session,
        target=record.name,
        columns=columns,
        content=rows.to_copy(record, frame, held),
        key=record.key,
        extra={**types, "is_dated": "boolean"},
    )
    written = await customers.upsert_customers(desk.session, staged, today=desk.today)
    written += await customers.upsert_history(desk.session, staged, given=given, carried=carried)
    inserted = {item.row for item in written if item.is_new}
    updated = {item.row for item in written} - inserted
    batch.counts.inserted, batch.counts.updated = len(inserted), len(updated)
    batch.counts.unchanged = batch.frame.height - len(inserted) - len(updated)
    await staging.drop(desk.session, staged)


async def _sealed(desk: Desk, record: Record, frame: Frame) -> Frame:
    keys = await ensure_subject_keys(desk.session, desk.vault, subjects(record, frame))
    key = record.key[0]
    stored = await records.list_sealed(
        desk.session,
        table=record.name,
        key=key,
        columns=cipher_columns(record, frame.columns),
        keys=frame[key].unique().to_list(),
    )
    return seal(record, frame, Sealing(keys, stored, desk.vault.blind_index))
