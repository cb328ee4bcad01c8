"""XLSX workbooks as rows of text: one sheet, its size known before any of it is unpacked at large.

A workbook is judged as a stream first, since what it unpacks to may be far more than it is. Cells
become the texts a CSV file would hold: numbers and days in full, booleans as true and false.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import python_calamine as calamine

from app.domain.errors import Invalid
from app.features.imports.service.texts import refuse

MAGIC: Final = b"PK\x03\x04"
OLD_MAGIC: Final = b"\xd0\xcf\x11\xe0"
MOST_UNPACKED_BYTES: Final = 1 << 30
MOST_CELLS: Final = 10_000_000
_BLOCK_BYTES: Final = 1 << 20
_LONGEST_TAG: Final = 4_096
_MOST_ENTRIES: Final = 10_000
_LARGEST_EXACT: Final = 10**15

_ROW_OR_CELL: Final = re.compile(rb'\br="([A-Z]{0,4})(\d{1,9})"')
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*)>\s*(?:<(?:\w+:)?v>([^<]*)<)?")
_STYLE: Final = re.compile(rb'\bs="(\d+)"')
_PLACE: Final = re.compile(rb'\br="([A-Z]{1,4}\d{1,9})"')
_KIND: Final = re.compile(rb'\bt="(\w+)"')
_FORMATS: Final = re.compile(rb"<(?:\w+:)?numFmt\b([^>]*)>")
_USED_FORMATS: Final = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_USED_FORMAT: Final = re.compile(rb'<(?:\w+:)?xf\b[^>]*?\bnumFmtId="(\d+)"')
_ZEROS: Final = re.compile(rb'\bformatCode="(0{2,})"')
_FORMAT_ID: Final = re.compile(rb'\bnumFmtId="(\d+)"')
_SHEET_LINK: Final = re.compile(rb'<(?:\w+:)?sheet\b[^>]*\b\w+:id="([^"]+)"')
_LINK: Final = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(rb'\b(Id|Target)="([^"]*)"')

#: What the library says of an archive that is cut, changed or made up.
_BROKEN: Final = (
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
_AS_CSV: Final = "save the sheet as CSV or Parquet"


def read_sheet(path: Path, name: str | None) -> Iterator[list[str]]:
    """The rows of a sheet that hold anything, header first.

    Args:
        path: the workbook, which `check_workbook` has let pass.
        name: the sheet; the first one without it.

    Raises:
        Invalid: it is damaged, or a cell holds what cannot be told as text.
    """
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            sheet = book.get_sheet_by_index(_position(path, book, name))
            for number, row in enumerate(sheet.iter_rows(), 1):
                cells = [_text(path, cell, number) for cell in row]
                if any(cells):
                    yield cells
    except calamine.CalamineError:
        raise _damaged(path) from None


def merged_columns(path: Path, name: str | None) -> set[int]:
    """Columns, from 1, whose cell in the header is merged into its neighbour."""
    with calamine.CalamineWorkbook.from_path(path) as book:
        sheet = book.get_sheet_by_index(_position(path, book, name))
        first_row, first_column = sheet.start or (0, 0)
        return {
            column - first_column + 1
            for start, end in sheet.merged_cell_ranges or []
            if start[0] <= first_row <= end[0]
            for column in range(start[1] + 1, end[1] + 1)
        }


def check_workbook(path: Path, name: str | None) -> None:
    """Refuse a workbook before it is unpacked.

    Raises:
        Invalid: it is no workbook, has macros, unpacks to too much, or shows values that it does
            not hold, as zeros in front of a number.
    """
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.namelist()
            _check_kind(path, entries)
            _Scan(path).follow(package)
            with calamine.CalamineWorkbook.from_path(path) as book:
                position = _position(path, book, name)
            _check_cells(path, package, position)
    except calamine.PasswordError:
        raise refuse(path, "", "it is encrypted", "save it without a password") from None
    except (calamine.CalamineError, *_BROKEN):
        raise _damaged(path) from None


def refuse_old_workbook(path: Path) -> Invalid:
    """The error of a workbook in the format of before 2007, which encrypted ones are in too."""
    return refuse(
        path, "", "an old (.xls) or encrypted workbook", "save it as .xlsx without a password"
    )


def _damaged(path: Path) -> Invalid:
    return refuse(path, "", "this is no whole XLSX workbook", "save it again as .xlsx")


def _check_kind(path: Path, entries: list[str]) -> None:
    if any(entry.endswith("vbaProject.bin") for entry in entries):
        raise refuse(path, "", "a workbook with macros", "save it as .xlsx, without macros")
    # Of two entries with one name, two readers may take different ones.
    is_clear = len(set(entries)) == len(entries) <= _MOST_ENTRIES
    if "xl/workbook.xml" not in entries or not is_clear:
        raise _damaged(path)


def _position(path: Path, book: calamine.CalamineWorkbook, name: str | None) -> int:
    kinds = (sheet.typ == calamine.SheetTypeEnum.WorkSheet for sheet in book.sheets_metadata)
    places = [place for place, is_table in enumerate(kinds) if is_table]
    if name is not None:
        places = [place for place in places if book.sheets_metadata[place].name == name]
    if not places:
        remedy = "name one of its sheets in the mapping (source: sheet)"
        raise refuse(path, "", "the sheet is not in the workbook", remedy)
    return places[0]


@dataclass(slots=True)
class _Scan:
    """Unpacks every part of a workbook to nowhere, and counts."""

    path: Path
    unpacked: int = 0
    columns: set[bytes] = field(default_factory=set)
    rows: int = 0

    def follow(self, package: zipfile.ZipFile) -> None:
        for entry in package.namelist():
            for block in _blocks(package, entry):
                self.unpacked += len(block)
                if self.unpacked > MOST_UNPACKED_BYTES:
                    what = f"it unpacks to more than {MOST_UNPACKED_BYTES:,} bytes"
                    raise refuse(self.path, "", what, _AS_CSV)
                if entry.startswith("xl/worksheets/"):
                    self._measure(block)
            self._judge()
            self.columns.clear()
            self.rows = 0

    def _measure(self, block: bytes) -> None:
        found = _ROW_OR_CELL.findall(block)
        self.columns |= {letters for letters, _ in found}
        self.rows = max(self.rows, max((int(digits) for _, digits in found), default=0))

    def _judge(self) -> None:
        # What is between the cells takes room too, once it is read.
        width = max((_column_number(letters) for letters in self.columns), default=0)
        if width * self.rows > MOST_CELLS:
            raise refuse(self.path, "", f"a sheet of more than {MOST_CELLS:,} cells", _AS_CSV)


def _blocks(package: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    """What an entry unpacks to; each block begins with the end of the one before."""
    tail = b""
    with package.open(entry) as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield tail + block
            tail = block[-_LONGEST_TAG:] if len(block) == _BLOCK_BYTES else b""


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_cells(path: Path, package: zipfile.ZipFile, position: int) -> None:
    """Refuse cells that show something else than they hold."""
    entry = _sheet_entry(package, position)
    if entry is None:
        raise _damaged(path)
    zeros = _zero_formats(package)
    for block in _blocks(package, entry):
        for match in _CELL.finditer(block):
            attributes, value = match.groups()
            kind = _KIND.search(attributes)
            if kind is not None and kind[1] == b"e":
                remedy = "repair the formula, or clear the cell"
                raise refuse(path, _cell(attributes), "a formula's error", remedy)
            style = _STYLE.search(attributes) if zeros else None
            width = zeros.get(int(style[1]), 0) if style else 0
            if value and len(value) < width and (kind is None or kind[1] == b"n"):
                what = "the zeros in front of a number are only shown, not stored"
                remedy = "format the column as text and enter the values again"
                raise refuse(path, _cell(attributes), what, remedy)


def _cell(attributes: bytes) -> str:
    found = _PLACE.search(attributes)
    return f"cell {found[1].decode()}" if found else "a cell"


def _sheet_entry(package: zipfile.ZipFile, position: int) -> str | None:
    links = _SHEET_LINK.findall(package.read("xl/workbook.xml"))
    relations = package.read("xl/_rels/workbook.xml.rels")
    targets = {}
    for attributes in _LINK.findall(relations):
        named = dict(_ATTRIBUTE.findall(attributes))
        targets[named.get(b"Id")] = named.get(b"Target", b"").decode(errors="replace")
    target = targets.get(links[position]) if position < len(links) else None
    if target is None:
        return None
    entry = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return entry if entry in package.NameToInfo else None


def _zero_formats(package: zipfile.ZipFile) -> dict[int, int]:
    """Styles that show a number with zeros in front, with how many digits they show."""
    if "xl/styles.xml" not in package.NameToInfo:
        return {}
    styles = package.read("xl/styles.xml")
    widths = {}
    for attributes in _FORMATS.findall(styles):
        number, zeros = _FORMAT_ID.search(attributes), _ZEROS.search(attributes)
        if number and zeros:
            widths[number[1]] = len(zeros[1])
    used = _USED_FORMATS.search(styles)
    ids = _USED_FORMAT.findall(used[0]) if used else []
    return {place: widths[number] for place, number in enumerate(ids) if number in widths}


def _text(path: Path, cell: object, row: int) -> str:
    """A cell as a CSV file would hold it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float | int):
        return _number(path, float(cell), row)
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _number(path: Path, value: float, row: int) -> str:
    if abs(value) >= _LARGEST_EXACT:
        what = "a number of more than 15 digits, of which a workbook keeps 15"
        remedy = "format the column as text and enter the values again"
        raise refuse(path, f"row {row} of the sheet", what, remedy)
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
