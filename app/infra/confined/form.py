"""XLSX workbooks that are forms: all sheets, with the types of their cells and nothing clever."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any, Final, TypeAlias

import python_calamine as calamine

from app.infra.confined.judge import Judgement, damaged, judge
from app.infra.confined.refusal import Refused
from app.infra.confined.workbook import BROKEN, LARGEST_EXACT, LONGEST_TEXT

_UNPACKED_BYTES: Final = 64 << 20
_CELLS: Final = 1_000_000
_SHEETS: Final = 300

Written: TypeAlias = str | bool | dict[str, str] | None


def read(order: dict[str, Any], out: IO[bytes]) -> None:
    """Write every sheet with its title and rows, whose cells are text, boolean, number or day.

    Raises:
        Refused: it is no workbook, has macros, formulas or merged cells, or is too large.
    """
    try:
        with zipfile.ZipFile(order["path"]) as package:
            judgement = judge(package, unpacked_bytes=_UNPACKED_BYTES, cells=_CELLS)
        with calamine.CalamineWorkbook.from_path(order["path"]) as book:
            if len(book.sheets_metadata) > _SHEETS:
                what = f"a workbook of more than {_SHEETS} sheets"
                raise Refused("", what, "keep to the sheets of one rule set")
            sheets: list[dict[str, object]] = []
            room = _CELLS
            for position in range(len(book.sheets_metadata)):
                title, rows = _sheet(book, judgement, position)
                room -= sum(len(row) + 1 for row in rows)
                _require_room(room)
                sheets.append({"title": title, "rows": rows})
    except calamine.PasswordError:
        raise Refused("", "it is encrypted", "save it without a password") from None
    except BROKEN:
        raise damaged() from None
    out.write(json.dumps(sheets).encode())


def _require_room(room: int) -> None:
    if room < 0:
        raise Refused("", f"sheets of more than {_CELLS:,} cells", "clear what is not needed")


def _sheet(
    book: calamine.CalamineWorkbook, judgement: Judgement, position: int
) -> tuple[str, list[list[Written]]]:
    known = book.sheets_metadata[position]
    try:
        _require_cells(known)
        judgement.check_plain(position)
        rows = book.get_sheet_by_index(position).to_python(skip_empty_area=False)
        written = [_row(values, row) for row, values in enumerate(rows, 1)]
    except Refused as refused:
        # A form's sheets bear the names that whoever filled it in sees.
        title = "".join(sign if sign.isprintable() else "?" for sign in known.name)
        place = f"sheet {title}, {refused.place}" if refused.place else f"sheet {title}"
        raise Refused(place, refused.what, refused.remedy) from None
    return known.name, written


def _require_cells(known: calamine.SheetMetadata) -> None:
    if known.typ != calamine.SheetTypeEnum.WorkSheet:
        raise Refused("", "it is no sheet of cells", "remove it")


def _row(values: Sequence[object], row: int) -> list[Written]:
    """The cells of a row up to the last that holds anything."""
    cells = [_cell(value, row, column) for column, value in enumerate(values, 1)]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _cell(value: object, row: int, column: int) -> Written:
    if value == "" or isinstance(value, bool):
        return None if value == "" else bool(value)
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value
    if isinstance(value, float | int) and abs(value) < LARGEST_EXACT:
        return {"number": format(Decimal(repr(value)), "f")}
    is_whole = not (isinstance(value, datetime) and value.time() != time())
    if isinstance(value, date) and is_whole:
        return {"day": date(value.year, value.month, value.day).isoformat()}
    if isinstance(value, float | int):
        what = "a number of more than 15 digits, of which a workbook keeps 15"
    elif isinstance(value, str):
        what = f"a text of more than {LONGEST_TEXT:,} characters"
    else:
        what = "a time of day, or a span of time"
    raise Refused(f"row {row}, column {column}", what, "format the cell as text and type it again")
