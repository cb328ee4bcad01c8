"""Compiling: claims are proved or refused with a witness, and both forms of a table agree."""

import random

import polars as pl
import pytest

from app.domain.rules import (
    CompiledRuleSet,
    DocumentError,
    Finding,
    Limits,
    compile_rule_set,
    evaluate,
    parse_document,
)
from app.domain.rules import frame as book
from app.domain.rules.cell_sets import OTHER_TEXT
from app.domain.rules.cells import parse_cell
from app.domain.rules.domains import domain_of
from app.domain.rules.partition import build_partition
from tests.domain.rules.samples import CATALOGUE, Raw, facts, sample


def compiled(raw: Raw, limits: Limits = Limits()) -> CompiledRuleSet:  # noqa: B008 - frozen
    return compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE, limits)


def refused(raw: Raw, limits: Limits = Limits()) -> tuple[Finding, ...]:  # noqa: B008 - frozen
    with pytest.raises(DocumentError) as caught:
        compiled(raw, limits)
    return caught.value.findings


def test_a_gap_in_a_complete_table_is_refused_with_a_witness() -> None:
    raw = sample()
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[1..3)"
    (finding,) = refused(raw)
    assert (finding.path, finding.code) == ("tables[1]", "gap")
    assert finding.witness == (("ratio", "3"), ("growth", "0"))
    assert "no row matches ratio = 3." in finding.message


def test_a_forgotten_null_is_a_gap() -> None:
    raw = sample()
    raw["tables"][1]["rules"][3]["when"]["ratio"] = "< 1"
    (finding,) = refused(raw)
    assert dict(finding.witness)["ratio"] == "null"


def test_overlapping_rows_of_a_unique_table_are_refused_in_pairs() -> None:
    raw = sample()
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[0.9..3]"
    raw["tables"][1]["rules"].append(
        {"id": "S5", "when": {"ratio": "0.95", "growth": "7"}, "then": "base"}
    )
    found = refused(raw)
    assert [(f.path, f.code) for f in found] == [
        ("tables[1].rules[S4]", "overlap-conflict"),
        ("tables[1].rules[S5]", "overlap-conflict"),
        ("tables[1].rules[S5]", "overlap-same"),
    ]
    assert found[1].witness == (("ratio", "0.95"), ("growth", "7"))


def test_of_many_overlaps_the_first_are_told() -> None:
    raw = sample()
    raw["tables"][1]["rules"] += [{"id": f"X{at}", "then": "base"} for at in range(10)]
    found = refused(raw)
    assert [f.code for f in found] == ["overlap-conflict"] * 21 + ["overlap-same"] * 21
    assert found[20].message == "There are 10 more like the 20 that are listed."


def test_rows_of_an_any_table_may_overlap_only_if_they_agree() -> None:
    raw = sample()
    raw["tables"][4]["rules"][4]["then"] = "gold"
    (finding,) = refused(raw)
    assert (finding.path, finding.code) == ("tables[4].rules[T5]", "overlap-conflict")
    assert finding.witness == (("segment", "base"), ("score", "901"))


def test_an_answer_that_no_row_gives_leaves_no_gap_behind() -> None:
    raw = sample()
    raw["tables"][4]["rules"][3]["when"]["segment"] = "base"
    assert compiled(raw).tables[4].table.complete


def test_the_null_of_an_incomplete_table_must_be_taken() -> None:
    raw = sample()
    raw["tables"].append(
        {
            "id": "note",
            "output": {"name": "reinsurance_advice", "values": ["yes"]},
            "complete": True,
            "inputs": ["extra_risk_module"],
            "rules": [{"id": "N1", "when": {"extra_risk_module": "on"}, "then": "yes"}],
        }
    )
    (finding,) = refused(raw)
    assert (finding.code, finding.witness) == (
        "null-unhandled",
        (("occupation", "low"), ("smoker", "false")),
    )
    raw["tables"][6]["rules"][0]["when"]["extra_risk_module"] = "on, null"
    assert evaluate(compiled(raw), facts()).outcomes["reinsurance_advice"] == "yes"


def test_where_values_are_missing_too_it_is_not_null_that_is_unhandled() -> None:
    raw = sample()
    raw["tables"].append(
        {
            "id": "note",
            "output": {"name": "reinsurance_advice", "values": ["yes"]},
            "complete": True,
            "inputs": ["delta"],
            "rules": [{"id": "N1", "when": {"delta": "1"}, "then": "yes"}],
        }
    )
    (finding,) = refused(raw)
    assert finding.code == "gap"
    raw["tables"][-1]["rules"][0]["when"]["delta"] = "not(null)"
    (finding,) = refused(raw)
    assert finding.code == "null-unhandled"


def test_a_proof_that_takes_too_long_is_a_refusal_not_a_pass() -> None:
    (finding, *_) = refused(sample(), Limits(proof_steps=0))
    assert finding.code == "inconclusive"


def test_characteristics_that_read_the_same_fact_move_together() -> None:
    """Opposite points on one fact can never be reached at once, so the span is what can be."""
    raw = sample()
    raw["scorecard"]["characteristics"].append(
        {
            "id": "back",
            "dimension": "loyalty",
            "input": "policies",
            "reason": {"code": "L02", "en": "Back", "zh": "反"},
            "bins": [{"when": "0", "points": 60}, {"when": "> 0", "points": 0}],
        }
    )
    rule_set = compiled(raw)
    loyalty = rule_set.dimensions[1]
    assert (loyalty.low, loyalty.high) == (30, 70)
    scores = [evaluate(rule_set, facts(policies=n)).dimensions["loyalty"] for n in (0, 1, 3)]
    assert scores == [750, 0, 1000]


