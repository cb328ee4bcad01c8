"""Importing a file: read to its end first, then written chunk by chunk, each whole or not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from app.domain.errors import DomainError, Invalid
from app.domain.records.findings import Finding as MappingFinding
from app.domain.records.findings import MappingError
from app.domain.records.mapping.document import RecordsMapping, Source, parse_mapping
from app.domain.records.mapping.frame import Frame, Plan, Setting, compile_mapping, draw
from app.domain.records.mapping.own_layout import own_layout
from app.domain.records.specs import RECORDS, get_record
from app.features.imports.repository import runs, staging
from app.features.imports.service import frame as frames
from app.features.imports.service.files import RowFile, check_unchanged, open_rows
from app.features.imports.service.inspection import Inspected, Progress, chunks, inspect
from app.features.imports.service.rejects import Finding, RejectsFile, open_rejects
from app.features.imports.service.results import ImportResult, Tally
from app.features.imports.service.writing import Desk, write_batches
from app.infra.cipher import Vault
from app.infra.database import AsyncSession, Database
from app.infra.documents import read_document
from app.infra.ids import new_id
from app.infra.settings import Settings

CHUNK_ROWS: Final = 50_000
_MANY_ROWS: Final = 1_000
_LARGEST_CHUNK: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the caller may choose.

    Args:
        mapping: a mapping document; without one the file is in our own layout.
        record: the record type of a file in our own layout; without one its name tells.
        rejects: where to list rejected and doubted rows.
        valid_from: the day from which attributes hold that come without a day of their own.
        chunk_rows: rows in a transaction.
        run_id: the import that was begun for this file already; nothing else is resumed.
    """

    mapping: Path | None = None
    record: str | None = None
    rejects: Path | None = None
    valid_from: date | None = None
    chunk_rows: int = CHUNK_ROWS
    run_id: UUID | None = None


class Ward:
    """Watches over an import for whoever ordered it; this one lets everything pass.

    Its methods are called last in a transaction, which rolls back if they raise.
    """

    #: Whether findings, without values, stay in the database when the import is complete.
    keeps_findings = False

    def check_header(self, path: Path, names: Sequence[str]) -> None:
        """A file's columns are called so."""

    async def confirm(self, session: AsyncSession, *, done: int, total: int) -> None:
        """A transaction of the import is about to commit, after which so many rows are done."""

    async def complete(self, session: AsyncSession) -> None:
        """The transaction that completes the import is about to commit."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an import takes from its deployment; `today` is the business day."""

    database: Database
    settings: Settings
    vault: Vault
    today: date
    ward: Ward = field(default_factory=Ward)


@dataclass(slots=True)
class _Run:
    """How far an import has come; `findings` are those of chunks an earlier attempt committed."""

    id: UUID
    valid_from: date
    done: Tally = field(default_factory=Tally)
    chunks: int = 0
    findings: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Work:
    """What every chunk needs."""

    surroundings: Surroundings
    inspected: Inspected
    rejects: RejectsFile


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


async def run_import(
    surroundings: Surroundings,
    path: Path,
    options: ImportOptions | None = None,
    progress: Progress = _silent,
) -> ImportResult:
    """Import a file; an interrupted import of the same file goes on where it stopped.

    Args:
        surroundings: database, settings, vault, business day.
        path: the file.
        options: what the caller chose.
        progress: called after every chunk read and every chunk committed.

    Raises:
        Invalid: file, mapping or options cannot be used. Nothing was written.
        Conflict: the database cannot take it now, or the file changed. Committed chunks stay.
    """
    chosen = options or ImportOptions()
    if not 1 <= chosen.chunk_rows <= _LARGEST_CHUNK:
        raise Invalid("import-invalid", f"chunk-rows: use 1 to {_LARGEST_CHUNK:,}")
    document = _read_mapping(chosen.mapping) if chosen.mapping else None
    file = open_rows(path, document.source if document else Source())
    surroundings.ward.check_header(path, file.schema.names)
    mapping = document or _own_layout(file, chosen.record)
    _check_currency(mapping, surroundings.settings)
    choice = Choice(_text_of(chosen.mapping), chosen.record, chosen.valid_from)
    digests = (file.digest, choice.digest(surroundings.settings))
    inputs = [path] if chosen.mapping is None else [path, chosen.mapping]
    with open_rejects(chosen.rejects, inputs) as rejects:
        run, is_new = await _find_run(surroundings, chosen, digests)
        plan = _plan(file, mapping, surroundings.settings, run.valid_from)
        work = _Work(surroundings, inspect(file, plan, progress), rejects)
        await _begin(work, run, digests if is_new else None)
        rejects.write(run.findings)
        resumed = run.done.rows
        try:
            await _write_all(work, run, chosen.chunk_rows, progress)
        except DomainError:
            await _note_failure(work, run)
            raise
    reasons = {item.name: item.reason for item in mapping.filters}
    return ImportResult(run.id, path.name, run.done, reasons, resumed)


