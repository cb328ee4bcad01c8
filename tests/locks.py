"""Waiting until somebody waits for a lock, so that a test goes on at that very moment."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from app.infra.database import Database
from tests.patience import PATIENCE_SECONDS


async def until_somebody_waits(database: Database) -> None:
    """Return when a transaction waits for a lock that another holds, of whatever kind.

    Args:
        database: one with a connection to spare; no other test uses its server meanwhile.
    """
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.sessions() as session:
                if await session.scalar(waits):
                    return
