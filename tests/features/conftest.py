"""A client of the whole application, over the test's own rolled-back transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.factories.templates import put_templates


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """Calls the application as any role."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


@pytest.fixture
async def templates(session: AsyncSession) -> None:
    """The shipped rule sets in force."""
    await put_templates(session)
    await session.commit()
