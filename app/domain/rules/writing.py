"""Writing a resolved document back as JSON data, canonically, and hashing it.

Cells are printed canonically, what says nothing (``-`` cells, absent tests) is left out and
defaults are spelled out. So documents that mean the same are written and hashed alike, whichever
way their cells were spelled and their mappings ordered, and the written form reads back as an
equal document. The order of tables, rows, bins and characteristics is part of the meaning.
"""

from collections.abc import Mapping

from app.domain.facts.model import FactValue
from app.domain.rules.canonical import JsonValue, rfc8785_hash, rfc8785_json
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain
from app.domain.rules.model import (
    FORMAT,
    Bin,
    Characteristic,
    Example,
    ReasonText,
    Rule,
    RuleSetDocument,
    Table,
    Text,
)
from app.domain.rules.values import value_text


def document_json(document: RuleSetDocument) -> dict[str, JsonValue]:
    """Return the resolved document as JSON data without floats."""
    written: dict[str, JsonValue] = {
        "format": FORMAT,
        "id": document.id,
        "product_line": document.product_line,
        "title": _text(document.title),
        "objective": document.objective,
        "objectives": {name: dict(profile) for name, profile in document.objectives.items()},
        "scorecard": {
            "reasons": {"top": document.top_reasons},
            "characteristics": [
                _characteristic(item, document.domains[item.input])
                for item in document.characteristics
            ],
        },
        "tables": [_table(table) for table in document.tables],
        "stability": {
            "downgrade_cooldown_days": document.stability.downgrade_cooldown_days,
            "downgrade_step": document.stability.downgrade_step.value,
            "grace_days": document.stability.grace_days,
            "min_dwell_days": document.stability.min_dwell_days,
        },
    }
    if document.risk_model is not None:
        written["risk_model"] = document.risk_model
    if document.tests:
        written["tests"] = [_example(example, document.domains) for example in document.tests]
    return written


def canonical_json(document: RuleSetDocument) -> bytes:
    """Return the RFC 8785 JSON of the resolved document."""
    return rfc8785_json(document_json(document))


def document_hash(document: RuleSetDocument) -> str:
    """Return the SHA-256 (hexadecimal) of the RFC 8785 JSON of the resolved document."""
    return rfc8785_hash(document_json(document))


def _text(text: Text) -> dict[str, JsonValue]:
    return {"en": text.en, "zh": text.zh}


def _reason(reason: ReasonText) -> dict[str, JsonValue]:
    return {"code": reason.code, **_text(reason.text)}


def _characteristic(item: Characteristic, domain: Domain) -> dict[str, JsonValue]:
    return {
        "id": item.id,
        "dimension": item.dimension,
        "input": item.input,
        "trend": item.trend.value,
        "reason": _reason(item.reason),
        "bins": [_bin(bin_, domain) for bin_ in item.bins],
    }


def _bin(bin_: Bin, domain: Domain) -> dict[str, JsonValue]:
    written: dict[str, JsonValue] = {
        "when": print_cell(bin_.when, domain),
        "points": bin_.points,
    }
    if bin_.reason is not None:
        written["reason"] = _reason(bin_.reason)
    return written


def _table(table: Table) -> dict[str, JsonValue]:
    return {
        "id": table.id,
        "output": {"name": table.output.name, "values": list(table.output.values)},
        "hit_policy": table.hit_policy.value,
        "complete": table.complete,
        "inputs": list(table.inputs),
        "rules": [_rule(rule, table) for rule in table.rules],
    }


def _rule(rule: Rule, table: Table) -> dict[str, JsonValue]:
    when = {name: print_cell(cell, table.domains[name]) for name, cell in rule.when.items()}
    return {"id": rule.id, "when": when, "then": rule.then}


def _example(example: Example, domains: Mapping[str, Domain]) -> dict[str, JsonValue]:
    return {
        "in": {name: _given(value, domains[name]) for name, value in example.facts.items()},
        "expect": {
            name: list(answer) if isinstance(answer, tuple) else answer
            for name, answer in example.expect.items()
        },
    }


def _given(value: FactValue, domain: Domain) -> JsonValue:
    return value if isinstance(value, bool) else value_text(domain, value)
