"""A client of the whole application, over the test's own rolled-back transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.domain.rules.model import RuleSetDocument
from app.features.rule_sets import service as rule_sets
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """Calls the application as any role."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def shipped_rule_sets() -> list[RuleSetDocument]:
    """The shipped rule sets, parsed and proved once."""
    return rule_sets.shipped_documents()


@pytest.fixture
async def templates(
    session: AsyncSession,
    shipped_rule_sets: list[RuleSetDocument],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The shipped rule sets in force."""
    monkeypatch.setattr(rule_sets, "shipped_documents", lambda: shipped_rule_sets)
    await rule_sets.install_templates(session)
    await session.commit()
