"""Documents that extend templates."""

from collections.abc import Mapping

import pytest

from app.domain.rules import DocumentError, parse_document
from tests.domain.rules.samples import CATALOGUE, Raw, sample


def resolve(reference: str) -> Mapping[str, object]:
    """Know the sample as base@1, and two documents that extend each other."""
    return {
        "base@1": sample(),
        "middle@1": {"id": "middle", "extends": "base@1", "product_line": "life"},
        "round@1": {"id": "round", "extends": "circle@1"},
        "circle@1": {"id": "circle", "extends": "round@1"},
    }[reference]


def over(**parts: object) -> Raw:
    return {"id": "mine", "extends": "base@1", **parts}


def refusal(raw: Raw, *, resolver: bool = True) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, CATALOGUE, resolve if resolver else None)
    finding = caught.value.findings[0]
    return finding.path, finding.code


def test_a_document_that_only_extends_is_its_template_under_its_own_name() -> None:
    document = parse_document(over(), CATALOGUE, resolve)
    base = parse_document(sample(), CATALOGUE)
    assert document.id == "mine"
    assert document.lineage == ("base@1",)
    assert document.tables == base.tables
    assert document.characteristics == base.characteristics
    assert document.tests == ()


def test_the_nearest_layer_wins() -> None:
    document = parse_document(over(extends="middle@1", title={"en": "Mine"}), CATALOGUE, resolve)
    assert document.lineage == ("middle@1", "base@1")
    assert document.product_line == "life"
    assert (document.title.en, document.title.zh) == ("Mine", "样例")


def test_the_risk_model_is_the_templates_unless_another_is_named() -> None:
    base = {**sample(), "risk_model": "industry-2027.1"}
    over: Raw = {"extends": "base@1", "id": "own"}
    for raw, model in ((over, "industry-2027.1"), ({**over, "risk_model": "own-1"}, "own-1")):
        assert parse_document(raw, CATALOGUE, {"base@1": base}.__getitem__).risk_model == model


def test_profiles_are_added_and_replaced_whole() -> None:
    profiles = {"growth": {"value": 1000, "loyalty": 0, "body": 0}}
    document = parse_document(over(objective="growth", objectives=profiles), CATALOGUE, resolve)
    assert set(document.objectives) == {"balanced", "renewal", "growth"}
    assert document.weights["value"] == 1000


def test_characteristics_merge_by_id() -> None:
    scorecard = {
        "reasons": {"top": 2},
        "characteristics": [
            {"id": "growth", "trend": "increasing"},
            {"id": "health", "removed": True},
            {
                "id": "claims",
                "dimension": "body",
                "input": "claims",
                "reason": {"code": "B09", "en": "Claims", "zh": "理赔"},
                "bins": [{"when": "-", "points": 1}],
            },
        ],
    }
    document = parse_document(over(scorecard=scorecard), CATALOGUE, resolve)
    assert [item.id for item in document.characteristics] == [
        "ratio",
        "growth",
        "policies",
        "claims",
    ]
    assert document.characteristics[1].trend.value == "increasing"
    assert len(document.characteristics[1].bins) == 2
    assert document.top_reasons == 2


def test_rules_merge_by_id_within_tables_that_merge_by_id() -> None:
    tables = [
        {
            "id": "segment",
            "rules": [
                {"id": "S1", "when": {"ratio": "> 4", "growth": ">= 2"}},
                {"id": "S3", "removed": True},
                {"id": "S9", "when": {"ratio": "(3..4]"}, "then": "mid_market"},
            ],
        },
        {"id": "module", "removed": True},
        {"id": "labels", "complete": False},
    ]
    document = parse_document(over(tables=tables), CATALOGUE, resolve)
    assert [table.id for table in document.tables] == ["risk", "segment", "stage", "labels", "tier"]
    rules = document.tables[1].rules
    assert [rule.id for rule in rules] == ["S1", "S2", "S4", "S9"]
    assert rules[0].then == "high_net_worth"
    assert rules[0].when["ratio"].spans == ((40_001, 1_000_000),)


def test_stability_merges_and_lists_without_ids_are_replaced() -> None:
    document = parse_document(
        over(stability={"grace_days": 7}, tests=sample()["tests"]), CATALOGUE, resolve
    )
    assert document.stability.grace_days == 7
    assert document.stability.min_dwell_days == 30
    assert len(document.tests) == 1


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (over(extends="gone@1"), "extends", "extends-missing"),
        (over(extends=None), "extends", "wrong-type"),
        (over(extends=""), "extends", "wrong-type"),
        (over(extends="x" * 101), "extends", "wrong-type"),
        (over(extends="round@1"), "extends", "extends-cycle"),
        ({"extends": "base@1"}, "id", "missing-field"),
        (over(title=7), "title", "wrong-type"),
        (over(scorecard=7), "scorecard", "wrong-type"),
        (over(scorecard={"characteristics": 7}), "scorecard.characteristics", "wrong-type"),
        (over(tables=7), "tables", "wrong-type"),
        (over(tables=[7]), "tables[6]", "wrong-type"),
        (over(tables=[{"id": "new", "removed": True}]), "tables[6].removed", "unknown-field"),
        (over(tables=[{"id": "module"}, {"id": "module"}]), "tables[6].id", "duplicate"),
        (over(objective=None), "objective", "missing-field"),
    ],
)
def test_a_wrong_overlay_is_refused(raw: Raw, path: str, code: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, CATALOGUE, resolve)
    found = {(finding.path, finding.code) for finding in caught.value.findings}
    if code == "duplicate":
        assert ("tables", "duplicate-id") in found
    else:
        assert (path, code) in found


def test_a_template_cannot_be_reached_without_a_resolver() -> None:
    assert refusal(over(), resolver=False) == ("extends", "extends-missing")


def test_a_template_that_lacks_a_list_takes_the_overlays() -> None:
    def bare(_: str) -> Mapping[str, object]:
        return {"format": "tiering/1"}

    raw = sample() | {"extends": "bare@1"}
    assert parse_document(raw, CATALOGUE, bare) == parse_document(sample(), CATALOGUE)
