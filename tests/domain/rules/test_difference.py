"""What differs between two documents, by worked examples."""

import copy
from collections.abc import Callable

import pytest

from app.domain.rules import document_hash, parse_document
from app.domain.rules.difference import Difference, differences
from tests.domain.rules.samples import CATALOGUE, Raw, sample

Told = tuple[str, str, str | None, str | None, str]


def found(change: Callable[[Raw], object], base: Raw | None = None) -> list[Told]:
    """The differences that a change of the sample document, without its tests, makes."""
    before = base or sample() | {"tests": []}
    after = copy.deepcopy(before)
    change(after)
    old, new = (parse_document(raw, CATALOGUE) for raw in (before, after))
    return [told(one) for one in differences(old, new)]


def told(one: Difference) -> Told:
    return one.path, one.kind.value, one.before, one.after, one.effect.value


def characteristic(raw: Raw, at: int = 0) -> Raw:
    item: Raw = raw["scorecard"]["characteristics"][at]
    return item


def test_spelling_makes_no_difference() -> None:
    def spell_otherwise(raw: Raw) -> None:
        raw["tables"][1]["rules"][0]["when"] = {"growth": "[2..10]", "ratio": "> 3.0000"}
        raw["tables"][1]["rules"][1]["when"] = {"ratio": "[1..2], (2..3]", "growth": "-"}
        raw["tables"][1]["hit_policy"] = "unique"
        characteristic(raw, 3)["bins"][1]["when"] = "null, C, E, D"

    assert found(spell_otherwise) == []


def test_a_cell_a_row_and_an_answer_are_told_by_their_ids() -> None:
    def change(raw: Raw) -> None:
        rules = raw["tables"][1]["rules"]
        rules[0]["when"] = {"ratio": ">= 3", "growth": ">= 2"}
        rules[1]["then"] = "potential"
        rules[2]["when"].pop("growth")
        rules[3]["id"] = "S5"

    rows = "tables[segment].rules"
    assert found(change) == [
        (f"{rows}[S1].when.ratio", "changed", "> 3", ">= 3", "decides"),
        (f"{rows}[S2].then", "changed", "mid_market", "potential", "decides"),
        (f"{rows}[S3].when.growth", "changed", "<= 1, null", "-", "decides"),
        (f"{rows}[S5]", "added", None, "ratio < 1, null → base", "decides"),
        (f"{rows}[S4]", "removed", "ratio < 1, null → base", None, "decides"),
    ]


def test_a_row_without_conditions_is_told_as_such() -> None:
    assert found(lambda raw: raw["tables"][2]["rules"].pop()) == [
        ("tables[stage].rules[L3]", "removed", "- → stable", None, "decides")
    ]


@pytest.mark.parametrize(
    ("table", "id_", "effect"),
    [(0, "risk", "words"), (2, "stage", "decides"), (3, "labels", "words"), (4, "tier", "words")],
)
def test_the_order_of_rows_decides_under_first_only(table: int, id_: str, effect: str) -> None:
    def exchange(raw: Raw) -> None:
        rules = raw["tables"][table]["rules"]
        rules[0], rules[1] = rules[1], rules[0]

    ((path, kind, before, after, decides),) = found(exchange)
    assert (path, kind, decides) == (f"tables[{id_}].rules", "moved", effect)
    assert before is not None
    assert after == ", ".join(reversed(before.split(", ")))


def test_of_what_moved_only_the_part_is_told_that_stands_otherwise() -> None:
    def turn(raw: Raw) -> None:
        rules = raw["tables"][0]["rules"]
        rules[1:4] = rules[3], rules[1], rules[2]

    assert found(turn) == [("tables[risk].rules", "moved", "R2, R3, R4", "R4, R2, R3", "words")]


def test_points_are_compared_by_the_values_they_are_for() -> None:
    def cut_otherwise(raw: Raw) -> None:
        characteristic(raw)["bins"] = [
            {"when": "< 0.5", "points": 0},
            {"when": "[0.5..2]", "points": 60},
            {"when": "(2..5]", "points": 70},
            {"when": "> 5", "points": 100},
            {"when": "null", "points": 0, "reason": characteristic(raw)["bins"][3]["reason"]},
        ]

    bins = "scorecard.characteristics[ratio].bins"
    assert found(cut_otherwise) == [
        (f"{bins}[[0.5..1)].points", "changed", "0", "60", "decides"),
        (f"{bins}[(2..3]].points", "changed", "60", "70", "decides"),
        (f"{bins}[(3..5]].points", "changed", "100", "70", "decides"),
        (
            bins,
            "changed",
            "< 1 | [1..3] | > 3 | null",
            "< 0.5 | [0.5..2] | (2..5] | > 5 | null",
            "words",
        ),
    ]


