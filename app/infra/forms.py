"""Workbooks of forms as XLSX: written with lists to choose from and notes, read in a child process.

No cell is a formula, whatever its text begins with, and the same workbook is the same bytes.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from app.domain.rules.exchange.workbook import Choices, Sheet, SheetValue, Workbook
from app.domain.rules.findings import DocumentError, Finding
from app.infra.confined import Refused, confined
from app.infra.documents import UnreadableError

#: What spreadsheets let a list in a cell be long that names its answers itself.
_LONGEST_LIST: Final = 255
_WIDTH: Final = 18
#: A workbook says when it was made. Ours are made of what never changes, and never change.
_MADE_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)


def write_form(workbook: Workbook) -> bytes:
    """The bytes of an XLSX workbook; no text or row may be larger than a sheet holds."""
    # Whoever reads a form, or no form at all, need not wait for what writes them.
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"created": _MADE_AT.replace(tzinfo=None)})
    formats = {
        # Typed into a cell of text, 1-3 stays what it is and = begins no formula.
        "text": book.add_format({"num_format": "@"}),
        "heading": book.add_format({"bold": True, "num_format": "@", "bg_color": "#E7EDF3"}),
    }
    for sheet in workbook:
        _write_sheet(book.add_worksheet(sheet.title), sheet, formats)
    book.close()
    return file.getvalue()


def _write_sheet(page: Any, sheet: Sheet, formats: Mapping[str, Any]) -> None:  # noqa: ANN401 - the library is untyped.
    width = max(map(len, sheet.rows), default=1)
    page.set_column(0, max(width - 1, 0), _WIDTH, formats["text"])
    page.freeze_panes(sheet.headings[-1] + 1, 0)
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{len(sheet.rows) + 1}"})
    for row, values in enumerate(sheet.rows):
        heading = formats["heading"] if row in sheet.headings else None
        for column, value in enumerate(values):
            if value is not None:
                style = formats["text"] if isinstance(value, str) else None
                _write_cell(page, (row, column), value, heading or style)
    for (row, column), note in sheet.notes.items():
        page.write_comment(row, column, note, {"x_scale": 2.5, "y_scale": 2, "author": ""})
    for choices in sheet.choices:
        _offer(page, choices)


def _write_cell(page: Any, place: tuple[int, int], value: SheetValue, style: Any) -> None:  # noqa: ANN401 - the library is untyped.
    if isinstance(value, bool):
        refused = page.write_boolean(*place, value, style)
    elif isinstance(value, str):
        refused = page.write_string(*place, value, style)
    else:
        refused = page.write_number(*place, value, style)
    if refused:
        message = "a sheet cannot hold this cell"
        raise ValueError(message)


def _offer(page: Any, choices: Choices) -> None:  # noqa: ANN401 - the library is untyped.
    listed = choices.source
    if isinstance(listed, tuple) and (
        len(",".join(listed)) > _LONGEST_LIST or any("," in item for item in listed)
    ):
        # The cell's note says it too.
        return
    source = f"={listed}" if isinstance(listed, str) else list(listed)
    first, last = choices.rows
    page.data_validation(
        first,
        choices.column,
        last,
        choices.column,
        {"validate": "list", "source": source, "show_error": choices.is_rule},
    )


def read_form(body: bytes) -> Workbook:
    """The sheets of an XLSX workbook.

    Raises:
        UnreadableError: it is no workbook, has macros, or is too large.
        DocumentError: a formula, merged cells, a time, or a number that a workbook does not keep;
            it names the sheet and the cell.
        Conflict: the process that reads it was stopped.
    """
    with tempfile.NamedTemporaryFile(prefix="form-", suffix=".xlsx") as file:
        file.write(body)
        file.flush()
        try:
            with confined({"task": "read-form", "path": file.name}) as told:
                sheets = json.loads(told.read() or "[]")
        except Refused as refused:
            raise _refusal(refused) from None
    return tuple(
        Sheet(sheet["title"], tuple(tuple(map(_value, row)) for row in sheet["rows"]))
        for sheet in sheets
    )


def _refusal(refused: Refused) -> UnreadableError | DocumentError:
    if not refused.place:
        return UnreadableError(f"{refused.what}; {refused.remedy}", "workbook")
    message, remedy = (f"{part[0].upper()}{part[1:]}." for part in (refused.what, refused.remedy))
    return DocumentError([Finding(refused.place, "sheet-refused", message, remedy)])


def _value(written: object) -> SheetValue:
    if isinstance(written, Mapping):
        if "day" in written:
            return date.fromisoformat(str(written["day"]))
        return Decimal(str(written["number"]))
    return written if isinstance(written, str | bool) else None
