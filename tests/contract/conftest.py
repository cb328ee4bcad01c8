"""Contracts are tested on the whole application; some of them on another process that serves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.serving import bring_up_to_date
from app.infra.settings import Settings
from tests.conftest import TEMPLATE
from tests.contract.collector import Collector, a_collector
from tests.contract.live import Served, a_database, a_server
from tests.contract.sentinels import write_sentinels
from tests.features.conftest import (
    api,
    database,
    keys,
    rules_in_stock,
    settings,
    stock,
    templates,
)
from tests.features.stock import stocked

__all__ = [
    "api",
    "database",
    "keys",
    "rules_in_stock",
    "settings",
    "stock",
    "templates",
]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A process that serves, the database it shares, and who collects its telemetry."""

    served: Served
    url: str
    settings: Settings
    collector: Collector


@pytest.fixture(scope="session")
def elsewhere(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """One process for all tests that need another; each has customers of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = Settings(data_dir=folder / "data")
    with a_database(server_url, TEMPLATE) as url, a_collector() as collector:
        asyncio.run(bring_up_to_date(url, settings))
        with a_server(url, settings, folder, collector.environment()) as served:
            yield Elsewhere(served, url, settings, collector)


@pytest.fixture(scope="session")
def sentinels(server_url: str, keys: Path) -> Iterator[str]:
    """A database with the customer whose every value is unique."""
    with stocked(server_url, keys, write_sentinels) as url:
        yield url
