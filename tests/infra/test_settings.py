"""Settings: wrong ones are named, never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import Invalid
from app.infra.embedded import database_url
from app.infra.settings import Environment, Settings, load_settings


def test_they_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "/somewhere")
    monkeypatch.setenv("TIERING_ENVIRONMENT", "production")
    found = load_settings()
    assert (found.data_dir, found.is_production) == (Path("/somewhere"), True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIERING_BUSINESS_ZONE", "Nowhere/Secret"),
        ("TIERING_POOL_SIZE", "secret"),
        ("TIERING_CURRENCY", "secret"),
    ],
)
def test_a_wrong_one_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Invalid, match=name.removeprefix("TIERING_").lower()):
        load_settings()


def test_production_never_falls_back_to_the_embedded_server() -> None:
    settings = Settings(environment=Environment.PRODUCTION)
    with pytest.raises(Invalid, match="TIERING_DATABASE_URL"), database_url(settings):
        pass
