"""Checking a whole document: everything that is wrong with it, or only not good."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from app.domain.facts.model import Fact
from app.domain.rules.check.answers import dead_findings, outcome_findings, shadow_findings
from app.domain.rules.check.cover import InconclusiveError
from app.domain.rules.check.hygiene import hygiene_findings
from app.domain.rules.check.meetings import overlap_findings
from app.domain.rules.check.reach import Examined, examine
from app.domain.rules.check.safety import UNSAFE, inconclusive, proved_gaps, unsafe
from app.domain.rules.check.trends import trend_findings
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import Reading, read_document
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


@dataclass(frozen=True, slots=True)
class Proof:
    """All that is proved of a document, the same every time: steps bound it, and never the clock.

    Of ``findings`` errors keep it from being published, ``unsafe`` are those that keep it from
    being executed at all, and ``failing`` are its own tests that fail, run only if it is safe.
    """

    findings: tuple[Finding, ...]
    unsafe: tuple[Finding, ...]
    failing: tuple[Finding, ...]


def prove(compiled: CompiledRuleSet, limits: Limits = _DEFAULT_LIMITS) -> Proof:
    """Check a compiled rule set, and run its tests if it is safe to execute."""
    findings = check_compiled(compiled, limits)
    # Claims that do not hold are among the findings: without one of these there are none.
    if any(f.severity is Severity.ERROR and f.code in UNSAFE for f in findings):
        return Proof(findings, tuple(unsafe(compiled, limits)), ())
    return Proof(findings, (), run_tests(compiled))


def check_document(
    raw: Mapping[str, object],
    catalogue: Mapping[str, Fact],
    resolve: Resolve | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> CheckReport:
    """Check a document as YAML or JSON gives it; nothing that is wrong with it raises.

    ``resolve`` is that of `parse_document`. What cannot be read hides nothing of the rest: tables
    that could be read are checked, and each that is not is told as ``not-checked``. The document's
    own tests run only if the rule set is safe to execute.
    """
    try:
        reading = read_document(raw, catalogue, resolve)
    except DocumentError as error:
        return CheckReport(error.findings, None, None)
    if reading.findings:
        return CheckReport(
            (*reading.findings, *_of_the_rest(reading, catalogue, limits)), None, None
        )
    document = reading.document
    compiled = compile_unproved(document, catalogue, limits)
    proof = prove(compiled, limits)
    return CheckReport(proof.findings + proof.failing, document, compiled)


def _of_the_rest(
    reading: Reading, catalogue: Mapping[str, Fact], limits: Limits
) -> Iterator[Finding]:
    """Yield what is found in a document beside its errors of form."""
    part = reading.understood
    yield from part.remarks
    yield from trend_findings(reading.characteristics, reading.document.domains)
    compiled = compile_unproved(part.document, {**catalogue, **part.given}, limits)
    yield from part.placed(_decision_findings(compiled, limits, part.given))


def check_compiled(
    compiled: CompiledRuleSet, limits: Limits = _DEFAULT_LIMITS
) -> tuple[Finding, ...]:
    """Return what is wrong with the tables and the scorecard of a compiled rule set.

    The same rule set gives the same findings in the same order: table by table, errors and advice
    as they come.
    """
    document = compiled.document
    findings = trend_findings(document.characteristics, document.domains)
    return (*findings, *_decision_findings(compiled, limits))


def _decision_findings(
    compiled: CompiledRuleSet, limits: Limits, given: Collection[str] = ()
) -> list[Finding]:
    """Return what is wrong with the tables, and with what is known of the scores they read."""
    examination = examine(compiled, limits)
    witnesses = Witnesses(examination, given)
    findings: list[Finding] = []
    if not examination.scores.is_exact:
        findings.append(_too_many_shared_facts())
    for examined in examination.tables:
        findings += _table_findings(examined, witnesses)
    return findings


def _table_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    grid = examined.grid
    findings = proved_gaps(examined, witnesses)
    findings += overlap_findings(examined, witnesses)
    try:
        findings += dead_findings(examined, witnesses)
        findings += shadow_findings(examined, witnesses)
        findings += outcome_findings(examined, witnesses.examination)
    except InconclusiveError:
        findings.append(inconclusive(grid, "that every row and every outcome is reached"))
    return findings + hygiene_findings(examined, witnesses)


def _too_many_shared_facts() -> Finding:
    return Finding(
        "scorecard.characteristics",
        "inconclusive",
        "So many facts count in several dimensions that the reachable scores are not known.",
        "Let each fact count in one dimension.",
    )
