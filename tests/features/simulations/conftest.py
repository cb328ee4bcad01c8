"""A book, the shipped rule sets and a candidate: made once, and copied for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from app.domain.privacy.roles import Role
from app.infra.database import normalise_url, open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.conftest import TEMPLATE
from tests.contract.live import a_database
from tests.factories.book import write_book
from tests.factories.templates import put_templates
from tests.features.simulations.rehearsal import Rehearsal, generous

CUSTOMERS = 160
#: Under the keys of another deployment the same subject would be somebody else.
SOMEBODY = Caller(Role.RULE_AUTHOR, subject="who-asks-in-no-test")


@asynccontextmanager
async def opened(url: str, settings: Settings) -> AsyncIterator[Rehearsal]:
    """A deployment over a database."""
    async with (
        open_database(url, settings) as database,
        open_api(create_app(settings, database), settings) as api,
    ):
        yield Rehearsal(url, settings, database, api)


@pytest.fixture(scope="session")
def book(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with a book that nobody changes."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("book"))

    async def prepare(url: str) -> None:
        async with opened(url, settings) as rehearsal:
            async with rehearsal.database.sessions.begin() as session:
                await write_book(session, CUSTOMERS)
                await put_templates(session)
            await rehearsal.store(generous())

    with a_database(server_url, TEMPLATE) as url:
        asyncio.run(prepare(url))
        yield str(normalise_url(url).database)


@pytest.fixture(scope="session")
def simulated_book(
    server_url: str, book: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a database in which the candidate was simulated on that book."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("simulated"))

    async def simulate(url: str) -> None:
        async with opened(url, settings) as rehearsal:
            await rehearsal.simulate(caller=SOMEBODY, objectives=["renewal"])

    with a_database(server_url, book) as url:
        asyncio.run(simulate(url))
        yield str(normalise_url(url).database)


@pytest.fixture
def book_url(server_url: str, book: str) -> Iterator[str]:
    """A copy of the book."""
    with a_database(server_url, book) as url:
        yield url


@pytest.fixture
def simulated_url(server_url: str, simulated_book: str) -> Iterator[str]:
    """A copy of the book in which the candidate was simulated."""
    with a_database(server_url, simulated_book) as url:
        yield url


@pytest.fixture
async def rehearsal(book_url: str, settings: Settings) -> AsyncIterator[Rehearsal]:
    """A deployment with a book of its own."""
    async with opened(book_url, settings) as made:
        yield made


@pytest.fixture
async def simulated(simulated_url: str, settings: Settings) -> AsyncIterator[Rehearsal]:
    """A deployment in which the candidate was simulated; the place is that of the only one."""
    async with opened(simulated_url, settings) as made:
        yield made
