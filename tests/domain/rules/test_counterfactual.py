"""What would lift an outcome, told from the breakpoints."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from app.domain.rules import Gap, InputError, Move, compile_rule_set, gap, parse_document
from app.domain.rules.counterfactual import frame as book
from tests.domain.rules.samples import CATALOGUE, fact, facts, sample

RULES = compile_rule_set(parse_document(sample(), CATALOGUE), CATALOGUE)


def test_the_smallest_change_stops_at_the_breakpoint() -> None:
    found = gap(RULES, facts(ratio=9_000, growth=2, policies=3))
    assert found == Gap("tier", "standard", "gold", (Move("ratio", 9_000, 10_000, "gold"),))


def test_a_move_may_reach_more_than_the_target() -> None:
    raw = sample()
    raw["tables"][4]["inputs"] = ["segment"]
    raw["tables"][4]["rules"] = [
        {"id": "T1", "when": {"segment": "high_net_worth"}, "then": "diamond"},
        {"id": "T2", "when": {"segment": "not(high_net_worth)"}, "then": "standard"},
    ]
    rules = compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE)
    found = gap(rules, facts(ratio=30_000, growth=2))
    assert found == Gap("tier", "standard", "gold", (Move("ratio", 30_000, 30_001, "diamond"),))
    (listed,) = book.gap(rules, pl.DataFrame([facts(ratio=30_000, growth=2)]))["moves"].to_list()
    assert listed == [{"fact": "ratio", "from": "3", "to": "3.0001", "reaches": "diamond"}]


def test_nothing_is_better_than_the_best() -> None:
    assert gap(RULES, facts(ratio=50_000, growth=5)) is None


def test_none_found_is_said_by_a_gap_without_moves() -> None:
    assert gap(RULES, facts()) == Gap("tier", "standard", "gold", ())


def test_an_unmatched_outcome_has_no_gap() -> None:
    assert gap(RULES, facts(), outcome="extra_risk_module") is None


def test_a_wrong_fact_is_refused_as_in_evaluation() -> None:
    with pytest.raises(InputError):
        gap(RULES, {})


@pytest.mark.parametrize("outcome", ["labels", "colour"])
def test_only_single_outcomes_have_a_gap(outcome: str) -> None:
    with pytest.raises(ValueError, match=f"{outcome} is no single outcome"):
        gap(RULES, facts(), outcome=outcome)
    with pytest.raises(ValueError, match=f"{outcome} is no single outcome"):
        book.gap(RULES, pl.DataFrame([facts()]), outcome=outcome)


def levers_of_every_kind() -> dict[str, Any]:
    """Return a document in which each kind of fact can lift the tier by itself."""
    raw = sample()
    raw["tables"][4] = {
        "id": "tier",
        "output": {"name": "tier", "values": ["diamond", "gold", "standard"]},
        "hit_policy": "first",
        "complete": True,
        "inputs": ["delta", "ratio", "opened", "app_user", "cluster", "grade", "health_free"],
        "rules": [
            {"id": "T0", "when": {"delta": "[30..40]"}, "then": "diamond"},
            {"id": "T1", "when": {"delta": "[10..20], -5"}, "then": "gold"},
            {"id": "T2", "when": {"ratio": "> 3.05"}, "then": "gold"},
            {"id": "T3", "when": {"opened": "< date(2000-01-01)"}, "then": "gold"},
            {"id": "T4", "when": {"app_user": "true"}, "then": "gold"},
            {"id": "T5", "when": {"cluster": "b, c"}, "then": "gold"},
            {"id": "T6", "when": {"grade": "C"}, "then": "gold"},
            {"id": "T7", "when": {"grade": "B"}, "then": "diamond"},
            {"id": "T8", "then": "standard"},
        ],
    }
    raw["tests"] = []
    return raw


WIDE = {
    **CATALOGUE,
    "delta": fact("delta", "int", influenceable=True),
    "grade": fact("grade", "enum", values=("A", "B", "C"), influenceable=True),
    "health_free": fact("health_free", "int"),
}
EVERY_KIND = compile_rule_set(parse_document(levers_of_every_kind(), WIDE), WIDE)


def row(**changes: object) -> dict[str, Any]:
    given = facts(
        delta=3,
        ratio=20_000,
        opened=date(2010, 5, 1),
        app_user=False,
        cluster="z",
        grade="A",
        health_free=None,
    )
    return {**given, **changes}


SCHEMA = pl.DataFrame([row(health_free=True)]).schema


def test_every_kind_of_fact_can_be_a_lever() -> None:
    found = gap(EVERY_KIND, row())
    assert found is not None
    assert found.moves == (
        Move("ratio", 20_000, 30_501, "gold"),
        Move("app_user", current=False, to=True, reaches="gold"),
        Move("cluster", "z", "b", "gold"),
        Move("delta", 3, 10, "gold"),
        Move("opened", date(2010, 5, 1), date(1999, 12, 31), "gold"),
        Move("grade", "A", "B", "diamond"),
    )


def test_a_frame_writes_the_values_as_people_do() -> None:
    found = book.gap(EVERY_KIND, pl.DataFrame([{"customer_id": "x", **row(delta=-7)}]))
    assert found.to_dicts() == [
        {
            "customer_id": "x",
            "target": "gold",
            "moves": [
                {"fact": "ratio", "from": "2", "to": "3.0501", "reaches": "gold"},
                {"fact": "app_user", "from": "false", "to": "true", "reaches": "gold"},
                {"fact": "cluster", "from": "z", "to": "b", "reaches": "gold"},
                {"fact": "delta", "from": "-7", "to": "-5", "reaches": "gold"},
                {"fact": "opened", "from": "2010-05-01", "to": "1999-12-31", "reaches": "gold"},
                {"fact": "grade", "from": "A", "to": "B", "reaches": "diamond"},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("delta", "to", "reaches"), [(23, 20, "gold"), (26, 30, "diamond"), (25, 30, "diamond")]
)
def test_the_nearer_change_wins_and_of_equal_ones_the_better(
    delta: int, to: int, reaches: str
) -> None:
    found = gap(EVERY_KIND, row(delta=delta))
    assert found is not None
    assert Move("delta", delta, to, reaches) in found.moves
    (listed,) = book.gap(EVERY_KIND, pl.DataFrame([row(delta=delta)]))["moves"].to_list()
    assert {"fact": "delta", "from": str(delta), "to": str(to), "reaches": reaches} in listed


@pytest.mark.parametrize("trials", [1, 60, book.TRIALS])
def test_of_many_rows_each_is_told_what_it_is_told_alone(trials: int) -> None:
    """However many are tried at once, and with rows between them that nothing is above."""
    rows = [
        row(delta=-7),
        row(grade="B"),
        row(delta=26, ratio=10_000, cluster="a"),
        row(delta=None, opened=date(2020, 2, 29)),
        row(ratio=None, app_user=None, grade=None),
    ]
    alone = pl.concat(book.gap(EVERY_KIND, pl.DataFrame([each], schema=SCHEMA)) for each in rows)
    together = book.gap(EVERY_KIND, pl.DataFrame(rows, schema=SCHEMA), trials=trials)
    assert together.to_dicts() == alone.to_dicts()


def test_a_lever_may_work_through_the_score() -> None:
    facts_of_one = facts(ratio=19_000, growth=1, policies=0)
    found = gap(RULES, facts_of_one)
    assert found is not None
    assert found.moves == (Move("policies", 0, 3, "gold"),)
    (listed,) = book.gap(RULES, pl.DataFrame([facts_of_one]))["moves"].to_list()
    assert listed == [{"fact": "policies", "from": "0", "to": "3", "reaches": "gold"}]


@pytest.mark.parametrize("delta", [-(2**63) + 1, 2**63 - 1])
def test_a_distance_that_no_signed_number_holds_is_still_right(delta: int) -> None:
    found = gap(EVERY_KIND, row(delta=delta))
    assert found is not None
    (move,) = [move for move in found.moves if move.fact == "delta"]
    assert (move.to, move.reaches) == ((-5, "gold") if delta < 0 else (40, "diamond"))
    (listed,) = book.gap(EVERY_KIND, pl.DataFrame([row(delta=delta)]))["moves"].to_list()
    expected = {"from": str(delta), "to": str(move.to), "reaches": move.reaches}
    assert {"fact": "delta", **expected} in listed


def test_null_and_absent_facts_are_no_levers() -> None:
    bare = facts(ratio=float("nan"), delta=None)
    found = gap(EVERY_KIND, bare)
    assert found is not None
    assert found.moves == ()
    assert book.gap(EVERY_KIND, pl.DataFrame([bare])).to_dicts() == [
        {"target": "gold", "moves": []}
    ]


def test_a_rule_set_without_levers_says_none_found() -> None:
    fixed = {
        name: fact(name, item.type.value, scale=item.scale, minimum=item.minimum,
                   maximum=item.maximum, values=item.values, nullable=item.nullable)
        for name, item in CATALOGUE.items()
    }  # fmt: skip
    rules = compile_rule_set(parse_document(sample(), CATALOGUE), fixed)
    assert book.gap(rules, pl.DataFrame([facts()])).to_dicts() == [{"target": "gold", "moves": []}]


def test_rows_that_cannot_be_judged_and_empty_frames_have_no_gap() -> None:
    frame = pl.DataFrame([facts(policies=99), facts()])
    assert book.gap(RULES, frame).to_dicts() == [
        {"target": None, "moves": None},
        {"target": "gold", "moves": []},
    ]
    assert book.gap(RULES, frame.clear()).height == 0
    assert book.gap(RULES, frame.clear()).schema == book.gap(RULES, frame).schema
