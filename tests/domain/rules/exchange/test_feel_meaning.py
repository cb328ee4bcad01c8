"""What the unary tests of our cells mean to FEEL's engine in the DMN editors: `feelin`, by npm."""

from pathlib import Path

from app.domain.facts.model import FactValue
from app.domain.rules import parse_document
from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import parse_cell
from app.domain.rules.domains import Domain, Kind, domain_of
from app.domain.rules.exchange.feel import print_unary_tests, text_literal
from app.domain.rules.partition import build_partition
from app.domain.rules.values import value_text
from tests.domain.rules.exchange.outside import ask, node_packages
from tests.domain.rules.samples import CATALOGUE, sample
from tests.domain.templates.books import NAMES, template
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE

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


def test_an_independent_engine_takes_every_cell_as_we_mean_it(tmp_path: Path) -> None:
    folder = node_packages(tmp_path, "feelin@8.2.0")
    asked: list[tuple[str, str]] = []
    expected: list[bool] = []
    for cell, domain in cells():
        partition, (mask,) = build_partition("it", domain, [cell])
        for at, value in enumerate(partition.representatives):
            asked.append((print_unary_tests(cell, domain), feel_value(domain, value)))
            expected.append(bool(mask >> at & 1))
    answers = ask("node", _ASK, folder, asked)
    wrong = [
        (question, answer, wanted)
        for question, answer, wanted in zip(asked, answers, expected, strict=True)
        if (answer is True) != wanted
    ]
    assert not wrong
    assert len(asked) > 200
