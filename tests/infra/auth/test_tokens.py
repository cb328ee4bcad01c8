"""A token is accepted only if everything about it is as it must be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.privacy.roles import Role
from app.infra.auth.policy import ClaimPath, TokenPolicy
from app.infra.auth.tokens import LEEWAY, TokenRefusedError
from tests.infra.auth.forge import ISSUED, NOW, POLICY, SECOND, rsa_key, token, verifier
from tests.infra.auth.hostile import HOSTILE

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_token_is_refused(hostile: str) -> None:
    with pytest.raises(TokenRefusedError):
        await verifier().verify(hostile)


@pytest.mark.parametrize(
    "good",
    [
        token().es256(),
        token({"alg": "ES256", "kid": "ec"}).es256(),
        token({"alg": "ES256", "kid": "ec", "typ": "at+JWT"}).es256(),
        token({"alg": "RS256", "kid": "rsa"}).rs256(),
        token({"alg": "PS256", "kid": "pss"}).ps256(rsa_key(name="pss")),
        token(aud=["other", "tiering"]).es256(),
        token(exp=ISSUED + 24 * 3600).es256(),
        token(nbf=ISSUED, name='[[[[[[[[[[[[ \\" {{{{{{{{{{{{{').es256(),
        token(x=[[[[[[[1]]]]]]]).es256(),
    ],
)
async def test_a_good_token_is_accepted(good: str) -> None:
    found = await verifier().verify(good)
    assert found.subject == "alice"
    assert found.roles == {Role.AGENT}
    assert found.customer_id is None


async def test_a_customer_is_known_by_the_claim_of_his_token() -> None:
    found = await verifier().verify(token(roles=["customer"], customer_id="C-1").es256())
    assert found.customer_id == "C-1"


async def test_another_role_carries_no_customer() -> None:
    found = await verifier().verify(token(customer_id="C-1").es256())
    assert found.customer_id is None


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["agent"]}}),
        ("https://issuer.example/roles", {"https://issuer.example/roles": ["agent"]}),
    ],
)
async def test_the_roles_stand_where_the_setting_says(
    path: str, changes: dict[str, object]
) -> None:
    policy = TokenPolicy(POLICY.issuer, POLICY.audience, ClaimPath.parse(path))
    found = await verifier(policy=policy).verify(token(None, roles=..., **changes).es256())
    assert found.roles == {Role.AGENT}
    with pytest.raises(TokenRefusedError):
        await verifier(policy=policy).verify(token(realm_access="x").es256())


async def test_clocks_may_differ_by_thirty_seconds() -> None:
    end = NOW + timedelta(seconds=600) + LEEWAY
    good = token().es256()
    await verifier(end - SECOND).verify(good)
    await verifier(NOW - LEEWAY).verify(good)
    for moment in (end, NOW - LEEWAY - SECOND):
        with pytest.raises(TokenRefusedError):
            await verifier(moment).verify(good)
