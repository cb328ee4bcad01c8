"""A workbook as plain data: sheets of cells, notes at cells, and lists to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias

SheetValue: TypeAlias = str | bool | int | Decimal | date | None
"""What a cell holds; numbers that were read are decimals, since a workbook has one kind."""

MAX_CHARACTERS = 32_767
MAX_COLUMNS = 16_384
MAX_TITLE = 31


@dataclass(frozen=True, slots=True)
class Choices:
    """A list to choose from in part of a column.

    ``rows`` are the first and the last row. ``source`` lists the answers, or names the cells that
    do (``$B$3:$D$3``). Where it is no rule but a hint, other answers may be typed.
    """

    column: int
    rows: tuple[int, int]
    source: tuple[str, ...] | str
    is_rule: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its rows from the top, each from the left; rows and columns count from 0.

    ``headings`` are the rows that stand out, the last of which stays in sight.
    """

    title: str
    rows: tuple[tuple[SheetValue, ...], ...]
    notes: Mapping[tuple[int, int], str] = field(default_factory=dict)
    choices: tuple[Choices, ...] = ()
    headings: tuple[int, ...] = (0,)


Workbook: TypeAlias = tuple[Sheet, ...]


def cell_name(row: int, column: int) -> str:
    """Return the name that a spreadsheet shows for a cell.

    >>> cell_name(0, 0), cell_name(6, 27)
    ('A1', 'AB7')
    """
    return f"{column_name(column)}{row + 1}"


def column_name(column: int) -> str:
    """Return the letters over a column."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
