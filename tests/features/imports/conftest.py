from __future__ import annotations

from pathlib import Path

import pytest

from app.features.imports.service import Surroundings
from app.infra.cipher import Vault, load_master_key
from app.infra.database import Database
from app.infra.settings import Settings
from tests.features.imports.desk import TODAY, ImportDesk


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(load_master_key(settings))


@pytest.fixture
def desk(database: Database, settings: Settings, vault: Vault, tmp_path: Path) -> ImportDesk:
    """Imports within the test's own transaction."""
    return ImportDesk(Surroundings(database, settings, vault, TODAY), tmp_path)
