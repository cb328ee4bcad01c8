"""Rule sets: documents, their compilation, and the evaluation of one customer.

The evaluators of whole frames, `rules.frame` and `rules.counterfactual.frame`,
are imported by name: they alone need Polars.
"""

from app.domain.rules.canonical import JsonValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import parse_cell, print_cell
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual import Gap, Move, gap
from app.domain.rules.document import parse_document
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.evaluation import Answer, Evaluation, InputError, Reason
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.limits import Limits
from app.domain.rules.literals import CellError
from app.domain.rules.model import (
    DowngradeStep,
    HitPolicy,
    RuleSetDocument,
    Stability,
    Table,
)
from app.domain.rules.overlay import Resolve
from app.domain.rules.paths import facts_reaching, is_barred, reason_classes
from app.domain.rules.scalar import evaluate
from app.domain.rules.self_test import run_tests
from app.domain.rules.values import value_text
from app.domain.rules.writing import canonical_json, document_hash, document_json

__all__ = [
    "Answer",
    "Cell",
    "CellError",
    "CompiledRuleSet",
    "DocumentError",
    "Domain",
    "DowngradeStep",
    "Evaluation",
    "Finding",
    "Gap",
    "HitPolicy",
    "InputError",
    "JsonValue",
    "Limits",
    "Move",
    "Reason",
    "Resolve",
    "RuleSetDocument",
    "Stability",
    "Table",
    "canonical_json",
    "compile_rule_set",
    "document_hash",
    "document_json",
    "domain_of",
    "evaluate",
    "facts_reaching",
    "gap",
    "is_barred",
    "parse_cell",
    "parse_document",
    "print_cell",
    "reason_classes",
    "run_tests",
    "value_text",
]
