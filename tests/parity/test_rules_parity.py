"""One customer, a frame and a naive reading of the raw document give the same answers."""

import itertools
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.facts.model import FactType
from app.domain.rules import (
    DocumentError,
    Evaluation,
    InputError,
    compile_rule_set,
    evaluate,
    gap,
    parse_document,
    value_text,
)
from app.domain.rules import frame as book
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual import frame as book_gap
from app.domain.rules.domains import domain_of
from tests.parity import naive_rules
from tests.parity.rule_strategies import CATALOGUE, Case, cases, customers, readable_documents

COLUMN_TYPES = {
    FactType.INT: pl.Int64,
    FactType.DECIMAL: pl.Int64,
    FactType.BOOL: pl.Boolean,
    FactType.ENUM: pl.String,
    FactType.DATE: pl.Date,
    FactType.STRING: pl.String,
}


def framed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    schema = {name: COLUMN_TYPES[CATALOGUE[name].type] for name in names}
    whole = [{name: row.get(name) for name in names} for row in rows]
    return pl.DataFrame(whole, schema=schema) if names else pl.DataFrame([{"none": 0}] * len(rows))


def scalar_row(compiled: CompiledRuleSet, facts: dict[str, Any]) -> dict[str, Any]:
    """Evaluate one customer and lay the answer out as a row of the frame."""
    try:
        found = evaluate(compiled, facts)
    except InputError as error:
        return {"input_error": str(error)}
    return {**laid_out(found), "input_error": None}


def laid_out(found: Evaluation) -> dict[str, Any]:
    row: dict[str, Any] = {"score": found.score}
    row |= {f"dimension.{name}": score for name, score in found.dimensions.items()}
    for name, answer in found.outcomes.items():
        row[f"outcome.{name}"] = list(answer) if isinstance(answer, tuple) else answer
    row |= {f"fired.{table}": list(rules) for table, rules in found.fired.items()}
    row["reasons"] = [
        {"code": r.code, "characteristic": r.characteristic, "points": r.points, "lost": r.lost}
        for r in found.reasons
    ]
    return row


def assert_naive_agrees(case: Case, facts: dict[str, Any]) -> None:
    try:
        expected = naive_rules.evaluate(case.raw, CATALOGUE, facts)
    except naive_rules.NaiveInputError as error:
        for compiled in (case.dense, case.masked):
            with pytest.raises(InputError, match=f"^{error} "):
                evaluate(compiled, facts)
        return
    for compiled in (case.dense, case.masked):
        found = evaluate(compiled, facts)
        assert found.dimensions == expected.dimensions
        assert found.score == expected.score
        assert found.outcomes == expected.outcomes
        assert found.fired == expected.fired
        reasons = [(r.code, r.characteristic, r.points, r.lost, r.rank) for r in found.reasons]
        assert reasons == expected.reasons


@given(st.data())
def test_one_customer_is_evaluated_as_a_naive_reader_would(data: st.DataObject) -> None:
    case = data.draw(cases())
    for facts in data.draw(customers(case.raw)):
        assert_naive_agrees(case, facts)


@given(st.data())
def test_a_frame_answers_row_by_row_what_one_customer_gets(data: st.DataObject) -> None:
    case = data.draw(cases())
    rows = data.draw(customers(case.raw))
    for compiled in (case.dense, case.masked):
        answered = book.evaluate(compiled, framed(rows))
        for facts, row in zip(rows, answered.to_dicts(), strict=True):
            expected = dict.fromkeys(answered.columns) | scalar_row(compiled, facts)
            assert row == expected


@given(st.data())
def test_a_gap_is_the_smallest_change_that_trying_every_value_finds(data: st.DataObject) -> None:
    case = data.draw(cases())
    facts = data.draw(customers(case.raw, sound=True))[0]
    outcome = data.draw(st.sampled_from(("tier", "segment")))
    expected = naive_rules.moves(case.raw, CATALOGUE, facts, outcome)
    found = gap(case.dense, facts, outcome=outcome)
    moves = found and [(m.fact, m.current, m.to, m.reaches) for m in found.moves]
    assert moves == expected


