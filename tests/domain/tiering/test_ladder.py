"""The ladder knows its order and its names."""

import pytest

from app.domain.errors import Invalid
from app.domain.tiering.ladder import LADDER, in_language


def test_the_ladder_runs_from_diamond_to_standard() -> None:
    assert LADDER.tiers == ("diamond", "gold", "standard")
    assert [LADDER.position(tier) for tier in LADDER.tiers] == [0, 1, 2]


@pytest.mark.parametrize(
    ("tier", "above", "below"),
    [("diamond", None, "gold"), ("gold", "diamond", "standard"), ("standard", "gold", "standard")],
)
def test_steps_end_at_both_ends(tier: str, above: str | None, below: str) -> None:
    assert LADDER.above(tier) == above
    assert LADDER.below(tier) == below


def test_a_tier_is_not_better_than_itself() -> None:
    assert LADDER.is_better("diamond", "gold")
    assert not LADDER.is_better("gold", "gold")
    assert not LADDER.is_better("standard", "gold")


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(Invalid, match="diamond, gold, standard"):
        LADDER.position("platinum")


@pytest.mark.parametrize(
    ("language", "name"), [("zh", "钻石"), ("zh-CN", "钻石"), ("en", "Diamond"), ("fr", "Diamond")]
)
def test_names_are_chinese_for_chinese_readers_and_english_for_others(
    language: str, name: str
) -> None:
    assert in_language(LADDER.display_names["diamond"], language) == name
