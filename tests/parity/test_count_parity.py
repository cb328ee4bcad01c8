"""Counting inside boxes: the frame against one row at a time, over sets that nobody proved."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rules import Limits, parse_document
from app.domain.rules.cell_sets import Cell, everything, union
from app.domain.rules.check import frame as counting
from app.domain.rules.check.frame import count_inside
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Box, Side
from app.domain.rules.partition import Partition
from tests.domain.rules.samples import CATALOGUE as SAMPLE_FACTS
from tests.domain.rules.samples import facts as sample_facts
from tests.domain.rules.samples import sample
from tests.parity.naive_boxes import counted_naively, seen_naively
from tests.parity.rule_strategies import CATALOGUE, Raw, customers, readable_documents
from tests.parity.test_rules_parity import framed


def cell_of(partition: Partition, classes: set[int]) -> Cell:
    """The values of some classes of an input."""
    domain = partition.domain
    cell = Cell(has_null=partition.null_class in classes)
    for low, high, code in partition.spans() if domain.is_ordered else ():
        if code in classes:
            cell = union(domain, cell, Cell(has_null=False, spans=((low, high),)))
    for word, code in partition.word_classes.items():
        if code in classes:
            cell = union(domain, cell, Cell(has_null=False, words=(word,)))
    if partition.other_class in classes:
        named = tuple(sorted(partition.word_classes))
        cell = union(domain, cell, Cell(has_null=False, words=named, others=True))
    return cell


@st.composite
def boxes(draw: st.DrawFn, compiled: CompiledRuleSet) -> tuple[Box, str | None]:
    """A box over inputs of one table, or of none in particular."""
    table = draw(st.sampled_from([None, *compiled.tables]))
    slots = range(len(compiled.inputs)) if table is None else sorted(set(table.slots))
    chosen = draw(st.lists(st.sampled_from(slots), max_size=3, unique=True))
    sides = []
    for slot in chosen:
        partition = compiled.inputs[slot]
        classes = draw(st.sets(st.integers(0, partition.size - 1), min_size=1))
        sides.append(Side(partition.name, cell_of(partition, classes), partition.domain))
    return tuple(sides), None if table is None else table.table.id


@settings(max_examples=40)
@given(st.data())
def test_every_box_holds_whom_a_naive_look_at_each_row_finds(data: st.DataObject) -> None:
    raw = data.draw(readable_documents())
    limits = Limits(dense_cells=data.draw(st.sampled_from((0, 1_000_000))))
    compiled = compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE, limits)
    rows = data.draw(customers(raw))
    drawn = data.draw(st.lists(boxes(compiled), max_size=6))
    asked, tables = [box for box, _ in drawn], [table for _, table in drawn]
    found = count_inside(compiled, framed(rows), asked, tables)
    seen = seen_naively(raw, CATALOGUE, rows)
    assert found == [counted_naively(seen, box, table) for box, table in drawn]


def planted(**tables: dict[str, Any]) -> CompiledRuleSet:
    """The sample document with some tables changed, compiled without proof."""
    raw = sample()
    for table in raw["tables"]:
        table.update(tables.get(table["id"], {}))
    return compile_unproved(parse_document(raw, SAMPLE_FACTS), SAMPLE_FACTS)


def side(compiled: CompiledRuleSet, name: str, cell: Cell) -> Side:
    domain = next(partition.domain for partition in compiled.inputs if partition.name == name)
    return Side(name, cell, domain)


def book(*rows: Raw) -> pl.DataFrame:
    return pl.DataFrame([{"ratio": None, "growth": None, **sample_facts(**row)} for row in rows])


UNEVEN: dict[str, Any] = {
    "rules": [
        {"id": "S1", "when": {"ratio": "> 3"}, "then": "mid_market"},
        {"id": "S2", "when": {"ratio": "> 3", "growth": ">= 2"}, "then": "high_net_worth"},
        {"id": "S4", "when": {"ratio": "< 1"}, "then": "base"},
    ]
}


def test_under_unique_the_first_of_two_rows_decides_what_later_tables_see() -> None:
    compiled = planted(segment=UNEVEN)
    frame = book({"ratio": 40_000, "growth": 3})
    seen = [
        (side(compiled, "segment", Cell(has_null=False, words=(word,))),)
        for word in ("mid_market", "high_net_worth")
    ]
    assert count_inside(compiled, frame, seen) == [1, 0]


def test_who_has_no_answer_of_a_complete_table_is_in_no_box_that_reads_it() -> None:
    compiled = planted(segment=UNEVEN)
    frame = book({"ratio": 20_000}, {"ratio": 5_000})  # the first falls into the gap
    domain = next(p.domain for p in compiled.inputs if p.name == "segment")
    boxes: list[Box] = [(side(compiled, "segment", everything(domain)),), (), ()]
    assert count_inside(compiled, frame, boxes, [None, "tier", "segment"]) == [1, 1, 2]


def test_who_has_no_answer_of_a_table_that_claims_none_lies_in_the_box_without_one() -> None:
    raw = sample()
    raw["tables"] += [
        {
            "id": name,
            "output": {"name": name, "values": ["yes"]},
            "inputs": [given],
            "rules": [{"id": "N1", "when": {given: cell}, "then": "yes"}],
        }
        for name, given, cell in (("note", "ratio", "< 1"), ("told", "note", "yes"))
    ]
    compiled = compile_unproved(parse_document(raw, SAMPLE_FACTS), SAMPLE_FACTS)
    boxes: list[Box] = [(side(compiled, "note", Cell(has_null=True)),), ()]
    frame = book({"ratio": 20_000}, {"ratio": 5_000})
    assert count_inside(compiled, frame, boxes, [None, "told"]) == [1, 2]


def test_nobody_with_an_input_error_counts_and_an_unbounded_box_holds_everybody_else() -> None:
    compiled = planted()
    frame = book({"ratio": 20_000}, {"ratio": -1}, {"policies": None})
    assert count_inside(compiled, frame, [(), ()]) == [1, 1]
    assert count_inside(compiled, frame.clear(), [()]) == [0]
    assert count_inside(compiled, frame, []) == []


def test_a_long_frame_is_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = planted()
    over = (side(compiled, "ratio", Cell(has_null=False, spans=((30_001, 1_000_000),))),)
    frame = book(*({"ratio": ratio} for ratio in (29_999, 30_000, 30_001, 30_002) * 5))
    monkeypatch.setattr(counting, "ROWS_AT_ONCE", 3)
    assert count_inside(compiled, frame, [over]) == [10]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("ratio", Cell(has_null=False, spans=((30_005, 1_000_000),))),
        ("ratio", Cell(has_null=False, spans=((0, 5_000),))),
        ("occupation", Cell(has_null=False, words=("low",))),
        ("cluster", Cell(has_null=False, words=("elsewhere",))),
    ],
)
def test_a_side_that_cuts_through_a_class_is_refused(name: str, cell: Cell) -> None:
    compiled = planted()
    with pytest.raises(ValueError, match=f"a side of {name} cuts through a class"):
        count_inside(compiled, book({}), [(side(compiled, name, cell),)])


@settings(max_examples=3)
@given(st.data())
def test_hundreds_of_boxes_that_share_sides_are_counted_together(data: st.DataObject) -> None:
    raw = data.draw(readable_documents())
    compiled = compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE)
    rows = data.draw(customers(raw))
    box, table = data.draw(boxes(compiled))
    found = count_inside(compiled, framed(rows), [box] * 300, [table] * 300)
    assert found == [counted_naively(seen_naively(raw, CATALOGUE, rows), box, table)] * 300
