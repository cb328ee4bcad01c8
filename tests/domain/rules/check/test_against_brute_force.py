"""The checker against every combination of every value: exact, and never inconclusive."""

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rules.cell_sets import Cell
from app.domain.rules.check.answers import dead_rows
from app.domain.rules.check.gaps import gap_boxes
from app.domain.rules.check.meetings import pairs
from app.domain.rules.check.reach import Examined, examine
from app.domain.rules.check.report import check_compiled
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.findings import Box, Finding, Severity
from app.domain.rules.limits import Limits
from app.domain.rules.model import HitPolicy, RuleSetDocument
from tests.domain.rules.check.brute_force import Point, Truth, holds, truths
from tests.domain.rules.check.drawing import CATALOGUE, document

BATCHES, IN_EACH = 10, 200
RANKED = (HitPolicy.FIRST, HitPolicy.PRIORITY)


def points_in(truth: Truth, box: Box) -> set[Point]:
    """The points inside a box; a side holds all or none of the values that no row tells apart."""
    sides = {side.input: side.cell for side in box}
    columns = []
    for name, alike in zip(truth.table.inputs, truth.values, strict=True):
        inside = []
        for accepting, values in alike.items():
            found = {name not in sides or holds(sides[name], value) for value in values}
            assert len(found) == 1
            inside += [accepting] if found.pop() else []
        columns.append(inside)
    return {
        point
        for point in truth.rows
        if all(at in column for at, column in zip(point, columns, strict=True))
    }


def agree(examined: Examined, truth: Truth) -> None:
    """Hold one table against the truth about it."""
    grid, rules = examined.grid, examined.grid.rules
    boxes, unlisted = gap_boxes(examined)
    inside = [points_in(truth, grid.box(box)) for box in boxes]
    assert unlisted == 0
    assert all(inside)
    assert sum(map(len, inside)) == len(set().union(*inside))  # they are disjoint
    assert set().union(*inside) == truth.gaps()
    order = [rule.id for rule in truth.table.rules]
    found = {tuple(sorted((rules[a].id, rules[b].id), key=order.index)) for a, b in pairs(examined)}
    assert found == truth.overlaps()
    answers = truth.answered()
    for value in truth.table.output.values:
        assert examined.gives(value) == (value in answers)
    dead = {rules[row].id for row in dead_rows(examined)}
    assert dead == truth.dead()


def told(findings: tuple[Finding, ...], at: int, *codes: str) -> list[Finding]:
    return [f for f in findings if f.path.startswith(f"tables[{at}]") and f.code in codes]


def only_null_is_open(truth: Truth, box: Box) -> bool:
    """Whether some inputs are null in a box, and every case with values there has a row."""
    nulls = {side.input for side in box if side.cell == Cell(has_null=True)}
    columns = []
    for name, alike in zip(truth.table.inputs, truth.values, strict=True):
        sides = [side.cell for side in box if side.input == name]
        columns.append(
            [
                (accepting, None in values)
                for accepting, values in alike.items()
                if (name in nulls or not sides or holds(sides[0], values[0]))
            ]
        )
    for wanted in (
        *({name} for name in nulls),
        nulls,
    ):
        chosen = [
            [
                accepting
                for accepting, is_null in column
                if name not in nulls or is_null != (name in wanted)
            ]
            for name, column in zip(truth.table.inputs, columns, strict=True)
        ]
        if wanted and all(truth.rows[point] for point in product(*chosen)):
            return True
    return False


def findings_agree(
    drawn: RuleSetDocument, truth: Truth, at: int, found: tuple[Finding, ...]
) -> None:
    """Hold what is told of a table against the truth: codes and severities."""
    table = drawn.tables[at]
    gaps = told(found, at, "gap", "null-unhandled")
    speaks = bool(truth.gaps()) and (table.complete or table.hit_policy is not HitPolicy.COLLECT)
    assert bool(gaps) == speaks
    for finding in gaps:
        assert finding.box is not None
        assert (finding.code == "null-unhandled") == only_null_is_open(truth, finding.box)
    severity = Severity.ERROR if table.complete else Severity.WARNING
    assert all(finding.severity is severity for finding in gaps)
    then = {rule.id: rule.then for rule in table.rules}
    same = {pair for pair in truth.overlaps() if then[pair[0]] == then[pair[1]]}
    conflicts = truth.overlaps() - same
    policy = table.hit_policy
    if policy is HitPolicy.COLLECT:
        same = conflicts = set()
    if policy in (HitPolicy.ANY, HitPolicy.PRIORITY):
        same = set()
    assert {f.rules for f in told(found, at, "overlap-same")} == same
    assert {f.rules for f in told(found, at, "overlap-conflict")} == conflicts
    overlaps = told(found, at, "overlap-same", "overlap-conflict")
    assert all((f.severity is Severity.INFO) == (policy in RANKED) for f in overlaps)
    dead = told(found, at, "dead-rule")
    assert {f.rules[0] for f in dead} == truth.dead()
    assert all((f.severity is Severity.ERROR) == (policy in RANKED) for f in dead)
    lost = {f.path.rsplit(".", 1)[1] for f in told(found, at, "unreachable-outcome")}
    assert lost == set(table.output.values) - truth.answered()
    assert not told(found, at, "inconclusive")


def against_the_truth(seed: int, *, findings: bool) -> None:
    drawn = document(Random(seed))
    compiled = compile_unproved(drawn, CATALOGUE)
    examination = examine(compiled, Limits())
    found = check_compiled(compiled) if findings else ()
    known = list(truths(drawn))
    assert len(known) == len(drawn.tables)
    for at, truth in enumerate(known):
        agree(examination.tables[at], truth)
        if findings:
            findings_agree(drawn, truth, at, found)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_of_thousands_of_tables_everything_found_is_true_and_nothing_is_missed(batch: int) -> None:
    for seed in range(batch * IN_EACH, (batch + 1) * IN_EACH):
        against_the_truth(seed, findings=seed % 5 == 0)


@given(st.integers(BATCHES * IN_EACH, 10**9))
def test_law_what_is_told_of_a_table_is_true(seed: int) -> None:
    against_the_truth(seed, findings=True)
