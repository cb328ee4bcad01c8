"""Small files that would take far more than they are: refused, and nothing of ours ends of it.

Ceilings are low here, so that no test takes what it is about.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.domain.errors import Conflict, Invalid
from app.domain.records.mapping.document import Source
from app.domain.records.mapping.frame import Setting, compile_mapping
from app.domain.records.mapping.own_layout import own_layout
from app.domain.records.specs import get_record
from app.features.imports.service import files, inspection
from app.features.imports.service import frame as frames
from app.features.imports.service.files import batches, open_rows
from app.infra.confined import Limits, Refused, parent
from app.infra.confined.parquet import LARGEST_BATCH_BYTES
from tests.features.imports.desk import TODAY
from tests.features.imports.feed import Feed
from tests.features.imports.workbook import MAIN, rows_of, workbook
from tests.unmeasured import unmeasured

GOOD = rows_of([["a"], ["1"]])
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
UNPLACED = f"<row>{'<c><v>1</v></c>' * 90}</row>" * 3
DOCTYPE = '<!DOCTYPE x [<!ENTITY e "x">]>'
TOO_MANY = "a sheet of more than 10,000,000 cells"
DAMAGED = "this is no whole XLSX workbook"
MEMORY = "it breaks what reads it, or takes more than 700 MB of memory to read; export it again"


@pytest.fixture
def low_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "LIMITS", Limits(memory_bytes=700 << 20))


def read(path: Path) -> int:
    file = open_rows(path, Source())
    return sum(batch.num_rows for batch in batches(file, file.schema.names))


def refusal(path: Path) -> str:
    with pytest.raises(Invalid) as refused:
        read(path)
    assert refused.value.type == "file-unreadable"
    return str(refused.value)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "book.xlsx"
    path.write_bytes(content)
    return path


@pytest.mark.usefixtures("low_ceiling")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (GOOD + FAR, TOO_MANY),
        (GOOD + FAR.replace('"', "'"), TOO_MANY),
        (GOOD + FAR.lower().replace('1048576"><c', '2"><c'), TOO_MANY),
        (GOOD + FAR.replace("r=", "r =\n "), TOO_MANY),
        (GOOD + FAR.replace("XFD1", "XFD&#49;"), TOO_MANY),
        (GOOD + FAR.replace("<c", "<x:c").replace("</c", "</x:c").replace(
            "<row", f'<row xmlns:x="{MAIN}"'), TOO_MANY),
        (GOOD + FAR.replace("XFD1048576", "XFD0001048576"), DAMAGED),
        (GOOD + FAR.replace("XFD1048576", "$XFD$1048576"), DAMAGED),
    ],
)  # fmt: skip
def test_a_far_cell_is_found_however_its_place_is_written(
    tmp_path: Path, rows: str, told: str
) -> None:
    assert told in refusal(write(tmp_path, workbook(rows)))


def test_cells_without_a_place_are_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, workbook(GOOD + UNPLACED))
    monkeypatch.setattr(parent, "LIMITS", Limits(cells=250))
    assert "a sheet of more than 250 cells" in refusal(path)


def test_a_sheet_is_judged_wherever_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, moved(FAR))
    assert TOO_MANY in refusal(path)
    assert read(write(tmp_path, moved(""))) == 1


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, moved("", DOCTYPE))
    assert DAMAGED in refusal(path)


@pytest.mark.usefixtures("low_ceiling")
def test_a_long_text_in_every_row_ends_the_child_only(tmp_path: Path) -> None:
    strings = f'<sst xmlns="{MAIN}"><si><t>{"x" * 200_000}</t></si></sst>'
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(3, 9_000))
    content = moved(rows, strings=strings)
    assert len(content) < 100_000
    assert MEMORY in refusal(write(tmp_path, content))


@pytest.mark.usefixtures("low_ceiling")
def test_a_cell_holds_what_a_cell_may_hold(tmp_path: Path) -> None:
    path = write(tmp_path, workbook(rows_of([["a"], ["x" * 32_767]])))
    assert read(path) == 1
    path = write(tmp_path, workbook(rows_of([["a"], ["x" * 32_768]])))
    assert "row 2 of the sheet: a cell of more than 32,767 characters" in refusal(path)


def parquet(folder: Path, length: int, rows: int) -> Path:
    """A value of that length in every row, stored once."""
    places = pa.array([0] * rows, pa.int32())
    values = pa.DictionaryArray.from_arrays(places, pa.array(["x" * length]))
    table = pa.table({"customer_id": values, "kind": ["individual"] * rows})
    path = folder / "customers.parquet"
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=1 << 30)
    assert path.stat().st_size < 100_000
    return path


@pytest.mark.usefixtures("low_ceiling")
def test_a_long_value_in_every_row_of_parquet_ends_the_child_only(tmp_path: Path) -> None:
    assert MEMORY in refusal(parquet(tmp_path, 100_000, 32_768))


@pytest.mark.usefixtures("low_ceiling")
def test_batches_are_light_and_values_are_values(tmp_path: Path) -> None:
    file = open_rows(parquet(tmp_path, 3_000, 32_768), Source())
    assert file.schema.types == [pa.string(), pa.string()]
    sizes = [(part.num_rows, part.nbytes) for part in batches(file, ["customer_id"])]
    assert sum(rows for rows, _ in sizes) == 32_768
    assert len(sizes) == 2
    assert max(size for _, size in sizes) <= LARGEST_BATCH_BYTES


def test_a_row_larger_than_a_batch_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, LARGEST_BATCH_BYTES, 1)
    assert "a row of more than 67,108,864 bytes" in refusal(path)


def test_a_description_that_is_itself_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LARGEST_FOOTER_BYTES", 100)
    told = refusal(parquet(tmp_path, 1, 1))
    assert "its description is larger than 100 bytes; write fewer columns" in told


def test_chunks_of_long_rows_have_fewer_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_CHUNK_BYTES", 1_000_000)
    ids = [f"{number:0900}" for number in range(70_000)]
    table = pa.table({"customer_id": ids, "kind": ["individual"] * len(ids)})
    path = tmp_path / "customers.parquet"
    pq.write_table(table, path)
    file = open_rows(path, Source())
    mapping = own_layout(get_record("customers"), file.schema.names)
    setting = Setting("Asia/Shanghai", TODAY, ".")
    plan = compile_mapping(mapping, frames.header_of(file.schema), setting)
    heights = [part.height for part in inspection.chunks(file, plan, chunk_rows=50_000)]
    assert sum(heights) == 70_000
    assert max(heights) <= 32_768


def test_a_child_starts_without_what_arrow_would_load_besides() -> None:
    load = "import sys; from app.infra.confined.child import task_of; task_of('read-parquet')"
    tell = "print('pyarrow' in sys.modules, sys.modules.get('numpy'))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{load}; {tell}"],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured(),
    )
    assert ran.stdout == "True None\n"


@pytest.mark.parametrize(
    ("signal", "kind"),
    [("SIGKILL", Refused), ("SIGABRT", Refused), ("SIGTERM", Conflict), ("SIGINT", Conflict)],
)
def test_who_stops_a_child_does_not_judge_its_file(signal: str, kind: type[Exception]) -> None:
    code = (
        f"import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        f"os.kill(os.getpid(), signal.{signal})"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        assert type(parent.verdict(child)) is kind


@pytest.mark.anyio
@pytest.mark.usefixtures("low_ceiling")
async def test_the_job_of_a_bomb_is_dead_at_once_and_leaves_nothing(
    feed: Feed, tmp_path: Path
) -> None:
    content = parquet(tmp_path, 100_000, 32_768).read_bytes()
    found = await feed.import_file(content, "a.parquet", record="customers")
    assert (found["job"]["state"], found["job"]["attempts"]) == ("dead", 1)
    assert MEMORY in found["job"]["error"]["detail"]
    assert found["rows"]["read"] == 0
    folder = feed.api.settings.data_dir.expanduser().resolve()
    assert [*folder.glob("import-*")] == []


def moved(rows: str, before: str = "", strings: str = "") -> bytes:
    """A workbook whose sheet, of a column and these rows, lies in another folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(GOOD))) as old, zipfile.ZipFile(made, "w", 8) as new:
        for name in old.namelist():
            if name != "xl/worksheets/s1.xml":
                new.writestr(name, old.read(name).replace(b"worksheets/s1", b"elsewhere/s1"))
        new.writestr("xl/sharedStrings.xml", strings or f'<sst xmlns="{MAIN}"/>')
        sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{GOOD}{rows}</sheetData></worksheet>'
        new.writestr("xl/elsewhere/s1.xml", before + sheet)
    return made.getvalue()
