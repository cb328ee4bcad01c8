"""A trace tells what evaluation does, and what a naive reader of the raw document finds."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rules import evaluate
from app.domain.rules.evaluation import InputError
from app.domain.rules.trace import Trace, TracedRow, TracedTable, trace
from app.domain.rules.values import domain_value
from tests.parity import naive_rules
from tests.parity.rule_strategies import CATALOGUE, Case, cases, customers


@given(st.data())
@settings(max_examples=40)
def test_a_trace_agrees_with_evaluation_and_a_naive_reader(data: st.DataObject) -> None:
    case = data.draw(cases())
    for facts in data.draw(customers(case.raw)):
        for compiled in (case.dense, case.masked):
            try:
                expected = evaluate(compiled, facts)
            except InputError as error:
                with pytest.raises(InputError, match=f"^{error}$"):
                    trace(compiled, facts)
                continue
            told = trace(compiled, facts)
            assert told.evaluation == expected
            assert_score_adds_up(told)
            assert_reasons_follow(told)
            assert_tables_are_read_naively(case, told, facts)


def assert_score_adds_up(told: Trace) -> None:
    assert (told.weighted + 500) // 1000 == told.evaluation.score
    assert {d.name: d.score for d in told.dimensions} == told.evaluation.dimensions
    for dimension in told.dimensions:
        own = [c for c in told.characteristics if c.characteristic.dimension == dimension.name]
        assert dimension.raw == sum(item.bin.points for item in own)
        assert dimension.low <= dimension.raw <= dimension.high
        span = dimension.high - dimension.low
        added = dimension.raw - dimension.low
        assert dimension.score == ((2000 * added + span) // (2 * span) if span else 0)


def assert_reasons_follow(told: Trace) -> None:
    """The reasons of an evaluation are the highest ranks of the trace."""
    lost = sorted((c for c in told.characteristics if c.rank), key=lambda c: -c.rank)
    reasons = told.evaluation.reasons
    assert [(r.code, r.characteristic, r.points, r.lost, r.rank) for r in reasons] == [
        (c.reason.code, c.characteristic.id, c.bin.points, c.lost, c.rank)
        for c in lost[: len(reasons)]
    ]


def assert_tables_are_read_naively(case: Case, told: Trace, facts: Mapping[str, Any]) -> None:
    values: dict[str, Any] = {
        name: naive_rules.plain(CATALOGUE[name], facts.get(name))
        for name in naive_rules.used(case.raw, CATALOGUE)
    }
    values |= {f"dimension.{name}": score for name, score in told.evaluation.dimensions.items()}
    values["score"] = told.evaluation.score
    for raw, table in zip(case.raw["tables"], told.tables, strict=True):
        failing = {row["id"]: naively_failing(row, values) for row in raw["rules"]}
        fired = told.evaluation.fired[raw["id"]]
        assert tuple(row.rule.id for row in table.fired) == fired
        assert [row.rule.id for row in table.passed_over] == [
            id_ for id_, cells in failing.items() if not cells and id_ not in fired
        ]
        assert table.is_unmatched is (not fired)
        assert table.answer == told.evaluation.outcomes[raw["output"]["name"]]
        assert_nearest(raw, table, failing)
        values[raw["output"]["name"]] = table.answer


def naively_failing(row: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    cells = row.get("when", {}).items()
    return [name for name, cell in cells if not naive_rules.matches(cell, values[name])]


def assert_nearest(
    raw: Mapping[str, Any], table: TracedTable, failing: Mapping[str, list[str]]
) -> None:
    """Of all rows that do not match none has fewer failing cells, or stands before it."""
    order = raw["output"]["values"]
    rows = [
        (len(failing[row["id"]]), order.index(row["then"]), at, row["id"])
        for at, row in enumerate(raw["rules"])
        if failing[row["id"]]
    ]
    if not rows:
        assert table.nearest is None
        return
    assert table.nearest is not None
    assert table.nearest.rule.id == min(rows)[-1]
    assert [cell.seen.input for cell in table.nearest.failing] == failing[min(rows)[-1]]
    assert_distances(table.nearest)


def assert_distances(row: TracedRow) -> None:
    """The nearest value is taken by the cell, and one step less far nothing is."""
    for cell in row.failing:
        seen, near = domain_value(cell.seen.value), domain_value(cell.nearest)
        if cell.distance is None:
            assert cell.nearest is None
            assert not cell.seen.domain.is_ordered or seen is None or not cell.cell.spans
            continue
        assert isinstance(seen, int)
        assert isinstance(near, int)
        assert abs(near - seen) == cell.distance > 0
        assert cell.cell.holds(near)
        inside = range(seen - cell.distance + 1, seen + cell.distance)
        assert not any(low in inside or high in inside for low, high in cell.cell.spans)
