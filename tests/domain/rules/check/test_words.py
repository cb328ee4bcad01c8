"""Boxes in words."""

import pytest

from app.domain.rules.cells import parse_cell
from app.domain.rules.check import box_text
from app.domain.rules.domains import domain_of
from app.domain.rules.findings import Side
from tests.domain.rules.samples import CATALOGUE


def side(name: str, cell: str) -> Side:
    domain = domain_of(CATALOGUE[name])
    return Side(name, parse_cell(cell, domain), domain)


@pytest.mark.parametrize(
    ("name", "cell", "words"),
    [
        ("ratio", "> 3", "ratio > 3"),
        ("ratio", "null", "ratio is missing"),
        ("ratio", "not(null)", "ratio is known"),
        ("ratio", "< 1, (3..5], null", "ratio < 1 or in (3..5] or is missing"),
        ("growth", "4", "growth = 4"),
        ("since", ">= date(2020-01-01)", "since >= 2020-01-01"),
        ("opened", "[date(2020-01-01)..date(2020-02-01)]", "opened in [2020-01-01..2020-02-01]"),
        ("opened", "date(2020-01-01)", "opened = 2020-01-01"),
        ("smoker", "true", "smoker is true"),
        ("smoker", "false, null", "smoker is false or is missing"),
        ("smoker", "not(null)", "smoker is known"),
        ("occupation", "low, high", "occupation is not medium"),
        ("occupation", "low", "occupation is low"),
        ("health", "A, B", "health is A or B"),
        ("health", "C, D, E", "health is neither A nor B"),
        ("cluster", "x, y", "cluster is x or y"),
        ("cluster", "not(x, y)", "cluster is neither x nor y"),
        ("cluster", "not(x), null", "cluster is not x or is missing"),
        ("cluster", "not(null)", "cluster is known"),
    ],
)
def test_a_side_is_said_as_people_say_it(name: str, cell: str, words: str) -> None:
    assert box_text((side(name, cell),)) == words


def test_sides_are_joined_and_a_box_without_any_holds_everyone() -> None:
    both = side("ratio", "> 3"), side("growth", "null")
    assert box_text(both) == "ratio > 3, growth is missing"
    assert box_text(()) == "every customer"
