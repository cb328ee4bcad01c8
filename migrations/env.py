"""How Alembic reaches the database: one process at a time, never waiting long for a lock."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

import app.db.rows  # noqa: F401 - registers every table on the metadata.
from app.db.base import Base
from app.infra.database import normalise_url

#: Any constant will do; it only has to be the same in every process that migrates.
ADVISORY_LOCK = 7_430_118


def _url() -> str:
    url = context.config.attributes.get("url") or os.environ.get("TIERING_DATABASE_URL")
    if not url:
        message = "no database: set TIERING_DATABASE_URL, or run `tiering migrate`"
        raise RuntimeError(message)
    return str(url)


def _migrate(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '15min'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


async def _run() -> None:
    engine = create_async_engine(normalise_url(_url()), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
