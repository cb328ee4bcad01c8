"""`GET /v1/tiers`: the ladder, for everyone with a token."""

from __future__ import annotations

import pytest

from app.domain.privacy.roles import Role
from tests.api import Api, Caller

pytestmark = pytest.mark.anyio


async def test_the_ladder_takes_a_token(api: Api) -> None:
    assert (await api.get("/v1/tiers")).status_code == 401


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_reads_the_ladder_with_its_names(api: Api, role: Role) -> None:
    answer = await api.get("/v1/tiers", Caller(role, "C1"))
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {"tier": "diamond", "position": 1, "display_name": {"en": "Diamond", "zh": "钻石"}},
            {"tier": "gold", "position": 2, "display_name": {"en": "Gold", "zh": "黄金"}},
            {"tier": "standard", "position": 3, "display_name": {"en": "Standard", "zh": "标准"}},
        ]
    }