def test_a_split_that_changes_no_points_decides_nothing() -> None:
    def split(raw: Raw) -> None:
        bins = characteristic(raw, 2)["bins"]
        bins[1:2] = [{"when": 1, "points": 30}, {"when": 2, "points": 30}]

    path = "scorecard.characteristics[policies].bins"
    assert found(split) == [(path, "changed", "0 | [1..2] | >= 3", "0 | 1 | 2 | >= 3", "words")]
    assert found(lambda raw: characteristic(raw, 2)["bins"].reverse()) == [
        (path, "moved", "0 | [1..2] | >= 3", ">= 3 | [1..2] | 0", "words")
    ]


def test_what_a_characteristic_is_of_is_compared_part_by_part() -> None:
    def change(raw: Raw) -> None:
        item = characteristic(raw, 1)
        item.update(trend="increasing", dimension="loyalty")
        item["reason"] = {"code": "V09", "en": "Other", "zh": "别的"}
        item["input"] = "policies"
        item["bins"] = [{"when": "<= 1", "points": 0}, {"when": "> 1", "points": 40}]

    path = "scorecard.characteristics[growth]"
    assert found(change) == [
        (f"{path}.dimension", "changed", "value", "loyalty", "decides"),
        (f"{path}.input", "changed", "growth", "policies", "decides"),
        (f"{path}.trend", "changed", "none", "increasing", "words"),
        (f"{path}.reason.code", "changed", "V03", "V09", "decides"),
        (f"{path}.reason.en", "changed", "Reason V03", "Other", "words"),
        (f"{path}.reason.zh", "changed", "原因 V03", "别的", "words"),
        (f"{path}.bins", "changed", "<= 1, null: 0; >= 2: 40", "<= 1: 0; >= 2: 40", "decides"),
    ]


def test_the_reason_of_the_bin_for_null_comes_and_goes() -> None:
    path = "scorecard.characteristics[ratio].bins[null].reason"
    assert found(lambda raw: characteristic(raw)["bins"][3].pop("reason")) == [
        (f"{path}.code", "removed", "V02", None, "decides"),
        (f"{path}.en", "removed", "Reason V02", None, "words"),
        (f"{path}.zh", "removed", "原因 V02", None, "words"),
    ]


def test_characteristics_come_go_and_change_places() -> None:
    def drop_and_turn(raw: Raw) -> None:
        items = raw["scorecard"]["characteristics"]
        items.pop(1)
        items[0], items[1] = items[1], items[0]

    path = "scorecard.characteristics"
    assert found(drop_and_turn) == [
        (
            f"{path}[growth]",
            "removed",
            "value by growth (<= 1, null: 0; >= 2: 40)",
            None,
            "decides",
        ),
        (path, "moved", "ratio, policies", "policies, ratio", "decides"),
    ]


def test_weights_decide_where_they_are_switched_on() -> None:
    def shift(name: str) -> Callable[[Raw], object]:
        return lambda raw: raw["objectives"][name].update(value=500, loyalty=500)

    assert found(shift("balanced")) == [
        ("objectives.balanced.value", "changed", "600", "500", "decides"),
        ("objectives.balanced.loyalty", "changed", "400", "500", "decides"),
    ]
    assert {effect for *_, effect in found(shift("renewal"))} == {"words"}
    assert found(lambda raw: raw.update(objective="renewal")) == [
        ("objective", "changed", "balanced", "renewal", "decides")
    ]
    assert found(lambda raw: raw["objectives"].pop("renewal")) == [
        ("objectives.renewal", "removed", "body 0, loyalty 700, value 300", None, "words")
    ]


def test_a_profile_of_another_name_with_the_same_weights_decides_nothing() -> None:
    def rename(raw: Raw) -> None:
        raw["objectives"]["even"] = raw["objectives"].pop("balanced")
        raw["objective"] = "even"

    assert {effect for *_, effect in found(rename)} == {"words"}


def test_a_new_dimension_brings_a_weight_of_its_own() -> None:
    def split_off(raw: Raw) -> None:
        characteristic(raw, 1)["dimension"] = "potential"
        for profile in raw["objectives"].values():
            profile["potential"] = 0

    assert ("objectives.balanced.potential", "added", None, "0", "decides") in found(split_off)


