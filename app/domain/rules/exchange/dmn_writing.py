"""A rule-set document as a DMN 1.3 model: one decision per table, in their order.

Scores are inputs there, since DMN has no scorecards: whoever runs the model hands them over.
Under the collect policy DMN's answer is a list, ours the set of what is in it.
"""

import json
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from app.domain.rules.canonical import JsonValue
from app.domain.rules.domains import Domain, range_text
from app.domain.rules.exchange.dmn import (
    COMPLETE,
    EXTENSION,
    FEEL,
    INPUT,
    MODEL,
    RULE_SET,
    TYPES,
)
from app.domain.rules.exchange.feel import print_unary_tests, text_literal
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.model import HitPolicy, Rule, RuleSetDocument, Table
from app.domain.rules.writing import document_json


def dmn_model(document: RuleSetDocument) -> Element:
    """Return the root element; its prefixes are declared, so it is written as it stands."""
    root = Element(
        "definitions",
        {
            "xmlns": MODEL,
            "xmlns:tiering": EXTENSION,
            "id": f"rule-set.{document.id}",
            "name": document.title.en,
            "namespace": f"urn:tiering:rule-set:{document.id}",
            "expressionLanguage": FEEL,
            "typeLanguage": FEEL,
            "exporter": "Tiering",
        },
    )
    SubElement(root, "description").text = (
        f"{document.title.zh}. The decisions of the rule set {document.id}. Its scorecard is no "
        "part of DMN: score and dimension_… are inputs here, and the extension element holds the "
        "rest of the document, which Tiering reads back."
    )
    rest: dict[str, JsonValue] = document_json(document)
    del rest["tables"]
    extension = SubElement(SubElement(root, "extensionElements"), f"tiering:{RULE_SET}")
    extension.text = escaped(json.dumps(rest, ensure_ascii=False))
    decided = {table.output.name: table.id for table in document.tables}
    names = _dmn_names(document.tables, decided)
    for name, domain in _inputs(document.tables, decided).items():
        root.append(_input_data(name, names[name], domain))
    for table in document.tables:
        root.append(_decision(table, names, decided))
    return root


def _inputs(tables: Iterable[Table], decided: Mapping[str, str]) -> dict[str, Domain]:
    """Return what is handed to the tables from outside, in the order of first use."""
    inputs: dict[str, Domain] = {}
    for table in tables:
        for name in table.inputs:
            if name not in decided:
                inputs.setdefault(name, table.domains[name])
    return inputs


def _dmn_names(tables: Iterable[Table], decided: Mapping[str, str]) -> dict[str, str]:
    """Return the name that FEEL knows each input by: a point in it would mean part of a whole."""
    taken = {*decided, *(name for table in tables for name in table.inputs)}
    names: dict[str, str] = {}
    for name in [name for table in tables for name in table.inputs]:
        plain = name.replace(".", "_")
        while plain != name and name not in names and plain in taken:
            plain += "_"
        names.setdefault(name, plain)
        taken.add(names[name])
    return names


def _input_data(name: str, dmn_name: str, domain: Domain) -> Element:
    # No id of a table or of a rule has a hyphen before its first point.
    item = Element("inputData", {"id": f"input-data.{dmn_name}", "name": dmn_name})
    if name != dmn_name:
        item.set(f"tiering:{INPUT}", name)
    null = ", or null" if domain.nullable else ""
    SubElement(item, "description").text = f"{range_text(domain)}{null}"
    SubElement(item, "variable", {"name": dmn_name, "typeRef": TYPES[domain.kind]})
    return item


def _decision(table: Table, names: Mapping[str, str], decided: Mapping[str, str]) -> Element:
    decision = Element("decision", {"id": table.id, "name": table.output.name})
    variable = SubElement(decision, "variable", {"name": table.output.name})
    if table.hit_policy is not HitPolicy.COLLECT:
        variable.set("typeRef", "string")
    for at, name in enumerate(table.inputs):
        need = SubElement(decision, "informationRequirement", {"id": f"{table.id}.needs.{at}"})
        if name in decided:
            SubElement(need, "requiredDecision", {"href": f"#{decided[name]}"})
        else:
            SubElement(need, "requiredInput", {"href": f"#input-data.{names[name]}"})
    decision.append(_decision_table(table, names))
    return decision


def _decision_table(table: Table, names: Mapping[str, str]) -> Element:
    item = Element(
        "decisionTable",
        {
            "id": f"{table.id}.table.0",
            "hitPolicy": table.hit_policy.value.upper(),
            f"tiering:{COMPLETE}": "true" if table.complete else "false",
        },
    )
    for at, name in enumerate(table.inputs):
        clause = SubElement(item, "input", {"id": f"{table.id}.input.{at}", "label": name})
        type_ref = TYPES[table.domains[name].kind]
        expression = SubElement(clause, "inputExpression", {"typeRef": type_ref})
        SubElement(expression, "text").text = names[name]
    output = SubElement(
        item,
        "output",
        {"id": f"{table.id}.output.0", "name": table.output.name, "typeRef": "string"},
    )
    values = SubElement(output, "outputValues")
    SubElement(values, "text").text = ", ".join(map(text_literal, table.output.values))
    for rule in table.rules:
        item.append(_rule(rule, table))
    return item


def _rule(rule: Rule, table: Table) -> Element:
    row = Element("rule", {"id": f"{table.id}.{rule.id}"})
    for name in table.inputs:
        cell = rule.when.get(name)
        tests = "-" if cell is None else print_unary_tests(cell, table.domains[name])
        SubElement(SubElement(row, "inputEntry"), "text").text = tests
    SubElement(SubElement(row, "outputEntry"), "text").text = text_literal(rule.then)
    return row
