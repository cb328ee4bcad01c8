"""Connections of their own for the batches that hot reads, probes and the audit send.

They are few and never lent to a request, which may hold one of the pool's connections while it
waits for a batch: taken from there, all of them could wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Protocol, TypeAlias

import asyncpg

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

#: One for each batcher, that of the probes among them: each has one batch on its way.
_MOST: Final = 6
_PATIENCE_SECONDS: Final = 2.0


class Lanes(Protocol):
    """Lends asyncpg's own connections, each to one batch at a time."""

    def lend(self) -> AbstractAsyncContextManager[Connection]:
        """A connection outside of any transaction."""

    async def close(self) -> None:
        """Give back what is open."""


class PooledLanes:
    """Opens connections at first need, and anew where one broke.

    Args:
        url: in libpq's own words.
        arguments: of `asyncpg.connect`.
    """

    def __init__(self, url: str, arguments: Mapping[str, Any]) -> None:
        self._url = url
        self._arguments = arguments
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection outside of any transaction.

        Raises:
            TimeoutError: none came free in time.
            OSError: the server is not there.
        """
        pool = self._pool or await self._open()
        async with pool.acquire(timeout=_PATIENCE_SECONDS) as connection:
            yield connection

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=_MOST, reset=_nothing, **self._arguments
                )
            return self._pool

    async def close(self) -> None:
        """End the connections; batches on their way are waited for."""
        if self._pool is not None:
            await self._pool.close()


async def _nothing(_connection: Connection) -> None:
    """Batches leave nothing behind; the driver's own reset costs a round trip each."""
