from __future__ import annotations

import pytest

from tests.features.simulations.rehearsal import Rehearsal, matrix

pytestmark = pytest.mark.anyio


async def test_try(rehearsal: Rehearsal) -> None:
    place = await rehearsal.simulate(objectives=["renewal"])
    found = await rehearsal.get(place)
    import json

    print(json.dumps(found)[:6000])
    assert found["state"] == "completed"
    assert matrix(found["report"]["evaluated"])