# ------------------------------------------------------------------------------------ beforehand


def _read_mapping(path: Path) -> RecordsMapping:
    try:
        return parse_mapping(read_document(path.read_text(encoding="utf-8")))
    except OSError as error:
        what = (error.strerror or "it cannot be read").lower()
        raise Invalid("mapping-invalid", f"{path.name}: {what}; check the path") from None
    except UnicodeDecodeError:
        raise Invalid("mapping-invalid", f"{path.name}: not UTF-8; save it as UTF-8") from None
    except MappingError as error:
        raise _placed(path, error) from None
    except Invalid as error:
        raise Invalid("mapping-invalid", f"{path.name}: {error.detail}") from None


def _placed(path: Path, error: MappingError) -> MappingError:
    """The same findings, each with the name of the file it is about."""
    return MappingError(
        MappingFinding(
            f"{path.name}, {item.path}" if item.path else path.name, item.message, item.remedy
        )
        for item in error.findings
    )


def _own_layout(file: RowFile, record: str | None) -> RecordsMapping:
    name = record or file.path.name.partition(".")[0]
    if record is None and name not in RECORDS:
        raise Invalid(
            "import-invalid",
            f"{file.path.name}: no record type is called so; name one of {', '.join(RECORDS)} "
            "with --record, or give a --mapping",
        )
    try:
        return own_layout(get_record(name), file.schema.names)
    except MappingError as error:
        raise _placed(file.path, error) from None


def _check_currency(mapping: RecordsMapping, settings: Settings) -> None:
    if mapping.currency not in {None, settings.currency}:
        raise Invalid(
            "foreign-currency",
            f"the mapping's amounts are in {mapping.currency}, this deployment keeps "
            f"{settings.currency}: convert them, or set TIERING_CURRENCY={mapping.currency}",
        )


