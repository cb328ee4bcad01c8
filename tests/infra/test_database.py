"""Reaching PostgreSQL: spellings of URLs, timeouts, COPY inside the transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Invalid
from app.infra.database import (
    create_database,
    libpq_url,
    normalise_url,
    open_database,
    raw_connection,
)
from app.infra.settings import Settings


@pytest.mark.parametrize(
    "raw",
    [
        "postgres://u:p@db/x?sslmode=require",
        "postgresql://u:p@db/x?sslmode=require",
        "postgresql+asyncpg://u:p@db/x?ssl=require",
        "postgresql+psycopg://u:p@db/x?sslmode=require",
    ],
)
def test_every_usual_spelling_reaches_asyncpg_and_back(raw: str) -> None:
    assert (
        normalise_url(raw).render_as_string(hide_password=False)
        == "postgresql+asyncpg://u:p@db/x?ssl=require"
    )
    assert libpq_url(raw) == "postgresql://u:p@db/x?sslmode=require"
    assert libpq_url(raw, password=False) == "postgresql://u@db/x?sslmode=require"


@pytest.mark.parametrize("raw", ["secret nonsense", "mysql://u:secret@db/x", "sqlite:///secret"])
def test_what_is_no_postgresql_url_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(Invalid, match="database_url") as caught:
        normalise_url(raw)
    assert "secret" not in str(caught.value)


@pytest.mark.anyio
async def test_the_server_enforces_the_timeouts(database_url: str) -> None:
    async with (
        open_database(database_url, Settings(), statement_timeout_seconds=7) as opened,
        opened.sessions() as session,
    ):
        found = [
            await session.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout", "TimeZone")
        ]
    assert found == ["7s", "5s", "UTC"]


@pytest.mark.anyio
async def test_behind_a_pooler_nothing_is_prepared_under_a_lasting_name(database_url: str) -> None:
    database = create_database(database_url, Settings(pgbouncer=True))
    async with database.sessions() as session:
        for _ in range(3):
            assert await session.scalar(text("SELECT 1")) == 1
        lasting = await session.scalar(
            text("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'")
        )
    await database.engine.dispose()
    assert lasting == 0


@pytest.mark.anyio
async def test_behind_a_pooler_the_timeouts_go_with_each_transaction(database_url: str) -> None:
    database = create_database(database_url, Settings(pgbouncer=True))
    query = text("SELECT name, setting, source FROM pg_settings WHERE name LIKE '%timeout'")
    async with database.sessions() as session:
        for _ in range(2):
            # They must not count as a query: what says how the transaction reads comes first.
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            # A pooler refuses what a client asks for at its start, which would say `client`.
            found = {row for row in await session.execute(query) if row.source != "default"}
            await session.commit()
            assert {tuple(row) for row in found if row.source != "configuration file"} == {
                ("statement_timeout", "15000", "session"),
                ("lock_timeout", "5000", "session"),
                ("idle_in_transaction_session_timeout", "60000", "session"),
            }
    await database.engine.dispose()


@pytest.mark.anyio
async def test_copy_runs_inside_the_session_s_transaction(session: AsyncSession) -> None:
    connection = await raw_connection(session)
    await connection.copy_records_to_table(
        "product_services", records=[("car", "towing")], columns=["product", "service_code"]
    )
    assert await session.scalar(text("SELECT count(*) FROM product_services")) == 1
    await session.rollback()
    assert await session.scalar(text("SELECT count(*) FROM product_services")) == 0
