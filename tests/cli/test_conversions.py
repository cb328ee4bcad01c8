"""`tiering rules convert`: every form into every other, and never half a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli import main
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules import document_hash, parse_document
from app.features.rule_sets.service import JSON
from app.infra.exchange.reading import read_upload
from tests.domain.rules.exchange.test_dmn import FOREIGN
from tests.domain.templates.books import template
from tests.paths import ROOT

MOTOR = ROOT / "app" / "templates" / "motor.yaml"


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


Convert = Callable[..., Finished]


@pytest.fixture
def convert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Convert:
    """Run the command in a folder of its own, where no database is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIERING_DATABASE_URL", raising=False)

    def run(*arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["tiering", "rules", "convert", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        found = capfd.readouterr()
        return Finished(int(ended.value.code or 0), found.out, found.err)

    return run


def test_a_document_goes_round_all_forms_and_keeps_its_hash(
    convert: Convert, tmp_path: Path
) -> None:
    document = template("motor").document
    first = convert(str(MOTOR), "--out", "a.xlsx")
    assert first.status == 0
    assert first.stdout == f"a.xlsx: motor (hash {document_hash(document)[:12]}…)\n"
    assert first.stderr == f"{MOTOR}: what it takes from all@1 is written out\n"
    for source, target in (("a.xlsx", "b.dmn"), ("b.dmn", "c.yml"), ("c.yml", "d.json")):
        finished = convert(source, "--out", target)
        assert (finished.status, finished.stderr) == (0, "")
    raw = read_upload((tmp_path / "d.json").read_bytes(), JSON)
    assert document_hash(parse_document(raw, CATALOGUE)) == document_hash(document)
    assert convert("d.json", "--out", "e.pmml").status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.xlsx", "b.dmn", "c.yml", "d.json", "e.pmml",
    ]  # fmt: skip


def test_decisions_of_another_tool_go_into_a_rule_set(convert: Convert, tmp_path: Path) -> None:
    text = FOREIGN.replace("<text>ratio<", "<text>premium_ratio<").replace("app_user", "has_app")
    start = text.index('<decision id="gift"')
    text = text[:start] + text[text.index("<dmndi:DMNDI>") :]
    start = text.index('<decision id="Decision_seg"')
    alone = text[:start] + text[text.index("<dmndi:DMNDI>") :]
    alone = alone.replace('<requiredDecision href="#Decision_seg"/>', "")
    alone = alone.replace("<text>Segment</text>", "<text>segment</text>")
    (tmp_path / "tier.dmn").write_text(alone)
    refused = convert("tier.dmn", "--out", "tier.yaml")
    assert refused.status == 1
    assert "--into" in refused.stderr
    finished = convert("tier.dmn", "--into", str(MOTOR), "--out", "tier.json")
    assert finished.status == 0, finished.stderr
    assert "left out, being no rules: 1 lists of allowed inputs" in finished.stderr
    read = parse_document(read_upload((tmp_path / "tier.json").read_bytes(), JSON), CATALOGUE)
    tables = {table.output.name: table for table in read.tables}
    assert [rule.id for rule in tables["tier"].rules] == ["DecisionRule_1", "DecisionRule_2", "R3"]
    assert len(read.tables) == len(template("motor").document.tables)


def test_what_is_not_taken_is_told_as_a_list(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "foreign.dmn").write_text(FOREIGN.replace("true<", "now()<"))
    refused = convert("foreign.dmn", "--into", str(MOTOR), "--out", "x.yaml")
    assert refused.status == 1
    lines = refused.stderr.splitlines()
    assert lines[0].startswith("error: foreign.dmn: decision[Decision_seg].input[ratio]: dmn-input")
    assert len(lines) == 3
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.yaml", "--out", "x.json"), "nowhere.yaml: No such file"),
        (("a.txt", "--out", "x.json"), "a.txt: the name must end with one of .json, .yaml"),
        (("a.pmml", "--out", "x.json"), "a.pmml: the name must end with"),
        ((str(MOTOR), "--out", "x.pdf"), "x.pdf: the name must end with"),
        ((str(MOTOR), "--out", "nowhere/x.json"), "folder does not exist"),
        ((str(MOTOR), "--out", "folder.json"), "not a regular file"),
        (("bad.yaml", "--out", "bad.yaml"), "is read by this very command"),
        ((str(MOTOR), "--into", str(MOTOR), "--out", "x.json"), "only a DMN file goes --into"),
        (("bad.yaml", "--out", "x.json"), "bad.yaml: line 1"),
        (("bad.xlsx", "--out", "x.json"), "bad.xlsx: this is no whole XLSX workbook"),
        (("bad.dmn", "--out", "x.json"), "bad.dmn: line 1"),
        (("other.yaml", "--out", "x.json"), "nobody@1 is not known"),
        (("lies.json", "--out", "x.json"), "lies.json: XML, no text"),
        (("folder.json", "--out", "x.yaml"), "folder.json: Is a directory"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(
    convert: Convert, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "bad.yaml").write_text("a: *b\n")
    (tmp_path / "bad.xlsx").write_text("x")
    (tmp_path / "bad.dmn").write_text("x")
    (tmp_path / "lies.json").write_text("<a/>")
    (tmp_path / "other.yaml").write_text("extends: nobody@1\n")
    before = sorted(tmp_path.iterdir())
    refused = convert(*arguments)
    assert refused.status == 1
    assert refused.stdout == ""
    [line] = refused.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert sorted(tmp_path.iterdir()) == before


def test_a_target_that_cannot_be_written_stays_as_it_was(
    convert: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "kept.json"
    target.write_text("before")

    def full(_path: Path, _body: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    refused = convert(str(MOTOR), "--out", "kept.json")
    assert refused.status == 1
    assert "No space left" in refused.stderr
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]
