"""What a simulation decides by: everything that decides before, and everything after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import SensitivityClass
from app.domain.rules.check import check_compiled
from app.domain.rules.check.frame import BoxCounter
from app.domain.rules.compile import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Finding
from app.domain.rules.objectives import with_objective
from app.domain.rules.writing import document_hash
from app.features.rule_sets.service import RuleSet

DRAFT: Final = None
"""Stands where a version would, of a document that is not stored as one."""

MOST_FINDINGS: Final = 300
"""Findings of one candidate whose customers are counted."""


@dataclass(frozen=True, slots=True)
class Decider:
    """A rule set that decides, stored as a version or not."""

    rule_set_id: str
    version: int | None
    hash: str
    compiled: CompiledRuleSet

    @property
    def product_line(self) -> str:
        """The line it decides for."""
        return self.compiled.document.product_line

    @classmethod
    def of_version(cls, rule_set: RuleSet) -> Decider:
        """A stored version."""
        stored = rule_set.stored
        return cls(stored.rule_set_id, stored.version, stored.hash, rule_set.compiled)

    @classmethod
    def of_document(cls, compiled: CompiledRuleSet) -> Decider:
        """A document by itself."""
        document = compiled.document
        return cls(document.id, DRAFT, document_hash(document), compiled)


@dataclass(frozen=True, slots=True)
class Boxed:
    """Findings that are about some customers, who are counted; the most severe first.

    `unlisted` says how many there are besides, for whom nobody is counted, and `classes` of which
    sensitivity the facts are that their rule set reads.
    """

    findings: tuple[Finding, ...] = ()
    unlisted: int = 0
    classes: tuple[SensitivityClass, ...] = ()

    @classmethod
    def of(cls, compiled: CompiledRuleSet) -> Boxed:
        """What the check finds, which may take seconds."""
        boxed = [finding for finding in check_compiled(compiled) if finding.box is not None]
        boxed.sort(key=lambda finding: finding.severity.rank)
        classes = sorted({SensitivityClass(fact.sensitivity) for fact in compiled.facts})
        unlisted = max(0, len(boxed) - MOST_FINDINGS)
        return cls(tuple(boxed[:MOST_FINDINGS]), unlisted, tuple(classes))

    def counter(self, compiled: CompiledRuleSet) -> BoxCounter:
        """What counts the customers of each finding, in their order."""
        boxes = [finding.box or () for finding in self.findings]
        return BoxCounter.of(compiled, boxes, [finding.table for finding in self.findings])


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides for each product line before and after, on one business day.

    Args:
        as_of: the business day.
        line: the line the candidate decides for.
        before: by product line, with the baseline.
        after: likewise, with the candidate.
        objectives: the candidate weighed by other profiles of its own.
        boxed: what the check finds of the candidate.
        counter: counts customers of these findings.
    """

    as_of: date
    line: str
    before: Mapping[str, Decider]
    after: Mapping[str, Decider]
    objectives: Mapping[str, CompiledRuleSet]
    boxed: Boxed
    counter: BoxCounter

    def is_candidate(self, decider: Decider) -> bool:
        """Whether what decides after is the candidate."""
        return decider is self.after[self.line]


def make_plan(
    candidate: Decider,
    baseline: Decider,
    others: Mapping[str, Decider],
    *,
    objectives: Sequence[str],
    as_of: date,
) -> Plan:
    """The plan of a candidate against a baseline.

    Args:
        candidate: decides for its line after.
        baseline: decides for its line before.
        others: what decides for the lines that neither is made for.
        objectives: names of other profiles of the candidate.
        as_of: the business day.

    Raises:
        Invalid: `unknown-objective`.
    """
    document = candidate.compiled.document
    before = {**others, baseline.product_line: baseline}
    boxed = Boxed.of(candidate.compiled)
    return Plan(
        as_of=as_of,
        line=candidate.product_line,
        before=before,
        after={**before, candidate.product_line: candidate},
        objectives={
            # What is proved of the candidate is proved under each of its objectives.
            name: compile_unproved(with_objective(document, name), CATALOGUE)
            for name in objectives
        },
        boxed=boxed,
        counter=boxed.counter(candidate.compiled),
    )
