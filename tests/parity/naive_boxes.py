"""Counting inside boxes the plain way: one customer after the other, by the naive interpreter."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from app.domain.facts.model import Fact, FactValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.findings import Box
from tests.parity import naive_rules
from tests.parity.naive_rules import Raw


def counted_naively(
    raw: Raw, catalogue: Mapping[str, Fact], rows: Iterable[Raw], box: Box, table_id: str | None
) -> int:
    """Look at one customer after the other, and at one side after the other."""
    return sum(_is_inside(raw, catalogue, row, box, table_id) for row in rows)


def _is_inside(
    raw: Raw, catalogue: Mapping[str, Fact], row: Raw, box: Box, table_id: str | None
) -> bool:
    try:
        found = naive_rules.evaluate(raw, catalogue, row)
    except naive_rules.NaiveInputError:
        return False
    values: dict[str, Any] = {
        name: naive_rules.check(catalogue[name], row.get(name))
        for name in naive_rules.used(raw, catalogue)
    }
    values |= {f"dimension.{name}": score for name, score in found.dimensions.items()}
    values |= {"score": found.score, **found.outcomes}
    undecided: set[str] = set()
    for table in raw["tables"]:
        output = table["output"]["name"]
        missing = table["complete"] and found.outcomes[output] is None
        if missing or undecided & set(table["inputs"]):
            undecided.add(output)
        if table["id"] == table_id and undecided & set(table["inputs"]):
            return False
    return all(
        side.input not in undecided and _holds(side.cell, values[side.input]) for side in box
    )


def _holds(cell: Cell, value: FactValue) -> bool:
    if value is None:
        return cell.has_null
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, str):
        return (value in cell.words) != cell.others
    number = value.toordinal() if isinstance(value, date) else value
    return any(low <= number <= high for low, high in cell.spans)
