"""A client of the whole application, over the test's own rolled-back transaction."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.infra.auth.issuer import development_issuer
from app.infra.cipher import load_master_key
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.conftest import rolled_back
from tests.features.stock import nothing_else, stocked


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the keys that development makes for itself and nothing else."""
    made = Settings(data_dir=tmp_path_factory.mktemp("keys"))
    load_master_key(made)
    development_issuer(made)
    return made.data_dir


@pytest.fixture
def settings(request: pytest.FixtureRequest, settings: Settings, keys: Path) -> Settings:
    """Settings whose data folder is the test's own, with the keys that sealed what is in stock."""
    if "api" in request.fixturenames:
        shutil.copytree(keys, settings.data_dir)
    return settings


@pytest.fixture(scope="session")
def rules_in_stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with the shipped rule sets in force."""
    with stocked(server_url, keys, nothing_else) as url:
        yield url


@pytest.fixture(scope="session")
def stock() -> str | None:
    """The database that a room or a module has stocked for its tests; most have not."""
    return None


@pytest.fixture
async def database(
    request: pytest.FixtureRequest, database_url: str, rules_in_stock: str, stock: str | None
) -> AsyncIterator[Database]:
    """The database that holds what the test begins with, in a transaction of its own."""
    if stock is None and "templates" in request.fixturenames:
        stock = rules_in_stock
    async with rolled_back(stock or database_url) as opened:
        yield opened


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """Calls the application as any role."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


@pytest.fixture
def templates(database: Database) -> None:
    """The shipped rule sets in force: `database` sees that they are asked for."""
