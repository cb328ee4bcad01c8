"""What tests of imports share: a desk that imports, files of rows, tables read back."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.domain.records.specs import RECORDS
from app.features.imports.service import ImportOptions, ImportResult, Surroundings, run_import
from app.infra.cipher import Vault, load_master_key
from app.infra.database import Database, normalise_url
from app.infra.settings import Settings
from tests.lanes import BoundLanes

TODAY = date(2026, 11, 22)

Row = Mapping[str, object]

CUSTOMER: Row = {"customer_id": "C1", "kind": "individual", "valid_from": "2020-01-01"}
POLICY: Row = {
    "policy_no": "P1",
    "customer_id": "C1",
    "product_line": "motor",
    "product": "car",
    "issued_on": "2020-02-01",
}
TERM: Row = {
    "policy_no": "P1",
    "customer_id": "C1",
    "term_start": "2020-02-01",
    "premium_kind": "regular",
    "term_end": "2021-02-01",
    "premium": "1200.50",
    "pay_mode": "yearly",
    "started_as": "new",
}


@dataclass(frozen=True)
class ImportDesk:
    """Imports files of a folder into one database."""

    surroundings: Surroundings
    folder: Path

    def write(self, name: str, rows: Sequence[Row], header: Sequence[str] | None = None) -> Path:
        """A CSV file of rows; absent values are empty cells."""
        names = list(header or dict.fromkeys(column for row in rows for column in row))
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([row.get(column, "") for column in names] for row in rows)
        return path

    def write_text(self, name: str, content: str) -> Path:
        """A file of some text, such as a mapping."""
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    async def load(self, record: str, *rows: Row, **options: object) -> ImportResult:
        """Import rows of one record in our own layout."""
        return await self.run(self.write(f"{record}.csv", rows), **options)

    async def run(self, path: Path, **options: object) -> ImportResult:
        """Import a file."""
        return await run_import(self.surroundings, path, ImportOptions(**options))  # type: ignore[arg-type]

    async def query(self, sql: str, **values: object) -> list[tuple[object, ...]]:
        """Rows of a query."""
        async with self.surroundings.database.sessions() as session:
            return [tuple(row) for row in await session.execute(text(sql), values)]

    async def count(self, table: str) -> object:
        """How many rows a table has."""
        return (await self.query(f"SELECT count(*) FROM {table}"))[0][0]

    async def contents(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that imports write, except when it was written and how it was sealed."""
        found = {}
        for name in (*RECORDS, "scoring_inputs"):
            columns = await self.query(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND table_name = :name ORDER BY ordinal_position",
                name=name,
            )
            names = [
                str(column) for (column,) in columns if not str(column).endswith(("_cipher", "_at"))
            ]
            rows = await self.query(f"SELECT {', '.join(names)} FROM {name}")
            found[name] = sorted(rows, key=repr)
        return found


T = TypeVar("T")


def in_transaction(url: str, folder: Path, story: Callable[[ImportDesk], Awaitable[T]]) -> T:
    """What a story tells that happens in a transaction of its own, which is rolled back."""

    async def go() -> T:
        engine = create_async_engine(normalise_url(url), poolclass=NullPool)
        async with engine.connect() as connection:
            outer = await connection.begin()
            sessions = async_sessionmaker(
                bind=connection,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            )
            settings = Settings(data_dir=folder / "data")
            vault = Vault(load_master_key(settings))
            database = Database(engine, sessions, BoundLanes(connection))
            around = Surroundings(database, settings, vault, TODAY)
            told = await story(ImportDesk(around, folder))
            await outer.rollback()
        await engine.dispose()
        return told

    return asyncio.run(go())


def counts(result: ImportResult, record: str) -> tuple[int, int, int, int]:
    """Inserted, updated, unchanged, duplicates."""
    found = result.total.records[record]
    return found.inserted, found.updated, found.unchanged, found.duplicates


def rejects(path: Path) -> list[dict[str, str]]:
    """The rows of a rejects file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
