"""DMN decision tables as the tables of a document: our own files whole, others into a base.

Taken are decisions with a decision table of one output, inputs that name a fact, a score or an
earlier decision, S-FEEL unary tests of literals, and texts as answers. Everything else is refused,
all of it in one list, each with decision, rule and column.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from xml.etree.ElementTree import Element

from app.domain.facts.model import Fact
from app.domain.rules.domains import SCORE_DOMAIN, Domain, domain_of, output_domain
from app.domain.rules.exchange.dmn import EXTENSION, INPUT, MODELS, RULE_SET
from app.domain.rules.exchange.dmn_tables import (
    Decision,
    DmnSource,
    Inputs,
    find_decision,
    read_table,
)
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, RuleSetDocument, Table
from app.domain.rules.writing import document_json
from app.domain.words import MANDATORY_OUTPUTS

_NOT_TAKEN: Mapping[str, str] = {
    "import": "Put the imported decisions into this file.",
    "businessKnowledgeModel": "Write its logic as decision tables.",
    "decisionService": "Hand over its decisions alone.",
}
_ONLY_TOLD: Mapping[str, str] = {
    "annotationEntry": "annotations of rules",
    "inputValues": "lists of allowed inputs",
    "knowledgeSource": "knowledge sources",
    "textAnnotation": "notes",
}


@dataclass(frozen=True, slots=True)
class DmnReading:
    """A raw document for `parse_document`, and what is no rule and was left out of it."""

    raw: Mapping[str, object]
    left_out: tuple[str, ...]


def read_dmn(
    root: Element, catalogue: Mapping[str, Fact], base: RuleSetDocument | None = None
) -> DmnReading:
    """Return the document that a DMN file means.

    With a ``base``, its tables that decide the same are replaced and further ones added; without
    one the file must be ours. Raises DocumentError with everything that is not taken.
    """
    namespace, _, name = root.tag.removeprefix("{").rpartition("}")
    if namespace not in MODELS or name != "definitions":
        raise _refused(
            "dmn-version", "The file is no DMN model of version 1.2 to 1.5.", "Export it as 1.3."
        )
    source = DmnSource(root, namespace)
    rest = _rest(source) if base is None else document_json(base)
    for element, remedy in _NOT_TAKEN.items():
        if source.children(root, element):
            source.refuse(element, "dmn-element", f"A file with {element} is not taken.", remedy)
    _check_languages(source)
    decisions = _decisions(source)
    base_tables = {} if base is None else {table.output.name: table for table in base.tables}
    complete = _completeness(decisions, base_tables)
    inputs = _inputs(source, decisions, complete, _known(catalogue, base_tables))
    merged = {} if base is None else _written(base)
    for decision in decisions:
        read = read_table(source, decision, inputs, complete=complete[decision.output])
        merged[decision.output] = read
    tables = _in_order(source, merged)
    if source.findings:
        raise DocumentError(source.findings)
    counts = {words: len(list(source.all(name))) for name, words in _ONLY_TOLD.items()}
    left_out = tuple(f"{count} {words}" for words, count in counts.items() if count)
    return DmnReading({**rest, "tables": tables}, left_out)


def _refused(code: str, message: str, remedy: str) -> DocumentError:
    return DocumentError([Finding("definitions", code, message, remedy)])


def _rest(source: DmnSource) -> Mapping[str, object]:
    """Return the document without its tables, from the extension element of our own files."""
    extensions = source.child(source.root, "extensionElements")
    held = None if extensions is None else extensions.find(f"{{{EXTENSION}}}{RULE_SET}")
    if held is None:
        raise _refused(
            "dmn-base",
            "The file has decisions alone: no scorecard, no weights, no stability.",
            "Convert it into a rule set that has them: tiering rules convert --into BASE.",
        )
    try:
        rest = json.loads(held.text or "", parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        rest = None
    if not isinstance(rest, dict):
        raise _refused(
            "dmn-extension", f"The element {RULE_SET} of Tiering is damaged.", "Export it again."
        )
    return rest


def _check_languages(source: DmnSource) -> None:
    for element in source.root.iter():
        language = element.get("expressionLanguage")
        if language and "feel" not in language.lower():
            name = element.get("id") or element.tag.rpartition("}")[2]
            source.refuse(
                name[:60],
                "dmn-language",
                "The expressions are not in FEEL.",
                "Write them in FEEL and drop expressionLanguage.",
            )


def _decisions(source: DmnSource) -> list[Decision]:
    decisions: dict[str, Decision] = {}
    for at, element in enumerate(source.children(source.root, "decision"), 1):
        decision = find_decision(source, element, at)
        if decision is None:
            continue
        if decision.output in decisions:
            source.refuse(
                decision.place,
                "dmn-duplicate",
                "An earlier decision of the file decides the same.",
                "Join their rules, or give the output another name.",
            )
        decisions.setdefault(decision.output, decision)
    return list(decisions.values())


def _written(base: RuleSetDocument) -> dict[str, Mapping[str, object]]:
    """Return the base's raw tables by their outputs."""
    written = cast("Sequence[Mapping[str, object]]", document_json(base)["tables"])
    return {table.output.name: raw for table, raw in zip(base.tables, written, strict=True)}


def _completeness(
    decisions: Sequence[Decision], base_tables: Mapping[str, Table]
) -> dict[str, bool]:
    """Say which outputs are always decided: as the file says, else the base, else as is due."""
    complete: dict[str, bool] = {}
    for decision in decisions:
        before = base_tables.get(decision.output)
        due = decision.output in MANDATORY_OUTPUTS if before is None else before.complete
        complete[decision.output] = due if decision.complete is None else decision.complete
    return complete


def _known(catalogue: Mapping[str, Fact], base_tables: Mapping[str, Table]) -> dict[str, Domain]:
    """Return the domains of facts, of the score, and of what the base decides."""
    domains = {name: domain_of(fact) for name, fact in catalogue.items()}
    domains[SCORE] = SCORE_DOMAIN
    for name, table in base_tables.items():
        domains[name] = output_domain(table.output.values, complete=table.complete)
    return domains


def _inputs(
    source: DmnSource,
    decisions: Sequence[Decision],
    complete: Mapping[str, bool],
    domains: dict[str, Domain],
) -> Inputs:
    """Return what columns may read; the answers of the file's decisions are told by their rules."""
    names: dict[str, str] = {}
    for item in source.children(source.root, "inputData"):
        own_name = item.get(f"{{{EXTENSION}}}{INPUT}")
        if own_name is not None:
            names[item.get("name", "")] = own_name
            if own_name.startswith(DIMENSION_PREFIX):
                domains[own_name] = SCORE_DOMAIN
    for decision in decisions:
        names.update(dict.fromkeys(decision.names, decision.output))
        domains[decision.output] = output_domain((), complete=complete[decision.output])
    return Inputs(names, domains)


def _in_order(
    source: DmnSource, tables: Mapping[str, Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """Return the tables, each after those it reads, and otherwise as they came."""
    waiting = dict(tables)
    ordered: list[Mapping[str, object]] = []
    while waiting:
        ready = next(
            (
                name
                for name, table in waiting.items()
                if not waiting.keys() & set(cast("Sequence[str]", table["inputs"]))
            ),
            None,
        )
        if ready is None:
            source.refuse(
                "definitions",
                "dmn-cycle",
                f"The decisions {', '.join(waiting)} need one another in a circle.",
                "Let one of them stand by itself.",
            )
            break
        ordered.append(waiting.pop(ready))
    return ordered
