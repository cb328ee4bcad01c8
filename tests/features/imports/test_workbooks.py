"""XLSX: read as the same rows in CSV would be, and refused where it would not say what it means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.records.mapping.document import Source, SourceFormat
from app.features.imports.service.files import batches, open_rows
from app.infra.confined import parent
from app.infra.confined.parent import Limits
from tests.features.imports.desk import CUSTOMER, POLICY, TERM, ImportDesk
from tests.features.imports.workbook import Cell, rows_of, workbook

HEADER = ["customer_id", "kind", "valid_from"]
GOOD = rows_of([HEADER, ["C1", "individual", "2020-01-01"]])


def read(path: Path, source: Source | None = None) -> list[dict[str, str]]:
    """The rows of a file."""
    file = open_rows(path, source or Source())
    return [row for batch in batches(file, file.schema.names) for row in batch.to_pylist()]


def write(folder: Path, content: bytes) -> Path:
    path = folder / "book.xlsx"
    path.write_bytes(content)
    return path


def refusal(path: Path, source: Source | None = None) -> str:
    with pytest.raises(Invalid) as refused:
        read(path, source)
    return str(refused.value)


@pytest.mark.anyio
async def test_a_workbook_stores_what_the_same_csv_stores(desk: ImportDesk) -> None:
    await desk.load("customers", CUSTOMER)
    await desk.load("policies", POLICY)
    await desk.load("policy_terms", TERM)
    by_csv = await desk.contents()
    names = list(TERM)
    days = {"term_start": 43862, "term_end": 44228}
    row = [Cell(days[name], style=1) if name in days else TERM[name] for name in names]
    row[names.index("premium")] = 1200.5
    path = desk.folder / "policy_terms.xlsx"
    path.write_bytes(workbook(rows_of([names, row])))
    result = await desk.run(path)
    assert (result.total.loaded, result.total.records["policy_terms"].unchanged) == (1, 1)
    assert await desk.contents() == by_csv


def test_cells_become_the_texts_of_a_csv_file(tmp_path: Path) -> None:
    cells = [
        7,
        0.1,
        1e-7,
        -12.5,
        123456789012345,
        True,
        Cell(44000, style=1),
        Cell(44000.5, style=1),
    ]
    cells += ["007", " x ", "=1+1", Cell(12345, style=2)]
    names = [f"n{place}" for place in range(len(cells))]
    (row,) = read(write(tmp_path, workbook(rows_of([names, cells]))))
    assert list(row.values()) == [
        *("7", "0.1", "0.0000001", "-12.5", "123456789012345", "true", "2020-06-18"),
        *("2020-06-18T12:00:00", "007", "x", "=1+1", "12345"),
    ]


@settings(max_examples=20)
@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=9), min_size=1))
def test_texts_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts = [text for text in texts if text.strip() and text not in {"\ufffe", "\uffff"}]
    rows = rows_of([["a"], *([text] for text in texts)])
    path = write(tmp_path_factory.mktemp("text"), workbook(rows))
    assert [row["a"].strip() for row in read(path)] == [text.strip() for text in texts]


def test_a_table_may_begin_anywhere_and_empty_rows_are_none(tmp_path: Path) -> None:
    rows = rows_of([[None, "a", "b"], [], [None, "1", None], [], [None, None, "2"]], first_row=3)
    assert read(write(tmp_path, workbook(rows))) == [{"a": "1", "b": ""}, {"a": "", "b": "2"}]


def test_the_first_sheet_is_read_or_the_one_that_is_named(tmp_path: Path) -> None:
    sheets = {"one": rows_of([["a"], ["1"]]), "二": rows_of([["a"], ["2"]])}
    path = write(tmp_path, workbook(sheets))
    assert read(path) == [{"a": "1"}]
    assert read(path, Source(SourceFormat.XLSX, sheet="二")) == [{"a": "2"}]
    told = refusal(path, Source(SourceFormat.XLSX, sheet="three"))
    assert "the sheet is not in the workbook; name one of its sheets" in told


def test_a_header_with_merged_or_empty_cells_is_named(tmp_path: Path) -> None:
    rows = rows_of([["a", None, "c"], ["1", "2", "3"]])
    assert "column 2: no name in the header; name" in refusal(write(tmp_path, workbook(rows)))
    merged = '<mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells>'
    told = refusal(write(tmp_path, workbook(rows, after=merged)))
    assert "column 2: no name in the header, whose cells are merged; unmerge them" in told
    twice = write(tmp_path, workbook(rows_of([["a", "a"]])))
    assert "column 2: the column 'a' occurs twice" in refusal(twice)
    assert "row 1: no header" in refusal(write(tmp_path, workbook("")))


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (Cell(7, style=2), "cell B2: the zeros in front of a number are only shown, not stored"),
        (Cell("#N/A", kind="e"), "cell B2: a formula's error; repair the formula"),
        (110101199001011237, "row 2 of the sheet: a number of more than 15 digits"),
    ],
)
def test_a_cell_that_shows_what_it_does_not_hold_is_refused(
    tmp_path: Path, cell: object, told: str
) -> None:
    found = refusal(write(tmp_path, workbook(rows_of([["a", "b"], ["x", cell]]))))
    assert told in found
    assert "110101" not in found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old (.xls) or encrypted workbook; save it as"),
        (b"PK\x03\x04nonsense", "this is no whole XLSX workbook"),
        (workbook(GOOD)[:-40], "this is no whole XLSX workbook"),
        (workbook(GOOD)[:700] + workbook(GOOD)[720:], "this is no whole XLSX workbook"),
        (workbook('<row r="1"><c r="A1"><x/></c></row>'), "this is no whole XLSX workbook"),
        (workbook(GOOD, extra={"xl/vbaProject.bin": b"x"}), "a workbook with macros"),
        (workbook(rows_of([["a"]]) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
         "a sheet of more than 10,000,000 cells; save the sheet as CSV or Parquet"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_of_ours_is_refused_with_a_remedy(
    tmp_path: Path, content: bytes, told: str
) -> None:
    assert told in refusal(write(tmp_path, content))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "LIMITS", Limits(unpacked_bytes=3_000_000))
    path = write(tmp_path, workbook(GOOD, extra={"xl/media/zeros": bytes(20_000_000)}))
    assert path.stat().st_size < 100_000
    assert "it unpacks to more than 3,000,000 bytes" in refusal(path)


def test_two_parts_of_one_name_are_no_workbook(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = workbook(GOOD, extra={"xl/styles.xml": b"<styleSheet/>"})
    assert "this is no whole XLSX workbook" in refusal(write(tmp_path, content))


def test_a_workbook_called_csv_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, workbook(GOOD))
    assert "this is no csv file" in refusal(path, Source(SourceFormat.CSV))
    plain = tmp_path / "plain.xlsx"
    plain.write_text("a,b\n1,2\n")
    assert "this is no xlsx file" in refusal(plain)