def _text_of(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Choice:
    """What decides, beside the file, what an import does: the mapping's text and two options."""

    mapping: str | None
    record: str | None
    valid_from: date | None

    def digest(self, settings: Settings) -> str:
        """What is equal for imports that would do the same with the same file."""
        parts = {
            "mapping": self.mapping,
            "record": self.record,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "currency": settings.currency,
            "zone": settings.business_zone,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _plan(file: RowFile, mapping: RecordsMapping, settings: Settings, valid_from: date) -> Plan:
    setting = Setting(settings.business_zone, valid_from, mapping.source.decimal_mark)
    try:
        return compile_mapping(mapping, frames.header_of(file.schema), setting)
    except MappingError as error:
        raise _placed(file.path, error) from None


async def _find_run(
    surroundings: Surroundings, options: ImportOptions, digests: tuple[str, str]
) -> tuple[_Run, bool]:
    """The interrupted import of the same file by the same mapping, or a new one."""
    async with runs.transaction(surroundings.database) as session:
        if options.run_id is None:
            found = await runs.find_unfinished_run(
                session, file_digest=digests[0], mapping_digest=digests[1]
            )
        else:
            found = await runs.get_unfinished_run(session, options.run_id)
    if found is None:
        return _Run(new_id(), options.valid_from or surroundings.today), True
    run = _Run(found.id, date.fromisoformat(found.begun_with["valid_from"]))
    for counts in found.chunks:
        run.done.add(Tally.from_json(counts))
        run.chunks += 1
        run.findings += counts.get("findings", [])
    return run, False


async def _begin(work: _Work, run: _Run, digests: tuple[str, str] | None) -> None:
    """Record that an import begins, or goes on."""
    async with runs.transaction(work.surroundings.database) as session:
        if digests is None:
            await runs.resume_run(session, run_id=run.id)
        else:
            runs.begin_run(
                session,
                run_id=run.id,
                file_name=work.inspected.file.path.name,
                digests=digests,
                begun_with={"valid_from": run.valid_from.isoformat()},
            )
        await _confirm(work, session, run.done.rows)


async def _confirm(work: _Work, session: AsyncSession, done: int) -> None:
    # Whatever waits in the session comes first: the ward's word is the last one.
    await session.flush()
    await work.surroundings.ward.confirm(session, done=done, total=work.inspected.rows)


# --------------------------------------------------------------------------------------- writing


async def _write_all(work: _Work, run: _Run, chunk_rows: int, progress: Progress) -> None:
    inspected = work.inspected
    remaining = chunks(inspected.file, inspected.plan, chunk_rows=chunk_rows, after=run.done.rows)
    progress("writing", run.done.rows, inspected.rows)
    for chunk in remaining:
        run.done.add(await _write_chunk(work, run, chunk))
        run.chunks += 1
        progress("writing", run.done.rows, inspected.rows)
    ward = work.surroundings.ward
    async with runs.transaction(work.surroundings.database) as session:
        await staging.refresh_statistics(session, _grown(run.done))
        await runs.finish_run(session, run_id=run.id, state="completed", counts=run.done.to_json())
        if not ward.keeps_findings:
            await runs.drop_findings(session, run_id=run.id)
        await _confirm(work, session, run.done.rows)
        await ward.complete(session)


def _grown(done: Tally) -> list[str]:
    """The tables that so many rows were written to that plans may depend on it."""
    grown = [
        name
        for name, counts in done.records.items()
        if counts.inserted + counts.updated >= _MANY_ROWS
    ]
    return [*grown, "scoring_inputs"] if "customers" in grown else grown


async def _write_chunk(work: _Work, run: _Run, chunk: Frame) -> Tally:
    """Write a chunk, its counts and its findings in one transaction."""
    around = work.surroundings
    kept = _without_value if around.ward.keeps_findings else _whole
    drawn = draw(work.inspected.plan, chunk)
    async with runs.transaction(around.database) as session:
        await staging.begin_writing(session)
        desk = Desk(
            session, around.vault, around.settings.currency, around.today, work.inspected.repeated
        )
        counts, findings = await write_batches(desk, drawn.records, drawn.findings)
        rejected = frames.rejected_rows(findings)
        tally = Tally(
            rows=drawn.rows,
            loaded=drawn.rows - sum(drawn.filtered.values()) - drawn.unused - rejected,
            rejected=rejected,
            unused=drawn.unused,
            filtered=Counter(drawn.filtered),
            records=counts,
        )
        listed = findings.sort("row", maintain_order=True).rows()
        work.rejects.write(listed)
        check_unchanged(work.inspected.file)
        runs.record_chunk(
            session,
            run_id=run.id,
            chunk_no=run.chunks,
            counts={**tally.to_json(), "findings": [*map(kept, listed)]},
        )
        await _confirm(work, session, run.done.rows + tally.rows)
    return tally


def _whole(finding: Finding) -> Finding:
    return finding


def _without_value(finding: Finding) -> Finding:
    return (*finding[:-1], None)


async def _note_failure(work: _Work, run: _Run) -> None:
    """Say in the database that the import stopped, if the database still listens."""
    with suppress(DomainError):
        async with runs.transaction(work.surroundings.database) as session:
            await runs.finish_run(session, run_id=run.id, state="failed")
            await _confirm(work, session, run.done.rows)
