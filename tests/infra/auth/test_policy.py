"""Where roles and customer ids stand is a setting, and unknown roles get nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.auth.issuer import DevelopmentIssuer, TokenRequest
from app.infra.auth.keys import StaticKeys
from app.infra.auth.policy import ClaimPath, RoleNames, policy_of
from app.infra.auth.tokens import TokenRefusedError, TokenVerifier
from app.infra.settings import Settings
from tests.infra.auth.forge import NOW, POLICY, token, verifier

pytestmark = pytest.mark.anyio

GIVEN: dict[str, Any] = {"issuer": POLICY.issuer, "audience": POLICY.audience}

#: As Keycloak writes them, with what it puts into every token of a realm.
KEYCLOAK: dict[str, Any] = {
    "typ": "Bearer",
    "azp": "call-centre",
    "aud": ["tiering", "account"],
    "realm_access": {
        "roles": ["default-roles-insurer", "offline_access", "agent", "uma_authorization"]
    },
    "resource_access": {
        "my.app": {"roles": ["analyst"]},
        "account": {"roles": ["manage-account", "view-profile"]},
    },
    "scope": "profile email",
    "roles": ...,
}
#: As Entra writes them, version 2.0.
ENTRA: dict[str, Any] = {
    "ver": "2.0",
    "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
    "azpacr": "1",
    "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
    "rh": "0.AAAA.",
    "uti": "AAAA",
    "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "nbf": int(NOW.timestamp()),
    "roles": ["risk_officer"],
}


def _verifier(**settings: Any) -> TokenVerifier:  # noqa: ANN401 - any setting there is.
    return verifier(policy=policy_of(Settings(**GIVEN, **settings)))


@pytest.mark.parametrize(
    ("settings", "claims", "role"),
    [
        ({"roles_claim": "realm_access.roles"}, KEYCLOAK, Role.AGENT),
        ({"roles_claim": r"resource_access.my\.app.roles"}, KEYCLOAK, Role.ANALYST),
        ({}, ENTRA, Role.RISK_OFFICER),
    ],
)
async def test_tokens_of_keycloak_and_entra_are_read(
    settings: dict[str, str], claims: dict[str, Any], role: Role
) -> None:
    found = await _verifier(**settings).verify(token(None, **claims).es256())
    assert found.roles == {role}


@pytest.mark.parametrize(
    "roles",
    [
        ["offline_access", "uma_authorization", "default-roles-insurer"],
        ["agent", "offline_access", "root"],
        ["agent", "Offline_access"],
        ["agent", "default-role"],
        ["agent", "offline_access "],
        ["agent", "offline_access", 1],
        ["agent", ["offline_access"]],
        ["agent"] + ["offline_access"] * 32,
        [],
    ],
)
async def test_other_unknown_roles_refuse_the_token_and_ignored_ones_are_worth_nothing(
    roles: list[object],
) -> None:
    given = _verifier(roles_claim="realm_access.roles")
    signed = token(None, realm_access={"roles": roles}, roles=["agent"]).es256()
    with pytest.raises(TokenRefusedError, match="roles"):
        await given.verify(signed)


async def test_a_deployment_may_ignore_no_role_or_others() -> None:
    signed = token(None, roles=["agent", "offline_access"]).es256()
    with pytest.raises(TokenRefusedError):
        await _verifier(roles_ignored="").verify(signed)
    other = token(None, roles=["agent", "crm-reader", "crm-writer", "staff"]).es256()
    found = await _verifier(roles_ignored="crm-*,  staff").verify(other)
    assert found.roles == {Role.AGENT}


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("sub", {"sub": "C-7"}),
        ("extension.customer", {"extension": {"customer": "C-7"}}),
        ("https://insurer.example/customer", {"https://insurer.example/customer": "C-7"}),
    ],
)
async def test_the_customer_id_stands_where_the_setting_says(
    path: str, claims: dict[str, Any]
) -> None:
    given = _verifier(customer_id_claim=path)
    assert (await given.verify(token(roles=["customer"], **claims).es256())).customer_id == "C-7"
    foreign = token(roles=["customer"], customer_id="C-8", sub="no id").es256()
    with pytest.raises(TokenRefusedError, match="customer_id"):
        await given.verify(foreign)


async def test_a_thumbprint_in_the_header_passes_only_where_it_is_asked_for() -> None:
    header: dict[str, object] = {"alg": "ES256", "typ": "JWT", "kid": "ec"}
    signed = token(header | {"x5t": "AAAA"}).es256()
    with pytest.raises(TokenRefusedError, match="header-key"):
        await _verifier().verify(signed)
    given = _verifier(token_headers_ignored="x5t")
    assert (await given.verify(signed)).subject == "alice"
    odd: Mapping[str, object]
    for odd in ({"x5t#S256": "AAAA"}, {"x5t": "AAAA", "crit": "x5t"}, {"jku": "https://x"}):
        with pytest.raises(TokenRefusedError, match="header-key"):
            await given.verify(token({**header, **odd}).es256())
    for odd in ({"x5t": ["AAAA"]}, {"x5t": {"a": 1}}):
        with pytest.raises(TokenRefusedError, match="too-deep"):
            await given.verify(token({**header, **odd}).es256())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("roles_claim", ""),
        ("roles_claim", "a..b"),
        ("roles_claim", ".a"),
        ("roles_claim", "a\\b"),
        ("roles_claim", "a\\\\.b"),
        ("roles_claim", "a.b.c.d.e.f.g"),
        ("roles_claim", "a" * 257),
        ("roles_claim", "sub"),
        ("roles_claim", "aud.roles"),
        ("customer_id_claim", "roles"),
        ("customer_id_claim", "roles.id"),
        ("customer_id_claim", "iss"),
        ("customer_id_claim", "sub.id"),
        ("customer_id_claim", ""),
        ("roles_ignored", "*"),
        ("roles_ignored", "a*"),
        ("roles_ignored", "staff,,crew"),
        ("roles_ignored", "two words"),
        ("roles_ignored", "*-reader"),
        ("roles_ignored", "crm-**"),
        ("roles_ignored", "agent"),
        ("token_headers_ignored", "crit"),
        ("token_headers_ignored", "x5t,jwk"),
        ("token_headers_ignored", "jku"),
        ("token_headers_ignored", "x5c"),
        ("token_headers_ignored", "x5u"),
        ("token_headers_ignored", "b64"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named_at_the_start(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        policy_of(Settings().model_copy(update={name: value}))


def test_no_role_of_ours_can_be_ignored() -> None:
    for role in Role:
        with pytest.raises(ValueError, match=role):
            RoleNames.parse(f"staff, {role}")
        with pytest.raises(ValueError, match="ignored"):
            RoleNames.parse(f"{role[:2]}*")


NAMES = st.lists(st.text("abc./:-", min_size=1, max_size=8), min_size=1, max_size=6)


@given(NAMES, st.integers())
def test_what_is_put_somewhere_is_found_there(names: list[str], value: int) -> None:
    path = ClaimPath.parse(".".join(name.replace(".", "\\.") for name in names))
    assert path.names == tuple(names)
    claims: dict[str, object] = {"iss": "x"}
    path.put(claims, value)
    assert path.find(claims) == value
    assert path.find({"iss": "x"}) is None


def test_nothing_is_put_through_a_claim_that_is_no_object() -> None:
    with pytest.raises(TypeError, match="no object"):
        ClaimPath.parse("iss.roles").put({"iss": "x"}, 1)


@pytest.mark.parametrize(
    ("roles", "customer"),
    [
        ("realm_access.roles", "realm_access.customer"),
        ("https://insurer.example/roles", "sub"),
        (r"resource_access.my\.app.roles", "customer_id"),
    ],
)
async def test_the_development_issuer_writes_what_the_verifier_reads(
    tmp_path: Path, roles: str, customer: str
) -> None:
    policy = policy_of(Settings(**GIVEN, roles_claim=roles, customer_id_claim=customer))
    issuer = DevelopmentIssuer(tmp_path, policy)
    request = TokenRequest("C-1", (Role.CUSTOMER, Role.AGENT), "C-1", timedelta(minutes=5))
    keys = StaticKeys([issuer.verification_key()])
    found = await TokenVerifier(keys, policy, lambda: NOW).verify(issuer.sign(request, NOW))
    assert found.roles == {Role.AGENT, Role.CUSTOMER}
    assert found.customer_id == "C-1"
