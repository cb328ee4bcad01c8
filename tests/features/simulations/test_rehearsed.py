"""From a draft to what decides, with a simulation of the whole book that was really done."""

from __future__ import annotations

import pytest

from tests.features.rule_sets.desk import PIA, RuleDesk, in_days, overlay, refused
from tests.features.simulations.rehearsal import Rehearsal

pytestmark = pytest.mark.anyio


async def test_exactly_what_was_simulated_is_published(rehearsal: Rehearsal) -> None:
    rules = RuleDesk(rehearsal.api)
    await rules.opened()
    await rules.edit(overlay())
    assert refused(await rules.publish()) == (409, "not-rehearsed")
    # As of another day it is a comparison, and no rehearsal.
    await rehearsal.simulate("own", candidate={"draft": True})
    assert refused(await rules.publish()) == (409, "not-rehearsed")
    await rehearsal.simulate("own", candidate={"draft": True}, as_of=None)
    await rules.edit(overlay(bound="0.6"))
    assert refused(await rules.publish()) == (409, "not-rehearsed")
    # Undone, it is again what was simulated.
    await rules.edit(overlay())
    assert (await rules.published(PIA, valid_from=in_days(1)))["version"] == 1
    # A version that an operator loaded was simulated by nobody, until it is.
    assert refused(await rules.publish(id_="motor", version=1)) == (409, "not-rehearsed")
    await rehearsal.simulate("motor", candidate={"version": 1}, as_of=None)
    again = await rules.published(id_="motor", version=1, valid_from=in_days(2))
    assert (again["kind"], again["version"]) == ("republished", 1)
