"""The migrations: one head, up, down and up, and every table says what it means."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import CustomerRow
from app.infra.database import libpq_url
from app.infra.migrations import alembic_config, code_revision, database_revision


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("")).get_heads()) == 1


def test_they_go_up_and_down_and_up_and_leave_nothing_to_generate(
    fresh_database_url: str,
) -> None:
    config = alembic_config(fresh_database_url)
    command.check(config)
    command.downgrade(config, "base")
    assert asyncio.run(_tables(fresh_database_url)) == ["alembic_version"]
    command.upgrade(config, "head")
    command.check(config)


async def _tables(url: str) -> list[str]:
    connection = await asyncpg.connect(libpq_url(url))
    try:
        found = await connection.fetch(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema IN ('public', 'book') ORDER BY 1"
        )
    finally:
        await connection.close()
    return [row["table_name"] for row in found]


@pytest.mark.anyio
async def test_the_database_knows_the_revision_of_this_code(session: AsyncSession) -> None:
    assert await database_revision(session) == code_revision()


@pytest.mark.anyio
async def test_every_table_and_column_carries_its_meaning(session: AsyncSession) -> None:
    missing = await session.execute(
        text(
            "SELECT c.relname, a.attname FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT attisdropped"
            " LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = a.attnum"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            " AND c.relname <> 'alembic_version' AND d.description IS NULL"
        )
    )
    assert missing.all() == []


@pytest.mark.anyio
async def test_the_database_lets_in_the_words_the_tables_declare(session: AsyncSession) -> None:
    found = await session.execute(
        text(
            "SELECT c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c"
            " WHERE c.connamespace = 'public'::regnamespace AND c.contype = 'c'"
        )
    )
    stored = {name: _quoted(definition) for name, definition in found}
    declared = {
        str(constraint.name): _quoted(str(constraint.sqltext))
        for table in CustomerRow.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert {name: stored[name] for name in declared} == declared


def _quoted(definition: str) -> list[str]:
    """The texts in a constraint: the words of a list, or a pattern."""
    return sorted(re.findall(r"'([^']*)'", definition))


@pytest.mark.anyio
@pytest.mark.parametrize("table", ["decisions", "audit_events", "rule_set_versions"])
async def test_append_only_tables_refuse_to_be_emptied(session: AsyncSession, table: str) -> None:
    with pytest.raises(Exception, match=f"{table} is append-only"):
        await session.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.anyio
async def test_append_only_rows_can_be_neither_changed_nor_deleted(session: AsyncSession) -> None:
    await session.execute(
        text(
            "INSERT INTO rule_set_versions (rule_set_id, version, product_line, document, hash,"
            " origin) VALUES ('t', 1, 'motor', '{}', repeat('a', 64), 'loaded')"
        )
    )
    for statement in ("UPDATE rule_set_versions SET version = 2", "DELETE FROM rule_set_versions"):
        async with session.begin_nested() as savepoint:
            with pytest.raises(Exception, match="append-only"):
                await session.execute(text(statement))
            await savepoint.rollback()


@pytest.mark.anyio
async def test_no_foreign_key_would_change_what_is_append_only(session: AsyncSession) -> None:
    found = await session.execute(
        text(
            "SELECT c.conname, c.confupdtype <> 'a' OR c.confdeltype <> 'a' AS cascades"
            " FROM pg_constraint c JOIN pg_trigger t ON t.tgrelid = c.conrelid"
            " WHERE c.contype = 'f' AND t.tgname = 'append_only'"
        )
    )
    cascades = {row.conname: row.cascades for row in found}
    assert cascades == dict.fromkeys(cascades, False)
    assert "fk_decisions_customer_id" in cascades


def test_a_database_without_migrations_has_no_revision(
    make_database: Callable[[], str],
) -> None:
    url = make_database()
    command.downgrade(alembic_config(url), "base")

    async def revision() -> str | None:
        from app.infra.database import open_database
        from app.infra.settings import Settings

        async with open_database(url, Settings()) as opened, opened.sessions() as session:
            await session.execute(text("DROP TABLE alembic_version"))
            await session.commit()
            return await database_revision(session)

    assert asyncio.run(revision()) is None
