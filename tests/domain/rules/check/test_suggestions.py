"""What the checker proposes does what it promises, followed to the letter on random tables."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from random import Random
from typing import TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rules.cells import parse_cell
from app.domain.rules.check import check_compiled
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.findings import Box, Finding
from app.domain.rules.model import Rule, RuleSetDocument, Table
from tests.domain.rules.check.brute_force import Value, every_value, holds
from tests.domain.rules.check.drawing import CATALOGUE, document

GAPS = ("gap", "null-unhandled")
OVERLAPS = ("overlap-conflict", "overlap-same")
LEFT_OVER = " What it then leaves out needs a row of its own."
IN_EACH = 40

Point: TypeAlias = tuple[Value, ...]
"""One value for each input of a table."""


def followed(table: Table, remedy: str) -> Table:
    """A table after what a remedy says, read as a document is read."""
    if remedy.startswith("Remove the row "):
        gone = remedy.removeprefix("Remove the row ").removesuffix(".")
        return replace(table, rules=tuple(rule for rule in table.rules if rule.id != gone))
    if remedy.startswith("Add the row "):
        row = yaml.safe_load(remedy.removeprefix("Add the row ").split("; its answer")[0])
        when = {n: parse_cell(text, table.domains[n]) for n, text in row.get("when", {}).items()}
        return replace(table, rules=(*table.rules, Rule(row["id"], when, row["then"])))
    found = re.fullmatch(r'In the row (\S+) let (\S+) be (".*")\.', remedy)
    assert found is not None, remedy
    name, column, text = found.groups()
    cell = parse_cell(json.loads(text), table.domains[column])
    return replace(
        table,
        rules=tuple(
            replace(rule, when={**rule.when, column: cell}) if rule.id == name else rule
            for rule in table.rules
        ),
    )


def checked(drawn: RuleSetDocument) -> tuple[Finding, ...]:
    return check_compiled(compile_unproved(drawn, CATALOGUE))


def after(drawn: RuleSetDocument, finding: Finding) -> tuple[Finding, ...]:
    """What is found once a remedy was followed."""
    tables = tuple(
        followed(table, finding.remedy.removesuffix(LEFT_OVER))
        if table.id == finding.table
        else table
        for table in drawn.tables
    )
    return checked(replace(drawn, tables=tables))


def pairs(findings: Iterable[Finding], table: str | None) -> set[tuple[str, ...]]:
    """The rows that meet in a table."""
    return {f.rules for f in findings if f.code in OVERLAPS and f.table == table}


def inside(table: Table, box: Box) -> set[Point]:
    """Every combination of values in a box; all inputs are facts."""
    cells = {side.input: side.cell for side in box}
    columns = []
    for name in table.inputs:
        values = every_value(table.domains[name])
        columns.append([v for v in values if name not in cells or holds(cells[name], v)])
    return set(product(*columns))


def unmatched(drawn: RuleSetDocument, findings: Iterable[Finding]) -> set[Point]:
    """Every combination of values that no row of the first table takes."""
    table = drawn.tables[0]
    boxes = [f.box for f in findings if f.code in GAPS and f.table == table.id]
    return {point for box in boxes if box is not None for point in inside(table, box)}


def gaps_close(seed: int) -> int:
    """Follow each remedy of a gap; how many there were."""
    drawn = document(Random(seed))
    findings = checked(drawn)
    gaps = [finding for finding in findings if finding.code in GAPS and finding.box is not None]
    for gap in gaps:
        then = after(drawn, gap)
        assert gap.box not in {finding.box for finding in then if finding.code in GAPS}
        if gap.table == drawn.tables[0].id and gap.box is not None:
            left = unmatched(drawn, findings) - inside(drawn.tables[0], gap.box)
            # A row that is widened may take more than the gap, of what no row takes.
            assert unmatched(drawn, then) <= left, (seed, gap.remedy)
        assert pairs(then, gap.table) <= pairs(findings, gap.table), (seed, gap.remedy)
    return len(gaps)


def overlaps_end(seed: int) -> int:
    """Follow each remedy of an overlap that is none of order; how many there were."""
    drawn = document(Random(seed))
    findings = checked(drawn)
    overlaps = [
        finding
        for finding in findings
        if finding.code in OVERLAPS and " or " not in finding.remedy and finding.severity == "error"
    ]
    for overlap in overlaps:
        then = after(drawn, overlap)
        assert overlap.rules not in pairs(then, overlap.table), (seed, overlap.remedy)
        if overlap.table == drawn.tables[0].id and not overlap.remedy.endswith(LEFT_OVER):
            # Nothing gets lost by it.
            assert unmatched(drawn, then) == unmatched(drawn, findings), (seed, overlap.remedy)
    return len(overlaps)


@pytest.mark.parametrize("batch", range(3))
def test_a_gap_is_closed_by_what_is_proposed_and_no_overlap_comes_of_it(batch: int) -> None:
    assert sum(map(gaps_close, range(batch * IN_EACH, (batch + 1) * IN_EACH))) > IN_EACH / 4


@pytest.mark.parametrize("batch", range(3))
def test_an_overlap_is_ended_by_what_is_proposed_and_no_gap_comes_of_it(batch: int) -> None:
    assert sum(map(overlaps_end, range(batch * IN_EACH, (batch + 1) * IN_EACH))) > IN_EACH / 4


@given(st.integers(10**4, 10**9))
def test_law_what_is_proposed_does_it(seed: int) -> None:
    gaps_close(seed)
    overlaps_end(seed)
