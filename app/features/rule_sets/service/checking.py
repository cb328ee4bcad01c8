"""Checking any document, and telling how many real customers each finding is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import SensitivityClass
from app.domain.rules.check import CheckReport, check_document
from app.domain.rules.compile import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.writing import document_hash
from app.features.rule_sets.service.counting import (
    Count,
    Headcount,
    Uncounted,
    count_inside_boxes,
)
from app.features.rule_sets.service.reading import in_turn, read_body
from app.features.rule_sets.service.versions import bases_of
from app.infra.database import Database
from app.infra.prover import Prove


@dataclass(frozen=True, slots=True)
class Counted:
    """How many customers the document would decide for, by their facts of a business day."""

    customers: int
    as_of: date


@dataclass(frozen=True, slots=True)
class CheckedFinding:
    """A finding, and how many customers its box holds; None where that was not counted."""

    finding: Finding
    affected: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, in the order of the document.

    Either `counted` says among how many customers, or `uncounted` why among none. `hash` is that
    of the document, None where it cannot be read as one, `tests` how many it carries, and `classes`
    the sensitivity classes of the facts that it reads.
    """

    ok: bool
    hash: str | None
    found: tuple[CheckedFinding, ...]
    tests: int = 0
    classes: frozenset[SensitivityClass] = frozenset()
    counted: Counted | None = None
    uncounted: Uncounted | None = None

    @property
    def findings(self) -> tuple[CheckedFinding, ...]:
        """The worst first, and of equal ones those that affect most customers."""
        return self.by_effect()

    def by_effect(self, unit: int = 1) -> tuple[CheckedFinding, ...]:
        """The same by full units of customers: who is told no more learns no more by the order."""

        def rank(each: CheckedFinding) -> tuple[int, int]:
            affected = -1 if each.affected is None else each.affected // unit
            return each.finding.severity.rank, -affected

        return tuple(sorted(self.found, key=rank))


async def check_upload(
    database: Database, body: bytes, media_type: str, *, count: Count | None, prove: Prove
) -> Checked:
    """Check a document that somebody sent.

    What is wrong with a document that can be read is a finding; nothing of it is stored.

    Args:
        database: for what the document extends, and for the book.
        body: the document.
        media_type: what it is; see `read_upload`.
        count: how to count the customers affected; None to leave that.
        prove: proves it.

    Raises:
        Invalid: `unsupported-media-type` or `document-unreadable`.
    """
    try:
        raw = await read_body(body, media_type)
    except DocumentError as error:
        # A workbook or model that can be read, and says what no document does.
        return _unread(error.findings, count)
    return await check_raw(database, raw, count=count, prove=prove)


async def check_raw(
    database: Database, raw: Mapping[str, object], *, count: Count | None, prove: Prove
) -> Checked:
    """Check a document that was read already; see `check_upload`."""
    # No connection is held while the document is proved, which may take seconds.
    async with database.sessions() as session:
        bases = await bases_of(session, raw)
    try:
        compiled, hash_ = await in_turn(_compile, raw, bases)
    except DocumentError:
        # What can be read of it is checked all the same, here: nobody can decide by a part.
        report = await in_turn(check_document, raw, CATALOGUE, bases.__getitem__)
        return _unread(report.findings, count)
    proof = await prove(compiled.document)
    report = CheckReport(proof.findings + proof.failing, compiled.document, compiled)
    if count is None:
        return _told(report, hash_, Uncounted.NOT_ASKED)
    boxed = tuple((each.box, each.table) for each in report.findings if each.box is not None)
    found = await count_inside_boxes(database, compiled, boxed, count)
    if isinstance(found, Uncounted):
        return _told(report, hash_, found)
    return _counted(report, hash_, found, count.as_of)


def _compile(
    raw: Mapping[str, object], bases: Mapping[str, Mapping[str, object]]
) -> tuple[CompiledRuleSet, str]:
    document = parse_document(raw, CATALOGUE, bases.__getitem__)
    return compile_unproved(document, CATALOGUE), document_hash(document)


def _unread(findings: tuple[Finding, ...], count: Count | None) -> Checked:
    """What is told of what cannot be read as a document."""
    why = Uncounted.NOT_ASKED if count is None else Uncounted.NOTHING_TO_COUNT
    return _told(CheckReport(findings, None, None), None, why)


def _told(report: CheckReport, hash_: str | None, uncounted: Uncounted) -> Checked:
    found = tuple(map(CheckedFinding, report.findings))
    return Checked(report.ok, hash_, found, _tests(report), uncounted=uncounted)


def _counted(report: CheckReport, hash_: str | None, count: Headcount, as_of: date) -> Checked:
    inside = iter(count.inside)
    found = tuple(
        CheckedFinding(each, None if each.box is None else next(inside)) for each in report.findings
    )
    counted = Counted(count.customers, as_of)
    return Checked(report.ok, hash_, found, _tests(report), _classes(report), counted)


def _tests(report: CheckReport) -> int:
    return 0 if report.document is None else len(report.document.tests)


def _classes(report: CheckReport) -> frozenset[SensitivityClass]:
    facts = () if report.compiled is None else report.compiled.facts
    return frozenset(SensitivityClass(fact.sensitivity) for fact in facts)
