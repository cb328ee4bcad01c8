"""`tiering rules check` and `test`: as a person runs them, and as a CI does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.rules.writing import document_hash
from app.infra.database import open_database
from app.infra.documents import write_document
from app.infra.settings import Settings
from tests.cli.conftest import NOTHING_HEAVY, Run, run_alone
from tests.domain.templates.books import NAMES, raw, template
from tests.factories.book import write_book
from tests.factories.templates import put_templates
from tests.paths import ROOT

TEMPLATES = ROOT / "app" / "templates"
PLANTED: Mapping[str, Any] = {
    "format": "tiering/1",
    "id": "motor-planted",
    "extends": "motor@1",
    "tables": [
        {
            "id": "pyramid_layer",
            "rules": [{"id": "PYR9", "when": {"premium_ratio": "[0.5..3]"}, "then": "top"}],
        }
    ],
}


def written(folder: Path, document: Mapping[str, Any], name: str = "planted.yaml") -> Path:
    file = folder / name
    text = json.dumps(document) if name.endswith(".json") else write_document(document)
    file.write_text(text, encoding="utf-8")
    return file


def test_every_template_passes_without_error_and_warning(tiering: Run) -> None:
    files = [str(TEMPLATES / f"{name}.yaml") for name in NAMES]
    ended = tiering("rules", "check", "--json", *files)
    assert (ended.status, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert found["ok"] is True
    assert [Path(each["file"]).stem for each in found["files"]] == list(NAMES)
    for each, name in zip(found["files"], NAMES, strict=True):
        severities = {finding["severity"] for finding in each["findings"]}
        assert severities <= {"info", "hint"}
        assert each["hash"] == document_hash(template(name).document)
        assert each["counted"] is None
    assert tiering("rules", "test", *files).stdout.count(" tests pass") == len(NAMES)


def test_neither_a_database_nor_what_opens_one_is_needed(tmp_path: Path) -> None:
    ended = run_alone(tmp_path, "rules", "check", str(TEMPLATES / "motor.yaml"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == NOTHING_HEAVY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["planted.yaml", "planted.json"])
def test_a_contradiction_is_shown_with_its_proof_and_ends_with_status_1(
    tiering: Run, tmp_path: Path, name: str
) -> None:
    file = str(written(tmp_path, PLANTED, name))
    ended = tiering("rules", "check", file)
    assert (ended.status, ended.stderr) == (1, "")
    shown = " ".join(ended.stdout.replace("│", " ").split())
    assert f"{file}: 2 errors" in shown.replace(" error,", " errors,")
    assert "overlap-conflict" in shown
    assert "are shown by --all" in shown
    assert "hint" in tiering("rules", "check", "--all", file).stdout

    ended = tiering("rules", "check", "--json", file)
    assert ended.status == 1
    (found,) = json.loads(ended.stdout)["files"]
    worst = found["findings"][0]
    assert (worst["severity"], worst["table"], worst["affected_customers"]) == (
        "error",
        "pyramid_layer",
        None,
    )
    assert worst["sides"][0]["input"] == "premium_ratio"
    assert worst["witness"]["premium_ratio"]


def test_a_failing_test_is_named_and_an_erroneous_document_is_not_tested(
    tiering: Run, tmp_path: Path
) -> None:
    wrong = dict(raw("motor"))
    wrong["tests"] = [{"in": {}, "expect": {"tier": "diamond"}}]
    file = str(written(tmp_path, wrong, "wrong.yaml"))
    ended = tiering("rules", "test", file)
    assert ended.status == 1
    assert f"{file}: 1 expectations of 1 tests are not met" in ended.stdout
    assert "tests[0].expect.tier: It is standard, expected was diamond." in ended.stdout

    file = str(written(tmp_path, PLANTED))
    ended = tiering("rules", "test", file)
    assert ended.status == 1
    assert "keep it from being tested; see tiering rules check" in ended.stderr

    (found,) = json.loads(tiering("rules", "test", "--json", file).stdout)["files"]
    assert found["ok"] is False
    untested = dict(raw("motor")) | {"tests": []}
    assert tiering("rules", "test", str(written(tmp_path, untested))).stdout.endswith("no tests\n")


def test_beside_an_error_of_form_the_other_tables_are_checked_and_that_one_is_named(
    tiering: Run, tmp_path: Path
) -> None:
    row = {"id": "SEG8", "then": "nonsense"}
    wrong = {**PLANTED, "tables": [*PLANTED["tables"], {"id": "segment", "rules": [row]}]}
    file = str(written(tmp_path, wrong, "wrong.yaml"))
    ended = tiering("rules", "check", file)
    assert ended.status == 1
    for told in ("bad-choice", "not-checked", "overlap-conflict"):
        assert told in ended.stdout, told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "bad.yaml: line 1, column 6: expected"),
        ("a: &x 1\nb: *x", "bad.yaml: line 2, column 4: an alias (*name) is not allowed here"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_the_other_files_are_checked(
    tiering: Run, tmp_path: Path, text: str, told: str
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    missing = str(tmp_path / "missing.yaml")
    motor = str(TEMPLATES / "motor.yaml")
    ended = tiering("rules", "check", str(bad), missing, motor)
    assert ended.status == 1
    first, second = ended.stderr.splitlines()
    assert told in first
    assert second.endswith("missing.yaml: No such file or directory")
    assert motor in ended.stdout
    found = json.loads(tiering("rules", "check", "--json", str(bad)).stdout)
    assert told in found["files"][0]["refusal"]


def test_called_wrongly_it_ends_with_status_2(tiering: Run) -> None:
    assert tiering("rules", "check").status == 2
    assert tiering("rules", "check", "--nothing", "a.yaml").status == 2


def test_what_only_the_database_has_is_not_found_without_it_and_the_way_is_told(
    tiering: Run, tmp_path: Path
) -> None:
    own = {**PLANTED, "extends": "ours@3"}
    ended = tiering("rules", "check", "--json", str(written(tmp_path, own)))
    (finding,) = json.loads(ended.stdout)["files"][0]["findings"]
    assert finding["code"] == "extends-missing"
    assert "motor@1" in finding["suggestion"]
    assert "--count" in finding["suggestion"]


def test_sheets_and_models_are_checked_too(tiering: Run, tmp_path: Path) -> None:
    for name in ("motor.xlsx", "motor.dmn"):
        form = tmp_path / name
        assert (
            tiering("rules", "convert", str(TEMPLATES / "motor.yaml"), "--out", str(form)).status
            == 0
        )
        ended = tiering("rules", "check", "--json", str(form))
        (found,) = json.loads(ended.stdout)["files"]
        assert (ended.status, found["hash"]) == (0, document_hash(template("motor").document))
    broken = tmp_path / "broken.dmn"
    broken.write_text("no model")
    ended = tiering("rules", "check", str(broken))
    assert (ended.status, ended.stdout) == (1, "")
    assert "broken.dmn: " in ended.stderr


def test_with_count_the_customers_of_the_book_are_told(
    on_database: Run, tmp_path: Path, fresh_database_url: str
) -> None:
    asyncio.run(fill(fresh_database_url, tmp_path))
    ended = on_database("rules", "check", "--json", "--count", str(written(tmp_path, PLANTED)))
    (found,) = json.loads(ended.stdout)["files"]
    assert found["counted"]["customers"] > 0
    affected = [each["affected_customers"] for each in found["findings"]]
    assert max(filter(None, affected)) <= found["counted"]["customers"]
    shown = on_database("rules", "check", "--count", str(written(tmp_path, PLANTED)))
    assert "counted among" in shown.stdout
    missing = on_database("rules", "check", "--count", str(tmp_path / "missing.yaml"))
    assert (missing.status, missing.stdout) == (1, "")


async def fill(url: str, folder: Path) -> None:
    """A small book and the templates."""
    async with (
        open_database(url, Settings(data_dir=folder)) as database,
        database.sessions.begin() as session,
    ):
        await write_book(session, 120)
        await put_templates(session)
