"""Tables as CSV and XLSX: no formulas, and no more memory for more rows."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryFile

import pytest
import python_calamine as calamine

from app.infra.media_types import CSV, XLSX
from app.infra.sheets import Heading, open_sheet

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
HEADING = Heading("Sheet", ["=a", "b"], NOW)
FORMULAS = ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a", "{=1}"]
LINKS = ["http://example.test", "mailto:a@example.test", "internal:Sheet!A1", "1", "1.50", "TRUE"]
MEGABYTE = 1 << 20


@pytest.mark.parametrize("text", [*FORMULAS, *LINKS, "王 <&>\x01 \"'", " "])
def test_in_a_workbook_every_text_is_that_text(tmp_path: Path, text: str) -> None:
    file = io.BytesIO()
    with open_sheet(XLSX, file, HEADING, tmp_path) as sheet:
        sheet.write([(text, date(1900, 1, 1)), (None, date(2199, 12, 31))])
        sheet.finish()
    file.seek(0)
    book = calamine.CalamineWorkbook.from_filelike(file)
    assert book.get_sheet_by_index(0).to_python() == [
        ["=a", "b"],
        [text, date(1900, 1, 1)],
        ["", date(2199, 12, 31)],
    ]
    with zipfile.ZipFile(file) as package:
        names = package.namelist()
        content = package.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in content
    assert b"hyperlink" not in content
    assert not [name for name in names if "externalLink" in name or "_rels/sheet1" in name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", FORMULAS[:-1])
def test_in_csv_what_would_be_a_formula_begins_with_an_apostrophe(
    tmp_path: Path, text: str
) -> None:
    file = io.BytesIO()
    with open_sheet(CSV, file, HEADING, tmp_path) as sheet:
        sheet.write([(text, date(2020, 1, 2))])
        sheet.finish()
    first, _, rest = file.getvalue().decode().partition("\n")
    assert first == "\ufeff'=a,b"
    assert rest.lstrip('"').startswith(f"'{text}")
    assert rest.endswith(",2020-01-02\n")


@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    def rows() -> Iterator[tuple[str, date]]:
        for number in range(5000):
            yield f"{number} {'x' * 2000}", date(2020, 1, 1)

    with TemporaryFile(dir=tmp_path) as file, open_sheet(kind, file, HEADING, tmp_path) as sheet:
        tracemalloc.start()
        try:
            for row in rows():
                sheet.write([row])
            sheet.finish()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert file.tell() > (9 * MEGABYTE if kind == CSV else 0)
    assert peak < 2 * MEGABYTE


def test_a_workbook_that_is_given_up_leaves_nothing_open(tmp_path: Path) -> None:
    def give_up() -> None:
        with open_sheet(XLSX, io.BytesIO(), HEADING, tmp_path) as sheet:
            sheet.write([("a", None)])
            message = "given up"
            raise RuntimeError(message)

    # A file left open would be told as a warning, which fails the test.
    with pytest.raises(RuntimeError, match="given up"):
        give_up()


def test_a_text_that_no_cell_holds_is_refused_and_not_cut(tmp_path: Path) -> None:
    with (
        open_sheet(XLSX, io.BytesIO(), HEADING, tmp_path) as sheet,
        pytest.raises(ValueError, match="cannot hold"),
    ):
        sheet.write([("x" * 32_768, None)])
