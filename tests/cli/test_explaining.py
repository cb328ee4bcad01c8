"""`tiering rules explain` and `diff`: no database, results on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.rules.writing import document_json
from app.infra.documents import write_document
from tests.cli.conftest import Run
from tests.domain.templates.books import template

OVER_MOTOR = """
format: tiering/1
id: motor
product_line: motor
extends: motor@1
title: {en: Motor, zh: 车险}
"""
STRICTER = """
tables:
  - id: tier
    rules:
      - {id: TIER2, when: {annual_premium: "> 60000"}, then: diamond}
"""


@pytest.fixture
def motor(tmp_path: Path) -> str:
    """A file that says what the shipped template says, but for its tests."""
    file = tmp_path / "motor.yaml"
    file.write_text(OVER_MOTOR, encoding="utf-8")
    return str(file)


@pytest.fixture
def stricter(tmp_path: Path) -> str:
    """A file that takes more premium for the highest tier."""
    file = tmp_path / "stricter.yaml"
    file.write_text(OVER_MOTOR + STRICTER, encoding="utf-8")
    return str(file)


def test_an_explanation_names_the_row_that_fired_and_the_one_that_nearly_did(
    tiering: Run, motor: str, data_dir: Path
) -> None:
    shown = tiering("rules", "explain", motor, "--fact", "premium_ratio=2.5")
    assert (shown.status, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("motor (hash ")
    at = lines.index("pyramid_layer: middle (pyramid_layer, unique)")
    assert lines[at + 1 : at + 5] == [
        "  sees     premium_ratio = 2.5",
        "  fired    PYR2: premium_ratio [1..3] → middle",
        "  nearest  PYR1: premium_ratio > 3 → top",
        "           fails: premium_ratio is 2.5, not > 3; 3.0001 is 0.5001 away",
    ]
    assert "labels: nothing (labels, collect)" in lines
    assert "  passed   RAP6: - → medium" in lines
    assert not data_dir.exists()


def test_facts_come_from_a_file_and_single_ones_over_it(
    tiering: Run, motor: str, tmp_path: Path
) -> None:
    for name, text in (
        ("facts.yaml", "premium_ratio: 2.5\npolicies_in_force: 3\nsmoker: true\nage: null\n"),
        ("facts.json", '{"premium_ratio": "2.5", "policies_in_force": 3, "smoker": true}'),
    ):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        shown = tiering(
            "rules",
            "explain",
            motor,
            "--facts",
            str(file),
            "--fact",
            "premium_ratio = 0.5",
            "--json",
        )
        assert shown.status == 0, shown.stderr
        seen = {
            entry["input"]: entry["value"]
            for table in json.loads(shown.stdout)["tables"]
            for entry in table["inputs"]
        }
        given = [seen[name] for name in ("premium_ratio", "policies_in_force", "smoker")]
        assert given == ["0.5", "3", "true"]


def test_the_json_is_that_of_a_what_if(tiering: Run, motor: str) -> None:
    shown = json.loads(tiering("rules", "explain", motor, "--json").stdout)
    assert shown["id"] == "motor"
    assert shown["objective"] == "balanced"
    assert shown["score"] == (shown["weighted"] + 500) // 1000
    tables = [table.id for table in template("motor").document.tables]
    assert [table["table"] for table in shown["tables"]] == tables


def test_another_objective_weighs_otherwise(tiering: Run, motor: str) -> None:
    explain = ("rules", "explain", motor, "--json", "--objective")
    weights = {
        name: {
            entry["dimension"]: entry["weight"]
            for entry in json.loads(tiering(*explain, name).stdout)["dimensions"]
        }
        for name in ("balanced", "renewal")
    }
    document = template("motor").document
    assert weights == {name: document.objectives[name] for name in weights}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fact", "shoe_size=44"], "shoe_size is not in the facts catalogue"),
        (["--fact", "premium_ratio=three"], "facts.premium_ratio"),
        (["--fact", "premium_ratio"], "--fact: write it like"),
        (["--fact", "is_corporate=null"], "is_corporate"),
        (["--facts", "nowhere.yaml"], "nowhere.yaml"),
        (["--objective", "fame"], "renewal"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    tiering: Run, motor: str, arguments: list[str], words: str
) -> None:
    failed = tiering("rules", "explain", motor, *arguments)
    assert (failed.status, failed.stdout) == (1, "")
    [line] = failed.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_facts_that_are_no_facts_are_told_with_their_file(
    tiering: Run, motor: str, tmp_path: Path
) -> None:
    file = tmp_path / "facts.yaml"
    for content in (b"- 1\n", b"\xff\xfe", b"a: *b\n"):
        file.write_bytes(content)
        failed = tiering("rules", "explain", motor, "--facts", str(file))
        assert failed.status == 1
        [line] = failed.stderr.splitlines()
        assert "facts.yaml" in line


def test_a_document_that_may_not_decide_is_not_explained(tiering: Run, tmp_path: Path) -> None:
    file = tmp_path / "gap.yaml"
    file.write_text(
        OVER_MOTOR + "tables:\n  - id: tier\n    rules: [{id: TIER5, removed: true}]\n",
        encoding="utf-8",
    )
    failed = tiering("rules", "explain", str(file))
    assert failed.status == 1
    assert "gap.yaml" in failed.stderr
    assert "gap" in failed.stderr


def test_a_difference_is_told_in_meaning_and_ends_with_1(
    tiering: Run, motor: str, stricter: str
) -> None:
    shown = tiering("rules", "diff", motor, stricter)
    assert (shown.status, shown.stderr) == (1, "")
    lines = shown.stdout.splitlines()
    assert lines[:2] == [
        "1 can change decisions:",
        "  changed  tables[tier].rules[TIER2].when.annual_premium: > 50000 → > 60000",
    ]
    assert lines[2].endswith("answered otherwise:")
    assert all(line.startswith("  tier: diamond → ") for line in lines[3:])
    assert all("annual_premium in (50000..60000]" in line for line in lines[3:])
    told = json.loads(tiering("rules", "diff", motor, stricter, "--json").stdout)
    assert told == {
        "can_decide": True,
        "items": [
            {
                "path": "tables[tier].rules[TIER2].when.annual_premium",
                "kind": "changed",
                "before": "> 50000",
                "after": "> 60000",
                "effect": "decides",
            }
        ],
        "answers": told["answers"],
        "uncompared": [],
    }
    assert len(told["answers"]) == len(lines) - 3 > 0


def test_one_document_in_two_forms_is_the_same_and_ends_with_0(
    tiering: Run, motor: str, tmp_path: Path
) -> None:
    document = document_json(template("motor").document)
    document["tests"] = []
    for name, text in (
        ("written.json", json.dumps(document)),
        ("written.yaml", write_document(document)),
    ):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        same = tiering("rules", "diff", motor, str(file))
        assert (same.status, same.stdout, same.stderr) == (0, "", "")
    told = json.loads(tiering("rules", "diff", motor, motor, "--json").stdout)
    assert told == {"can_decide": False, "items": [], "answers": [], "uncompared": []}


def test_a_document_that_cannot_be_read_has_no_differences_and_ends_with_2(
    tiering: Run, motor: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(OVER_MOTOR + "stability: 3\n", encoding="utf-8")
    for other in ("nowhere.yaml", "odd.txt", str(broken)):
        failed = tiering("rules", "diff", motor, other)
        assert (failed.status, failed.stdout) == (2, "")
        assert failed.stderr.startswith("error: ")
        assert Path(other).name in failed.stderr
