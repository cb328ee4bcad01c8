"""A token is verified once, and believed no longer than if it were verified each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.infra.auth.keys import StaticKeys, VerificationKey, verification_key
from app.infra.auth.tokens import LEEWAY, TokenRefusedError, TokenVerifier
from app.infra.auth.verified import RememberedTokens
from tests.infra.auth.forge import NOW, POLICY, SECOND, ec_key, token
from tests.infra.auth.hostile import HOSTILE

pytestmark = pytest.mark.anyio

KEY = verification_key("ec", "ES256", ec_key().public_key())


class CountingKeys(StaticKeys):
    """Keys that count how often one is asked for in order to verify with it."""

    asked = 0

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of that id."""
        self.asked += 1
        return await super().find(kid)


def _verifier(
    keys: StaticKeys, clock: Callable[[], datetime] = lambda: NOW, most: int = 10
) -> tuple[TokenVerifier, RememberedTokens]:
    remembered = RememberedTokens(most)
    return TokenVerifier(keys, POLICY, clock, remembered), remembered


async def test_a_token_is_verified_once() -> None:
    keys = CountingKeys([KEY])
    verifier, _ = _verifier(keys)
    signed = token().es256()
    assert verifier.find_verified(signed) is None
    first = await verifier.verify(signed)
    assert await verifier.verify(signed) is first
    assert verifier.find_verified(signed) is first
    assert keys.asked == 1


async def test_a_remembered_token_dies_at_the_moment_it_would_be_refused() -> None:
    moment = [NOW]
    verifier, remembered = _verifier(StaticKeys([KEY]), lambda: moment[0])
    signed = token().es256()
    await verifier.verify(signed)
    end = NOW + timedelta(seconds=600) + LEEWAY
    moment[0] = end - SECOND
    assert verifier.find_verified(signed) is not None
    moment[0] = end
    assert verifier.find_verified(signed) is None
    assert len(remembered) == 0
    with pytest.raises(TokenRefusedError, match="expired"):
        await verifier.verify(signed)


async def test_the_token_not_seen_for_longest_makes_room() -> None:
    verifier, remembered = _verifier(StaticKeys([KEY]), most=3)
    signed = [token(sub=f"s{number}").es256() for number in range(4)]
    for good in signed[:3]:
        await verifier.verify(good)
    verifier.find_verified(signed[0])
    await verifier.verify(signed[3])
    assert len(remembered) == 3
    assert [verifier.find_verified(good) is not None for good in signed] == [
        True,
        False,
        True,
        True,
    ]


async def test_refused_tokens_take_no_memory() -> None:
    verifier, remembered = _verifier(StaticKeys([KEY]))
    for hostile in HOSTILE.values():
        with pytest.raises(TokenRefusedError):
            await verifier.verify(hostile)
        assert verifier.find_verified(hostile) is None
    assert len(remembered) == 0


async def test_a_token_that_differs_in_one_letter_is_another() -> None:
    verifier, _ = _verifier(StaticKeys([KEY]))
    signed = token().es256()
    await verifier.verify(signed)
    for place in range(0, len(signed), 7):
        letter = "A" if signed[place] != "A" else "B"
        changed = signed[:place] + letter + signed[place + 1 :]
        assert verifier.find_verified(changed) is None
        with pytest.raises(TokenRefusedError):
            await verifier.verify(changed)
