"""Counting inside boxes the plain way: one customer after the other, by the naive interpreter.

What a customer is does not depend on the box, so he is evaluated once for all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.facts.model import Fact, FactValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.findings import Box
from tests.parity import naive_rules
from tests.parity.naive_rules import Raw


@dataclass(frozen=True)
class Seen:
    """A customer as the tables see him: the value of every input, and the inputs that have none."""

    values: Mapping[str, Any]
    undecided: frozenset[str]
    readable: frozenset[str]
    """The tables all of whose inputs have a value."""


def seen_naively(raw: Raw, catalogue: Mapping[str, Fact], rows: Iterable[Raw]) -> list[Seen]:
    """Evaluate one customer after the other, once each; whose facts are wrong is seen by no box."""
    found = (_seen(raw, catalogue, row) for row in rows)
    return [one for one in found if one is not None]


def counted_naively(seen: Iterable[Seen], box: Box, table_id: str | None) -> int:
    """Look at one customer after the other, and at one side after the other."""
    return sum(_is_inside(one, box, table_id) for one in seen)


def _seen(raw: Raw, catalogue: Mapping[str, Fact], row: Raw) -> Seen | None:
    try:
        found = naive_rules.evaluate(raw, catalogue, row)
    except naive_rules.NaiveInputError:
        return None
    values: dict[str, Any] = {
        name: naive_rules.check(catalogue[name], row.get(name))
        for name in naive_rules.used(raw, catalogue)
    }
    values |= {f"dimension.{name}": score for name, score in found.dimensions.items()}
    values |= {"score": found.score, **found.outcomes}
    undecided: set[str] = set()
    readable: set[str] = set()
    for table in raw["tables"]:
        output = table["output"]["name"]
        if not undecided & set(table["inputs"]):
            readable.add(table["id"])
        missing = table["complete"] and found.outcomes[output] is None
        if missing or table["id"] not in readable:
            undecided.add(output)
    return Seen(values, frozenset(undecided), frozenset(readable))


def _is_inside(one: Seen, box: Box, table_id: str | None) -> bool:
    if table_id is not None and table_id not in one.readable:
        return False
    return all(
        side.input not in one.undecided and _holds(side.cell, one.values[side.input])
        for side in box
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
