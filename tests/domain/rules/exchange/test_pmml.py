"""The scorecard as PMML: what it holds, what it refuses, and what JPMML computes from it."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.domain.facts.catalogue import CATALOGUE as SHIPPED
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules import DocumentError, document_hash, evaluate, parse_document
from app.domain.rules.cells import parse_cell
from app.domain.rules.compile import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.domains import domain_of
from app.domain.rules.exchange.pmml import NAMESPACE, pmml_scorecard, predicate
from app.domain.rules.values import value_text
from app.infra.xml_trees import write_xml
from tests.domain.rules.exchange.outside import ask, python_packages
from tests.domain.rules.samples import CATALOGUE, fact, sample
from tests.domain.rules.test_cells import holds
from tests.domain.templates import books
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE

RATIO = RANDOM_CATALOGUE["ratio"]


def of_every_kind() -> CompiledRuleSet:
    """Return a rule set whose bins read facts of every type, negative points among them."""
    raw = sample()
    raw["scorecard"]["characteristics"] += [
        characteristic("C01", "since", ["< date(2020-02-29)", ">= date(2020-02-29)", "null"]),
        characteristic("C02", "cluster", ["not(c1, c2, c3)", "c1", "c2, c3", "null"], -7),
        characteristic("C03", "app_user", ["true", "false, null"]),
        characteristic("C04", "occupation", ["low, medium", "high", "null"]),
        characteristic("C05", "delta", ["[-5..5]", "< -5, > 5, null"]),
        characteristic("C06", "city", ["not(a)", "a"]),
        characteristic("C07", "health", ["-"]),
    ]
    return compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE)


def characteristic(code: str, source: str, whens: list[str], first: int = 0) -> dict[str, Any]:
    return {
        "id": source + "_more",
        "dimension": "body" if code > "C03" else "value",
        "input": source,
        "reason": {"code": code, "en": "e", "zh": "中"},
        "bins": [{"when": when, "points": first + 10 * at} for at, when in enumerate(whens)],
    }


def written(compiled: CompiledRuleSet) -> str:
    return write_xml(pmml_scorecard(compiled)).decode()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("-", "<True />"),
        ("null", '<SimplePredicate field="f" operator="isMissing" />'),
        ("not(null)", '<SimplePredicate field="f" operator="isNotMissing" />'),
        ("3", '<SimplePredicate field="f" operator="equal" value="3" />'),
        ("> 3", '<SimplePredicate field="f" operator="greaterThan" value="3" />'),
        ("< 3", '<SimplePredicate field="f" operator="lessThan" value="3" />'),
        (
            "[1..2.5], null",
            (
                '<CompoundPredicate booleanOperator="or"><CompoundPredicate booleanOperator="and">'
                '<SimplePredicate field="f" operator="greaterOrEqual" value="1" />'
                '<SimplePredicate field="f" operator="lessOrEqual" value="2.5" />'
                '</CompoundPredicate><SimplePredicate field="f" operator="isMissing" />'
                "</CompoundPredicate>"
            ),
        ),
    ],
)
def test_a_number_cell_is_a_predicate(cell: str, expected: str) -> None:
    domain = domain_of(RATIO)
    found = predicate("f", parse_cell(cell, domain), domain)
    assert ET.tostring(found).decode() == expected


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("grade", "B", '<SimplePredicate field="f" operator="equal" value="B" />'),
        (
            "grade",
            "A, B",
            (
                '<SimpleSetPredicate field="f" booleanOperator="isIn"><Array n="2" type="string">'
                '"A" "B"</Array></SimpleSetPredicate>'
            ),
        ),
        ("text", "not(x)", '<SimplePredicate field="f" operator="notEqual" value="x" />'),
        ("text", "not(null)", '<SimplePredicate field="f" operator="isNotMissing" />'),
        (
            "text",
            "not(x, y)",
            (
                '<SimpleSetPredicate field="f" booleanOperator="isNotIn">'
                '<Array n="2" type="string">"x" "y"</Array></SimpleSetPredicate>'
            ),
        ),
        (
            "text",
            'not("x y", z)',
            (
                '<CompoundPredicate booleanOperator="and">'
                '<SimplePredicate field="f" operator="notEqual" value="x y" />'
                '<SimplePredicate field="f" operator="notEqual" value="z" /></CompoundPredicate>'
            ),
        ),
        (
            "text",
            '"x y", z',
            (
                '<CompoundPredicate booleanOperator="or">'
                '<SimplePredicate field="f" operator="equal" value="x y" />'
                '<SimplePredicate field="f" operator="equal" value="z" /></CompoundPredicate>'
            ),
        ),
        (
            "ever",
            "> date(2027-01-30)",
            '<SimplePredicate field="f" operator="greaterOrEqual" value="2027-01-31" />',
        ),
        ("flag", "true", '<SimplePredicate field="f" operator="equal" value="true" />'),
    ],
)
def test_a_word_cell_is_a_predicate(name: str, cell: str, expected: str) -> None:
    domain = domain_of(RANDOM_CATALOGUE[name])
    found = predicate("f", parse_cell(cell, domain), domain)
    assert ET.tostring(found).decode() == expected


def test_what_pmml_has_no_word_for_travels_in_the_header() -> None:
    compiled = books.template("motor")
    root = ET.fromstring(written(compiled))  # noqa: S314 - our own.
    held = {item.get("name"): item.get("value") for item in root.iter() if item.get("extender")}
    assert held["hash"] == document_hash(compiled.document)
    canonical = held["document"]
    assert canonical is not None
    assert hashlib.sha256(canonical.encode()).hexdigest() == held["hash"]
    assert parse_document(json.loads(canonical), SHIPPED) == compiled.document


@pytest.mark.parametrize(
    ("catalogue", "whens"),
    [
        ({"odd": fact("odd", "int")}, ["< 1234567890123456", ">= 1234567890123456, null"]),
        ({"odd": fact("odd", "string")}, ['""', 'not("")', "null"]),
        ({"odd": fact("odd", "string")}, ['"\\u0007"', 'not("\\u0007")', "null"]),
    ],
)
def test_what_pmml_programs_would_not_keep_apart_is_refused_by_bin(
    catalogue: dict[str, Fact], whens: list[str]
) -> None:
    known = {**CATALOGUE, **catalogue}
    raw = sample()
    raw["scorecard"]["characteristics"].append(characteristic("C01", "odd", whens))
    compiled = compile_unproved(parse_document(raw, known), known)
    with pytest.raises(DocumentError) as caught:
        pmml_scorecard(compiled)
    path = "scorecard.characteristics[odd_more].bins"
    assert [(found.path, found.code) for found in caught.value.findings] == [
        (f"{path}[0].when", "not-carried"),
        (f"{path}[1].when", "not-carried"),
    ]


def test_a_number_says_the_margins_that_its_fact_has() -> None:
    root = ET.fromstring(written(of_every_kind()))  # noqa: S314 - our own.
    fields = {field.get("name"): field for field in root.iter(f"{{{NAMESPACE}}}DataField")}
    margins = {
        name: {side: text for inner in field for side, text in inner.items() if "Margin" in side}
        for name, field in fields.items()
        if field.get("dataType") == "double"
    }
    assert margins["growth"] == {"leftMargin": "0", "rightMargin": "10"}
    assert margins["delta"] == {}


@pytest.mark.parametrize(
    ("least", "most", "margins"),
    [
        (-3, None, {"leftMargin": "-3"}),
        (None, 7, {"rightMargin": "7"}),
    ],
)
def test_a_number_open_on_one_side_says_the_other(
    least: int | None, most: int | None, margins: Mapping[str, str]
) -> None:
    known = {**CATALOGUE, "odd": fact("odd", "int", minimum=least, maximum=most)}
    raw = sample()
    raw["scorecard"]["characteristics"].append(characteristic("C01", "odd", ["-"]))
    root = ET.fromstring(  # noqa: S314 - our own.
        written(compile_unproved(parse_document(raw, known), known))
    )
    (interval,) = root.iterfind(f".//{{{NAMESPACE}}}DataField[@name='odd']/*")
    assert interval.attrib == {"closure": "closedClosed", **margins}


def test_a_dimension_that_cannot_differ_scores_nothing() -> None:
    raw = sample()
    raw["scorecard"]["characteristics"][3]["bins"] = [{"when": "-", "points": 5}]
    compiled = compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE)
    root = ET.fromstring(written(compiled))  # noqa: S314 - our own.
    (body,) = [one for one in root.iter() if one.get("name") == "dimension.body"]
    assert [child.text for child in body] == ["0"]


_EVALUATE = """
import json, os, sys, tempfile, zipfile
from lxml import etree
from jpmml_evaluator import make_evaluator
import jpmml_evaluator
jars = os.path.join(os.path.dirname(jpmml_evaluator.__file__), "dependencies")
(model,) = [name for name in os.listdir(jars) if name.startswith("pmml-model-1")]
with zipfile.ZipFile(os.path.join(jars, model)) as jar:
    schema = etree.XMLSchema(etree.fromstring(jar.read("pmml.xsd")))
