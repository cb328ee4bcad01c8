"""Settings: wrong ones are named, never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

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
        ("TIERING_JWKS_OVERLAP_SECONDS", "86401"),
        ("TIERING_JWKS_OVERLAP_SECONDS", "-1"),
        ("TIERING_JWKS_URL", "http://issuer.example/secret"),
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


def test_what_keeps_to_one_session_goes_past_the_pooler() -> None:
    pooled, direct = SecretStr("postgresql://u@pooler/x"), SecretStr("postgresql://u@server/x")
    settings = Settings(database_url=pooled, direct_url=direct, pgbouncer=True)
    with database_url(settings) as url:
        assert url == pooled.get_secret_value()
    with database_url(settings, direct=True) as url:
        assert url == direct.get_secret_value()
    with database_url(Settings(database_url=pooled), direct=True) as url:
        assert url == pooled.get_secret_value()


def test_behind_a_pooler_the_way_past_it_must_be_named() -> None:
    settings = Settings(database_url=SecretStr("postgresql://u:secret@pooler/x"), pgbouncer=True)
    with (
        pytest.raises(Invalid, match="TIERING_DIRECT_URL") as caught,
        database_url(settings, direct=True),
    ):
        pass
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example/realms/x/protocol/openid-connect/certs",
        "https://issuer.example:8443/keys?appid=1",
        "http://localhost/keys",
        "http://127.0.0.1:8080/keys",
        "http://[::1]:8080/keys",
    ],
)
def test_keys_come_by_tls_or_from_this_very_host(url: str) -> None:
    assert Settings(jwks_url=url).jwks_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "issuer.example/keys",
        "ftp://issuer.example/keys",
        "file:///etc/keys",
        "https:///keys",
        "https://",
        "http://issuer.example/keys",
        "http://127.0.0.1.example/keys",
        "http://10.0.0.1/keys",
        "http://0.0.0.0/keys",
        "http://localhost.example/keys",
        "http://localhost@issuer.example/keys",
        "https://user:secret@issuer.example/keys",
        "https://issuer.example/keys#secret",
        "https://issuer.example/a b",
        "https://issuer.example/a\n",
        "https://issuer.example:secret/keys",
        "https://[secret/keys",
        "https://issu\u00e9r.example/keys",
    ],
)
def test_keys_come_from_nowhere_else(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("TIERING_JWKS_URL", url)
    with pytest.raises(Invalid, match="jwks_url") as caught:
        load_settings()
    assert "secret" not in str(caught.value)


def test_there_is_one_key_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERING_JWKS_URL", "https://issuer.example/keys")
    monkeypatch.setenv("TIERING_JWKS_FILE", "/keys.json")
    with pytest.raises(Invalid, match=r"^Value error, set either jwks_url or jwks_file, not both$"):
        load_settings()
