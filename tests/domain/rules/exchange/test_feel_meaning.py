"""What the unary tests of our cells mean to FEEL's engine in the DMN editors: `feelin`, by npm."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from app.domain.facts.model import FactValue
from app.domain.rules import parse_document
from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import parse_cell
from app.domain.rules.domains import Domain, Kind, domain_of
from app.domain.rules.exchange.feel import print_unary_tests, text_literal
from app.domain.rules.partition import build_partition
from app.domain.rules.values import value_text
from tests.domain.rules.samples import CATALOGUE, sample
from tests.domain.templates.books import NAMES, template
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE

FEELIN = "feelin@8.2.0"
CELLS = {
    "ratio": ["> 3, null", "[-0.5..3)", "< 1, > 3", "not(null)", "null", "-", "-0.5, 4.99"],
    "grade": ["A, C", '"true", null', "not(null)"],
    "text": ["not(a, b)", "not(a, b), null", "not(null)", '"q\\"\\\\", "\\u0007高🙂"', "a, null"],
    "city": ["not(a)", "a"],
    "flag": ["true, null", "false", "not(null)"],
    "ever": [">= date(2027-01-31), null", "[date(2027-01-01)..date(2027-01-31))"],
}
_ASK = """
import { readFileSync } from 'node:fs';
import { evaluate, unaryTest } from 'feelin';
const asked = JSON.parse(readFileSync(0, 'utf8'));
const answers = asked.map(([tests, value]) =>
  unaryTest(tests, { '?': evaluate(value).value }).value);
console.log(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def feelin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine: no independent FEEL engine")
    folder = tmp_path_factory.mktemp("feelin")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    installed = subprocess.run(
        (npm, "install", "--no-audit", "--no-fund", FEELIN),
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if installed.returncode != 0:
        reasons = installed.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"npm cannot install {FEELIN}: {reasons[0]}")
    (folder / "ask.js").write_text(_ASK)
    return folder


def cells() -> list[tuple[Cell, Domain]]:
    """Return cells of every kind, and all those of the sample and of the shipped tables."""
    found = [
        (parse_cell(text, domain_of(RANDOM_CATALOGUE[name])), domain_of(RANDOM_CATALOGUE[name]))
        for name, texts in CELLS.items()
        for text in texts
    ]
    documents = [template(name).document for name in NAMES]
    documents.append(parse_document(sample(), CATALOGUE))
    for document in documents:
        for table in document.tables:
            for rule in table.rules:
                found += [(cell, table.domains[name]) for name, cell in rule.when.items()]
    return list(dict.fromkeys(found))


def feel_value(domain: Domain, value: FactValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, str) and domain.kind is Kind.TEXT:
        return text_literal(value)
    written = value_text(domain, value)
    return f'date("{written}")' if domain.kind is Kind.DATE else written


def test_an_independent_engine_takes_every_cell_as_we_mean_it(feelin: Path) -> None:
    asked: list[tuple[str, str]] = []
    expected: list[bool] = []
    for cell, domain in cells():
        partition, (mask,) = build_partition("it", domain, [cell])
        for at, value in enumerate(partition.representatives):
            asked.append((print_unary_tests(cell, domain), feel_value(domain, value)))
            expected.append(bool(mask >> at & 1))
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        (node, "ask.js"),
        check=True,
        cwd=feelin,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
    )
    answers = json.loads(done.stdout)
    wrong = [
        (question, answer, wanted)
        for question, answer, wanted in zip(asked, answers, expected, strict=True)
        if (answer is True) != wanted
    ]
    assert not wrong
    assert len(asked) > 200