answers = []
for text, rows in json.load(sys.stdin):
    schema.assertValid(etree.fromstring(text.encode()))
    with tempfile.NamedTemporaryFile("w", suffix=".pmml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        evaluator = make_evaluator(file.name).verify()
        found = [evaluator.evaluate(row) for row in rows]
        answers.append([{key: row[key] for key in row if key} for row in found])
print(json.dumps(answers))
"""


def test_jpmml_comes_to_the_same_points_scores_and_reasons(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("java is not on this machine: no JPMML")
    python_packages(tmp_path, "jpmml-evaluator==0.16.0", "lxml==6.1.3")
    chance = Random(5)
    cases = [(books.template(name), SHIPPED) for name in books.NAMES]
    cases.append((of_every_kind(), CATALOGUE))
    asked, customers = [], []
    for compiled, catalogue in cases:
        facts = [draw(compiled, catalogue, chance) for _ in range(20)]
        customers.append(facts)
        rows = [{name: outside(catalogue[name], row[name]) for name in row} for row in facts]
        asked.append((written(compiled), rows))
    answers = ask(sys.executable, _EVALUATE, tmp_path, asked)
    for (compiled, _), drawn, found in zip(cases, customers, answers, strict=True):
        for facts_of_one, told in zip(drawn, found, strict=True):
            expected = expectations(compiled, facts_of_one)
            assert {name: told[name] for name in expected} == expected


def draw(
    compiled: CompiledRuleSet, catalogue: Mapping[str, Fact], chance: Random
) -> dict[str, FactValue]:
    words = ("c1", "c2", "c 3", "a", "else")
    drawn: dict[str, FactValue] = {}
    for name in compiled.document.facts:
        known = catalogue[name]
        if known.type is FactType.STRING:
            drawn[name] = None if known.nullable and chance.random() < 0.2 else chance.choice(words)
        elif known.type is FactType.DATE and chance.random() < 0.8:
            drawn[name] = date(2020, 2, 27 + chance.randrange(3))
        elif known.type is FactType.DATE:
            drawn[name] = None if known.nullable else date(2027, 1, 1)
        else:
            drawn[name] = books.value(known, chance)
    return drawn


def outside(known: Fact, value: FactValue) -> str | bool | float | None:
    if value is None or isinstance(value, bool):
        return value
    text = value_text(domain_of(known), value)
    return float(text) if known.type in (FactType.INT, FactType.DECIMAL) else text


def expectations(compiled: CompiledRuleSet, facts: dict[str, FactValue]) -> dict[str, object]:
    """Return what our evaluator says, under the names of the PMML outputs."""
    own = evaluate(compiled, facts)
    expected: dict[str, object] = {"score": own.score}
    for dimension in compiled.dimensions:
        name = dimension.name
        expected[f"dimension.{name}"] = own.dimensions[name]
        points, lost = 0, []
        for item in compiled.characteristics:
            card = item.characteristic
            if card.dimension == name:
                domain = compiled.document.domains[card.input]
                bin_ = next(b for b in card.bins if holds(b.when, domain, facts[card.input]))
                points += bin_.points
                best = max(b.points for b in card.bins)
                lost.append((best - bin_.points, (bin_.reason or card.reason).code))
        expected[f"raw.{name}"] = points
        losses = [loss for loss, _ in lost]
        # Equal losses come in an order that the standard leaves open.
        ranked = sorted(lost, key=lambda pair: -pair[0])[: compiled.document.top_reasons]
        for rank, (loss, code) in enumerate(ranked, 1):
            if losses.count(loss) > 1:
                break
            expected[f"reason.{name}.{rank}"] = code
    return expected