@given(st.data())
def test_a_frame_finds_the_gaps_that_one_customer_has(data: st.DataObject) -> None:
    case = data.draw(cases())
    rows = data.draw(customers(case.raw))
    found = book_gap.gap(case.dense, framed(rows), trials=40)
    for facts, row in zip(rows, found.to_dicts(), strict=True):
        try:
            expected = gap(case.dense, facts)
        except InputError:
            expected = None
        if expected is None:
            assert row == {"target": None, "moves": None}
            continue
        moves = [
            {
                "fact": move.fact,
                "from": value_text(domain_of(CATALOGUE[move.fact]), move.current),
                "to": value_text(domain_of(CATALOGUE[move.fact]), move.to),
                "reaches": move.reaches,
            }
            for move in expected.moves
        ]
        assert row == {"target": expected.target, "moves": moves}


#: Thousands of tables are looked at where the checker is tested; these come by way of documents.
@settings(max_examples=40)
@given(readable_documents())
def test_a_claim_is_refused_exactly_if_some_row_breaks_it(raw: dict[str, Any]) -> None:
    """On one representative per atom: no gap where complete, no second row where unique.

    Scores and earlier outputs take the values that some facts reach, each by itself.
    """
    reach = reachable_scores(raw)
    broken = {at for at, table in enumerate(raw["tables"]) if breaks_its_claim(raw, table, reach)}
    refused: set[int] = set()
    try:
        compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE)
    except DocumentError as error:
        refused = {int(f.path.removeprefix("tables[").split("]")[0]) for f in error.findings}
    assert refused == broken


def breaks_its_claim(
    raw: dict[str, Any], table: dict[str, Any], reach: dict[str, list[Any]]
) -> bool:
    """Say so, and note what answers the table reaches."""
    columns = [representatives(raw, name, reach) for name in table["inputs"]]
    answers: dict[Any, None] = {}
    broken = False
    for values in itertools.product(*columns):
        case = dict(zip(table["inputs"], values, strict=True))
        rows = naive_rules.matching(table, case)
        given = {row["then"] for row in rows}
        broken |= table["complete"] and not rows
        broken |= table["hit_policy"] == "unique" and len(rows) > 1
        broken |= table["hit_policy"] == "any" and len(given) > 1
        answers[naive_rules.decide(table, case)[0]] = None
    if table["complete"]:
        answers.pop(None, None)
    reach[table["output"]["name"]] = list(answers)
    return broken


def representatives(raw: dict[str, Any], name: str, reach: dict[str, list[Any]]) -> list[Any]:
    if name in CATALOGUE:
        item = CATALOGUE[name]
        return [naive_rules.plain(item, value) for value in naive_rules.candidates(raw, item)]
    return reach[name]


def reachable_scores(raw: dict[str, Any]) -> dict[str, list[Any]]:
    """Return every value that the score and the dimensions take for some candidates."""
    items = raw["scorecard"]["characteristics"]
    kinds: dict[str, dict[tuple[int, ...], Any]] = {}
    for name in {item["input"] for item in items}:
        for value in representatives(raw, name, {}):
            given = (naive_rules.points(item, value) for item in items if item["input"] == name)
            kinds.setdefault(name, {})[tuple(bin_["points"] for bin_ in given)] = value
    reach: dict[str, set[int]] = {}
    for values in itertools.product(*(kind.values() for kind in kinds.values())):
        facts = dict(zip(kinds, values, strict=True))
        dimensions, score, _ = naive_rules.scores(raw, CATALOGUE, facts)
        reach.setdefault("score", set()).add(score)
        for name, found in dimensions.items():
            reach.setdefault(f"dimension.{name}", set()).add(found)
    return {name: list(found) for name, found in reach.items()}
