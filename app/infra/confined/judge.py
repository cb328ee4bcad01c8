"""What a workbook would unpack to, and what its cells hold, judged as a stream.

An XML parser reads every sheet that the workbook names, so that a cell is where a reader would find
it however its place is written. Document types, which spreadsheets never have, are refused.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from app.infra.confined.refusal import Refused

_BLOCK_BYTES: Final = 1 << 20
_MOST_ENTRIES: Final = 10_000
_AS_CSV: Final = "save the sheet as CSV or Parquet"
_PLACE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,9})")
_ZEROS: Final = re.compile(r"0{2,}")

Attributes = dict[str, str]


def damaged() -> Refused:
    """The refusal of what is no workbook, or is one no longer."""
    return Refused("", "this is no whole XLSX workbook", "save it again as .xlsx")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found wrong in each sheet, in the workbook's order; None for a sheet not there."""

    sheets: tuple[_Sheet | None, ...]

    def check(self, position: int) -> None:
        """Refuse a sheet with cells that show something else than they hold.

        Raises:
            Refused: with the first such cell.
        """
        sheet = self.sheets[position] if position < len(self.sheets) else None
        if sheet is None:
            raise damaged()
        if sheet.finding is not None:
            raise sheet.finding

    def check_plain(self, position: int) -> None:
        """Refuse a sheet with formulas or merged cells, as a form must not have.

        Raises:
            Refused: with the first of them.
        """
        self.check(position)
        sheet = self.sheets[position]
        if sheet is not None and sheet.formula is not None:
            what = "a formula, whose result may change unseen"
            raise Refused(sheet.formula, what, "paste the value in its place")
        if sheet is not None and sheet.merged is not None:
            raise Refused(f"cells {sheet.merged}", "merged cells", "unmerge them")


def judge(package: zipfile.ZipFile, *, unpacked_bytes: int, cells: int) -> Judgement:
    """Unpack every part to nowhere, and follow the sheets.

    Raises:
        Refused: it has macros, unpacks to too much, or a sheet is too large.
    """
    entries = _entries(package)
    _check_sizes(package, unpacked_bytes)
    zeros = _zero_formats(package, entries.get("xl/styles.xml"))
    # Two names of one sheet are one sheet.
    found: dict[str, _Sheet] = {}
    sheets: list[_Sheet | None] = []
    for name in _sheet_names(package, entries):
        entry = entries.get(name.lower())
        if entry is not None and entry not in found:
            found[entry] = _Sheet(cells, zeros)
            _parse(package, entry, found[entry].start, found[entry].take if zeros else None)
            found[entry].end()
        sheets.append(None if entry is None else found[entry])
    return Judgement(tuple(sheets))


def _entries(package: zipfile.ZipFile) -> Mapping[str, str]:
    """The parts by their names in lower case, since readers look for them so."""
    names = package.namelist()
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused("", "a workbook with macros", "save it as .xlsx, without macros")
    entries = {name.lower(): name for name in names}
    # Of two entries with one name, two readers may take different ones.
    is_clear = len(entries) == len(names) <= _MOST_ENTRIES
    if not is_clear or not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= entries.keys():
        raise damaged()
    return entries


def _check_sizes(package: zipfile.ZipFile, most: int) -> None:
    unpacked = 0
    for entry in package.namelist():
        for block in _blocks(package, entry):
            unpacked += len(block)
            if unpacked > most:
                raise Refused("", f"it unpacks to more than {most:,} bytes", _AS_CSV)


