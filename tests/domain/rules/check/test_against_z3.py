"""A second oracle that shares no code with the checker: z3 finds a gap or an overlap."""

from random import Random
from typing import TypeAlias

import pytest

from app.domain.rules.cell_sets import Cell
from app.domain.rules.check.meetings import pairs
from app.domain.rules.check.reach import examine
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.limits import Limits
from app.domain.rules.model import RuleSetDocument, Table
from tests.domain.rules.check.drawing import CATALOGUE, document

z3 = pytest.importorskip("z3", reason="z3-solver has no wheel for this platform")

Formula: TypeAlias = object
"""A formula of z3, which is not typed."""


def test_z3_finds_a_gap_or_an_overlap_just_where_the_checker_does() -> None:
    for seed in range(60):
        drawn = document(Random(seed))
        # z3 is asked about the first table: its inputs are facts, whose values are all possible.
        table = drawn.tables[0]
        examined = examine(compile_unproved(drawn, CATALOGUE), Limits()).tables[0]
        rows = [formula(table, at) for at in range(len(table.rules))]
        assert is_possible(drawn, table, z3.Not(z3.Or(rows))) == examined.has_gap()
        rules = examined.grid.rules
        meeting = {frozenset((rules[a].id, rules[b].id)) for a, b in pairs(examined)}
        for a in range(len(rows)):
            for b in range(a + 1, len(rows)):
                pair = frozenset((table.rules[a].id, table.rules[b].id))
                assert is_possible(drawn, table, z3.And(rows[a], rows[b])) == (pair in meeting)


def is_possible(drawn: RuleSetDocument, table: Table, question: Formula) -> bool:
    solver = z3.Solver()
    solver.add(question)
    for name in table.inputs:
        domain = domain_of(CATALOGUE[name])
        assert domain == drawn.domains[name]
        solver.add(within(name, domain))
        if not domain.nullable:
            solver.add(z3.Not(z3.Bool(f"{name} null")))
    return bool(solver.check() == z3.sat)


def within(name: str, domain: Domain) -> Formula:
    if domain.is_ordered:
        return z3.And(z3.Int(name) >= domain.low, z3.Int(name) <= domain.high)
    text = z3.String(name)
    return True if domain.is_open else z3.Or([text == word for word in domain.words])


def formula(table: Table, at: int) -> Formula:
    when = table.rules[at].when
    return z3.And([condition(name, cell, table.domains[name]) for name, cell in when.items()])


def condition(name: str, cell: Cell, domain: Domain) -> Formula:
    null = z3.Bool(f"{name} null")
    if domain.is_ordered:
        number = z3.Int(name)
        value = z3.Or([z3.And(number >= low, number <= high) for low, high in cell.spans])
    else:
        text = z3.String(name)
        value = z3.Or([text == word for word in cell.words])
        value = z3.Not(value) if cell.others else value
    return z3.Or(null, value) if cell.has_null else z3.And(z3.Not(null), value)
