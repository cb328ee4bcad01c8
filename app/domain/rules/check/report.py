"""Checking a whole document: everything that is wrong with it, or only not good."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.facts.model import Fact
from app.domain.rules.check.safety import unsafe
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError, Finding, Severity
from app.domain.rules.limits import Limits
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.overlay import Resolve
from app.domain.rules.self_test import run_tests

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found; the document and its unproved compilation where it could be read."""

    findings: tuple[Finding, ...]
    document: RuleSetDocument | None
    compiled: CompiledRuleSet | None

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def check_document(
    raw: Mapping[str, object],
    catalogue: Mapping[str, Fact],
    resolve: Resolve | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> CheckReport:
    """Check a document as YAML or JSON gives it; nothing that is wrong with it raises.

    ``resolve`` is that of `parse_document`. The document's own tests run only if the rule set
    is safe to execute.
    """
    try:
        document = parse_document(raw, catalogue, resolve)
    except DocumentError as error:
        return CheckReport(error.findings, None, None)
    compiled = compile_unproved(document, catalogue, limits)
    findings = check_compiled(compiled, limits)
    if all(finding.severity is not Severity.ERROR for finding in findings):
        findings += run_tests(compiled)
    return CheckReport(findings, document, compiled)


def check_compiled(
    compiled: CompiledRuleSet, limits: Limits = _DEFAULT_LIMITS
) -> tuple[Finding, ...]:
    """Return what is wrong with the tables and the scorecard of a compiled rule set."""
    return tuple(unsafe(compiled, limits))