def _blocks(package: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    with package.open(entry) as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block


def _parse(
    package: zipfile.ZipFile,
    entry: str,
    start: Callable[[str, Attributes], None],
    take: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = take
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        for block in _blocks(package, entry):
            parser.Parse(block, False)  # noqa: FBT003 - expat's.
        parser.Parse(b"", True)  # noqa: FBT003 - expat's.
    except expat.ExpatError:
        raise damaged() from None


def _refuse_document_type(*_declared: object) -> None:
    raise damaged()


@dataclass(slots=True)
class _Sheet:
    """Follows the cells of a sheet."""

    most: int
    zeros: Mapping[str, int]
    finding: Refused | None = None
    #: Where the first formula and the first merged cells are.
    formula: str | None = None
    merged: str | None = None
    _row: int = 0
    _column: int = 0
    _width: int = 0
    _height: int = 0
    _cells: int = 0
    _place: str = ""
    #: Digits that the number of this cell is to have; 0 for any.
    _digits: int = 0
    _text: str | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        local = name.rpartition(":")[2]
        self._judge_number()
        if local == "c":
            self._begin_cell(attributes)
        elif local == "row":
            self._row = _number(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
        elif local == "v" and self._digits:
            self._text = ""
        elif local == "f" and self.formula is None:
            self.formula = self._cell()
        elif local == "mergeCell" and self.merged is None:
            self.merged = attributes.get("ref", "")[:20]

    def take(self, text: str) -> None:
        if self._text is not None:
            self._text += text

    def end(self) -> None:
        """The last cell is over too."""
        self._judge_number()

    def _begin_cell(self, attributes: Attributes) -> None:
        self._place = attributes.get("r", "")
        if self._place:
            match = _PLACE.fullmatch(self._place)
            if match is None:
                raise damaged()
            self._column = _column_number(match[1])
            self._row = int(match[2])
        else:
            self._column += 1
        self._measure()
        kind = attributes.get("t", "n")
        self._digits = self.zeros.get(attributes.get("s", ""), 0) if kind == "n" else 0
        if kind == "e":
            self._find("a formula's error", "repair the formula, or clear the cell")

    def _measure(self) -> None:
        self._cells += 1
        self._width = max(self._width, self._column)
        self._height = max(self._height, self._row)
        # What is between the cells takes room too, once it is read.
        if max(self._width * self._height, self._cells) > self.most:
            raise Refused("", f"a sheet of more than {self.most:,} cells", _AS_CSV)

    def _judge_number(self) -> None:
        if self._text is None:
            return
        text, self._text = self._text, None
        if 0 < len(text.strip()) < self._digits:
            what = "the zeros in front of a number are only shown, not stored"
            self._find(what, "format the column as text and enter the values again")

    def _find(self, what: str, remedy: str) -> None:
        if self.finding is None:
            self.finding = Refused(self._cell(), what, remedy)

    def _cell(self) -> str:
        return f"cell {self._place.upper()}" if self._place else f"a cell of row {self._row}"


def _number(written: str) -> int:
    if not written.isascii() or not written.isdigit() or len(written) > 9:  # noqa: PLR2004
        raise damaged()
    return int(written)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _sheet_names(package: zipfile.ZipFile, entries: Mapping[str, str]) -> list[str]:
    """The parts that hold the sheets, in order."""
    targets: dict[str, str] = {}
    links: list[str] = []

    def relate(name: str, attributes: Attributes) -> None:
        if name.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def list_sheet(name: str, attributes: Attributes) -> None:
        if name.rpartition(":")[2] == "sheet":
            links.append(next((attributes[key] for key in attributes if key.endswith(":id")), ""))

    _parse(package, entries["xl/_rels/workbook.xml.rels"], relate)
    _parse(package, entries["xl/workbook.xml"], list_sheet)
    return [_part_name(targets.get(link, "")) for link in links]


def _part_name(target: str) -> str:
    name = target.removeprefix("/")
    return name if target.startswith("/") or name.startswith("xl/") else f"xl/{name}"


@dataclass(slots=True)
class _Styles:
    """Follows the number formats, and which of them the styles of cells have."""

    widths: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    is_in_cells: bool = False

    def start(self, name: str, attributes: Attributes) -> None:
        local = name.rpartition(":")[2]
        if local == "numFmt" and _ZEROS.fullmatch(attributes.get("formatCode", "")):
            self.widths[attributes.get("numFmtId", "")] = len(attributes["formatCode"])
        elif local == "xf" and self.is_in_cells:
            self.used.append(attributes.get("numFmtId", ""))
        elif local in {"cellXfs", "cellStyleXfs", "cellStyles", "dxfs", "tableStyles"}:
            self.is_in_cells = local == "cellXfs"


def _zero_formats(package: zipfile.ZipFile, entry: str | None) -> Mapping[str, int]:
    """Styles that show a number with zeros in front, with how many digits they show."""
    if entry is None:
        return {}
    styles = _Styles()
    _parse(package, entry, styles.start)
    named = enumerate(styles.used)
    return {str(place): styles.widths[number] for place, number in named if number in styles.widths}
