"""What an SLA policy promises one tier."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.domain.sla.policy import SlaEntry, StatutoryFloor, promises_for

GENERAL = SlaEntry(position=5, service_type="claim_decision", clock="calendar_days")
GOLD = replace(GENERAL, position=4, tier="gold", resolution_days=20)
MOTOR = replace(
    GENERAL, position=1, product_line="motor", qualifier="compulsory_motor", resolution_days=5
)
ANY_FLOOR = StatutoryFloor("claim_decision", "any", 30, "calendar_days", "law", "unconfirmed")
MOTOR_FLOOR = replace(ANY_FLOOR, qualifier="compulsory_motor", days=5)


def test_the_first_general_row_that_matches_wins() -> None:
    assert [p.entry for p in promises_for("gold", [GENERAL, GOLD], [])] == [GOLD]
    assert [p.entry for p in promises_for("standard", [GENERAL, GOLD], [])] == [GENERAL]


def test_a_narrower_row_before_it_is_its_exception_and_one_behind_it_never_matches() -> None:
    behind = replace(MOTOR, position=9)
    [promise] = promises_for("gold", [MOTOR, GOLD, behind], [])
    assert [exception.entry for exception in promise.exceptions] == [MOTOR]


def test_a_service_type_without_a_general_row_promises_nothing() -> None:
    assert promises_for("gold", [MOTOR], []) == []


def test_the_narrowest_floor_stands_beside_each_promise() -> None:
    [promise] = promises_for("gold", [MOTOR, GOLD], [ANY_FLOOR, MOTOR_FLOOR])
    assert promise.floor == ANY_FLOOR
    assert promise.exceptions[0].floor == MOTOR_FLOOR
    [bare] = promises_for("gold", [MOTOR, GOLD], [MOTOR_FLOOR])
    assert bare.floor is None


@given(st.permutations([MOTOR, GOLD, GENERAL]), st.sampled_from(["diamond", "gold", "standard"]))
def test_the_order_rows_come_in_does_not_matter(rows: list[SlaEntry], tier: str) -> None:
    assert promises_for(tier, rows, []) == promises_for(tier, [MOTOR, GOLD, GENERAL], [])
