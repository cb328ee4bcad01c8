"""The development issuer makes one key pair for itself, and none in production."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.auth import development_token
from app.infra.auth.issuer import (
    KEY_FILE,
    DevelopmentIssuer,
    TokenRequest,
    development_issuer,
)
from app.infra.auth.keys import StaticKeys
from app.infra.auth.policy import ClaimPath, TokenPolicy, policy_of
from app.infra.auth.tokens import TokenVerifier
from app.infra.auth.verified import VerifiedToken
from app.infra.settings import Environment, Settings
from tests.infra.auth.forge import NOW, rsa_key

pytestmark = pytest.mark.anyio

POLICY = TokenPolicy("tiering-development", "tiering", ClaimPath.parse("realm_access.roles"))
REQUEST = TokenRequest("bob", (Role.AGENT, Role.ANALYST))


async def _verify(issuer: DevelopmentIssuer, token: str, policy: TokenPolicy) -> VerifiedToken:
    keys = StaticKeys([issuer.verification_key()])
    return await TokenVerifier(keys, policy, lambda: NOW).verify(token)


async def test_its_tokens_are_accepted_also_after_a_restart(tmp_path: Path) -> None:
    token = DevelopmentIssuer(tmp_path / "data", POLICY).sign(REQUEST, NOW)
    found = await _verify(DevelopmentIssuer(tmp_path / "data", POLICY), token, POLICY)
    assert found.subject == "bob"
    assert found.roles == {Role.AGENT, Role.ANALYST}


def test_its_key_is_its_owners_alone(tmp_path: Path) -> None:
    DevelopmentIssuer(tmp_path / "data", POLICY)
    path = tmp_path / "data" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == [KEY_FILE]


def test_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: DevelopmentIssuer(tmp_path, POLICY), range(8)))
    assert len({issuer.verification_key().kid for issuer in made}) == 1


@pytest.mark.parametrize(
    "request_",
    [
        TokenRequest("bob", ()),
        TokenRequest("bob", (Role.CUSTOMER,)),
        TokenRequest("bob", (Role.CUSTOMER,), customer_id="no id"),
        TokenRequest("bob", (Role.AGENT,), lifetime=timedelta(hours=25)),
        TokenRequest("bob", (Role.AGENT,), lifetime=timedelta(0)),
    ],
)
def test_it_signs_no_token_that_would_be_refused(tmp_path: Path, request_: TokenRequest) -> None:
    with pytest.raises(Invalid):
        DevelopmentIssuer(tmp_path, POLICY).sign(request_, NOW)


def _other_key() -> bytes:
    return rsa_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("content", [b"", b"not a key", _other_key()])
def test_a_damaged_key_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(Invalid, match="damaged"):
        DevelopmentIssuer(tmp_path, POLICY)


async def test_the_command_signs_for_a_customer_by_default_in_his_name(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    token = development_token(settings, role=Role.CUSTOMER, customer_id="C1", now=NOW)
    found = await _verify(development_issuer(settings), token, policy_of(settings))
    assert (found.subject, found.customer_id) == ("C1", "C1")
    token = development_token(settings, role=Role.AGENT, now=NOW)
    found = await _verify(development_issuer(settings), token, policy_of(settings))
    assert found.subject == "agent-1"


def test_production_has_no_issuer_of_its_own(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, environment=Environment.PRODUCTION)
    with pytest.raises(Invalid, match="TIERING_JWKS_URL"):
        development_token(settings, role=Role.AGENT, now=NOW)
    assert list(tmp_path.iterdir()) == []
