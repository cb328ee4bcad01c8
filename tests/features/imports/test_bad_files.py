"""A file or mapping that cannot be used: one line that names the place and the remedy, no trace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.domain.errors import Conflict, DomainError, Invalid
from app.features.imports.service import files
from app.features.imports.service.frame import read_rows
from tests.features.imports.desk import CUSTOMER, POLICY, ImportDesk, rejects

pytestmark = pytest.mark.anyio

HEADER = "customer_id,kind,valid_from\n"
MAPPING = """
format: tiering-mapping/1
source: {format: csv}
records:
  - record: customers
    columns: {customer_id: Id, kind: {constant: individual}, valid_from: {constant: "2020-01-01"}}
"""


async def refusal(desk: ImportDesk, path: Path, **options: object) -> str:
    """What an import says that leaves nothing behind."""
    with pytest.raises(DomainError) as caught:
        await desk.run(path, **options)
    assert await desk.count("customers") == 0
    assert await desk.count("import_runs") == 0
    assert "\n" not in caught.value.detail
    return caught.value.detail


def binary(desk: ImportDesk, content: bytes, name: str = "customers.csv") -> Path:
    path = desk.folder / name
    path.write_bytes(content)
    return path


async def test_a_missing_file(desk: ImportDesk) -> None:
    said = await refusal(desk, desk.folder / "customers.csv")
    assert said == "customers.csv: no such file or directory; check the path"


async def test_a_directory(desk: ImportDesk) -> None:
    folder = desk.folder / "customers"
    folder.mkdir()
    assert await refusal(desk, folder) == "customers: this is a directory; name a file"


async def test_a_pipe(desk: ImportDesk) -> None:
    path = desk.folder / "customers.csv"
    os.mkfifo(path)
    assert await refusal(desk, path) == (
        "customers.csv: this is no regular file; save the rows in a file first"
    )


async def test_a_file_below_a_file(desk: ImportDesk) -> None:
    below = binary(desk, b"x") / "customers.csv"
    assert await refusal(desk, below) == "customers.csv: not a directory; check the path"


async def test_an_empty_file(desk: ImportDesk) -> None:
    said = await refusal(desk, binary(desk, b""))
    assert said == "customers.csv: the file is empty; export it again"


async def test_a_header_without_names(desk: ImportDesk) -> None:
    assert await refusal(desk, binary(desk, b"\n\n"), record="customers") == (
        "customers.csv, line 1: no header; put the columns' names first"
    )
    assert await refusal(desk, binary(desk, b"customer_id,,kind\nC1,x,individual\n")) == (
        "customers.csv, column 2: no name in the header; name every column"
    )


async def test_a_header_that_is_no_csv(desk: ImportDesk) -> None:
    assert await refusal(desk, binary(desk, b'"a"b,c\n1,2\n')) == (
        "customers.csv, line 1: no header; put the columns' names first"
    )


async def test_a_header_name_that_occurs_twice(desk: ImportDesk) -> None:
    path = binary(desk, b"customer_id,kind,kind\nC1,individual,individual\n")
    assert await refusal(desk, path) == (
        "customers.csv, column 3: the column 'kind' occurs twice; rename or remove one of them"
    )


async def test_a_wrong_header(desk: ImportDesk) -> None:
    path = binary(desk, b"customer_id,kind,valid_form\nC1,individual,2020-01-01\n")
    assert await refusal(desk, path) == (
        "customers.csv, header.valid_form: customers has no column 'valid_form'; "
        "did you mean 'valid_from'?"
    )


async def test_a_missing_column(desk: ImportDesk) -> None:
    path = binary(desk, b"customer_id\nC1\n")
    assert await refusal(desk, path) == (
        "customers.csv, header.kind: the column 'kind' is missing; add it, or give a mapping"
    )


@pytest.mark.parametrize(
    ("row", "cells"), [("C2,individual\n", 2), ("C2,individual,2020-01-01,x\n", 4)]
)
async def test_ragged_rows(desk: ImportDesk, row: str, cells: int) -> None:
    path = binary(desk, (HEADER + "C1,individual,2020-01-01\n" + row).encode())
    assert await refusal(desk, path) == (
        f"customers.csv, line 3: {cells} cells where the header has 3; "
        "quote cells that hold the delimiter, or check the delimiter"
    )


async def test_a_ragged_row_whose_place_cannot_be_told(desk: ImportDesk) -> None:
    path = binary(desk, (HEADER + '"C1"x,individual,2020-01-01\nC2,y\n').encode())
    assert await refusal(desk, path) == (
        "customers.csv: the rows cannot be told apart; check quotes and delimiter"
    )


async def test_gb18030_without_saying_so(desk: ImportDesk) -> None:
    path = binary(
        desk, (HEADER + "C1,individual,2020-01-01\nC2,个人,2020-01-01\n").encode("gb18030")
    )
    assert await refusal(desk, path) == (
        "customers.csv, line 3: not utf-8; it reads as gb18030: name the file's encoding in the "
        "mapping (source: encoding), or save it as UTF-8"
    )


async def test_utf_16_and_what_no_encoding_fits(desk: ImportDesk) -> None:
    assert "it reads as utf-16: name" in await refusal(desk, binary(desk, HEADER.encode("utf-16")))
    # Odd in length, no GB18030, and a byte that code page 1252 leaves undefined.
    said = await refusal(desk, binary(desk, HEADER.encode() + b"\x81\xff\x00\x00"[:3]))
    assert said.startswith("customers.csv, line 2: not utf-8; name the file's encoding")


@pytest.mark.parametrize("encoding", ["utf-16", "punycode"])
async def test_a_file_in_another_encoding_than_the_mapping_says(
    desk: ImportDesk, encoding: str
) -> None:
    path = binary(desk, b"Id\nC1, ,\n")
    mapping = desk.write_text(
        "mapping.yaml", MAPPING.replace("format: csv", f"format: csv, encoding: {encoding}")
    )
    with pytest.raises(Invalid, match=f"customers.csv, line 1: not {encoding}; "):
        await desk.run(path, mapping=mapping)


@pytest.mark.parametrize(
    "kind", [pa.decimal256(50, 2), pa.timestamp("us", "Mars/Phobos")], ids=["wide", "elsewhere"]
)
async def test_a_parquet_column_of_a_type_that_cannot_be_read(
    desk: ImportDesk, kind: pa.DataType
) -> None:
    path = desk.folder / "customers.parquet"
    rows = {name: pa.array([value]) for name, value in CUSTOMER.items()}
    pq.write_table(pa.table({**rows, "income": pa.nulls(1, kind)}), path)
    assert await refusal(desk, path) == (
        f"customers.parquet, column 4: a column of type {kind} cannot be read here; "
        "convert it, as to text"
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "kind",
    [
        pa.date32(),
        *(pa.timestamp(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "UTC")),
    ],
    ids=str,
)
async def test_a_day_farther_away_than_days_are_reckoned_is_its_row_s_fault(
    desk: ImportDesk, kind: pa.DataType, sign: int
) -> None:
    bits = 32 if pa.types.is_date32(kind) else 64
    days = pa.array([0, sign * (2 ** (bits - 1) - 1), None], f"int{bits}").view(kind)
    rows = {"customer_id": ["C1", "C2", "C3"], "kind": ["individual"] * 3, "valid_from": days}
    pq.write_table(pa.table(rows), desk.folder / "customers.parquet")
    path = desk.folder / "rejects.csv"
    result = await desk.run(desk.folder / "customers.parquet", rejects=path)
    assert (result.total.loaded, result.total.rejected) == (2, 1)
    (line,) = rejects(path)
    assert (line["row"], line["column"], line["reason"]) == ("2", "valid_from", "out-of-range")


def test_seconds_that_would_pass_for_a_day_of_ours_stay_far_away() -> None:
    days = pa.array([2**63 - 1, 0], pa.int64()).view(pa.timestamp("s"))
    frame = read_rows(pa.RecordBatch.from_arrays([days], ["day"]), 1, ())
    assert frame["day"].dt.year().to_list()[1:] == [1970]
    assert frame["day"].dt.year()[0] > 9999


async def test_a_byte_order_mark_is_fine(desk: ImportDesk) -> None:
    path = binary(desk, b"\xef\xbb\xbf" + (HEADER + "C1,individual,2020-01-01\n").encode())
    assert (await desk.run(path)).total.loaded == 1


async def test_gb18030_is_read_if_the_mapping_says_so(desk: ImportDesk) -> None:
    path = binary(desk, "编号,城市\nC1,上海\n".encode("gb18030"))
    mapping = desk.write_text(
        "mapping.yaml",
        MAPPING.replace("format: csv", "format: csv, encoding: gb18030").replace(
            "customer_id: Id", "customer_id: 编号, city: 城市"
        ),
    )
    assert (await desk.run(path, mapping=mapping)).total.loaded == 1
    assert await desk.query("SELECT city FROM customers") == [("上海",)]


async def test_a_cell_of_ten_megabytes(desk: ImportDesk) -> None:
    path = binary(
        desk, HEADER.encode() + b"C1,individual,2020-01-01\nC2," + b"z" * 10_000_000 + b",\n"
    )
    assert await refusal(desk, path) == (
        "customers.csv, line 3: a line of more than 250,000 characters; "
        "shorten the cell, or look for a quote that is never closed"
    )


async def test_a_cell_of_ten_megabytes_in_parquet_is_its_row_s_fault(desk: ImportDesk) -> None:
    rows = {**{name: [value] for name, value in CUSTOMER.items()}, "city": ["z" * 10_000_000]}
    pq.write_table(pa.table(rows), desk.folder / "customers.parquet")
    result = await desk.run(desk.folder / "customers.parquet")
    assert result.total.records["customers"].rejected == {"too-long": 1}


async def test_a_nul_byte(desk: ImportDesk) -> None:
    path = binary(
        desk, HEADER.encode() + b"C1,individual,2020-01-01\nC\x002,individual,2020-01-01\n"
    )
    assert await refusal(desk, path) == (
        "customers.csv, line 3: a NUL byte; export the file again as text"
    )


async def test_a_quote_that_is_never_closed(desk: ImportDesk) -> None:
    path = binary(desk, (HEADER + 'C1,individual,2020-01-01\nC2,"individual,2020-01-01\n').encode())
    assert await refusal(desk, path) == (
        "customers.csv, after line 2: a quote is opened and never closed; close it"
    )


async def test_a_single_quote_mark_inside_a_cell_is_fine(desk: ImportDesk) -> None:
    path = binary(desk, b'customer_id,kind,city\nC1,individual,5" pipe\n')
    assert (await desk.run(path)).total.loaded == 1
    assert await desk.query("SELECT city FROM customers") == [('5" pipe',)]


async def test_a_quoted_line_break_is_a_fault_of_its_row_only(desk: ImportDesk) -> None:
    path = binary(desk, b'customer_id,kind,city\nC1,individual,"a\nb"\nC2,individual,c\n')
    result = await desk.run(path, rejects=desk.folder / "rejects.csv")
    assert (result.total.loaded, result.total.rejected) == (1, 1)


def parquet(desk: ImportDesk) -> bytes:
    path = desk.folder / "whole.parquet"
    pq.write_table(pa.table({name: [value] * 100 for name, value in CUSTOMER.items()}), path)
    return path.read_bytes()


async def test_a_truncated_parquet_file(desk: ImportDesk) -> None:
    path = binary(desk, parquet(desk)[:-20], "customers.parquet")
    assert await refusal(desk, path) == (
        "customers.parquet: this is no whole Parquet file; copy it again, it may have been cut off"
    )


async def test_a_parquet_file_damaged_in_the_middle(desk: ImportDesk) -> None:
    whole = bytearray(parquet(desk))
    whole[4:60] = b"\xff" * 56
    path = binary(desk, bytes(whole), "customers.parquet")
    assert await refusal(desk, path) == (
        "customers.parquet: a part of the file is damaged; copy it again from its source"
    )


async def test_a_csv_file_called_parquet(desk: ImportDesk) -> None:
    path = binary(desk, HEADER.encode(), "customers.parquet")
    assert await refusal(desk, path) == (
        "customers.parquet: this is no parquet file; export it again, or name the right format in "
        "the mapping"
    )


async def test_parquet_columns_that_cannot_be_read_so(desk: ImportDesk) -> None:
    path = desk.folder / "customers.parquet"
    pq.write_table(pa.table({"customer_id": [["C1"]], "kind": ["individual"]}), path)
    said = await refusal(desk, path)
    assert "cannot become id; map another column, or convert the file" in said


async def test_a_header_without_rows_imports_nothing_and_says_so(desk: ImportDesk) -> None:
    for content in (HEADER.strip(), HEADER):
        result = await desk.run(binary(desk, content.encode()))
        assert result.total.rows == 0
        assert not result.changed


async def test_a_file_that_changes_while_it_is_read(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = binary(desk, (HEADER + "C1,individual,2020-01-01\n").encode())
    original: Callable[..., None] = files.check_unchanged

    def grow(file: files.RowFile) -> None:
        with path.open("a") as opened:
            opened.write("C2,individual,2020-01-01\n")
        original(file)

    monkeypatch.setattr("app.features.imports.service.running.check_unchanged", grow)
    with pytest.raises(Conflict, match=r"customers\.csv changed while it was read"):
        await desk.run(path)
    assert await desk.count("customers") == 0

    def vanish(file: files.RowFile) -> None:
        path.unlink()
        original(file)

    monkeypatch.setattr("app.features.imports.service.running.check_unchanged", vanish)
    with pytest.raises(Conflict, match="changed while it was read"):
        await desk.run(path)


async def test_a_file_name_that_tells_no_record(desk: ImportDesk) -> None:
    path = binary(desk, HEADER.encode(), "export.csv")
    assert (await refusal(desk, path)).startswith(
        "export.csv: no record type is called so; name one of customers, "
    )
    assert "no record type is called 'people'" in await refusal(desk, path, record="people")


async def test_a_chunk_of_no_rows(desk: ImportDesk) -> None:
    path = binary(desk, HEADER.encode())
    assert await refusal(desk, path, chunk_rows=0) == "chunk-rows: use 1 to 1,000,000"


# --------------------------------------------------------------------------------------- mappings


async def test_a_mapping_that_is_not_there_or_no_text(desk: ImportDesk) -> None:
    path = binary(desk, b"Id\nC1\n")
    missing = desk.folder / "no.yaml"
    assert await refusal(desk, path, mapping=missing) == (
        "no.yaml: no such file or directory; check the path"
    )
    odd = binary(desk, b"\xff\xfe\xff", "odd.yaml")
    assert await refusal(desk, path, mapping=odd) == "odd.yaml: not UTF-8; save it as UTF-8"


async def test_a_mapping_with_an_alias_bomb(desk: ImportDesk) -> None:
    bomb = desk.write_text("bomb.yaml", "a: &a [x]\nb: [*a, *a]\n")
    said = await refusal(desk, binary(desk, b"Id\nC1\n"), mapping=bomb)
    assert said.startswith("bomb.yaml: line 2, column 5: an alias (*name) is not allowed here")


async def test_a_mapping_with_a_key_twice(desk: ImportDesk) -> None:
    twice = desk.write_text("twice.yaml", "format: x\nformat: y\n")
    said = await refusal(desk, binary(desk, b"Id\nC1\n"), mapping=twice)
    assert said.startswith("twice.yaml: line 2, column 1: the key 'format' a second time")


async def test_a_mapping_for_another_file(desk: ImportDesk) -> None:
    mapping = desk.write_text("mapping.yaml", MAPPING)
    assert await refusal(desk, binary(desk, b"Ident\nC1\n"), mapping=mapping) == (
        "customers.csv, records[0].columns.customer_id: the file has no column 'Id'; "
        "known here: Ident"
    )


async def test_a_column_that_is_called_as_rows_are_numbered(desk: ImportDesk) -> None:
    path = binary(desk, b"Id,#row\nC1,C7\n")
    mapping = desk.write_text("mapping.yaml", MAPPING.replace(": Id", ": '#row'"))
    assert await refusal(desk, path, mapping=mapping) == (
        "customers.csv: the column '#row' cannot be mapped, the import numbers rows by that name; "
        "rename it in the file"
    )
    mapping.write_text(MAPPING)
    assert (await desk.run(path, mapping=mapping)).total.loaded == 1


async def test_a_mapping_that_maps_wrongly(desk: ImportDesk) -> None:
    mapping = desk.write_text("mapping.yaml", MAPPING.replace("customers", "customer"))
    said = await refusal(desk, binary(desk, b"Id\nC1\n"), mapping=mapping)
    assert said == (
        "mapping.yaml, records[0].record: unknown record 'customer'; did you mean 'customers'?"
    )


async def test_a_mapping_in_another_currency(desk: ImportDesk) -> None:
    mapping = desk.write_text("mapping.yaml", MAPPING + "currency: EUR\n")
    assert await refusal(desk, binary(desk, b"Id\nC1\n"), mapping=mapping) == (
        "the mapping's amounts are in EUR, this deployment keeps CNY: convert them, or set "
        "TIERING_CURRENCY=EUR"
    )


async def test_a_rejects_file_that_cannot_be_written(desk: ImportDesk) -> None:
    path = desk.write("customers.csv", [CUSTOMER])
    with pytest.raises(Invalid, match="its folder does not exist; name another place"):
        await desk.run(path, rejects=desk.folder / "none" / "rejects.csv")
    assert await desk.count("customers") == 0


@pytest.mark.parametrize("target", [".", "pipe", "customers.csv"])
async def test_a_rejects_file_that_would_replace_something_else(
    desk: ImportDesk, target: str
) -> None:
    path = desk.write("customers.csv", [{**CUSTOMER, "kind": "robot"}])
    content = path.read_bytes()
    os.mkfifo(desk.folder / "pipe")
    with pytest.raises(Invalid, match="name another place"):
        await desk.run(path, rejects=desk.folder / target)
    assert path.read_bytes() == content
    assert (desk.folder / "pipe").is_fifo()


async def test_a_report_appears_only_if_there_is_something_to_report(desk: ImportDesk) -> None:
    report = desk.folder / "rejects.csv"
    await desk.run(desk.write("customers.csv", [CUSTOMER, {"kind": "robot"}]), rejects=report)
    assert report.exists()
    await desk.run(desk.write("customers.csv", [CUSTOMER]), rejects=report)
    assert not report.exists(), "the report of an earlier import would mislead"


# ----------------------------------------------------------------------------------------- groups

GROUPED = """
format: tiering-mapping/1
source: {format: csv, group: {by: [Id], order: [{from: Year, as: int}]}}
records:
  - record: customers
    distinct: first
    columns: {customer_id: Id, kind: {constant: individual}, valid_from: {constant: "2020-01-01"}}