def test_tables_come_go_and_change_in_every_part() -> None:
    def change(raw: Raw) -> None:
        stage, labels = raw["tables"][2:4]
        raw["tables"][2:4] = labels, stage
        labels["id"] = "marks"
        stage["hit_policy"] = "priority"
        raw["tables"][5]["complete"] = True
        stage["inputs"] = ["since", "policies", "growth"]
        stage["output"]["values"] = ["new", "lapsed", "stable"]

    assert found(change) == [
        (
            "tables[marks]",
            "added",
            None,
            "labels by growth, app_user, ratio, cluster (collect, 4 rows)",
            "decides",
        ),
        (
            "tables[stage].output.values",
            "moved",
            "new, stable, lapsed",
            "new, lapsed, stable",
            "decides",
        ),
        ("tables[stage].hit_policy", "changed", "first", "priority", "decides"),
        ("tables[stage].inputs[growth]", "added", None, "growth", "decides"),
        ("tables[stage].inputs", "moved", "policies, since", "since, policies", "words"),
        ("tables[module].complete", "changed", "false", "true", "words"),
        (
            "tables[labels]",
            "removed",
            "labels by growth, app_user, ratio, cluster (collect, 4 rows)",
            None,
            "decides",
        ),
    ]


def test_an_output_is_compared_by_name_and_answers() -> None:
    def change(raw: Raw) -> None:
        raw["tables"][3]["output"] = {
            "name": "marks",
            "values": ["vip_care", "digital", "big", "x"],
        }

    values = "vip_care, digital, big"
    assert found(change) == [
        ("tables[labels].output.name", "changed", "labels", "marks", "decides"),
        ("tables[labels].output.values", "changed", values, f"{values}, x", "decides"),
    ]


def test_tables_that_change_places_decide_the_same() -> None:
    def exchange(raw: Raw) -> None:
        raw["tables"][2:4] = reversed(raw["tables"][2:4])

    assert found(exchange) == [("tables", "moved", "stage, labels", "labels, stage", "words")]


def test_a_table_of_one_row_says_so() -> None:
    ((*_, before, _, _),) = found(
        lambda raw: raw["tables"].pop(3), _with_rows_of_labels(sample() | {"tests": []}, 1)
    )
    assert before == "labels by growth, app_user, ratio, cluster (collect, 1 row)"


def _with_rows_of_labels(raw: Raw, count: int) -> Raw:
    del raw["tables"][3]["rules"][count:]
    return raw


def test_the_rest_of_a_document_is_compared_too() -> None:
    def change(raw: Raw) -> None:
        raw.update(id="other", product_line="all", risk_model="m2")
        raw["title"] = {"en": "Other", "zh": "别的"}
        raw["scorecard"]["reasons"]["top"] = 2
        raw["stability"].update(grace_days=7, downgrade_step="any")

    assert found(change) == [
        ("id", "changed", "sample", "other", "words"),
        ("product_line", "changed", "motor", "all", "decides"),
        ("title.en", "changed", "Sample", "Other", "words"),
        ("title.zh", "changed", "样例", "别的", "words"),
        ("risk_model", "added", None, "m2", "words"),
        ("scorecard.reasons.top", "changed", "4", "2", "decides"),
        ("stability.downgrade_step", "changed", "one", "any", "decides"),
        ("stability.grace_days", "changed", "30", "7", "decides"),
    ]


def test_tests_are_known_by_what_they_say() -> None:
    def expecting(*scores: int) -> list[Raw]:
        return [{"in": {"policies": 1}, "expect": {"score": score}} for score in scores]

    def written(score: int) -> str:
        return f'{{"expect":{{"score":{score}}},"in":{{"policies":"1"}}}}'

    base = sample() | {"tests": expecting(1, 2, 2)}
    assert found(lambda raw: raw.update(tests=expecting(2, 3, 1)), base) == [
        ("tests[2]", "removed", written(2), None, "tests"),
        ("tests[1]", "added", None, written(3), "tests"),
        (
            "tests",
            "moved",
            f"{written(1)}, {written(2)}",
            f"{written(2)}, {written(1)}",
            "tests",
        ),
    ]
    assert found(lambda raw: raw.pop("tests"), base)[0] == (
        "tests[0]",
        "removed",
        written(1),
        None,
        "tests",
    )
    # Two that say the same are one as the other.
    twice = sample() | {"tests": expecting(2, 1, 2)}
    old, new = (parse_document(raw, CATALOGUE) for raw in (base, twice))
    assert [one.kind.value for one in differences(old, new)] == ["moved"]
    assert document_hash(old) != document_hash(new)


def test_a_difference_is_one_line() -> None:
    old = parse_document(sample(), CATALOGUE)
    new = parse_document(sample() | {"risk_model": "m2", "id": "other"}, CATALOGUE)
    assert [str(one) for one in differences(old, new)] == ["id: sample → other", "risk_model: m2"]
    assert str(differences(new, old)[1]) == "risk_model: m2 → none"
