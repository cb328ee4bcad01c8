"""Fixtures every room uses: a real PostgreSQL, migrated once, and a transaction per test."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.infra.database import Database, create_database, libpq_url, normalise_url
from app.infra.ids import new_id
from app.infra.migrations import upgrade
from app.infra.settings import Settings
from tests.hypothesis_profiles import load_profile
from tests.lanes import BoundLanes
from tests.postgres import FAST, throw_away_server
from tests.proofs import proved_here
from tests.routes import routes_read_once

pytest_plugins = ["tests.coverage_of_cases"]

TEMPLATE = "tiering_template"

load_profile()

# What is imported stays for the whole run, and tests make much that dies at once: looked through as
# often as the default has it, the heap takes a tenth of the processor's time.
gc.freeze()
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _routes_read_once() -> Iterator[None]:
    with routes_read_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _proved_here() -> Iterator[None]:
    with proved_here():
        yield


def _run(server: str, *statements: str) -> None:
    async def go() -> None:
        connection = await asyncpg.connect(libpq_url(server))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(go())


def on_database(server: str, name: str) -> str:
    """The server's URL with another database."""
    return normalise_url(server).set(database=name).render_as_string(hide_password=False)


def _copy(name: str, template: str) -> str:
    """The statement that copies a database: its files, which takes half as long as page by page."""
    return f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """One server per test process, with a migrated template database on it."""
    with throw_away_server() as url:
        settings = (setting.partition("=") for setting in FAST)
        _run(url, *(f"ALTER SYSTEM SET {name} = {value}" for name, _, value in settings))
        _run(url, "SELECT pg_reload_conf()", f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(upgrade(on_database(url, TEMPLATE)))
        _run(url, _copy("tiering", TEMPLATE))
        yield url


@pytest.fixture(scope="session")
def database_url(server_url: str) -> str:
    """The process's shared database; tests leave it as they found it."""
    return on_database(server_url, "tiering")


@pytest.fixture
def fresh_database_url(server_url: str) -> Iterator[str]:
    """A migrated database of this test's own, for tests that commit."""
    name = f"fresh_{new_id().hex}"
    _run(server_url, _copy(name, TEMPLATE))
    yield on_database(server_url, name)
    _run(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def made_databases(server: str, template: str = TEMPLATE) -> Iterator[Callable[[], str]]:
    """As many migrated databases as are asked for; they go with the block.

    Args:
        server: the server's URL.
        template: the name of what they are copies of, to which nobody is connected.
    """
    names: list[str] = []

    def make() -> str:
        names.append(f"made_{new_id().hex}")
        _run(server, _copy(names[-1], template))
        return on_database(server, names[-1])

    yield make
    _run(server, *(f"DROP DATABASE {name} WITH (FORCE)" for name in names))


@pytest.fixture
def make_database(server_url: str) -> Iterator[Callable[[], str]]:
    """As many migrated databases as a test asks for."""
    with made_databases(server_url) as make:
        yield make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Development settings with a data folder of the test's own."""
    return Settings(data_dir=tmp_path / "data")


@asynccontextmanager
async def rolled_back(url: str) -> AsyncIterator[Database]:
    """Sessions over one connection whose outer transaction is rolled back after the block.

    A commit inside only releases a savepoint, so the API's own committing dependency can be used.
    """
    engine = create_async_engine(normalise_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield Database(
            engine,
            async_sessionmaker(
                bind=connection,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            ),
            BoundLanes(connection),
        )
        await outer.rollback()
    await engine.dispose()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The shared database, in a transaction of the test's own."""
    async with rolled_back(database_url) as opened:
        yield opened


@pytest.fixture
async def committed(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A pool over a database of the test's own, for transactions that really commit."""
    opened = create_database(fresh_database_url, settings)
    yield opened
    await opened.close()


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in the test's own transaction."""
    async with database.sessions() as opened:
        yield opened
