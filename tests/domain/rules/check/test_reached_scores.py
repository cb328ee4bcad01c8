"""Scores are the same whether sums are scaled one by one or looked for score by score."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import pytest

from app.domain.rules.cell_sets import Cell
from app.domain.rules.check.scores import reached_scores
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.domains import domain_of
from app.domain.rules.model import Bin, Characteristic, ReasonText, Text, Trend
from tests.domain.rules.check.drawing import CATALOGUE, document

FACTS = ("small", "count", "ratio", "day")


def points_each(step: int) -> list[list[int]]:
    """Points of each value of each fact, such that no two combinations give the same sum."""
    points: list[list[int]] = []
    for name in FACTS:
        domain = domain_of(CATALOGUE[name])
        points.append([at * step for at in range(domain.high - domain.low + 1)])
        step *= len(points[-1])
    return points


def characteristic(name: str, points: list[int]) -> Characteristic:
    domain = domain_of(CATALOGUE[name])
    bins = [
        Bin(Cell(has_null=domain.nullable and not at, spans=((domain.low + at,) * 2,)), given)
        for at, given in enumerate(points)
    ]
    reason = ReasonText("C01", Text("-", "-"))
    return Characteristic(name, "value", name, Trend.NONE, reason, tuple(bins))


@pytest.mark.parametrize("facts", [2, 4])
def test_few_sums_and_thousands_of_them_give_the_scores_that_every_combination_gives(
    facts: int,
) -> None:
    points = points_each(41)[:facts]
    drawn = replace(
        document(Random(0)),
        objectives={"only": {"value": 1000}},
        characteristics=tuple(map(characteristic, FACTS, points)),
        tables=(),
    )
    sums = {sum(given) for given in product(*points)}
    assert (len(sums) > 1001) is (facts == 4)
    expected = {int(Fraction(1000 * found, max(sums)) + Fraction(1, 2)) for found in sums}
    (reached,) = reached_scores(compile_unproved(drawn, CATALOGUE)).dimensions
    assert reached == sum(1 << score for score in expected)


def test_a_weighted_score_is_rounded_half_up() -> None:
    points = points_each(41)[:2]
    first, second = map(characteristic, FACTS, points)
    drawn = replace(
        document(Random(0)),
        objectives={"only": {"value": 350, "risk": 650}},
        characteristics=(first, replace(second, dimension="risk")),
        tables=(),
    )
    # As if a table read the score.
    compiled = replace(compile_unproved(drawn, CATALOGUE), score_slot=0)
    half = Fraction(1, 2)
    scaled = [{int(Fraction(1000 * one, max(given)) + half) for one in given} for given in points]
    expected = {
        int(Fraction(350 * one + 650 * other, 1000) + half) for one, other in product(*scaled)
    }
    assert reached_scores(compiled).score == sum(1 << score for score in expected)
