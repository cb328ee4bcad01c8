"""What is kept of simulations, how long, and two of them side by side."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.privacy.roles import Role
from app.features.simulations.service import remove_old_simulations
from tests.factories.book import AS_OF
from tests.features.simulations.rehearsal import (
    AUTHOR,
    CANDIDATE,
    LINE,
    Rehearsal,
    generous,
    matrix,
)
from tests.features.simulations.test_over_http import NOBODYS, slug

pytestmark = pytest.mark.anyio

AGE = """UPDATE simulations SET recorded_at = recorded_at - interval '91 days',
    completed_at = completed_at - interval '91 days' WHERE id <> :young"""


async def keep_house(rehearsal: Rehearsal) -> None:
    """What the clock does now and then."""
    async with rehearsal.database.sessions.begin() as session:
        await remove_old_simulations(session, rehearsal.settings)


async def test_old_ones_go_and_of_what_decides_now_only_who_moved(simulated: Rehearsal) -> None:
    rehearsal, published = simulated, await simulated.only()
    await rehearsal.store(generous("7000", "motor-other"))
    forgotten = await rehearsal.simulate("motor-other")
    young = await rehearsal.simulate(LINE)
    waiting = (await rehearsal.ask()).headers["Location"]
    await keep_house(rehearsal)
    assert await rehearsal.rows("SELECT count(*) FROM simulations") == [(4,)]
    await rehearsal.change("ALTER TABLE simulations DISABLE TRIGGER guard_simulation")
    await rehearsal.change(AGE, young=young.rpartition("/")[2])
    await rehearsal.change("ALTER TABLE simulations ENABLE TRIGGER guard_simulation")
    await rehearsal.store(generous(), AS_OF)
    await keep_house(rehearsal)
    found = await rehearsal.get(published)
    assert found["state"] == "completed"
    assert found["report"]["movers"] > 0
    gone = await rehearsal.api.get(f"{published}/movers", Role.RISK_OFFICER)
    assert (gone.status_code, slug(gone)) == (410, "movers-removed")
    assert (await rehearsal.api.get(forgotten, AUTHOR)).status_code == 404
    # What waits for its worker is not old, however long it waits.
    for place in (waiting, young):
        assert (await rehearsal.api.get(place, AUTHOR)).status_code == 200
    kept = "SELECT count(*) FROM simulation_movers WHERE simulation_id = :id"
    assert await rehearsal.rows(kept, id=published.rpartition("/")[2]) == [(0,)]


async def test_two_candidates_are_compared_cell_by_cell(simulated: Rehearsal) -> None:
    rehearsal, this = simulated, await simulated.only()
    await rehearsal.store(generous("6000", "motor-other"))
    other = await rehearsal.simulate("motor-other")
    mine, theirs = [(await rehearsal.get(place))["report"] for place in (this, other)]
    with_other = f"{this}/comparison?with={other.rpartition('/')[2]}"
    found = await rehearsal.get(with_other)
    for view in ("evaluated", "serving"):
        one, two = matrix(mine[view]), matrix(theirs[view])
        assert {(cell["before"], cell["after"]) for cell in found[view]} == {*one, *two}
        for cell in found[view]:
            key = (cell["before"], cell["after"])
            assert (cell["this"], cell["other"]) == (one.get(key, 0), two.get(key, 0))
            assert cell["difference"] == cell["this"] - cell["other"]
    assert any(cell["difference"] for cell in found["evaluated"])
    assert sum(cell["difference"] for cell in found["evaluated"]) == 0
    assert (found["this"]["candidate"]["rule_set"], found["other"]["candidate"]["rule_set"]) == (
        CANDIDATE,
        "motor-other",
    )
    (motor,) = (line for line in found["lines"] if line["name"] == LINE)
    assert motor["evaluated"] == [
        cell for cell in motor["evaluated"] if cell["difference"] == cell["this"] - cell["other"]
    ]
    # On whom they differ is found by simulating the one against the other.
    between = await rehearsal.simulate(baseline={"rule_set": "motor-other", "version": 1})
    report = (await rehearsal.get(between))["report"]
    moved = [cell for cell in report["evaluated"] if cell["before"] != cell["after"]]
    tiers = {tier["tier"]: tier for tier in report["tiers"]}
    diamonds = {side: tiers["diamond"][f"evaluated_{side}"] for side in ("before", "after")}
    assert diamonds["after"] - diamonds["before"] == sum(cell["customers"] for cell in moved) > 0


async def test_small_cells_are_told_to_nobody_on_either_side(simulated: Rehearsal) -> None:
    rehearsal, this = simulated, await simulated.only()
    other = await rehearsal.simulate(LINE)
    path = f"{this}/comparison?with={other.rpartition('/')[2]}"
    for cell in _cells(await rehearsal.get(path, Role.RULE_AUTHOR)):
        for side in ("this", "other"):
            assert cell[side] in {None, "<10", 0} or cell[side] >= 10
        told = isinstance(cell["this"], int) and isinstance(cell["other"], int)
        assert (cell["difference"] is not None) is told
        assert (cell["premium_difference"] is not None) is told
    assert any(cell["this"] == "<10" for cell in _cells(await rehearsal.get(path, AUTHOR)))


def _cells(found: dict[str, Any]) -> list[dict[str, Any]]:
    """All cells of a comparison."""
    parts = [found, *found["lines"], *found["segments"]]
    return [cell for part in parts for view in ("evaluated", "serving") for cell in part[view]]


async def test_what_stands_on_other_ground_is_not_compared(simulated: Rehearsal) -> None:
    rehearsal, this = simulated, await simulated.only()
    day = (AS_OF - timedelta(1)).isoformat()
    for other in (
        await rehearsal.simulate(as_of=day),
        await rehearsal.simulate("health", candidate={"version": 1}),
        await rehearsal.simulate(LINE, baseline={"rule_set": CANDIDATE, "version": 1}),
    ):
        path = f"{this}/comparison?with={other.rpartition('/')[2]}"
        refused = await rehearsal.api.get(path, AUTHOR)
        assert (refused.status_code, slug(refused)) == (409, "simulations-differ")
    waiting = (await rehearsal.ask()).headers["Location"].rpartition("/")[2]
    refused = await rehearsal.api.get(f"{this}/comparison?with={waiting}", AUTHOR)
    assert (refused.status_code, slug(refused)) == (409, "simulation-not-completed")
    for query, status in ((f"?with={NOBODYS}", 404), ("?with=1", 422), ("", 422)):
        answer = await rehearsal.api.get(f"{this}/comparison{query}", AUTHOR)
        assert answer.status_code == status
    assert (
        await rehearsal.api.get(f"{this}/comparison?with={waiting}", Role.AGENT)
    ).status_code == 403
