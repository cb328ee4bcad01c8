"""Boxes in the words of business people."""

import re

from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain, Kind
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
    return f"{side.input} {' or '.join(parts) or 'has no value at all'}"


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
    if cell.others:
        return [f"is not {_listed(cell.words)}" if cell.words else "is known"]
    if not cell.words:
        return []
    if domain.is_open:
        return [f"is {_listed(cell.words)}"]
    left = tuple(word for word in domain.words if word not in cell.words)
    if not left:
        return ["is known"]
    if domain.kind is not Kind.BOOL and len(left) < len(cell.words):
        return [f"is not {_listed(left)}"]
    return [f"is {_listed(cell.words)}"]


def _listed(words: tuple[str, ...]) -> str:
    """List words; beside other conditions, ``A or B`` would be read wrongly after ``not``."""
    return "/".join(words)
