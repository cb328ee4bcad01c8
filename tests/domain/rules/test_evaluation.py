"""Evaluating: exact arithmetic, reasons, and what is refused at the door."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from app.domain.rules import (
    CompiledRuleSet,
    InputError,
    Limits,
    Reason,
    compile_rule_set,
    evaluate,
    parse_document,
    run_tests,
)
from app.domain.rules import frame as book
from tests.domain.rules.samples import CATALOGUE, Raw, facts, sample

NOW = datetime(2027, 1, 31, tzinfo=UTC)


def compiled(raw: Raw | None = None) -> CompiledRuleSet:
    return compile_rule_set(parse_document(raw or sample(), CATALOGUE), CATALOGUE)


RULES = compiled()


def test_scores_are_rounded_half_up_in_integers() -> None:
    evaluation = evaluate(RULES, facts(ratio=20_000, growth=0, health="A"))
    # value: 60 of 140, loyalty: 30 of 70, and 0.6 * 429 + 0.4 * 429.
    assert evaluation.dimensions == {"value": 429, "loyalty": 429, "body": 1000}
    assert evaluation.score == 429


@pytest.mark.parametrize(("points", "scaled"), [(0, 0), (1, 1), (3, 2), (5, 3), (1999, 1000)])
def test_half_a_point_counts_as_one(points: int, scaled: int) -> None:
    raw = sample()
    raw["scorecard"]["characteristics"][2]["bins"] = [
        {"when": "0", "points": 0},
        {"when": "1", "points": points},
        {"when": "> 1", "points": 2000},
    ]
    assert evaluate(compiled(raw), facts()).dimensions["loyalty"] == scaled


def test_reasons_come_by_rank_and_then_as_declared() -> None:
    evaluation = evaluate(RULES, facts(policies=0, health="E"))
    assert evaluation.reasons == (
        Reason("V02", "ratio", 0, 100, 10**6 * 600 * 100 // 140),
        Reason("L01", "policies", 0, 70, 10**6 * 400 * 70 // 70),
        Reason("V03", "growth", 0, 40, 10**6 * 600 * 40 // 140),
    )


def test_equal_ranks_stay_as_declared_and_only_the_top_is_kept() -> None:
    raw = sample()
    raw["scorecard"]["reasons"]["top"] = 2
    for profile in raw["objectives"].values():
        profile |= {"value": 500, "loyalty": 500}
    raw["scorecard"]["characteristics"][1]["bins"][1]["points"] = 100
    raw["scorecard"]["characteristics"][2]["bins"][2]["points"] = 100
    rules = compiled(raw)
    row = facts(policies=0, ratio=0, growth=0)
    expected = ["L01", "V01"]
    assert [reason.code for reason in evaluate(rules, row).reasons] == expected
    (given,) = book.evaluate(rules, pl.DataFrame([row]))["reasons"].to_list()
    assert [reason["code"] for reason in given] == expected


def test_many_characteristics_take_more_than_one_key() -> None:
    """Forty characteristics with three possible reasons each overflow a 64-bit key."""
    raw = sample()
    policies = raw["scorecard"]["characteristics"][2]
    raw["scorecard"]["characteristics"] += [
        {**policies, "id": f"again{at}", "reason": {"code": f"X{at}", "en": "x", "zh": "又"}}
        for at in range(10, 60)
    ]
    rules = compiled(raw)
    rows = [facts(policies=n, ratio=r) for n in (0, 1, 3) for r in (0, 20_000, 90_000)]
    answers = book.evaluate(rules, pl.DataFrame(rows))["reasons"].to_list()
    for row, given in zip(rows, answers, strict=True):
        expected = [reason.code for reason in evaluate(rules, row).reasons]
        assert [reason["code"] for reason in given] == expected


WRONG: list[tuple[str, Any, str]] = [
    ("policies", None, "policies is null, which it can never be"),
    ("policies", float("nan"), "policies is null, which it can never be"),
    ("suspicion", None, "suspicion is null, which it can never be"),
    ("ratio", float("inf"), "ratio is not of its type"),
    ("ratio", float("-inf"), "ratio is not of its type"),
    ("ratio", 3.0, "ratio is not of its type"),
    ("ratio", "3", "ratio is not of its type"),
    ("ratio", True, "ratio is not of its type"),
    ("ratio", -1, "ratio is outside its range"),
    ("ratio", 1_000_001, "ratio is outside its range"),
    ("suspicion", 1, "suspicion is not of its type"),
    ("health", 1, "health is not of its type"),
    ("health", "F", "health is outside its range"),
    ("health", "", "health is outside its range"),
    ("cluster", 7, "cluster is not of its type"),
    ("since", NOW, "since is not of its type"),
    ("since", "2027-01-31", "since is not of its type"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_fact_that_cannot_be_judged_is_named_without_its_value(
    name: str, value: object, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        evaluate(RULES, facts(**{name: value}))
    assert str(caught.value) == message
    assert caught.value.fact == name


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_frame_flags_the_row_that_one_customer_would_be_refused_for(
    name: str, value: object, message: str
) -> None:
    row = facts(**{name: value})
    answers = book.evaluate(RULES, pl.DataFrame([row]))
    assert answers["input_error"].to_list() == [message]
    assert answers.drop("input_error").row(0) == (None,) * (answers.width - 1)


def test_nan_and_a_missing_key_are_null() -> None:
    plain = evaluate(RULES, facts())
    assert evaluate(RULES, facts(ratio=float("nan"), growth=None)) == plain
    frame = pl.DataFrame([facts(ratio=float("nan"), growth=None)])
    assert book.evaluate(RULES, frame).equals(book.evaluate(RULES, pl.DataFrame([facts()])))


def test_only_the_wrong_rows_of_a_frame_are_flagged() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "policies": [1, 99, None, 3],
            "suspicion": [False, None, False, True],
        }
    )
    answers = book.evaluate(RULES, frame)
    assert answers.columns[0] == "customer_id"
    assert answers["customer_id"].to_list() == ["a", "b", "c", "d"]
    assert answers["input_error"].to_list() == [
        None,
        "policies is outside its range",
        "policies is null, which it can never be",
        None,
    ]
    assert answers["outcome.risk_grade"].is_null().to_list() == [False, True, True, False]


def test_a_frame_takes_narrow_integers_and_categories() -> None:
    frame = pl.DataFrame(
        {
            "policies": pl.Series([1, 3], dtype=pl.UInt8),
            "suspicion": [False, False],
            "health": pl.Series(["A", "E"], dtype=pl.Categorical),
            "cluster": pl.Series(["c1", "c9"], dtype=pl.Enum(["c1", "c9"])),
            "since": [date(2019, 12, 31), date(2020, 1, 1)],
            "ratio": pl.Series([None, None], dtype=pl.Null),
        }
    )
    answers = book.evaluate(RULES, frame)
    assert answers["dimension.body"].to_list() == [1000, 0]
    assert answers["outcome.labels"].to_list() == [["vip_care"], []]
    assert answers["outcome.life_cycle_stage"].to_list() == ["stable", "new"]


def test_an_empty_frame_has_the_columns_and_types_of_a_full_one() -> None:
    full = pl.DataFrame([facts()])
    empty = book.evaluate(RULES, full.clear())
    assert empty.height == 0
    assert empty.schema == book.evaluate(RULES, full).schema


def test_a_frame_without_any_fact_flags_every_row() -> None:
    answers = book.evaluate(RULES, pl.DataFrame({"customer_id": ["a", "b"]}))
    message = "policies is null, which it can never be"
    assert answers["input_error"].to_list() == [message, message]


def test_without_explanation_a_frame_has_scores_and_outcomes_only() -> None:
    columns = book.evaluate(RULES, pl.DataFrame([facts()]), explain=False).columns
    assert not any(name.startswith(("fired", "reasons")) for name in columns)
    assert {"score", "dimension.value", "outcome.tier", "input_error"} <= set(columns)


def test_a_rule_set_without_any_reason_to_give_gives_none() -> None:
    raw = sample()
    for item in raw["scorecard"]["characteristics"]:
        for bin_ in item["bins"]:
            bin_["points"] = 5
    answers = book.evaluate(compiled(raw), pl.DataFrame([facts()]))
    assert answers["reasons"].to_list() == [[]]
    assert answers["score"].to_list() == [0]


def test_the_documents_own_tests_pass_or_say_what_differs() -> None:
    assert run_tests(RULES) == ()
    raw = sample()
    raw["tests"] = [
        {
            "in": {"ratio": "2"},
            "expect": {
                "tier": "diamond",
                "score": 1000,
                "dimension.value": 429,
                "labels": ["big"],
                "extra_risk_module": "on",
                "segment": "mid_market",
            },
        }
    ]
    found = run_tests(compiled(raw))
    assert [(finding.path, finding.code) for finding in found] == [
        ("tests[0].expect.tier", "test-failed"),
        ("tests[0].expect.score", "test-failed"),
        ("tests[0].expect.labels", "test-failed"),
        ("tests[0].expect.extra_risk_module", "test-failed"),
    ]
    assert found[0].message == "It is standard, expected was diamond."
    assert found[2].message == "It is nothing, expected was big."
    assert found[3].message == "It is unmatched, expected was on."


def test_a_test_must_name_what_has_no_neutral_value() -> None:
    raw = sample()
    raw["tables"][2]["inputs"].append("line")
    (finding,) = run_tests(compiled({**raw, "tests": [{"in": {}, "expect": {"score": 0}}]}))
    assert finding.path == "tests[0].in"
    assert finding.message == "line is null, which it can never be."


def test_both_limits_can_be_set() -> None:
    document = parse_document(sample(), CATALOGUE)
    masked = compile_rule_set(document, CATALOGUE, Limits(dense_cells=0))
    assert evaluate(masked, facts()) == evaluate(RULES, facts())
