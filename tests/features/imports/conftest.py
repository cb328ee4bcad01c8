from __future__ import annotations

from pathlib import Path

import pytest

from app.features.imports.service import Surroundings
from app.infra.cipher import Vault, load_master_key
from app.infra.database import Database
from app.infra.settings import Settings
from tests.api import Api
from tests.features.imports.desk import TODAY, ImportDesk
from tests.features.imports.feed import Feed


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(load_master_key(settings))


@pytest.fixture
def desk(database: Database, settings: Settings, vault: Vault, tmp_path: Path) -> ImportDesk:
    """Imports within the test's own transaction."""
    return ImportDesk(Surroundings(database, settings, vault, TODAY), tmp_path)


@pytest.fixture
def feed(api: Api, database: Database) -> Feed:
    """A caller of role integration, whose jobs are done within the test's own transaction."""
    return Feed(api, database)
