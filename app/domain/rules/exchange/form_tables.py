"""Reading the sheets of tables, and the sheet of tests, of a workbook of forms."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

from app.domain.facts.model import Fact, FactType
from app.domain.rules.exchange import form
from app.domain.rules.exchange.grid import Grid, number_text
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.model import HitPolicy

_TEXT_TYPES = (FactType.ENUM, FactType.STRING)


def read_table(grid: Grid, days: frozenset[str]) -> dict[str, object]:
    """Return the raw table of a sheet."""
    for row, name in enumerate(form.TABLE_FIELDS):
        if grid.text(row, 0).strip() != name:
            grid.refuse((row, 0), "sheet-field", f"Here {name} is due.", f"Write {name}.")
        if row != form.VALUES_ROW:
            grid.nothing_right_of(row, 2)
    said = dict(zip(form.TABLE_FIELDS, range(len(form.TABLE_FIELDS)), strict=True))
    columns = grid.header(form.HEADER_ROW)
    for name in (form.RULE, form.THEN):
        if name not in columns:
            grid.refuse(
                (form.HEADER_ROW, 0),
                "sheet-column",
                f"There is no column {name}.",
                "Head the columns rule, the inputs, then.",
            )
    inputs = [name for name in columns if name not in (form.RULE, form.THEN)]
    return {
        "id": grid.text(said[form.TABLE], 1).strip(),
        "output": {"name": grid.text(said["output"], 1).strip(), "values": _values(grid)},
        "hit_policy": grid.text(said["hit_policy"], 1).strip() or HitPolicy.UNIQUE.value,
        "complete": _flag(grid, said["complete"]),
        "inputs": inputs,
        "rules": [_rule(grid, row, columns, days) for row in grid.filled_rows(form.HEADER_ROW + 1)],
    }


def _values(grid: Grid) -> list[object]:
    """Return the answers; the first empty cell is the last but for what stands behind it."""
    rows = grid.sheet.rows
    width = len(rows[form.VALUES_ROW]) if len(rows) > form.VALUES_ROW else 0
    columns = (column for column in range(1, width))
    return [
        grid.text(form.VALUES_ROW, column).strip()
        for column in columns
        if grid.at(form.VALUES_ROW, column) is not None
    ]


def _flag(grid: Grid, row: int) -> object:
    """Return true or false, typed or as text, false for an empty cell; else what it holds."""
    written = grid.text(row, 1).strip().lower()
    return {"true": True, "false": False, "": False}.get(written, written)


def _rule(
    grid: Grid, row: int, columns: Mapping[str, int], days: frozenset[str]
) -> dict[str, object]:
    grid.nothing_right_of(row, max(columns.values(), default=0) + 1)
    when: dict[str, object] = {}
    for name, column in columns.items():
        if name not in (form.RULE, form.THEN):
            cell = grid.condition(row, column, is_day=name in days)
            when.update({} if cell.strip() == "-" else {name: cell})
    return {
        "id": grid.text(row, columns.get(form.RULE, 0)).strip(),
        "when": when,
        "then": grid.text(row, columns.get(form.THEN, 0)).strip(),
    }


def read_tests(
    grid: Grid, tables: Sequence[Mapping[str, object]], catalogue: Mapping[str, Fact]
) -> list[dict[str, object]]:
    """Return the raw tests of their sheet."""
    sets = {
        output["name"]
        for table in tables
        if isinstance(output := table["output"], Mapping)
        and table["hit_policy"] == HitPolicy.COLLECT.value
    }
    given: dict[str, int] = {}
    expected: dict[str, int] = {}
    for heading, column in grid.header(0).items():
        if heading.startswith(form.IN):
            given[heading.removeprefix(form.IN)] = column
        elif heading.startswith(form.EXPECT):
            expected[heading.removeprefix(form.EXPECT)] = column
        else:
            grid.refuse(
                (0, column),
                "sheet-column",
                f"The column {escaped(heading[:60])} is not known here.",
                f"Head it {form.IN}<fact> or {form.EXPECT}<outcome>.",
            )
    tests: list[dict[str, object]] = []
    for row in grid.filled_rows(1):
        grid.nothing_right_of(row, max((*given.values(), *expected.values()), default=-1) + 1)
        facts = {name: _fact(grid, row, at, catalogue.get(name)) for name, at in given.items()}
        answers = {
            name: _answer(grid, row, column, is_set=name in sets)
            for name, column in expected.items()
            if grid.at(row, column) is not None
        }
        known = {name: value for name, value in facts.items() if value is not None}
        tests.append({"in": known, "expect": answers})
    return tests


def _fact(grid: Grid, row: int, column: int, fact: Fact | None) -> object:
    """Return the value of a fact as YAML would write it; None for an empty cell."""
    value = grid.at(row, column)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, date):
        is_day = fact is not None and fact.type is FactType.DATE
        return value.isoformat() if is_day else grid.text(row, column)
    if not isinstance(value, str):
        return number_text(value)
    if fact is not None and fact.type in _TEXT_TYPES and value.startswith('"'):
        return _unquoted(grid, (row, column), value)
    return value


def _unquoted(grid: Grid, place: tuple[int, int], value: str) -> str:
    try:
        text = json.loads(value)
        str(text).encode()
    except ValueError:
        text = None
    if isinstance(text, str):
        return text
    grid.refuse(
        place,
        "sheet-quotes",
        "The text begins with a quotation mark and is no quoted text.",
        "Write quotes on both sides, and escape signs in it as JSON does.",
    )
    return ""


def _answer(grid: Grid, row: int, column: int, *, is_set: bool) -> object:
    text = grid.text(row, column).strip()
    if is_set:
        return [] if text == form.NO_ANSWER else [part.strip() for part in text.split(",")]
    return None if text == form.NO_ANSWER else grid.integer(row, column)
