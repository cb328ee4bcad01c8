"""Uploaded files, sealed, and the imports that were begun for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, bindparam, cast, delete, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.import_run import ImportChunkRow, ImportRunRow
from app.db.rows.import_upload import ImportUploadChunkRow, ImportUploadRow

#: Where blocks of files stand: what they are sealed for.
PLACE: Final = (ImportUploadChunkRow.__tablename__, "content")

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_UNWANTED: Final = text("""
    DELETE FROM import_uploads u WHERE u.recorded_at < now() - make_interval(days => :days)
        AND NOT EXISTS (
            SELECT FROM jobs j WHERE j.dedupe_key = 'import:' || u.run_id
                AND (j.state IN ('queued', 'running')
                    OR j.finished_at > now() - make_interval(days => :days)))
""").bindparams(bindparam("days"))


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload's row holds; the blocks stand by themselves."""

    id: UUID
    run_id: UUID
    key_id: str
    wrapped_key: bytes
    size_bytes: int
    mapping: str | None
    record: str | None
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class RunState:
    """An import, with what its committed chunks did."""

    id: UUID
    file_name: str
    file_digest: str
    state: str
    counts: Mapping[str, Any]
    chunks: Sequence[Mapping[str, Any]]
    created_at: datetime
    finished_at: datetime | None


async def lock_file(session: AsyncSession, digests: tuple[str, str]) -> None:
    """Let one request at a time begin an import of the same file by the same mapping."""
    await session.execute(_LOCK, {"name": ":".join(digests)})


async def has_upload(session: AsyncSession, run_id: UUID) -> bool:
    """Whether an import's file is here."""
    found = select(ImportUploadRow.id).where(ImportUploadRow.run_id == run_id)
    return await session.scalar(found) is not None


async def add_upload(session: AsyncSession, upload: Upload, blocks: Iterable[bytes]) -> None:
    """Store a file; its blocks go one by one, so that none but one is in memory."""
    values = {name: getattr(upload, name) for name in Upload.__dataclass_fields__}
    await session.execute(insert(ImportUploadRow).values(values))
    for position, block in enumerate(blocks):
        await session.execute(
            insert(ImportUploadChunkRow),
            {"upload_id": upload.id, "chunk_no": position, "content": block},
        )


async def find_upload(session: AsyncSession, run_id: UUID) -> Upload | None:
    """An import's file, if it is still here."""
    columns = [getattr(ImportUploadRow, name) for name in Upload.__dataclass_fields__]
    found = await session.execute(select(*columns).where(ImportUploadRow.run_id == run_id))
    row = found.one_or_none()
    return None if row is None else Upload(*row)


async def read_blocks(session: AsyncSession, upload_id: UUID) -> AsyncIterator[bytes]:
    """The blocks of a file in order, sealed."""
    position = 0
    while True:
        block: bytes | None = await session.scalar(
            select(ImportUploadChunkRow.content).where(
                ImportUploadChunkRow.upload_id == upload_id,
                ImportUploadChunkRow.chunk_no == position,
            )
        )
        if block is None:
            return
        yield block
        position += 1


async def remove_upload(session: AsyncSession, run_id: UUID) -> None:
    """Remove a file and the key it was sealed with."""
    await session.execute(delete(ImportUploadRow).where(ImportUploadRow.run_id == run_id))


async def remove_unwanted(session: AsyncSession, *, days: int) -> None:
    """Remove the files of imports that ended without success so many days ago."""
    await session.execute(_UNWANTED, {"days": days})


async def find_run_state(session: AsyncSession, run_id: UUID) -> RunState | None:
    """An import as it stands."""
    row = await session.get(ImportRunRow, run_id)
    if row is None:
        return None
    without = ImportChunkRow.counts.op("-", return_type=JSONB)(cast("findings", Text))
    chunks = await session.scalars(
        select(without).where(ImportChunkRow.run_id == run_id).order_by(ImportChunkRow.chunk_no)
    )
    return RunState(
        id=row.id,
        file_name=row.file_name,
        file_digest=row.file_digest,
        state=row.state,
        counts=row.counts,
        chunks=chunks.all(),
        created_at=row.recorded_at,
        finished_at=row.finished_at,
    )


async def read_findings(session: AsyncSession, run_id: UUID) -> AsyncIterator[list[Sequence[Any]]]:
    """What was found on rows, one committed chunk after the other."""
    position = 0
    findings = ImportChunkRow.counts["findings"]
    while True:
        found = await session.execute(
            select(findings).where(
                ImportChunkRow.run_id == run_id, ImportChunkRow.chunk_no == position
            )
        )
        row = found.one_or_none()
        if row is None:
            return
        yield row[0] or []
        position += 1
