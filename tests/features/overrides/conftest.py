"""A few customers with the shipped rule sets in force, and the people who decide about them."""

from __future__ import annotations

import pytest

from app.infra.database import AsyncSession
from tests.api import Api
from tests.factories.customers import put_customer
from tests.factories.templates import put_templates
from tests.features.overrides.desk import Overrides


@pytest.fixture
async def overrides(api: Api, session: AsyncSession) -> Overrides:
    """The routes, and customers C1 to C4; Mia is the account manager of the first two."""
    await put_templates(session)
    await session.commit()
    for number in range(1, 5):
        manager = {"account_manager": "mia"} if number <= 2 else {}
        await put_customer(api, f"C{number}", **manager)
    return Overrides(api)
