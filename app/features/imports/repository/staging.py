"""COPY into temporary tables, from which records are written by statements over whole sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import CustomerRow
from app.infra.database import raw_connection, wait_for_locks

#: The number of the source row travels with the row, so that a refusal can name it.
ROW_NO: Final = "row_no"

#: All declared tables: the package of rows imports every one of them.
_TABLES: Final = CustomerRow.metadata.tables
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
#: One import writes at a time, so that no two wait for each other's rows in a circle.
_WRITE_LOCK: Final = 7_310_402_755_196_201
_IMPORTS_LOCK_SECONDS: Final = 60

_CREATE: Final = (
    "CREATE TEMPORARY TABLE {name} (row_no bigint NOT NULL, {definition}) ON COMMIT DROP"
)
_ANALYZE: Final = "ANALYZE {name} ({key})"


@dataclass(frozen=True, slots=True)
class Staged:
    """A temporary table with rows for one table; it goes with the transaction."""

    name: str
    target: str
    columns: tuple[str, ...]


def statement(template: str, **names: str) -> TextClause:
    """A statement over tables and columns that we declare; values only travel as parameters."""
    return text(template.format(**names))


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Names with commas between them.

    >>> listed(["a", "b"], "old.")
    'old.a, old.b'
    """
    return ", ".join(f"{prefix}{name}" for name in names)


async def refresh_statistics(session: AsyncSession, tables: Iterable[str]) -> None:
    """Let PostgreSQL look at tables that changed a lot; otherwise it plans for what they were.

    It would do so by itself within a minute or so, but a run or a look-up may come sooner. Where
    somebody else works on a table, as its own autovacuum, that one is left to him.
    """
    known = [name for name in tables if name in _TABLES]
    if known:
        await session.execute(statement("ANALYZE (SKIP_LOCKED) {tables}", tables=listed(known)))


async def begin_writing(
    session: AsyncSession, *, lock_seconds: int = _IMPORTS_LOCK_SECONDS
) -> None:
    """Take the lock that lets one import write at a time; it goes with the transaction.

    Args:
        session: in whose transaction.
        lock_seconds: how long this and further locks are waited for; an import has time.
    """
    await wait_for_locks(session, seconds=lock_seconds)
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})


async def stage(
    session: AsyncSession,
    *,
    target: str,
    columns: Sequence[str],
    content: bytes,
    key: Sequence[str],
    extra: Mapping[str, str] | None = None,
) -> Staged:
    """Copy rows into a temporary table.

    Args:
        session: in whose transaction.
        target: the table the rows are meant for; it gives the types of the columns.
        columns: its columns that the rows hold, after the row number.
        content: CSV without header: row number, these columns, the extra ones.
        key: the columns that other tables are joined by; the planner learns what they hold.
        extra: columns the table does not have, with their types.
    """
    held = {name: type_of(target, name) for name in columns} | dict(extra or {})
    staged = Staged(f"staged_{target}", target, tuple(columns))
    definition = listed(f"{name} {kind}" for name, kind in held.items())
    await session.execute(statement(_CREATE, name=staged.name, definition=definition))
    connection = await raw_connection(session)
    await connection.copy_to_table(
        staged.name, source=BytesIO(content), columns=[ROW_NO, *held], format="csv"
    )
    await session.execute(statement(_ANALYZE, name=staged.name, key=listed(key)))
    return staged


def type_of(table: str, column: str) -> str:
    """The database's type of a declared column."""
    return _TABLES[table].columns[column].type.compile(_DIALECT)


async def drop(session: AsyncSession, staged: Staged) -> None:
    """Remove a temporary table before its transaction ends."""
    await session.execute(statement("DROP TABLE {name}", name=staged.name))
