"""Boxes in the words of business people."""

import re

from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain
from app.domain.rules.findings import Box, Side

_DATE = re.compile(r"date\(([^()]*)\)")


def box_text(box: Box) -> str:
    """Say which customers a box holds: ``premium_ratio > 3, growth is missing``."""
    return ", ".join(_side_text(side) for side in box) or "every customer"


def _side_text(side: Side) -> str:
    cell, domain = side.cell, side.domain
    parts = _ordered_parts(cell, domain) if domain.is_ordered else _word_parts(cell, domain)
    if cell.has_null:
        parts.append("is missing")
    return f"{side.input} {' or '.join(parts)}"


def _ordered_parts(cell: Cell, domain: Domain) -> list[str]:
    if cell.spans == ((domain.low, domain.high),):
        return ["is known"]
    return [_span_text(span, domain) for span in cell.spans]


def _span_text(span: tuple[int, int], domain: Domain) -> str:
    printed = _DATE.sub(r"\1", print_cell(Cell(has_null=False, spans=(span,)), domain))
    if span[0] == span[1]:
        return f"= {printed}"
    return printed if printed[0] in "<>" else f"in {printed}"


def _word_parts(cell: Cell, domain: Domain) -> list[str]:
    left = () if domain.is_open else tuple(w for w in domain.words if w not in cell.words)
    if cell.others or (cell.words and not domain.is_open and len(left) < len(cell.words)):
        return [_none_of(cell.words if cell.others else left)]
    return [f"is {' or '.join(cell.words)}"] if cell.words else []


def _none_of(words: tuple[str, ...]) -> str:
    """Say a set by what it lacks."""
    if not words:
        return "is known"
    return f"is not {words[0]}" if len(words) == 1 else f"is neither {' nor '.join(words)}"
