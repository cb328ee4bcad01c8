"""A book, the shipped rule sets, and one candidate that would move some."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.infra.database import open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import open_api
from tests.factories.book import write_book
from tests.factories.templates import put_templates
from tests.features.simulations.rehearsal import Rehearsal, generous

CUSTOMERS = 240


@pytest.fixture
async def rehearsal(fresh_database_url: str, settings: Settings) -> AsyncIterator[Rehearsal]:
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            await write_book(session, CUSTOMERS)
            await put_templates(session)
        async with open_api(create_app(settings, database), settings) as api:
            opened = Rehearsal(fresh_database_url, settings, database, api)
            await opened.store(generous())
            yield opened
