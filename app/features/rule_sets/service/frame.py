"""Counting the customers of the book inside the boxes of a check's findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from app.domain.facts.frame import ArrowStream, facts_frame
from app.domain.rules.check.frame import count_inside
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Box
from app.domain.tiering.frame import deciding_line
from app.infra.book import open_book


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


def count_book(
    url: str, folder: Path, question: Question, is_stopped: Callable[[], bool]
) -> Headcount | None:
    """Count over the whole book, batch by batch; None where it was stopped on the way.

    It takes seconds and some hundred megabytes at most, whatever the size of the book, and waits
    for the database, so it belongs into a thread.
    """
    found = Headcount(0, (0,) * len(question.boxes))
    with open_book(url, folder) as book:
        for batch in book.batches(question.as_of):
            if is_stopped():
                return None
            here = count_batch(batch.facts, question)
            inside = (a + b for a, b in zip(found.inside, here.inside, strict=True))
            found = Headcount(found.customers + here.customers, tuple(inside))
    return found


def count_batch(facts: ArrowStream, question: Question) -> Headcount:
    """Count some customers."""
    line = question.compiled.document.product_line
    own = facts_frame(facts).filter(deciding_line(question.lines) == pl.lit(line))
    boxes = [box for box, _ in question.boxes]
    tables = [table for _, table in question.boxes]
    return Headcount(own.height, tuple(count_inside(question.compiled, own, boxes, tables)))
