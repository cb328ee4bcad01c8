"""Reading cells of a sheet while noting everything that is wrong, each with the cell's name."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.exchange.workbook import Sheet, SheetValue, cell_name
from app.domain.rules.findings import Finding

_AS_TEXT = "Format the cell as text and type it again."


class Grid:
    """A sheet with its findings; a cell that holds nothing but spaces is empty."""

    def __init__(self, sheet: Sheet, findings: list[Finding]) -> None:
        self.sheet = sheet
        self.findings = findings

    @property
    def height(self) -> int:
        """The number of rows."""
        return len(self.sheet.rows)

    def at(self, row: int, column: int) -> SheetValue:
        """Return what a cell holds, None where nothing is."""
        values = self.sheet.rows[row] if row < self.height else ()
        value = values[column] if column < len(values) else None
        return None if isinstance(value, str) and not value.strip() else value

    def place(self, row: int, column: int) -> str:
        """Name a cell for a finding."""
        return f"{escaped(self.sheet.title)}.{cell_name(row, column)}"

    def refuse(self, place: tuple[int, int], code: str, message: str, remedy: str) -> None:
        """Note what is wrong with a cell."""
        self.findings.append(Finding(self.place(*place), code, message, remedy))

    def filled_rows(self, first: int) -> Iterator[int]:
        """Return the rows from one on that hold anything."""
        for row in range(first, self.height):
            if any(self.at(row, column) is not None for column in range(self._width(row))):
                yield row

    def _width(self, row: int) -> int:
        return len(self.sheet.rows[row]) if row < self.height else 0

    def header(self, row: int) -> dict[str, int]:
        """Return the columns by their headings; the same heading twice is refused."""
        columns: dict[str, int] = {}
        for column in range(self._width(row)):
            if self.at(row, column) is None:
                continue
            name = self.text(row, column).strip()
            if name in columns:
                self.refuse(
                    (row, column),
                    "sheet-column",
                    f"The column {escaped(name[:60])} stands here a second time.",
                    "Drop one of them.",
                )
            columns.setdefault(name, column)
        return columns

    def columns(self, row: int, names: Sequence[str]) -> dict[str, int]:
        """Return the columns of a sheet that has just these; others, and missing ones, are told."""
        found = self.header(row)
        for name in names:
            if name not in found:
                self.refuse(
                    (row, 0),
                    "sheet-column",
                    f"There is no column {name}.",
                    f"Head the columns {', '.join(names)}.",
                )
        for name, column in found.items():
            if name not in names:
                self.refuse(
                    (row, column),
                    "sheet-column",
                    f"The column {escaped(name[:60])} is not known here.",
                    f"Head the columns {', '.join(names)}.",
                )
        return found

    def nothing_right_of(self, row: int, column: int) -> None:
        """Refuse what stands in a row beyond the last column that means anything."""
        for beyond in range(column, self._width(row)):
            if self.at(row, beyond) is not None:
                self.refuse(
                    (row, beyond), "sheet-stray", "Nothing is expected here.", "Clear the cell."
                )

    def text(self, row: int, column: int) -> str:
        """Return a text; a number as it is written in full, a day is refused."""
        value = self.at(row, column)
        if isinstance(value, date):
            self.refuse((row, column), "sheet-day", "The cell holds a day, not a text.", _AS_TEXT)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, Decimal | int):
            return number_text(value)
        return value if isinstance(value, str) else ""

    def integer(self, row: int, column: int) -> object:
        """Return a whole number where the cell holds one, typed or as text; else what it holds."""
        value = self.at(row, column)
        if isinstance(value, bool | date):
            return self.text(row, column)
        text = self.text(row, column).strip()
        digits = text.removeprefix("-")
        is_whole = digits.isascii() and digits.isdigit() and len(digits) <= 18  # noqa: PLR2004
        return int(text) if is_whole else text

    def condition(self, row: int, column: int, *, is_day: bool) -> str:
        """Return the condition of a cell; empty means anything."""
        value = self.at(row, column)
        if value is None:
            return "-"
        if isinstance(value, date) and is_day:
            return f"date({value.isoformat()})"
        return self.text(row, column)


def number_text(value: Decimal | int) -> str:
    """Write a number in full, without needless zeros.

    >>> number_text(Decimal("1E+3")), number_text(Decimal("3.10"))
    ('1000', '3.1')
    """
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
