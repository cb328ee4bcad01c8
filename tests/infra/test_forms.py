"""Workbooks of forms as bytes and back; what no form may hold."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import python_calamine as calamine
import xlsxwriter

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules import DocumentError, document_hash, parse_document
from app.domain.rules.exchange.form_reading import read_form as read_raw
from app.domain.rules.exchange.form_writing import form_of
from app.domain.rules.exchange.workbook import Choices, Sheet
from app.infra.documents import UnreadableError
from app.infra.forms import read_form, write_form
from tests.domain.templates.books import NAMES, template

TRICKY = (
    "=1+1", "+1", "-1", "-", "@SUM(A1)", "'quoted", " spaces ", "3.10", "007", "1-3", "TRUE",
    "_x0041_", "x_x000D_y", "高🙂", "line\nbreak", "\u2028", "<![CDATA[", "\x7f\x85", "#N/A", "1e5",
)  # fmt: skip


def workbook(fill: Callable[[Any, Any], object], name: str = "sheet") -> bytes:
    """Return a workbook that another program wrote."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    fill(book.add_worksheet(name), book)
    book.close()
    return file.getvalue()


def repacked(body: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the workbook with one of its parts changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_comes_back_from_its_bytes_with_its_hash(name: str) -> None:
    document = template(name).document
    body = write_form(form_of(document, CATALOGUE))
    back = parse_document(read_raw(read_form(body), CATALOGUE), CATALOGUE)
    assert document_hash(back) == document_hash(document)
    assert write_form(form_of(document, CATALOGUE)) == body


def test_every_text_is_a_text_and_comes_back_as_it_was() -> None:
    (back,) = read_form(write_form((Sheet("s", ((*TRICKY,), (True, False, 7, None, -3))),)))
    assert back.rows[0] == TRICKY
    assert back.rows[1] == (True, False, Decimal(7), None, Decimal(-3))
    with zipfile.ZipFile(io.BytesIO(write_form((Sheet("s", (TRICKY,)),)))) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


def test_lists_and_notes_are_in_the_file() -> None:
    sheet = Sheet(
        "s",
        (("a", "b"),),
        notes={(0, 1): "what b is"},
        choices=(
            Choices(0, (1, 9), ("x", "y")),
            Choices(1, (1, 9), "$B$3:$D$3"),
            Choices(1, (1, 9), ("x", "null"), is_rule=False),
            Choices(1, (1, 9), ("a, b", "c")),
            Choices(1, (1, 9), tuple("x" * 30 for _ in range(9))),
        ),
    )
    with zipfile.ZipFile(io.BytesIO(write_form((sheet,)))) as package:
        page = package.read("xl/worksheets/sheet1.xml").decode()
        notes = package.read("xl/comments1.xml").decode()
    assert page.count("<dataValidation ") == 3
    assert "<formula1>$B$3:$D$3</formula1>" in page
    assert page.count("showErrorMessage") == 2
    assert "what b is" in notes


def test_a_cell_that_no_sheet_holds_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        write_form((Sheet("s", (("x" * 32_768,),)),))


def test_numbers_and_days_of_other_programs_keep_what_was_typed() -> None:
    def fill(page: Any, book: Any) -> None:  # noqa: ANN401 - the library is untyped.
        for column, number in enumerate((3.1, 3.10, 0.1, -0.5, 1e14, 123456.789)):
            page.write_number(0, column, number)
        style = book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_datetime(2, 1, datetime(2027, 1, 3), style)  # noqa: DTZ001 - a day.
        page.write_blank(5, 5, None, style)

    (sheet,) = read_form(workbook(fill))
    expected = ("3.1", "3.1", "0.1", "-0.5", "100000000000000", "123456.789")
    assert sheet.rows[0] == tuple(map(Decimal, expected))
    assert sheet.rows[1] == ()
    assert sheet.rows[2] == (None, date(2027, 1, 3))


@pytest.mark.parametrize(
    ("fill", "place", "words"),
    [
        (lambda p, _: p.write_formula("B3", "=1+1", None, 2), "sheet risk, cell B3", "formula"),
        (lambda p, _: p.write_array_formula("A1:A2", "{=B1:B2}"), "sheet risk, cell A1", "formula"),
        (lambda p, _: p.merge_range("B2:C3", "x"), "sheet risk, cells B2:C3", "merged"),
        (lambda p, _: p.write_number("A2", 12345678901234567), "sheet risk, row 2, column 1",
         "15 digits"),
        (lambda p, b: p.write_number("A1", 46390.5, b.add_format({"num_format": "d.m.yyyy h:mm"})),
         "sheet risk, row 1, column 1", "time"),
        (lambda p, b: p.write_number("A1", 0.5, b.add_format({"num_format": "hh:mm"})),
         "sheet risk, row 1, column 1", "time"),
        (lambda p, b: p.write_number("A1", 7, b.add_format({"num_format": "000"})),
         "sheet risk, cell A1", "zeros"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused_by_its_cell(
    fill: Callable[[Any, Any], object], place: str, words: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        read_form(workbook(fill, "risk"))
    (finding,) = caught.value.findings
    assert (finding.path, finding.code) == (place, "sheet-refused")
    assert words in finding.message.lower()
    assert finding.remedy


def test_an_error_and_a_chart_are_no_cells_of_a_form() -> None:
    body = repacked(
        workbook(lambda page, _: page.write_string("A1", "x"), "risk"),
        "xl/worksheets/sheet1.xml",
        lambda page: page.replace(b't="s"><v>0</v>', b't="e"><v>#REF!</v>'),
    )
    with pytest.raises(DocumentError) as caught:
        read_form(body)
    assert caught.value.findings[0].path == "sheet risk, cell A1"

    def chart(page: Any, book: Any) -> None:  # noqa: ANN401 - the library is untyped.
        page.write_number("A1", 1)
        drawn = book.add_chart({"type": "line"})
        drawn.add_series({"values": "=sheet!$A$1:$A$2"})
        book.add_chartsheet("picture").set_chart(drawn)

    with pytest.raises(DocumentError) as caught:
        read_form(workbook(chart))
    assert caught.value.findings[0].path == "sheet picture"


def _tall(page: Any, _book: Any) -> None:  # noqa: ANN401 - the library is untyped.
    page.write_string("A1", "x")
    page.write_string("XFD100", "x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no whole XLSX"),
        (b"PK\x03\x04", "no whole XLSX"),
        (workbook(lambda page, _: page.write_string("A1", "x"))[:-200], "no whole XLSX"),
        (
            repacked(
                workbook(lambda page, _: page.write_string("A1", "x")),
                "xl/worksheets/sheet1.xml",
                lambda page: page.replace(
                    b"<worksheet", b'<!DOCTYPE w [<!ENTITY e "x">]><worksheet', 1
                ),
            ),
            "no whole XLSX",
        ),
        (workbook(_tall), "cells"),
        (
            workbook(
                lambda _page, book: [
                    book.add_worksheet().write_string("A60000", "x") for _ in range(20)
                ]
            ),
            "cells",
        ),
        (workbook(lambda _, book: [book.add_worksheet() for _ in range(300)]), "300 sheets"),
    ],
)
def test_what_is_no_workbook_or_too_large_is_refused(body: bytes, words: str) -> None:
    with pytest.raises((UnreadableError, DocumentError)) as caught:
        read_form(body)
    assert words in caught.value.detail


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    file = io.BytesIO(workbook(lambda page, _: page.write_string("A1", "x")))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/media/bomb.bin", b"\0" * (65 << 20))
    assert len(file.getvalue()) < 1 << 20
    with pytest.raises(UnreadableError, match="unpacks to more than"):
        read_form(file.getvalue())


def test_macros_are_refused() -> None:
    file = io.BytesIO(workbook(lambda page, _: page.write_string("A1", "x")))
    with zipfile.ZipFile(file, "a") as package:
        package.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(UnreadableError, match="macros"):
        read_form(file.getvalue())


def test_what_another_reader_sees_is_what_was_written() -> None:
    body = write_form((Sheet("s", (TRICKY,)),))
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(body))
    assert tuple(book.get_sheet_by_index(0).to_python()[0]) == TRICKY
