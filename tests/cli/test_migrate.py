"""`tiering migrate` on a database of an earlier version: what was stored before is found too."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.cli import serving
from app.cli.serving import bring_up_to_date
from app.features.imports.service import write_records
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import business_day, utc_now
from app.infra.database import open_database
from app.infra.settings import Settings

CUSTOMERS = 5


async def store_as_before(url: str, settings: Settings) -> None:
    """Customers with phones, stored by a version that had no index."""
    vault = Vault(load_master_key(settings))
    today = business_day(utc_now(), settings.business_zone)
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await write_records(
            session,
            record="customers",
            rows=[
                {"customer_id": f"C{number}", "kind": "individual", "phone": f"1380000000{number}"}
                for number in range(CUSTOMERS)
            ],
            vault=vault,
            settings=settings,
            valid_from=today,
        )
        await session.execute(text("UPDATE customers SET phone_index = NULL"))


async def indexes(url: str, settings: Settings) -> list[bytes | None]:
    """What the customers are found by, in the order of their ids."""
    async with open_database(url, settings) as database, database.sessions() as session:
        found = await session.scalars(text("SELECT phone_index FROM customers ORDER BY 1"))
        return list(found)


def test_it_fills_what_look_ups_go_by_and_can_be_repeated(
    fresh_database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_BATCH", 2)
    asyncio.run(store_as_before(fresh_database_url, settings))
    assert asyncio.run(indexes(fresh_database_url, settings)) == [None] * CUSTOMERS
    index = Vault(load_master_key(settings)).blind_index
    for _ in range(2):
        asyncio.run(bring_up_to_date(fresh_database_url, settings))
        assert asyncio.run(indexes(fresh_database_url, settings)) == sorted(
            index.phone(f"1380000000{number}") or b"" for number in range(CUSTOMERS)
        )