"""


async def test_groups_that_are_torn_apart(desk: ImportDesk) -> None:
    mapping = desk.write_text("mapping.yaml", GROUPED)
    path = binary(desk, b"Id,Year\nA,1\nB,1\nA,2\n")
    assert await refusal(desk, path, mapping=mapping) == (
        "customers.csv, row 3: of a group whose rows ended further up; sort the file by "
        "source.group.by, then by what source.group.order says"
    )


async def test_groups_in_the_wrong_order(desk: ImportDesk) -> None:
    mapping = desk.write_text("mapping.yaml", GROUPED)
    path = binary(desk, b"Id,Year\nA,1\nA,10\nA,9\n")
    assert (await refusal(desk, path, mapping=mapping)).startswith(
        "customers.csv, row 3: earlier than the row before it in the same group"
    )


async def test_a_group_without_end(desk: ImportDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.imports.service.inspection._LONGEST_GROUP", 3)
    monkeypatch.setattr("app.features.imports.service.inspection._INSPECTED_ROWS", 2)
    mapping = desk.write_text("mapping.yaml", GROUPED)
    path = binary(desk, b"Id,Year\n" + b"A,1\n" * 9)
    assert "a group of more than 3 rows; group by a finer key" in await refusal(
        desk, path, mapping=mapping
    )


async def test_policies_before_their_customers_are_rejected_not_lost(desk: ImportDesk) -> None:
    result = await desk.load("policies", POLICY)
    assert (result.total.rows, result.total.rejected) == (1, 1)
    assert result.total.records["policies"].rejected == {"unknown-parent": 1}
