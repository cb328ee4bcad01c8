"""Documents as DMN models: our own come back whole, those of others go into a base."""

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE as SHIPPED
from app.domain.facts.model import Fact
from app.domain.rules import DocumentError, RuleSetDocument, document_hash, parse_document
from app.domain.rules.exchange.dmn import EXTENSION, MODEL
from app.domain.rules.exchange.dmn_reading import DmnReading, read_dmn
from app.domain.rules.exchange.dmn_writing import dmn_model
from app.infra.xml_trees import read_xml, write_xml
from tests.domain.rules.exchange.outside import ask, node_packages, python_packages
from tests.domain.rules.samples import CATALOGUE, fact, sample
from tests.domain.templates.books import NAMES, template
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE
from tests.parity.rule_strategies import readable_documents

BASE = parse_document(sample(), CATALOGUE)
#: As `dmn-js` writes it: its own ids, labels, layout, spaces, and values that are not listed.
FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"
    xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"
    xmlns:camunda="http://camunda.org/schema/1.0/dmn"
    id="Definitions_1" name="DRD" namespace="http://camunda.org/schema/1.0/dmn">
  <decision id="Decision_tier" name="Tier">
    <informationRequirement id="Need_1"><requiredDecision href="#Decision_seg"/>
    </informationRequirement>
    <decisionTable id="DecisionTable_1" hitPolicy="FIRST">
      <input id="Input_1" label="Value segment">
        <inputExpression id="Expression_1" typeRef="string"><text>Segment</text></inputExpression>
        <inputValues id="Allowed"><text>"high_net_worth","mid_market"</text></inputValues>
      </input>
      <input id="Input_2"><inputExpression typeRef="integer"><text> score </text></inputExpression>
      </input>
      <output id="Output_1" label="Tier" name="tier" typeRef="string">
        <outputValues><text>"diamond","gold","standard"</text></outputValues>
      </output>
      <rule id="DecisionRule_1"><description>The best</description>
        <inputEntry id="E1"><text>"high_net_worth"</text></inputEntry>
        <inputEntry id="E2"><text></text></inputEntry>
        <outputEntry id="O1"><text>"diamond"</text></outputEntry>
      </rule>
      <rule id="DecisionRule_2">
        <inputEntry><text>not("high_net_worth")</text></inputEntry>
        <inputEntry><text>[500..1000[, 1000</text></inputEntry>
        <outputEntry><text>"gold"</text></outputEntry>
      </rule>
      <rule id="has space">
        <inputEntry><text>-</text></inputEntry>
        <inputEntry><text>-</text></inputEntry>
        <outputEntry><text>"standard"</text></outputEntry>
      </rule>
    </decisionTable>
  </decision>
  <decision id="Decision_seg" name="Segment">
    <variable name="Segment" typeRef="string"/>
    <decisionTable>
      <input><inputExpression typeRef="double"><text>ratio</text></inputExpression></input>
      <input><inputExpression typeRef="feel:boolean"><text>app_user</text></inputExpression></input>
      <output name="segment"/>
      <annotation name="Why"/>
      <rule><inputEntry><text>&gt; 3.50</text></inputEntry><inputEntry><text>-</text></inputEntry>
        <outputEntry><text>"high_net_worth"</text></outputEntry>
        <annotationEntry><text>Large</text></annotationEntry></rule>
      <rule><inputEntry><text>&lt;= 3.5</text></inputEntry>
        <inputEntry><text>true</text></inputEntry>
        <outputEntry><text>"mid_market"</text></outputEntry></rule>
      <rule><inputEntry><text>null</text></inputEntry><inputEntry><text>true</text></inputEntry>
        <outputEntry><text>"base"</text></outputEntry></rule>
      <rule><inputEntry><text>-</text></inputEntry><inputEntry><text>false, null</text></inputEntry>
        <outputEntry><text>"base"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="gift" name="gift">
    <decisionTable hitPolicy="COLLECT">
      <input><inputExpression typeRef="date"><text>since</text></inputExpression></input>
      <output name="gift"/>
      <rule id="G1"><inputEntry><text>&lt; date("2020-01-01")</text></inputEntry>
        <outputEntry><text>"flowers"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <dmndi:DMNDI><dmndi:DMNDiagram/></dmndi:DMNDI>
</definitions>
"""


def written(document: RuleSetDocument) -> bytes:
    return write_xml(dmn_model(document))


def reread(document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> RuleSetDocument:
    reading = read_dmn(read_xml(written(document)), catalogue)
    assert reading.left_out == ()
    return parse_document(reading.raw, catalogue)


def foreign(text: str = FOREIGN, base: RuleSetDocument | None = BASE) -> DmnReading:
    return read_dmn(read_xml(text.encode()), CATALOGUE, base)


def refusals(text: str, base: RuleSetDocument | None = BASE) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        foreign(text, base)
    assert all(finding.message and finding.remedy for finding in caught.value.findings)
    return [(finding.path, finding.code) for finding in caught.value.findings]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_comes_back_with_its_hash(name: str) -> None:
    document = template(name).document
    back = reread(document, SHIPPED)
    assert document_hash(back) == document_hash(document)
    assert back == document


def test_the_sample_comes_back_with_its_hash() -> None:
    assert reread(BASE, CATALOGUE) == BASE


@settings(max_examples=25)
@given(readable_documents())
def test_any_document_comes_back_with_its_hash(raw: dict[str, Any]) -> None:
    document = parse_document(raw, RANDOM_CATALOGUE)
    assert document_hash(reread(document, RANDOM_CATALOGUE)) == document_hash(document)


def test_a_score_keeps_its_name_where_a_fact_has_the_one_that_feel_knows() -> None:
    raw = sample()
    raw["tables"][0]["inputs"] += ["dimension_body", "dimension_body_"]
    catalogue = {
        **CATALOGUE,
        "dimension_body": fact("dimension_body", "int"),
        "dimension_body_": fact("dimension_body_", "int"),
    }
    document = parse_document(raw, catalogue)
    root = dmn_model(document)
    names = [item.get("name") for item in root.findall("inputData")]
    assert "dimension_body__" in names
    assert len(names) == len(set(names))
    assert parse_document(read_dmn(read_xml(write_xml(root)), catalogue).raw, catalogue) == document


def test_ids_are_names_and_each_stands_once() -> None:
    root = ET.fromstring(written(template("motor").document))  # noqa: S314 - our own.
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    needed = {element.get("href", "")[1:] for element in root.iter() if element.get("href")}
    assert needed <= set(ids)


def test_what_a_dmn_editor_changed_is_read_as_changed() -> None:
    text = written(BASE).decode().replace("<text>&gt; 3</text>", "<text>&gt; 4</text>")
    changed = parse_document(read_dmn(read_xml(text.encode()), CATALOGUE).raw, CATALOGUE)
    assert document_hash(changed) != document_hash(BASE)
    assert changed.characteristics == BASE.characteristics


_VALIDATE = """
import json, sys
from lxml import etree
folder = sys.path[0] + "/node_modules/dmn-moddle/resources/dmn/xsd"
schema = etree.XMLSchema(etree.parse(folder + "/DMN13.xsd"))
found = [schema.validate(etree.fromstring(text.encode())) for text in json.load(sys.stdin)]
print(json.dumps([found, str(schema.error_log)]))
"""


def test_the_model_is_valid_by_the_schema_of_dmn_1_3(tmp_path: Path) -> None:
    node_packages(tmp_path, "dmn-moddle@12.2.1")
    python_packages(tmp_path, "lxml==6.1.3")
    documents = [BASE, *(template(name).document for name in NAMES)]
    models = [written(document).decode() for document in documents]
    wrong = models[0].replace("<decisionTable", "<unheardOf/><decisionTable", 1)
    found, log = ask(sys.executable, _VALIDATE, tmp_path, [*models, wrong])
    assert found == [True] * len(models) + [False], log


def test_tables_of_another_tool_replace_those_that_decide_the_same() -> None:
    reading = foreign()
    document = parse_document(reading.raw, CATALOGUE)
    outputs = [table.output.name for table in document.tables]
    assert sorted(outputs) == sorted([*(table.output.name for table in BASE.tables), "gift"])
    assert outputs.index("segment") < outputs.index("tier")
    tables = {table.output.name: table for table in document.tables}
    assert document.characteristics == BASE.characteristics
    assert tables["risk_grade"] == BASE.tables[0]
    raw = {table["output"]["name"]: table for table in reading.raw["tables"]}  # type: ignore[attr-defined]
    assert raw["tier"] == {
        "id": "tier",
        "output": {"name": "tier", "values": ["diamond", "gold", "standard"]},
        "hit_policy": "first",
        "complete": True,
        "inputs": ["segment", "score"],
        "rules": [
            {"id": "DecisionRule_1", "when": {"segment": '"high_net_worth"'}, "then": "diamond"},
            {
                "id": "DecisionRule_2",
                "when": {"segment": 'not("high_net_worth")', "score": "[500..1000), 1000"},
                "then": "gold",
            },
            {"id": "R3", "when": {}, "then": "standard"},
        ],
    }
    assert [rule.id for rule in tables["segment"].rules] == ["R1", "R2", "R3", "R4"]
    assert tables["segment"].output.values == ("high_net_worth", "mid_market", "base")
    assert tables["gift"].complete is False
    assert reading.left_out == ("1 annotations of rules", "1 lists of allowed inputs")


def test_our_own_file_goes_into_another_base_too() -> None:
    raw = copy.deepcopy(sample())
    raw["id"] = "other"
    raw["tables"] = [{**table, "id": f"{table['id']}_old"} for table in raw["tables"]]
    base = parse_document(raw, CATALOGUE)
    reading = read_dmn(read_xml(written(BASE)), CATALOGUE, base)
    document = parse_document(reading.raw, CATALOGUE)
    assert document.id == "other"
    assert document.tables == BASE.tables


def test_decisions_alone_are_no_document() -> None:
    assert refusals(FOREIGN, None) == [("definitions", "dmn-base")]


@pytest.mark.parametrize("held", ["", "[]", "{", '{"a": NaN', "[" * 100_000, "9" * 5_000])
def test_a_damaged_extension_is_refused(held: str) -> None:
    text = FOREIGN.replace(
        '<decision id="Decision_tier"',
        f'<extensionElements><t:ruleSet xmlns:t="{EXTENSION}">{held}</t:ruleSet>'
        '</extensionElements><decision id="Decision_tier"',
    )
    assert refusals(text, None) == [("definitions", "dmn-extension")]


@pytest.mark.parametrize(
    "root", ["<a/>", "<definitions/>", f'<d xmlns="{MODEL}"/>', '<definitions xmlns="urn:x"/>']
)
def test_what_is_no_dmn_is_refused(root: str) -> None:
    assert refusals(root) == [("definitions", "dmn-version")]


TIER = "decision[Decision_tier]"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"FIRST"', '"RULE ORDER"', [(f"{TIER}.hitPolicy", "dmn-hit-policy")]),
        (
            '"COLLECT"',
            '"COLLECT" aggregation="SUM"',
            [("decision[gift].hitPolicy", "dmn-hit-policy")],
        ),
        (
            '<output name="segment"/>',
            '<output name="segment"/><output name="more"/>',
            [
                ("decision[Decision_seg].output", "dmn-outputs"),
                (f"{TIER}.input[Segment]", "dmn-input"),
            ],
        ),
        (
            '<decisionTable>\n      <input><inputExpression typeRef="double">',
            '<context/></decision><decision id="x"><decisionTable><input><inputExpression>',
            [("decision[Decision_seg]", "dmn-boxed"), (f"{TIER}.input[Segment]", "dmn-input")],
        ),
        ("<text>ratio</text>", "<text>ratio * 2</text>",
         [("decision[Decision_seg].input[ratio * 2]", "dmn-input")]),
        ("<text>ratio</text>", "", [("decision[Decision_seg].input[1]", "dmn-input")]),
        ("<text>ratio</text>", "<text>app_user</text>",
         [("decision[Decision_seg].input[app_user]", "dmn-type"),
          ("decision[Decision_seg].input[app_user]", "dmn-input")]),
        ('typeRef="date"', 'typeRef="dateTime"', [("decision[gift].input[since]", "dmn-type")]),
        ("true</text>", 'contains("x")</text>',
         [("decision[Decision_seg].rule[2].app_user", "dmn-feel"),
          ("decision[Decision_seg].rule[3].app_user", "dmn-feel")]),
        ('<text>"gold"</text>', "<text>gold</text>", [(f"{TIER}.rule[2].then", "dmn-feel")]),
        ('<inputEntry id="E2"><text></text></inputEntry>', "",
         [(f"{TIER}.rule[1]", "dmn-shape")]),
        ('<text>"diamond","gold","standard"</text>', "<text>1, 2</text>",
         [(f"{TIER}.outputValues", "dmn-feel")]),
        ('<output name="gift"/>',
         '<output name="gift"><defaultOutputEntry><text>"x"</text></defaultOutputEntry></output>',
         [("decision[gift].output", "dmn-default")]),
        ('"COLLECT"', '"PRIORITY"', [("decision[gift].outputValues", "dmn-priority")]),
        ('<output name="gift"/>', '<output name="segment"/>',
         [("decision[gift]", "dmn-duplicate")]),
        ("<text>ratio</text>", '<text expressionLanguage="juel">ratio</text>',
         [("text", "dmn-language")]),
        ("<text>since</text>", "<text>gift</text>",
         [("decision[gift].input[gift]", "dmn-type"), ("definitions", "dmn-cycle")]),
        ('<decision id="gift"', '<businessKnowledgeModel name="b"/><import/><decision id="gift"',
         [("import", "dmn-element"), ("businessKnowledgeModel", "dmn-element")]),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_named(old: str, new: str, found: list[tuple[str, str]]) -> None:
    assert old in FOREIGN
    assert refusals(FOREIGN.replace(old, new)) == found


def test_everything_is_named_at_once() -> None:
    text = FOREIGN.replace("true</text>", "a + b</text>").replace('"FIRST"', '"OUTPUT ORDER"')
    assert len(refusals(text)) == 3


@settings(max_examples=60)
@given(st.text(alphabet='<>()[].,"-? andnotull0123456789', max_size=20))
def test_no_entry_breaks_the_reading(entry: str) -> None:
    root = read_xml(FOREIGN.encode())
    for text in root.iter(f"{{{MODEL}}}text"):
        if text.text == "true":
            text.text = entry
    try:
        reading = read_dmn(root, CATALOGUE, BASE)
    except DocumentError as error:
        assert {finding.code for finding in error.findings} == {"dmn-feel"}  # noqa: PT017 - as good.
    else:
        assert reading.raw["id"] == BASE.id
