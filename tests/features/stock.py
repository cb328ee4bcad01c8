"""Databases that are stocked once for all the tests of a process that begin with the same.

What a test begins with is written over the ordinary ways, and committed; the test then works in a
transaction that is rolled back, and so leaves it to the next one as it found it. Writing a few
customers takes longer than most tests that need them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from app.infra.database import AsyncSession, open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.conftest import made_databases
from tests.factories.templates import put_templates

Fill: TypeAlias = Callable[[Api, AsyncSession], Awaitable[None]]


async def nothing_else(_api: Api, _session: AsyncSession) -> None:
    """Leave it at the rule sets."""


@contextmanager
def stocked(server: str, keys: Path, fill: Fill) -> Iterator[str]:
    """The URL of a database with the shipped rule sets in force and what `fill` writes.

    Args:
        server: where it is made; it goes with the block.
        keys: the data folder whose keys seal what is written.
        fill: writes over the API, or over a session of the same database.
    """
    settings = Settings(data_dir=keys)

    async def go(url: str) -> None:
        async with open_database(url, settings) as database, database.sessions() as session:
            await put_templates(session)
            await session.commit()
            async with open_api(create_app(settings, database), settings) as api:
                await fill(api, session)

    with made_databases(server) as make:
        url = make()
        asyncio.run(go(url))
        yield url
