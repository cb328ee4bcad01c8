"""The steps of an override: those of the table, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from app.domain.errors import Conflict
from app.domain.overrides.transitions import TRANSITIONS, Step, after
from app.domain.words import OVERRIDE_STATES, OverrideState

MIGRATION = next(
    (Path(__file__).resolve().parents[3] / "migrations" / "versions").glob("*_overrides.py")
)


@pytest.mark.parametrize("state", get_args(OverrideState))
@pytest.mark.parametrize("step", Step)
def test_a_step_leads_where_the_table_says_or_is_refused_by_its_name(
    state: OverrideState, step: Step
) -> None:
    if (state, step) in TRANSITIONS:
        assert after(state, step) == TRANSITIONS[state, step]
        return
    with pytest.raises(Conflict) as refused:
        after(state, step)
    wanted = "not-active" if step in {Step.END, Step.REVOKE} else "already-decided"
    assert refused.value.type == wanted


def test_nothing_leads_out_of_what_is_closed_nor_back() -> None:
    reached = set(TRANSITIONS.values())
    left = {state for state, _ in TRANSITIONS}
    assert left == {"requested", "active"}
    assert reached == set(OVERRIDE_STATES) - {"requested"}


def test_the_database_lets_the_same_steps_be_taken() -> None:
    text = MIGRATION.read_text(encoding="utf-8")
    listed = re.search(r"\(OLD\.state, NEW\.state\) NOT IN \((.*?)\) THEN", text, re.DOTALL)
    assert listed is not None
    pairs = set(re.findall(r"\('(\w+)', '(\w+)'\)", listed.group(1)))
    assert pairs == {(state, reached) for (state, _), reached in TRANSITIONS.items()}
