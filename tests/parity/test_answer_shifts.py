"""The boxes of what two tables answer otherwise hold exactly those points."""

from collections.abc import Mapping
from itertools import islice, product
from typing import TypeAlias

from hypothesis import given, settings

from app.domain.rules.cell_sets import Cell
from app.domain.rules.difference import AnswerShift, answer_shifts
from app.domain.rules.domains import Domain
from app.domain.rules.evaluation import Answer
from app.domain.rules.model import HitPolicy, Table
from tests.parity.rule_strategies import readable_documents
from tests.parity.test_difference_laws import Pair, pairs

Value: TypeAlias = int | str | None
MOST_POINTS = 150


def values_of(name: str, tables: tuple[Table, Table]) -> list[Value]:
    """A value on each side of all that a cell of either table tells apart."""
    domain = next(table.domains[name] for table in tables if name in table.domains)
    cells = [rule.when[name] for table in tables for rule in table.rules if name in rule.when]
    values: set[Value] = set(ordered(domain, cells) or worded(domain, cells))
    return [*values, None] if domain.nullable else [*values]


def ordered(domain: Domain, cells: list[Cell]) -> list[int]:
    if not domain.is_ordered:
        return []
    ends = {end for cell in cells for span in cell.spans for end in span}
    near = {end + step for end in (*ends, domain.low, domain.high) for step in (-1, 0, 1)}
    return [value for value in near if domain.low <= value <= domain.high]


def worded(domain: Domain, cells: list[Cell]) -> list[str]:
    named = {word for cell in cells for word in cell.words}
    return [*domain.words, *named, *(["any text at all"] if domain.is_open else [])]


def answer(table: Table, point: Mapping[str, Value]) -> Answer:
    """What a table answers at a point, row by row."""
    rows = [
        rule for rule in table.rules if all(c.holds(point[name]) for name, c in rule.when.items())
    ]
    order = table.output.values
    if table.hit_policy is HitPolicy.COLLECT:
        return tuple(value for value in order if value in {row.then for row in rows})
    if table.hit_policy is HitPolicy.PRIORITY:
        rows.sort(key=lambda row: order.index(row.then))
    return rows[0].then if rows else None


def holds(shift: AnswerShift, point: Mapping[str, Value]) -> bool:
    return all(side.cell.holds(point[side.input]) for side in shift.box)


def is_same(before: Answer, after: Answer) -> bool:
    if isinstance(before, tuple) and isinstance(after, tuple):
        return set(before) == set(after)
    return before == after


@given(pairs(readable_documents()))
@settings(max_examples=30)
def test_a_point_is_in_one_box_exactly_if_its_answer_is_another(pair: Pair) -> None:
    _, old, new = pair
    found = answer_shifts(old, new)
    before = {table.id: table for table in old.tables}
    for table in new.tables:
        if table.id in found.uncompared:
            continue
        tables = before[table.id], table
        names = list(dict.fromkeys((*table.inputs, *before[table.id].inputs)))
        own = [shift for shift in found.items if shift.table == table.id]
        for values in islice(product(*(values_of(name, tables) for name in names)), MOST_POINTS):
            point = dict(zip(names, values, strict=True))
            answers = tuple(answer(each, point) for each in tables)
            inside = [shift for shift in own if holds(shift, point)]
            if is_same(*answers):
                assert inside == []
            else:
                assert [(shift.before, shift.after) for shift in inside] == [answers]
