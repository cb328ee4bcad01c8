"""Counting the customers of the book inside the boxes of a check's findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from app.domain.facts.frame import ArrowStream, facts_frame
from app.domain.rules.check.frame import count_inside
from app.domain.tiering.frame import deciding_line
from app.features.rule_sets.service.counting import Headcount, Question
from app.infra.book import open_book


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
