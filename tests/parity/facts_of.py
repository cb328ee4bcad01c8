"""Random books into PostgreSQL, and facts out of both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from app.db.facts_query import Scope, facts_query
from app.domain.facts.frame import facts_frame
from app.infra.book import open_book
from app.infra.database import libpq_url
from tests.recompute.random_book import TABLES

Facts = dict[str, dict[str, Any]]

#: Columns that hold hundredths in a random book and decimals in the database.
_HUNDREDTHS = {
    "premium",
    "claimed",
    "paid",
    "annual_premium",
    "average_premium",
    "clv",
    "object_coefficient",
}


def _stored(column: str, value: Any) -> Any:  # noqa: ANN401 - any column.
    if column in _HUNDREDTHS and value is not None:
        return Decimal(value) / 100
    return value


async def store(
    connection: asyncpg.Connection[asyncpg.Record],
    book: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """Put the book's rows into the raw tables in place of what is there."""
    for table in reversed(TABLES):
        await connection.execute(f"DELETE FROM {table}")
    for table in TABLES:
        if rows := book[table]:
            columns = list(rows[0])
            await connection.copy_records_to_table(
                table,
                columns=columns,
                records=[tuple(_stored(name, row[name]) for name in columns) for row in rows],
            )


async def facts_in_postgresql(connection: asyncpg.Connection[asyncpg.Record], as_of: date) -> Facts:
    """Every customer's facts by PostgreSQL."""
    rows = await connection.fetch(facts_query(Scope.ALL), as_of)
    return {row["customer_id"]: dict(row) for row in rows}


def facts_in_duckdb(url: str, folder: Path, as_of: date) -> Facts:
    """Every customer's facts by DuckDB, as a run over the book gets them."""
    with open_book(url, folder) as book:
        return {
            row["customer_id"]: row
            for batch in book.batches(as_of)
            for row in facts_frame(batch.facts).to_dicts()
        }


def store_and_read(url: str, book: Mapping[str, Sequence[Mapping[str, Any]]], as_of: date) -> Facts:
    """Commit the book, and read its facts in PostgreSQL."""

    async def go() -> Facts:
        connection = await asyncpg.connect(libpq_url(url))
        try:
            async with connection.transaction():
                await store(connection, book)
            return await facts_in_postgresql(connection, as_of)
        finally:
            await connection.close()

    return asyncio.run(go())
