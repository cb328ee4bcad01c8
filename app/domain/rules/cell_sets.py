"""A parsed cell is a set of values; this is the algebra of such sets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from app.domain.rules.domains import Domain

OTHER_TEXT = "any other text"

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted closed integer intervals, apart from each other by at least one value."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The values a cell accepts; equal sets over one domain are equal objects.

    An ordered domain uses ``spans``, the others ``words`` (in declared order, or sorted where
    the domain is open). ``others`` turns ``words`` round: every text except them.
    """

    has_null: bool
    spans: Spans = ()
    words: tuple[str, ...] = ()
    others: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no value at all, not even null, is accepted."""
        return not (self.has_null or self.spans or self.words or self.others)

    def holds(self, value: int | str | None) -> bool:
        """Whether a value of the cell's own domain is accepted; None is null."""
        if value is None:
            return self.has_null
        if isinstance(value, int):
            return any(low <= value <= high for low, high in self.spans)
        return (value in self.words) != self.others


def everything(domain: Domain) -> Cell:
    """Return the cell ``-``: every value, null included where the domain knows it."""
    if domain.is_ordered:
        return Cell(domain.nullable, spans=((domain.low, domain.high),))
    return Cell(domain.nullable, words=domain.words, others=domain.is_open)


def union(domain: Domain, left: Cell, right: Cell) -> Cell:
    """Return the values of either cell."""
    has_null = left.has_null or right.has_null
    if domain.is_ordered:
        return Cell(has_null, spans=_joined(left.spans + right.spans))
    if left.others and right.others:
        kept = set(left.words) & set(right.words)
    elif left.others:
        kept = set(left.words) - set(right.words)
    elif right.others:
        kept = set(right.words) - set(left.words)
    else:
        kept = set(left.words) | set(right.words)
    return Cell(has_null, words=_ordered(domain, kept), others=left.others or right.others)


def complement(domain: Domain, cell: Cell) -> Cell:
    """Return the domain without the cell's values and without null."""
    if domain.is_ordered:
        return Cell(has_null=False, spans=_between(domain, cell.spans))
    if domain.is_open:
        return Cell(has_null=False, words=cell.words, others=not cell.others)
    return Cell(has_null=False, words=tuple(w for w in domain.words if w not in cell.words))


def intersection(domain: Domain, left: Cell, right: Cell) -> Cell:
    """Return the values of both cells."""
    outside = union(domain, complement(domain, left), complement(domain, right))
    inside = complement(domain, outside)
    return Cell(left.has_null and right.has_null, inside.spans, inside.words, inside.others)


def first_value(cell: Cell) -> int | str | None:
    """Return the first value of a cell that is not empty, None for null alone."""
    if cell.spans:
        return cell.spans[0][0]
    if cell.others:
        return unnamed(cell.words)
    return cell.words[0] if cell.words else None


def unnamed(words: Collection[str]) -> str:
    """Return a text that is none of the words."""
    text = OTHER_TEXT
    while text in words:
        text += "."
    return text


def _ordered(domain: Domain, words: set[str]) -> tuple[str, ...]:
    if domain.is_open:
        return tuple(sorted(words))
    return tuple(word for word in domain.words if word in words)


def _joined(spans: Spans) -> Spans:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        # All ordered domains are integers, so [1..2] and [3..4] leave no gap between them.
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def _between(domain: Domain, spans: Spans) -> Spans:
    gaps: list[tuple[int, int]] = []
    start = domain.low
    for low, high in spans:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= domain.high:
        gaps.append((start, domain.high))
    return tuple(gaps)
