"""What rows cover together: every open box against a naive look, and the steps it takes."""

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rules.bitmasks import members
from app.domain.rules.check.gaps import gap_boxes
from app.domain.rules.check.grid import Grid, Region
from app.domain.rules.check.reach import Examined, examine
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.domains import domain_of
from app.domain.rules.limits import Limits
from app.domain.rules.model import HitPolicy
from benchmarks.rule_check import catalogue, compiled, cut, widened
from tests.domain.rules.check.drawing import CATALOGUE, document


def unmatched(grid: Grid, region: Region, rows: int) -> Iterator[Region]:
    """Yield the points of a region that none of the rows matches, each as the smallest box."""
    for point in product(*(members(classes) for classes in region)):
        matching = rows
        for accepted, code in zip(grid.accepted, point, strict=True):
            matching &= accepted[code]
        if not matching:
            yield tuple(1 << code for code in point)


def part(chance: Random, grid: Grid) -> tuple[Region, int]:
    """Draw a part of a table: some classes of each column, and some rows."""
    region = tuple(
        sum(1 << code for code in members(classes) if chance.random() < 0.8)
        for classes in grid.live
    )
    return region, chance.getrandbits(len(grid.rows)) | chance.getrandbits(len(grid.rows))


@given(st.integers(0, 10**9))
def test_law_an_open_box_is_open_and_there_is_none_only_where_all_is_covered(seed: int) -> None:
    chance = Random(seed)
    for examined in examine(compile_unproved(document(chance), CATALOGUE), Limits()).tables:
        grid = examined.grid
        # The second of equal questions is answered by what was remembered of the first.
        for region, rows in [part(chance, grid) for _ in range(4)] * 2:
            found = examined.cover.open_box(region, rows)
            is_open = set(unmatched(grid, region, rows))
            assert (found is not None) == bool(is_open)
            if found is not None:
                inside = set(unmatched(grid, found, 0))
                assert inside
                assert inside <= is_open


def widened_table(seed: int, *, has_last: bool = True) -> Examined:
    """A table of 200 rows, a tenth of its cells widened, whose last row takes the rest, if any."""
    facts = catalogue(10)
    domains = {name: domain_of(each) for name, each in facts.items()}
    wide = widened(Random(seed + 1), domains, cut(Random(seed), domains, 200), 0.1)
    rules = compiled(wide if has_last else wide[:-1], domains, HitPolicy.FIRST)
    return examine(rules, Limits(proof_steps=20_000)).tables[0]


@pytest.mark.parametrize(("seed", "is_dead"), [(2, True), (7, False), (9, True)])
def test_a_row_among_hundreds_that_overlap_is_proved_dead_or_alive_in_few_steps(
    seed: int, *, is_dead: bool
) -> None:
    examined = widened_table(seed)
    assert examined.never_answers(199) == is_dead


def test_a_table_of_hundreds_that_overlap_is_proved_to_take_every_case_in_few_steps() -> None:
    assert gap_boxes(widened_table(2, has_last=False)) == ((), 0)
