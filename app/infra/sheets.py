"""Tables that people open in a spreadsheet: CSV and XLSX, written row by row into a file.

No cell is ever a formula: in CSV a text that would be taken for one begins with an apostrophe, in
XLSX every text is stored as a text. Memory does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol, TypeAlias

import xlsxwriter

from app.infra.exports import csv_lines
from app.infra.media_types import CSV, XLSX

SUFFIXES: Final[Mapping[str, str]] = {CSV: "csv", XLSX: "xlsx"}

#: Without it spreadsheets read a CSV file in the machine's old code page.
_BYTE_ORDER_MARK: Final = "\ufeff".encode()
_WIDTH: Final = 18

SheetCell: TypeAlias = str | date | None


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the rows.

    Args:
        title: name of the sheet, up to 31 characters.
        columns: one heading each.
        made_at: the instant that the workbook says it was made at.
    """

    title: str
    columns: Sequence[str]
    made_at: datetime


class SheetWriter(Protocol):
    """Takes the rows of a table; any thread may call it, one at a time."""

    def write(self, rows: Iterable[Sequence[SheetCell]]) -> None:
        """Write some rows, in the order of the columns."""

    def finish(self) -> None:
        """Make the file whole."""


@contextmanager
def open_sheet(
    media_type: str, file: IO[bytes], heading: Heading, scratch: Path
) -> Iterator[SheetWriter]:
    """A writer of rows, who has to be told to finish.

    Args:
        media_type: `CSV` or `XLSX`.
        file: where to, from its beginning; it can be sought in.
        heading: the first row and what else is known.
        scratch: a folder where rows may wait.
    """
    with _FORMATS[media_type](file, heading, scratch) as writer:
        yield writer


@contextmanager
def _csv(file: IO[bytes], heading: Heading, _scratch: Path) -> Iterator[SheetWriter]:
    file.write(_BYTE_ORDER_MARK + csv_lines([heading.columns]))
    yield _CsvSheet(file)


class _CsvSheet:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, rows: Iterable[Sequence[SheetCell]]) -> None:
        self._file.write(csv_lines(rows))

    def finish(self) -> None:
        """Every row is there."""


@contextmanager
def _xlsx(file: IO[bytes], heading: Heading, scratch: Path) -> Iterator[SheetWriter]:
    # Written row by row, a text stands in its cell and not in a list that all cells share.
    options = {"constant_memory": True, "tmpdir": str(scratch)}
    book = xlsxwriter.Workbook(file, options)
    book.set_properties({"created": heading.made_at})
    sheet = book.add_worksheet(heading.title)
    try:
        sheet.set_column(0, len(heading.columns) - 1, _WIDTH)
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for place, name in enumerate(heading.columns):
            sheet.write_string(0, place, name, bold)
        yield _XlsxSheet(book, sheet)
    finally:
        # The library closes the file of waiting rows only with the whole workbook.
        sheet._opt_close()  # noqa: SLF001


class _XlsxSheet:
    def __init__(self, book: Any, sheet: Any) -> None:  # noqa: ANN401 - the library is untyped.
        self._book, self._sheet = book, sheet
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._row = 0

    def write(self, rows: Iterable[Sequence[SheetCell]]) -> None:
        """Write rows.

        Raises:
            ValueError: a row or a text is more than a sheet holds.
        """
        for row in rows:
            self._row += 1
            for place, cell in enumerate(row):
                if cell is not None and self._refuses(place, cell):
                    message = "a sheet cannot hold this row whole"
                    raise ValueError(message)

    def finish(self) -> None:
        """Put the workbook together."""
        self._book.close()

    def _refuses(self, place: int, cell: str | date) -> bool:
        if isinstance(cell, str):
            return bool(self._sheet.write_string(self._row, place, cell))
        return bool(self._sheet.write_datetime(self._row, place, cell, self._day))


_FORMATS: Final[Mapping[str, Callable[[IO[bytes], Heading, Path], Any]]] = {CSV: _csv, XLSX: _xlsx}
