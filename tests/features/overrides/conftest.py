"""A few customers with the shipped rule sets in force, and the people who decide about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.infra.database import AsyncSession
from tests.api import Api
from tests.factories.customers import put_customer
from tests.features.overrides.desk import Overrides
from tests.features.stock import stocked


async def _customers(api: Api, _session: AsyncSession) -> None:
    for number in range(1, 5):
        manager = {"account_manager": "mia"} if number <= 2 else {}
        await put_customer(api, f"C{number}", **manager)


@pytest.fixture(scope="session")
def customers_in_stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with customers C1 to C4; Mia is the account manager of the first two."""
    with stocked(server_url, keys, _customers) as url:
        yield url


@pytest.fixture
def stock(request: pytest.FixtureRequest, customers_in_stock: str) -> str | None:
    """The customers, for the tests that are about theirs."""
    return customers_in_stock if "overrides" in request.fixturenames else None


@pytest.fixture
def overrides(api: Api) -> Overrides:
    """The routes, and customers C1 to C4; Mia is the account manager of the first two."""
    return Overrides(api)