def test_a_dimension_in_which_nothing_differs_scores_0_and_gives_no_reason() -> None:
    raw = sample()
    for bin_ in raw["scorecard"]["characteristics"][2]["bins"]:
        bin_["points"] = 7
    evaluation = evaluate(compiled(raw), facts(policies=50))
    assert evaluation.dimensions["loyalty"] == 0
    assert all(reason.characteristic != "policies" for reason in evaluation.reasons)


def wide_table(rows: int, policy: str) -> Raw:
    """Return the sample with a table of many rows, each for its own slice of the premium."""
    raw = sample()
    rules = [
        {
            "id": f"W{at}",
            "when": {"premium": f"[{at * 10}..{at * 10 + 15}]", "growth": f"<= {at % 11}, null"},
            "then": ("big", "vip_care", "digital")[at % 3],
        }
        for at in range(rows)
    ]
    raw["tables"][3] |= {"inputs": ["premium", "growth"], "rules": rules, "hit_policy": policy}
    raw["tables"][3]["output"]["name"] = "care"
    raw["tests"] = []
    return raw


@pytest.mark.parametrize("policy", ["first", "priority", "collect"])
@pytest.mark.parametrize("rows", [3, 64, 65, 300])
def test_dense_arrays_and_bitmasks_agree_for_a_customer_and_for_a_frame(
    policy: str, rows: int
) -> None:
    raw = wide_table(rows, policy)
    dense, masked = compiled(raw), compiled(raw, Limits(dense_cells=10))
    assert dense.tables[3].dense is not None
    assert masked.tables[3].dense is None
    numbers = random.Random(rows)
    customers = [
        facts(premium=numbers.randrange(rows * 1100), growth=numbers.choice([None, *range(11)]))
        for _ in range(200)
    ]
    expected = [evaluate(dense, row) for row in customers]
    assert [evaluate(masked, row) for row in customers] == expected
    frame = pl.DataFrame(customers)
    answers = book.evaluate(dense, frame)
    assert answers.equals(book.evaluate(masked, frame))
    fired = answers["fired.labels"].to_list()
    assert fired == [list(row.fired["labels"]) for row in expected]


@pytest.mark.parametrize("policy", ["first", "priority", "collect"])
def test_equal_tables_of_two_rule_sets_share_their_array_and_others_do_not(policy: str) -> None:
    first, again = compiled(wide_table(30, policy)), compiled(wide_table(30, policy))
    assert first.tables[3].dense is not None
    assert again.tables[3].dense is first.tables[3].dense
    assert again.tables[3].results is first.tables[3].results
    row = facts(premium=7_500, growth=None)
    for change in ({"then": "digital"}, {"id": "other"}, {"when": {"premium": "999"}}):
        raw = wide_table(30, policy)
        raw["tables"][3]["rules"][0] |= change
        assert compiled(raw).tables[3].results is not first.tables[3].results
    raw = wide_table(30, policy)
    raw["tables"][3]["rules"] = [{"id": "W", "when": {}, "then": "digital"}]
    assert evaluate(compiled(raw), row).fired["labels"] == ("W",)
    assert evaluate(first, row).fired["labels"] == evaluate(again, row).fired["labels"] != ("W",)


def test_classes_need_wider_numbers_as_they_grow() -> None:
    """400 rows cut the premium into more classes than fit into eight bits."""
    rule_set = compiled(wide_table(400, "first"))
    assert max(partition.size for partition in rule_set.inputs) > 256
    row = facts(premium=399_900, growth=None)
    answers = book.evaluate(rule_set, pl.DataFrame([row], schema_overrides={"growth": pl.Int64}))
    assert answers["fired.labels"].to_list() == [list(evaluate(rule_set, row).fired["labels"])]


def test_every_class_of_a_partition_has_a_representative_in_it() -> None:
    domain = domain_of(CATALOGUE["cluster"])
    cells = [parse_cell(text, domain) for text in ("a", f'not("{OTHER_TEXT}")', "null, a")]
    partition, masks = build_partition("cluster", domain, cells)
    assert partition.representatives == ("a", OTHER_TEXT, f"{OTHER_TEXT}.", None)
    assert masks == (0b0001, 0b0101, 0b1001)


def test_atoms_that_no_cell_tells_apart_share_a_class() -> None:
    domain = domain_of(CATALOGUE["growth"])
    cells = [parse_cell(text, domain) for text in ("not(5)", "<= 7", "> 7")]
    partition, _ = build_partition("growth", domain, cells)
    assert partition.spans() == ((0, 4, 0), (5, 5, 1), (6, 7, 0), (8, 10, 2))
    assert partition.size == 4
    assert partition.null_class == 3


def test_tables_are_dense_as_long_as_all_of_them_together_are_small() -> None:
    sizes = [len(table.dense or ()) for table in compiled(sample()).tables]
    two = compiled(sample(), Limits(all_dense_cells=sizes[0] + sizes[1])).tables
    assert [table.dense is not None for table in two] == [True, True, *(False for _ in sizes[2:])]
