"""Counting real customers inside boxes, one request at a time, for as long as somebody waits."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Final

from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Box
from app.domain.words import ALL
from app.features.rule_sets import repository
from app.infra.database import Database
from app.infra.settings import Settings

#: One counts at a time in a process: each takes some hundred megabytes, and all of the disk.
_COUNTING: Final = ThreadPoolExecutor(1, "count")
#: Of the time that a request has: an answer without numbers is better than none.
_SHARE_OF_REQUEST: Final = 0.6


class Uncounted(StrEnum):
    """Why no customers were counted."""

    NOT_ASKED = "not-asked"
    NOTHING_TO_COUNT = "nothing-to-count"
    BOOK_TOO_LARGE = "book-too-large"
    OUT_OF_TIME = "out-of-time"


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to count: the customers that a rule set decides for, by the lines that have one.

    ``boxes`` come with the tables that they are of.
    """

    compiled: CompiledRuleSet
    lines: frozenset[str]
    boxes: tuple[tuple[Box, str | None], ...]
    as_of: date


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many customers the rule set decides for, and how many of them each box holds."""

    customers: int
    inside: tuple[int, ...]


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


async def count_inside_boxes(
    database: Database,
    compiled: CompiledRuleSet,
    boxes: tuple[tuple[Box, str | None], ...],
    count: Count,
) -> Headcount | Uncounted:
    """Count the customers inside each box, of those whom the rule set would decide for.

    Nobody is counted, and no row read, where there is no box or the book is too large.
    """
    if not boxes:
        return Uncounted.NOTHING_TO_COUNT
    async with database.sessions() as session:
        if count.most_customers is not None and await repository.has_more_customers(
            session, count.most_customers
        ):
            return Uncounted.BOOK_TOO_LARGE
        in_force = await repository.list_in_force(session, count.as_of)
    # The document's own line has a rule set once the document is in force, and so must `all`.
    lines = {stored.product_line for stored in in_force} | {compiled.document.product_line, ALL}
    return await _headcount(count, Question(compiled, frozenset(lines), boxes, count.as_of))


async def _headcount(count: Count, question: Question) -> Headcount | Uncounted:
    """Count in a thread, which stops at the next batch once nobody waits for it any longer."""
    # What reads a book takes a second to import and much memory: only who counts needs it.
    from app.features.rule_sets.service.frame import count_book

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
