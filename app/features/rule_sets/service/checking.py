"""Checking any document, and telling how many real customers each finding is about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import CheckReport, check_document
from app.domain.rules.findings import Finding, Severity
from app.domain.rules.writing import document_hash
from app.domain.words import ALL
from app.features.rule_sets import repository
from app.features.rule_sets.service.frame import Headcount, Question, count_book
from app.features.rule_sets.service.uploads import read_upload
from app.features.rule_sets.service.versions import bases_of
from app.infra.database import Database
from app.infra.settings import Settings

T = TypeVar("T")

#: Proving keeps the interpreter busy and counting the disk, so a process does one of each at a
#: time: others wait, and what was begun for somebody who has gone holds up nobody but them.
_CHECKING: Final = ThreadPoolExecutor(1, "check")
_COUNTING: Final = ThreadPoolExecutor(1, "count")
#: Of the time that a request has, for counting: an answer without numbers is better than none.
_SHARE_OF_REQUEST: Final = 0.6
_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Uncounted(StrEnum):
    """Why no customers were counted."""

    NOT_ASKED = "not-asked"
    NOTHING_TO_COUNT = "nothing-to-count"
    BOOK_TOO_LARGE = "book-too-large"
    OUT_OF_TIME = "out-of-time"


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
    """What a check found, the worst first and of equal ones those that affect most customers.

    Either `counted` says among how many customers, or `uncounted` why among none. `hash` is that
    of the document, None where it cannot be read as one.
    """

    ok: bool
    hash: str | None
    findings: tuple[CheckedFinding, ...]
    counted: Counted | None = None
    uncounted: Uncounted | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How to count: where the copied rows may live, as of which day, and up to which bounds.

    Without `most_customers` any book is counted, without `seconds` for as long as it takes.
    """

    url: str
    folder: Path
    as_of: date
    most_customers: int | None = None
    seconds: float | None = None

    @classmethod
    def in_request(cls, database: Database, settings: Settings, today: date) -> Count:
        """How to count while somebody waits for an answer over HTTP."""
        own = database.engine.url.render_as_string(hide_password=False)
        direct = settings.direct_url
        return cls(
            url=own if direct is None else direct.get_secret_value(),
            folder=settings.data_dir,
            as_of=today,
            most_customers=settings.check_count_max_customers,
            seconds=settings.request_timeout_seconds * _SHARE_OF_REQUEST,
        )


async def check_upload(
    database: Database, body: bytes, media_type: str, *, count: Count | None
) -> Checked:
    """Check a document that somebody sent.

    What is wrong with a document that can be read is a finding; nothing of it is stored.

    Args:
        database: for what the document extends, and for the book.
        body: the document.
        media_type: what it is; see `read_upload`.
        count: how to count the customers affected; None to leave that.

    Raises:
        Invalid: `unsupported-media-type` or `document-unreadable`.
    """
    raw = await _in_turn(read_upload, body, media_type)
    return await check_raw(database, raw, count=count)


async def check_raw(
    database: Database, raw: Mapping[str, object], *, count: Count | None
) -> Checked:
    """Check a document that was read already; see `check_upload`."""
    # No connection is held while the document is proved: that takes seconds.
    async with database.sessions() as session:
        bases = await bases_of(session, raw)
    report, hash_ = await _in_turn(_report, raw, bases)
    if count is None:
        return _told(report, hash_, Uncounted.NOT_ASKED)
    return _told(report, hash_, await _counted(database, report, count), count.as_of)


def _report(
    raw: Mapping[str, object], bases: Mapping[str, Mapping[str, object]]
) -> tuple[CheckReport, str | None]:
    report = check_document(raw, CATALOGUE, bases.__getitem__)
    return report, None if report.document is None else document_hash(report.document)


async def _in_turn(work: Callable[..., T], *arguments: object) -> T:
    """Do what keeps the interpreter busy when those who came before are done."""
    return await asyncio.get_running_loop().run_in_executor(_CHECKING, partial(work, *arguments))


async def _counted(database: Database, report: CheckReport, count: Count) -> Headcount | Uncounted:
    boxes = tuple((found.box, found.table) for found in report.findings if found.box is not None)
    if report.compiled is None or not boxes:
        return Uncounted.NOTHING_TO_COUNT
    async with database.sessions() as session:
        if count.most_customers is not None and await repository.has_more_customers(
            session, count.most_customers
        ):
            return Uncounted.BOOK_TOO_LARGE
        in_force = await repository.list_in_force(session, count.as_of)
    # The document's own line has a rule set once the document is in force, and so must `all`.
    lines = {stored.product_line for stored in in_force}
    own = report.compiled.document.product_line
    question = Question(report.compiled, frozenset({*lines, own, ALL}), boxes, count.as_of)
    return await _headcount(count, question)


async def _headcount(count: Count, question: Question) -> Headcount | Uncounted:
    """Count in a thread, which stops at the next batch once nobody waits for it any longer."""
    stopped = Event()
    try:
        async with asyncio.timeout(count.seconds):
            found = await asyncio.get_running_loop().run_in_executor(
                _COUNTING, count_book, count.url, count.folder, question, stopped.is_set
            )
    except TimeoutError:
        return Uncounted.OUT_OF_TIME
    finally:
        stopped.set()
    return Uncounted.OUT_OF_TIME if found is None else found


def _told(
    report: CheckReport,
    hash_: str | None,
    found: Headcount | Uncounted,
    as_of: date | None = None,
) -> Checked:
    inside = iter(found.inside if isinstance(found, Headcount) else ())
    findings = [
        CheckedFinding(finding, None if finding.box is None else next(inside, None))
        for finding in report.findings
    ]
    counted = None
    if isinstance(found, Headcount) and as_of is not None:
        counted = Counted(found.customers, as_of)
    return Checked(
        ok=report.ok,
        hash=hash_,
        findings=by_effect(findings),
        counted=counted,
        uncounted=found if isinstance(found, Uncounted) else None,
    )


def by_effect(findings: list[CheckedFinding]) -> tuple[CheckedFinding, ...]:
    """The findings, the worst first, of equal ones those that affect most customers."""

    def rank(found: CheckedFinding) -> tuple[int, int]:
        affected = -1 if found.affected is None else found.affected
        return _RANKS[found.finding.severity], -affected

    return tuple(sorted(findings, key=rank))
