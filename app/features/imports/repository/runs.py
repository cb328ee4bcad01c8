"""Import runs and their chunks: what is in the database, whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.import_run import ImportChunkRow, ImportRunRow
from app.domain.errors import Conflict, DomainError, Invalid
from app.infra.database import DATABASE_ERRORS, Database

_DISK_FULL = "53100"
_LOCKED = "55P03"
_UNIQUE = "23505"
_CONSTRAINTS = "23"
#: Connection, resources, operator intervention.
_UNAVAILABLE = ("08", "53", "57")


@dataclass(frozen=True, slots=True)
class Run:
    """An import, with what it was begun with and what its committed chunks did, in order."""

    id: UUID
    begun_with: Mapping[str, Any]
    chunks: tuple[Mapping[str, Any], ...]


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction of an import, kept whole or not at all; its failures said in one line.

    Raises:
        Conflict: the database cannot take it now; the remedy is in the message.
        Invalid: a constraint refuses it, which the checks should have seen.
    """
    try:
        async with database.sessions.begin() as session:
            yield session
    except DATABASE_ERRORS as error:
        # Never the driver's text: it repeats values of the row.
        raise _told(error) from None


def _told(error: Exception) -> DomainError:
    # COPY goes past SQLAlchemy, so its errors are the driver's own.
    driver = error.driver_exception if isinstance(error, DBAPIError) else error
    code = str(getattr(driver, "sqlstate", None) or "")
    again = "what was committed stays, run the same command again to go on"
    if code == _DISK_FULL:
        return Conflict("database-full", f"the database's disk is full: free space; {again}")
    if code == _LOCKED:
        return Conflict("import-running", f"another import is writing: wait for it; {again}")
    if code == _UNIQUE and getattr(driver, "table_name", "") == ImportChunkRow.__tablename__:
        return Conflict("import-running", "the same file is being imported by another command")
    if code.startswith(_CONSTRAINTS):
        name = getattr(driver, "constraint_name", None) or "a constraint"
        return Invalid("import-refused", f"{name} refuses a row of this chunk; {again}")
    if code.startswith(_UNAVAILABLE) or not code:
        return Conflict("database-unavailable", f"the database does not answer: check it; {again}")
    return Conflict("database-failed", f"the database failed with SQLSTATE {code}; {again}")


async def find_unfinished_run(
    session: AsyncSession, *, file_digest: str, mapping_digest: str
) -> Run | None:
    """The newest import of the same file and mapping, if it did not come to its end."""
    row = await session.scalar(
        select(ImportRunRow)
        .where(
            ImportRunRow.file_digest == file_digest,
            ImportRunRow.mapping_digest == mapping_digest,
        )
        .order_by(ImportRunRow.id.desc())
        .limit(1)
    )
    if row is None or row.state == "completed":
        return None
    return await _with_chunks(session, row)


async def get_unfinished_run(session: AsyncSession, run_id: UUID) -> Run:
    """An import that was begun and did not come to its end.

    Raises:
        Conflict: it came to its end meanwhile.
    """
    row = await session.get(ImportRunRow, run_id)
    if row is None or row.state == "completed":
        raise Conflict("import-completed", "another command completed the import meanwhile")
    return await _with_chunks(session, row)


async def _with_chunks(session: AsyncSession, row: ImportRunRow) -> Run:
    chunks = await session.scalars(
        select(ImportChunkRow.counts)
        .where(ImportChunkRow.run_id == row.id)
        .order_by(ImportChunkRow.chunk_no)
    )
    return Run(row.id, row.counts, tuple(chunks))


def begin_run(
    session: AsyncSession,
    *,
    run_id: UUID,
    file_name: str,
    digests: tuple[str, str],
    begun_with: Mapping[str, Any],
) -> None:
    """Record that an import begins."""
    session.add(
        ImportRunRow(
            id=run_id,
            file_name=file_name,
            file_digest=digests[0],
            mapping_digest=digests[1],
            state="running",
            counts=dict(begun_with),
        )
    )


def record_chunk(
    session: AsyncSession, *, run_id: UUID, chunk_no: int, counts: Mapping[str, Any]
) -> None:
    """Record a chunk in the transaction that writes it."""
    session.add(ImportChunkRow(run_id=run_id, chunk_no=chunk_no, counts=dict(counts)))


async def resume_run(session: AsyncSession, *, run_id: UUID) -> None:
    """Record that an import goes on."""
    await session.execute(
        update(ImportRunRow)
        .where(ImportRunRow.id == run_id)
        .values(state="running", finished_at=None)
    )


async def finish_run(
    session: AsyncSession, *, run_id: UUID, state: str, counts: Mapping[str, Any] | None = None
) -> None:
    """Record how an import ended."""
    values: dict[str, Any] = {"state": state, "finished_at": func.now()}
    if counts is not None:
        values["counts"] = dict(counts)
    await session.execute(update(ImportRunRow).where(ImportRunRow.id == run_id).values(values))


async def drop_findings(session: AsyncSession, *, run_id: UUID) -> None:
    """Forget the findings of an import, which whoever gave the command has in a file."""
    without = ImportChunkRow.counts.op("-", return_type=JSONB)(cast("findings", Text))
    await session.execute(
        update(ImportChunkRow)
        .where(ImportChunkRow.run_id == run_id, ImportChunkRow.counts.has_key("findings"))
        .values(counts=without)
    )
