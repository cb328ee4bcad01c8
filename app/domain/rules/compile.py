"""Compiling a document that may decide: its tables are proved to keep what they claim."""

from collections.abc import Mapping

from app.domain.facts.model import Fact
from app.domain.rules.check.safety import unsafe
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import DocumentError
from app.domain.rules.limits import Limits
from app.domain.rules.model import RuleSetDocument

__all__ = ["compile_rule_set", "compile_unproved"]

_DEFAULT_LIMITS = Limits()


def compile_rule_set(
    document: RuleSetDocument, catalogue: Mapping[str, Fact], limits: Limits = _DEFAULT_LIMITS
) -> CompiledRuleSet:
    """Compile a document and prove what its tables claim.

    Raises DocumentError, with a witness each, if a complete table has a gap, rows of a ``unique``
    table overlap or rows of an ``any`` table contradict each other, and if a proof stays
    inconclusive. Scores and earlier outputs count as independent of each other and of the facts.
    """
    compiled = compile_unproved(document, catalogue, limits)
    findings = unsafe(compiled, limits)
    if findings:
        raise DocumentError(findings)
    return compiled
