"""Reading documents: every wrong one yields all that is wrong with it, each with its place."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.rules import (
    DocumentError,
    DowngradeStep,
    Finding,
    HitPolicy,
    Stability,
    parse_document,
)
from app.domain.rules.check import box_text
from app.domain.rules.model import Trend
from app.domain.rules.writing import document_json
from tests.domain.rules.samples import CATALOGUE, Raw, sample

Change = Callable[[Raw], object]


def findings(raw: Raw) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, CATALOGUE)
    for finding in caught.value.findings:
        assert finding.message
        assert finding.remedy
    return [(finding.path, finding.code) for finding in caught.value.findings]


def changed(change: Change) -> Raw:
    raw = sample()
    change(raw)
    return raw


def characteristic(raw: Raw, at: int = 0) -> Raw:
    found: Raw = raw["scorecard"]["characteristics"][at]
    return found


def test_the_sample_reads_as_it_is_written() -> None:
    document = parse_document(sample(), CATALOGUE)
    assert document.id == "sample"
    assert document.product_line == "motor"
    assert (document.title.en, document.title.zh) == ("Sample", "样例")
    assert document.dimensions == ("value", "loyalty", "body")
    assert document.weights == {"value": 600, "loyalty": 400, "body": 0}
    assert document.top_reasons == 4
    assert document.stability == Stability(90, DowngradeStep.ONE, 30, 30)
    assert [table.hit_policy for table in document.tables] == [
        HitPolicy.PRIORITY,
        HitPolicy.UNIQUE,
        HitPolicy.FIRST,
        HitPolicy.COLLECT,
        HitPolicy.ANY,
        HitPolicy.UNIQUE,
    ]
    assert document.characteristics[0].trend is Trend.INCREASING
    assert document.characteristics[1].trend is Trend.NONE
    assert document.facts[:5] == ("ratio", "growth", "policies", "health", "claims")
    assert document.tests[0].expect == {
        "tier": "diamond",
        "dimension.loyalty": 429,
        "labels": (),
    }


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        (lambda r: r.pop("id"), "id", "missing-field"),
        (lambda r: r.update(format="tiering/2"), "format", "bad-choice"),
        (lambda r: r.update(id="Motor retail"), "id", "bad-name"),
        (lambda r: r.update(id=7), "id", "bad-name"),
        (lambda r: r.update(product_line="boats"), "product_line", "bad-choice"),
        (lambda r: r.update({"colour\n": 1}), "colour\\n", "unknown-field"),
        (lambda r: r.update({5: 1}), "5", "unknown-field"),
        (lambda r: r.update(title="Motor"), "title", "wrong-type"),
        (lambda r: r["title"].pop("zh"), "title.zh", "missing-field"),
        (lambda r: r["title"].update(en=" "), "title.en", "bad-text"),
        (lambda r: r["title"].update(en="a\x00"), "title.en", "bad-text"),
        (lambda r: r["title"].update(en="a" * 501), "title.en", "bad-text"),
        (lambda r: r["title"].update(en=7), "title.en", "wrong-type"),
        (lambda r: r.update(objective="other"), "objective", "bad-choice"),
        (lambda r: r.update(objectives=[]), "objectives", "wrong-type"),
        (lambda r: r.update(objectives={}), "objectives", "empty"),
        (lambda r: r["objectives"].update({3: {}}), "objectives.3", "wrong-type"),
        (lambda r: r["objectives"].update({"A b": {}}), "objectives", "bad-name"),
        (lambda r: r["objectives"]["balanced"].update(value=601),
         "objectives.balanced", "weights-sum"),
        (lambda r: r["objectives"]["balanced"].update(value=-1),
         "objectives.balanced.value", "out-of-range"),
        (lambda r: r["objectives"]["balanced"].update(value=0.6),
         "objectives.balanced.value", "wrong-type"),
        (lambda r: r["objectives"]["balanced"].update(value=10**5000),
         "objectives.balanced.value", "out-of-range"),
        (lambda r: r["objectives"]["balanced"].update(value=True),
         "objectives.balanced.value", "wrong-type"),
        (lambda r: r["objectives"]["balanced"].pop("body"),
         "objectives.balanced.body", "missing-field"),
        (lambda r: r["objectives"]["balanced"].update(luck=1),
         "objectives.balanced.luck", "unknown-field"),
        (lambda r: r["scorecard"].update(characteristics=[]),
         "scorecard.characteristics", "empty"),
        (lambda r: r["scorecard"].update(characteristics={}),
         "scorecard.characteristics", "wrong-type"),
        (lambda r: r["scorecard"]["reasons"].update(top=0),
         "scorecard.reasons.top", "out-of-range"),
        (lambda r: characteristic(r).pop("id"), "scorecard.characteristics[0].id", "missing-field"),
        (lambda r: characteristic(r).update(id="growth"),
         "scorecard.characteristics", "duplicate-id"),
        (lambda r: characteristic(r).update(dimension="Value"),
         "scorecard.characteristics[ratio].dimension", "bad-name"),
        (lambda r: characteristic(r).update(trend="up"),
         "scorecard.characteristics[ratio].trend", "bad-choice"),
        (lambda r: characteristic(r).update(input="premium_ration"),
         "scorecard.characteristics[ratio].input", "unknown-fact"),
        (lambda r: characteristic(r).update(input=None),
         "scorecard.characteristics[ratio].input", "wrong-type"),
        (lambda r: characteristic(r).pop("input"),
         "scorecard.characteristics[ratio].input", "missing-field"),
        (lambda r: characteristic(r).pop("reason"),
         "scorecard.characteristics[ratio].reason", "missing-field"),
        (lambda r: characteristic(r)["reason"].update(code="V1"),
         "scorecard.characteristics[ratio].reason.code", "bad-name"),
        (lambda r: characteristic(r)["reason"].update(code="V02"),
         "scorecard.characteristics", "duplicate-code"),
        (lambda r: characteristic(r).pop("bins"),
         "scorecard.characteristics[ratio].bins", "missing-field"),
        (lambda r: characteristic(r)["bins"].pop(0),
         "scorecard.characteristics[ratio].bins", "bin-gap"),
        (lambda r: characteristic(r)["bins"].pop(),
         "scorecard.characteristics[ratio].bins", "bin-null"),
        (lambda r: characteristic(r)["bins"][0].update(when="<= 1"),
         "scorecard.characteristics[ratio].bins[1].when", "bin-overlap"),
        (lambda r: characteristic(r)["bins"][0].update(when="< 1, null"),
         "scorecard.characteristics[ratio].bins[3].when", "bin-overlap"),
        (lambda r: characteristic(r)["bins"][0].update(when=0.5),
         "scorecard.characteristics[ratio].bins[0].when", "wrong-type"),
        (lambda r: characteristic(r)["bins"][3].update(when=None),
         "scorecard.characteristics[ratio].bins[3].when", "wrong-type"),
        (lambda r: characteristic(r)["bins"][0].update(points=10_001),
         "scorecard.characteristics[ratio].bins[0].points", "out-of-range"),
        (lambda r: characteristic(r)["bins"][0].update(reason=characteristic(r)["reason"]),
         "scorecard.characteristics[ratio].bins[0].reason", "reason-not-null"),
        (lambda r: r.update(tables=[]), "tables", "empty"),
        (lambda r: r.update(tables=7), "tables", "wrong-type"),
        (lambda r: r["tables"].append("x"), "tables[6]", "wrong-type"),
        (lambda r: r["tables"][1].update(id="risk"), "tables", "duplicate-id"),
        (lambda r: r["tables"][0].update(complete=False), "tables[0].complete",
         "mandatory-output"),
        (lambda r: r["tables"][0].update(complete="yes"), "tables[0].complete", "wrong-type"),
        (lambda r: r["tables"][0].update(hit_policy="collect"), "tables[0].hit_policy",
         "mandatory-output"),
        (lambda r: r["tables"].pop(0), "tables", "mandatory-output"),
        (lambda r: r["tables"][0]["output"]["values"].append("F"), "tables[0].output.values[5]",
         "unstorable-outcome"),
        (lambda r: r["tables"][1]["output"]["values"].append("platinum_club"),
         "tables[1].output.values[4]", "unstorable-outcome"),
        (lambda r: r["tables"][2]["output"]["values"].append("asleep"),
         "tables[2].output.values[3]", "unstorable-outcome"),
        (lambda r: r["tables"][4]["output"]["values"].insert(0, "platinum"),
         "tables[4].output.values[0]", "unstorable-outcome"),
        (lambda r: r["tables"][4]["output"]["values"].reverse(), "tables[4].output.values",
         "tier-order"),
        (lambda r: r["tables"][3].update(hit_policy="first"), "tables[3].hit_policy",
         "set-output"),
        (lambda r: r["tables"][3].pop("hit_policy"), "tables[3].hit_policy", "set-output"),
        (lambda r: r["tables"][3].update(hit_policy="all"), "tables[3].hit_policy", "bad-choice"),
        (lambda r: r["tables"][3].pop("output"), "tables[3].output", "missing-field"),
        (lambda r: r["tables"][3]["output"].update(name="ratio"), "tables[3].output.name",
         "name-taken"),
        (lambda r: r["tables"][3]["output"].update(name="score"), "tables[3].output.name",
         "name-taken"),
        (lambda r: r["tables"][3]["output"].update(name="segment"), "tables[3].output.name",
         "name-taken"),
        (lambda r: r["tables"][3]["output"].update(values=[]), "tables[3].output.values", "empty"),
        (lambda r: r["tables"][3]["output"]["values"].append("big"), "tables[3].output.values",
         "duplicate-value"),
        (lambda r: r["tables"][3]["output"]["values"].append(True), "tables[3].output.values[3]",
         "bad-name"),
        (lambda r: r["tables"][3].update(inputs=[]), "tables[3].inputs", "empty"),
        (lambda r: r["tables"][3]["inputs"].append("growth"), "tables[3].inputs[4]",
         "duplicate-id"),
        (lambda r: r["tables"][3]["inputs"].append("tier"), "tables[3].inputs[4]",
         "unknown-input"),
        (lambda r: r["tables"][3]["inputs"].append("value"), "tables[3].inputs[4]",
         "unknown-input"),
        (lambda r: r["tables"][4]["inputs"].append("labels"), "tables[4].inputs[2]",
         "unknown-input"),
        (lambda r: r["tables"][3].update(rules=[]), "tables[3].rules", "empty"),
        (lambda r: r["tables"][3]["rules"].append(None), "tables[3].rules[4]", "wrong-type"),
        (lambda r: r["tables"][3]["rules"][1].update(id="B1"), "tables[3].rules", "duplicate-id"),
        (lambda r: r["tables"][3]["rules"][0].update(id="B 1"), "tables[3].rules[0].id",
         "bad-name"),
        (lambda r: r["tables"][3]["rules"][0].update(then="tiny"), "tables[3].rules[B1].then",
         "bad-choice"),
        (lambda r: r["tables"][3]["rules"][0].update(then=["big"]), "tables[3].rules[B1].then",
         "bad-choice"),
        (lambda r: r["tables"][3]["rules"][0].pop("then"), "tables[3].rules[B1].then",
         "missing-field"),
        (lambda r: r["tables"][3]["rules"][0].update(when="x"), "tables[3].rules[B1].when",
         "wrong-type"),
        (lambda r: r["tables"][3]["rules"][0]["when"].update(city="x"),
         "tables[3].rules[B1].when.city", "undeclared-input"),
        (lambda r: r["tables"][2]["rules"][0]["when"].update(policies="> 50"),
         "tables[2].rules[L1].when.policies", "cell-empty"),
        (lambda r: r["tables"][2]["rules"][0]["when"].update(policies="> 51"),
         "tables[2].rules[L1].when.policies", "cell-out-of-range"),
        (lambda r: r["tables"][2]["rules"][0]["when"].update(policies="many"),
         "tables[2].rules[L1].when.policies", "cell-type"),
        (lambda r: r["tables"][2]["rules"][0]["when"].update(policies="1 1"),
         "tables[2].rules[L1].when.policies", "cell-syntax"),
        (lambda r: r["tables"][4]["rules"][0]["when"].update(segment="rich"),
         "tables[4].rules[T1].when.segment", "cell-out-of-range"),
        (lambda r: r["tables"][4]["rules"][0]["when"].update(segment="null"),
         "tables[4].rules[T1].when.segment", "cell-empty"),
        (lambda r: r["tables"][4]["rules"][1]["when"].update(score="> 1000"),
         "tables[4].rules[T2].when.score", "cell-empty"),
        (lambda r: r["stability"].update(grace_days=3661), "stability.grace_days", "out-of-range"),
        (lambda r: r["stability"].update(downgrade_step="two"), "stability.downgrade_step",
         "bad-choice"),
        (lambda r: r["stability"].pop("grace_days"), "stability.grace_days", "missing-field"),
        (lambda r: r.pop("stability"), "stability", "missing-field"),
        (lambda r: r["tests"].append([]), "tests[1]", "wrong-type"),
        (lambda r: r["tests"][0]["in"].update(ration=1), "tests[0].in.ration", "unknown-fact"),
        (lambda r: r["tests"][0]["in"].update(ratio=3.2), "tests[0].in.ratio", "wrong-type"),
        (lambda r: r["tests"][0]["in"].update(policies=None), "tests[0].in.policies",
         "wrong-type"),
        (lambda r: r["tests"][0]["in"].update(ratio="1.23456"), "tests[0].in.ratio", "cell-type"),
        # More digits than the interpreter turns into a number at all.
        (lambda r: r["tests"][0]["in"].update(ratio="9" * 5000), "tests[0].in.ratio",
         "cell-syntax"),
        (lambda r: r["tests"][0]["in"].update(smoker="maybe"), "tests[0].in.smoker",
         "cell-out-of-range"),
        (lambda r: r["tests"][0].update(expect={}), "tests[0].expect", "empty"),
        (lambda r: r["tests"][0]["expect"].update(colour="red"), "tests[0].expect.colour",
         "unknown-outcome"),
        (lambda r: r["tests"][0]["expect"].update(score=1001), "tests[0].expect.score",
         "out-of-range"),
        (lambda r: r["tests"][0]["expect"].update(tier="silver"), "tests[0].expect.tier",
         "bad-choice"),
        (lambda r: r["tests"][0]["expect"].update(labels=["tiny"]),
         "tests[0].expect.labels[0]", "bad-choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(change: Change, path: str, code: str) -> None:
    assert (path, code) in findings(changed(change))


def test_one_reading_names_everything_that_is_wrong() -> None:
    raw = sample()
    raw["product_line"] = "boats"
    characteristic(raw)["bins"][0]["when"] = "< -1"
    raw["tables"][1]["rules"][0]["when"]["growth"] = "many"
    raw["tables"][4]["rules"][0]["then"] = "silver"
    raw["stability"]["grace_days"] = -1
    raw["tests"][0]["expect"]["tier"] = "silver"
    assert set(findings(raw)) == {
        ("product_line", "bad-choice"),
        ("scorecard.characteristics[ratio].bins[0].when", "cell-out-of-range"),
        ("tables[1].rules[S1].when.growth", "cell-type"),
        ("tables[4].rules[T1].then", "bad-choice"),
        ("stability.grace_days", "out-of-range"),
        ("tests[0].expect.tier", "bad-choice"),
    }


def test_too_fine_a_literal_says_how_fine_the_fact_is() -> None:
    raw = sample()
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "> 1.23456"
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, CATALOGUE)
    (finding,) = caught.value.findings
    assert finding.message == "1.23456 has 5 decimals, the fact has 4."
    assert str(caught.value) == (
        "tables[1].rules[S1].when.ratio: cell-type: 1.23456 has 5 decimals, the fact has 4. "
        "Round the literal."
    )


def test_an_answer_that_no_decision_can_store_is_named_with_those_that_can() -> None:
    raw = sample()
    raw["tables"][4]["output"]["values"].insert(0, "platinum")
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, CATALOGUE)
    assert str(caught.value) == (
        "tables[4].output.values[0]: unstorable-outcome: platinum is no tier that decisions store. "
        "Use diamond, gold, standard."
    )


def test_labels_are_a_set_and_the_table_that_gives_one_answer_is_named() -> None:
    raw = sample()
    raw["tables"][3].update(id="care", hit_policy="first")
    with pytest.raises(DocumentError) as caught:
        parse_document(raw | {"tests": []}, CATALOGUE)
    assert str(caught.value) == (
        "tables[3].hit_policy: set-output: The table care gives one of labels, a customer has any "
        "number of them. Use hit_policy: collect."
    )


def test_a_document_may_name_the_risk_model_it_was_made_by() -> None:
    raw = sample()
    assert parse_document(raw, CATALOGUE).risk_model is None
    raw["risk_model"] = "industry-2027.1"
    document = parse_document(raw, CATALOGUE)
    assert document.risk_model == "industry-2027.1"
    assert document_json(document)["risk_model"] == "industry-2027.1"
    assert parse_document(document_json(document), CATALOGUE) == document
    raw["risk_model"] = "2027 Q1"
    assert findings(raw) == [("risk_model", "bad-name")]


def test_an_output_of_its_own_answers_as_it_likes() -> None:
    raw = sample()
    raw["tables"][5]["output"]["values"].append("platinum")
    assert parse_document(raw, CATALOGUE).tables[5].output.values == ("on", "platinum")


def test_a_document_without_a_scorecard_says_only_that() -> None:
    raw = sample()
    del raw["scorecard"]
    paths = dict(findings(raw))
    assert paths["scorecard"] == "missing-field"
    assert not any(path.startswith("objectives") for path in paths)


def test_too_many_characteristics_are_refused() -> None:
    raw = sample()
    raw["scorecard"]["characteristics"] *= 51
    assert ("scorecard.characteristics", "too-many") in findings(raw)


def test_too_many_rows_are_refused() -> None:
    raw = sample()
    raw["tables"][3]["rules"] *= 1_251
    assert ("tables[3].rules", "too-many") in findings(raw)


def test_yaml_numbers_and_booleans_are_cells_and_facts() -> None:
    raw = sample()
    raw["tables"][2]["rules"][0]["when"]["policies"] = 0
    raw["tables"][0]["rules"][2]["when"]["suspicion"] = True
    raw["tests"][0]["in"] |= {"smoker": False, "claims": 3, "cluster": "null", "since": "null"}
    raw["tests"][0]["in"] |= {"opened": "date(2000-01-31)"}
    document = parse_document(raw, CATALOGUE)
    assert document.tests[0].facts == {
        "ratio": 32_000,
        "growth": 2,
        "policies": 1,
        "city": "上海",
        "line": "motor",
        "smoker": False,
        "claims": 3,
        "cluster": "null",
        "opened": date(2000, 1, 31),
    }


def test_an_unmatched_outcome_and_a_set_can_be_expected() -> None:
    raw = sample()
    raw["tests"][0]["expect"] = {"extra_risk_module": None, "labels": "big", "score": 772}
    document = parse_document(raw, CATALOGUE)
    assert document.tests[0].expect == {
        "extra_risk_module": None,
        "labels": ("big",),
        "score": 772,
    }


def _places(value: object, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = [found for key in value for found in _places(value[key], (*place, key))]
    elif isinstance(value, list):
        inner = [found for at, item in enumerate(value) for found in _places(item, (*place, at))]
    else:
        inner = []
    return [place, *inner] if place else inner


def test_more_than_anybody_reads_is_neither_read_nor_told() -> None:
    raw = sample()
    raw["tables"] = raw["tables"] * 50
    raw["tests"] = raw["tests"] * 5_001
    raw["scorecard"]["characteristics"][0]["bins"] *= 200
    found = findings(raw)
    assert {("tables", "too-many"), ("tests", "too-many")} <= set(found)
    assert ("scorecard.characteristics[ratio].bins", "too-many") in found
    raw = sample() | {f"odd_{at}": None for at in range(2_000)}
    told = findings(raw)
    assert (len(told), told[-1]) == (1_001, ("", "too-many"))
    raw = sample()
    raw["scorecard"]["characteristics"][0]["bins"] = [{"when": "-", "points": 1}] * 500
    raw["scorecard"]["characteristics"] *= 3
    told = findings(raw)
    assert (len(told), told[-2][1], told[-1]) == (1_001, "bin-overlap", ("", "too-many"))


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), st.integers(), max_size=2),
)


@given(st.sampled_from(_places(sample())), odd_values)
@example(("tables", 4, "output", "values"), None)
def test_whatever_stands_wherever_the_document_reads_or_is_refused(
    place: tuple[Any, ...], value: object
) -> None:
    raw = sample()
    inner: Any = raw
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    found: tuple[Finding, ...] | None = None
    try:
        parse_document(raw, CATALOGUE)
    except DocumentError as error:
        found = error.findings
    assert found is None or found


BINS: list[tuple[Change, str, str, dict[str, str], str]] = [
    (
        lambda r: characteristic(r)["bins"].pop(0),
        "bin-gap",
        "ratio < 1",
        {"ratio": "0"},
        'Add a bin with when: "< 1", or move a bound.',
    ),
    (
        lambda r: characteristic(r)["bins"].pop(),
        "bin-null",
        "ratio is missing",
        {"ratio": "null"},
        'Add a bin with when: "null".',
    ),
    (
        lambda r: characteristic(r)["bins"][0].update(when="<= 1"),
        "bin-overlap",
        "ratio = 1",
        {"ratio": "1"},
        'Let its when be "(1..3]", or move the bound of the other.',
    ),
    (
        lambda r: characteristic(r)["bins"][0].update(when="< 1, null"),
        "bin-overlap",
        "ratio is missing",
        {"ratio": "null"},
        "Remove this bin, or move a bound.",
    ),
]


@pytest.mark.parametrize(("mutate", "code", "box", "witness", "remedy"), BINS)
def test_what_is_wrong_with_bins_is_told_by_values_with_what_to_write(
    mutate: Change, code: str, box: str, witness: dict[str, str], remedy: str
) -> None:
    raw = sample()
    mutate(raw)
    with pytest.raises(DocumentError) as refused:
        parse_document(raw, CATALOGUE)
    (finding,) = refused.value.findings
    assert finding.box is not None
    assert (finding.code, box_text(finding.box), finding.remedy) == (code, box, remedy)
    assert dict(finding.witness) == witness


def test_what_is_wrong_with_a_table_names_it_and_the_row() -> None:
    raw = sample()
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "> 100"
    raw["tables"][1]["rules"][1]["id"] = "not an id"
    raw["tables"][2]["hit_policy"] = "sometimes"
    with pytest.raises(DocumentError) as refused:
        parse_document(raw, CATALOGUE)
    assert [(f.code, f.table, f.rules) for f in refused.value.findings] == [
        ("cell-empty", "segment", ("S1",)),
        ("bad-name", "segment", ()),
        ("bad-choice", "stage", ()),
    ]


def test_an_unknown_field_that_is_named_like_a_table_which_is_not_there_is_only_unknown() -> None:
    raw = sample() | {"tables[6]": None, "tables[12].rules[T1]": None}
    with pytest.raises(DocumentError) as refused:
        parse_document(raw, CATALOGUE)
    assert [(f.code, f.path, f.table, f.rules) for f in refused.value.findings] == [
        ("unknown-field", "tables[6]", None, ()),
        ("unknown-field", "tables[12].rules[T1]", None, ()),
    ]
