"""What a trace says, by worked examples."""

import math
from datetime import date

import pytest

from app.domain.rules import compile_rule_set, parse_document
from app.domain.rules.evaluation import InputError
from app.domain.rules.trace import FailingCell, Trace, TracedTable, trace
from tests.domain.rules.samples import CATALOGUE, Raw, facts, sample


def traced(raw: Raw | None = None, **changes: object) -> Trace:
    document = parse_document(raw or sample(), CATALOGUE)
    return trace(compile_rule_set(document, CATALOGUE), facts(**changes))


def table(told: Trace, id_: str) -> TracedTable:
    return next(table for table in told.tables if table.table.id == id_)


def test_the_nearest_row_says_what_is_missing_and_by_how_much() -> None:
    segment = table(traced(ratio=25_000, growth=1), "segment")
    (fired,) = segment.fired
    assert (fired.rule.id, fired.conditions) == ("S2", {"ratio": "[1..3]"})
    assert [(seen.input, seen.text) for seen in segment.inputs] == [
        ("ratio", "2.5"),
        ("growth", "1"),
    ]
    # S3 and S4 have one failing cell too, but answer worse or are no better.
    assert segment.nearest is not None
    assert (segment.nearest.rule.id, segment.nearest.rule.then) == ("S3", "mid_market")
    (cell,) = segment.nearest.failing
    assert (cell.condition, cell.seen.text, cell.nearest_text, cell.distance_text) == (
        "> 3",
        "2.5",
        "3.0001",
        "0.5001",
    )


def test_among_equally_near_rows_the_better_answer_comes_first() -> None:
    segment = table(traced(ratio=25_000, growth=5), "segment")
    assert segment.nearest is not None
    assert segment.nearest.rule.id == "S1"


def test_of_two_ranges_the_closer_end_counts() -> None:
    raw = sample()
    raw["tables"][1]["rules"][1:] = [
        {"id": "S2", "when": {"ratio": "[1..2], [2.9..3]"}, "then": "mid_market"},
        {"id": "S3", "then": "base"},
    ]
    raw["tables"][1]["hit_policy"] = "first"
    (cell,) = _nearest(traced(raw, ratio=25_000, growth=None), "segment")
    assert (cell.nearest_text, cell.distance_text) == ("2.9", "0.4")
    (cell,) = _nearest(traced(raw, ratio=22_000, growth=None), "segment")
    assert (cell.nearest_text, cell.distance_text) == ("2", "0.2")


def _nearest(told: Trace, id_: str) -> tuple[FailingCell, ...]:
    found = table(told, id_).nearest
    assert found is not None
    return found.failing


def test_days_are_counted_between_dates() -> None:
    raw = sample()
    raw["tables"][2]["rules"][0]["when"]["since"] = "null"
    (cell,) = _nearest(traced(raw, policies=2, since=date(2019, 12, 25)), "stage")
    assert (cell.seen.text, cell.nearest_text, cell.distance_text) == (
        "2019-12-25",
        "2020-01-01",
        "7",
    )


def test_what_has_no_order_is_not_measured() -> None:
    raw = sample()
    raw["tables"][3]["rules"].pop(1)
    labels = table(traced(raw, app_user=False), "labels")
    assert labels.is_unmatched
    assert labels.answer == ()
    assert labels.nearest is not None
    (cell,) = labels.nearest.failing
    assert (cell.seen.text, cell.condition, cell.nearest, cell.distance) == (
        "null",
        "c1, c2",
        None,
        None,
    )
    assert (cell.nearest_text, cell.distance_text) == (None, None)


def test_a_cell_that_takes_null_only_is_as_far_from_every_number() -> None:
    raw = sample()
    rules = raw["tables"][3]["rules"]
    rules[:] = [{"id": "B1", "when": {"growth": "null"}, "then": "digital"}]
    (cell,) = _nearest(traced(raw, growth=3), "labels")
    assert (cell.condition, cell.nearest, cell.distance) == ("null", None, None)


def test_who_matched_and_was_outranked_is_told() -> None:
    risk = table(traced(claims=2, suspicion=True, health="A"), "risk")
    assert [row.rule.id for row in risk.fired] == ["R2"]
    assert [row.rule.id for row in risk.passed_over] == ["R3", "R5"]
    assert risk.passed_over[1].conditions == {}
    stage = table(traced(policies=0), "stage")
    assert [row.rule.id for row in stage.fired] == ["L1"]
    assert [row.rule.id for row in stage.passed_over] == ["L3"]


def test_all_rows_of_a_collecting_table_fire() -> None:
    labels = table(traced(app_user=True, growth=6, cluster="c2"), "labels")
    assert [row.rule.id for row in labels.fired] == ["B1", "B2", "B4"]
    assert labels.passed_over == ()
    assert labels.answer == ("vip_care", "digital")
    assert [seen.text for seen in labels.inputs] == ["6", "true", "null", "c2"]


def test_a_table_whose_rows_all_match_has_no_nearest_one() -> None:
    raw = sample()
    raw["tables"][3]["rules"] = [{"id": "B1", "then": "digital"}]
    assert table(traced(raw), "labels").nearest is None


def test_an_unmatched_table_says_so() -> None:
    module = table(traced(), "module")
    assert module.is_unmatched
    assert (module.answer, module.fired) == (None, ())
    assert module.nearest is not None
    assert module.nearest.rule.id == "M1"


def test_points_are_told_with_what_they_cost() -> None:
    told = traced(ratio=25_000, growth=None, policies=3, health="C")
    found = {
        item.characteristic.id: (
            item.seen.text,
            item.condition,
            item.bin.points,
            item.best,
            item.lost,
            item.rank,
            item.weight,
            item.reason.code,
        )
        for item in told.characteristics
    }
    assert found == {
        "ratio": ("2.5", "[1..3]", 60, 100, 40, 10**6 * 600 * 40 // 140, 600, "V01"),
        "growth": ("null", "<= 1, null", 0, 40, 40, 10**6 * 600 * 40 // 140, 600, "V03"),
        "policies": ("3", ">= 3", 70, 70, 0, 0, 400, "L01"),
        # A dimension of weight 0 costs nothing.
        "health": ("C", "C, D, E, null", 0, 10, 10, 0, 0, "B01"),
    }
    assert [(d.name, d.raw, d.low, d.high, d.score, d.weighted) for d in told.dimensions] == [
        ("value", 60, 0, 140, 429, 257_400),
        ("loyalty", 70, 0, 70, 1000, 400_000),
        ("body", 0, 0, 10, 0, 0),
    ]
    assert (told.weighted, told.evaluation.score) == (657_400, 657)


def test_the_bin_for_null_gives_its_own_reason() -> None:
    told = traced(ratio=math.nan)
    assert told.characteristics[0].reason.code == "V02"
    assert told.characteristics[0].seen.value is None


def test_a_dimension_of_one_reachable_sum_ranks_nothing() -> None:
    raw = sample()
    for bin_ in raw["scorecard"]["characteristics"][3]["bins"]:
        bin_["points"] = 5
    assert traced(raw).characteristics[3].rank == 0


def test_what_cannot_be_judged_cannot_be_explained() -> None:
    with pytest.raises(InputError, match="policies is outside its range"):
        traced(policies=99)
