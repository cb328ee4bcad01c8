"""XLSX workbooks as rows of text: one sheet, judged before a library reads it.

Cells become the texts a CSV file would hold: numbers and days in full, booleans as true and false.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import IO, Any, Final

import python_calamine as calamine

from app.infra.confined.judge import damaged, judge
from app.infra.confined.refusal import Refused

LARGEST_EXACT: Final = 10**15
#: What Excel itself lets a cell hold.
LONGEST_TEXT: Final = 32_767
#: How much is handed on at once.
_LINE_ROWS: Final = 512
_LINE_CHARACTERS: Final = 1 << 20

#: What libraries say of an archive that is cut, changed or made up.
BROKEN: Final = (
    calamine.CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)


def examine(order: dict[str, Any], out: IO[bytes]) -> None:
    """Judge a workbook, and write the names of its columns, which are merged, and if rows follow.

    Raises:
        Refused: it is no workbook, has macros, is too large, or shows values that it does not hold,
            as zeros in front of a number.
    """
    path, name, limits = order["path"], order["sheet"], order["limits"]
    try:
        with zipfile.ZipFile(path) as package:
            judgement = judge(
                package, unpacked_bytes=limits["unpacked_bytes"], cells=limits["cells"]
            )
        with calamine.CalamineWorkbook.from_path(path) as book:
            position = _position(book, name)
            judgement.check(position)
            sheet = book.get_sheet_by_index(position)
            rows = _rows(sheet)
            names = [cell.strip() for cell in next(rows, [])]
            found = {
                "names": names,
                "merged": _merged_columns(sheet, len(names)),
                "has_rows": next(rows, None) is not None,
            }
    except calamine.PasswordError:
        raise Refused("", "it is encrypted", "save it without a password") from None
    except BROKEN:
        raise damaged() from None
    out.write(json.dumps(found).encode())


def read(order: dict[str, Any], out: IO[bytes]) -> None:
    """Write the rows of a sheet that hold anything, header first; each line is a list of rows.

    Raises:
        Refused: it is damaged, or a cell holds what cannot be told as text.
    """
    try:
        with calamine.CalamineWorkbook.from_path(order["path"]) as book:
            sheet = book.get_sheet_by_index(_position(book, order["sheet"]))
            for rows in _portions(_rows(sheet)):
                out.write(json.dumps(rows).encode() + b"\n")
    except calamine.CalamineError:
        raise damaged() from None


def _portions(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    held: list[list[str]] = []
    characters = 0
    for row in rows:
        held.append(row)
        characters += sum(map(len, row))
        if len(held) >= _LINE_ROWS or characters >= _LINE_CHARACTERS:
            yield held
            held, characters = [], 0
    if held:
        yield held


def _position(book: calamine.CalamineWorkbook, name: str | None) -> int:
    kinds = (sheet.typ == calamine.SheetTypeEnum.WorkSheet for sheet in book.sheets_metadata)
    places = [place for place, is_table in enumerate(kinds) if is_table]
    if name is not None:
        places = [place for place in places if book.sheets_metadata[place].name == name]
    if not places:
        remedy = "name one of its sheets in the mapping (source: sheet)"
        raise Refused("", "the sheet is not in the workbook", remedy)
    return places[0]


def _merged_columns(sheet: calamine.CalamineSheet, width: int) -> Sequence[int]:
    """Columns, from 1, whose cell in the header is merged into its neighbour."""
    first_row, first_column = sheet.start or (0, 0)
    # How many merged ranges begin and end at a column; there may be any number of them.
    steps = [0] * (width + 1)
    for start, end in sheet.merged_cell_ranges or []:
        if start[0] <= first_row <= end[0]:
            low, high = start[1] + 1 - first_column, end[1] + 1 - first_column
            steps[min(max(low, 0), width)] += 1
            steps[min(max(high, 0), width)] -= 1
    return [column for column, covers in enumerate(accumulate(steps), 1) if covers]


def _rows(sheet: calamine.CalamineSheet) -> Iterator[list[str]]:
    """The rows of a sheet that hold anything, as texts."""
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [_text(cell, number) for cell in row]
        if any(cells):
            yield cells


def _text(cell: object, row: int) -> str:
    """A cell as a CSV file would hold it."""
    if isinstance(cell, str):
        if len(cell) > LONGEST_TEXT:
            what = f"a cell of more than {LONGEST_TEXT:,} characters"
            raise Refused(f"row {row} of the sheet", what, "shorten it")
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float | int):
        return _number(float(cell), row)
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _number(value: float, row: int) -> str:
    if abs(value) >= LARGEST_EXACT:
        what = "a number of more than 15 digits, of which a workbook keeps 15"
        remedy = "format the column as text and enter the values again"
        raise Refused(f"row {row} of the sheet", what, remedy)
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
