"""Lanes that see what a test has not committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.lanes import Connection


class BoundLanes:
    """Lends the one connection of a test, within its transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """The driver's connection, in a savepoint so that an error undoes no more than itself."""
        await self._connection.execute(text("SELECT 1"))
        pooled = await self._connection.get_raw_connection()
        driver: Connection | None = pooled.driver_connection
        assert driver is not None
        async with driver.transaction():
            yield driver

    async def close(self) -> None:
        """Nothing is held."""
