"""Large files and failing servers: memory stays bounded, and failures are said without values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

import asyncpg
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from app.domain.errors import Conflict, DomainError
from app.domain.records.mapping.document import Source
from app.features.imports.repository import runs
from app.features.imports.service import Surroundings, ledger
from app.features.imports.service.files import batches, open_rows
from app.infra.database import open_database
from tests.features.imports.desk import CUSTOMER, TODAY, ImportDesk

pytestmark = pytest.mark.anyio


async def test_fingerprints_in_many_buckets_find_the_same_keys(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_ROWS_PER_BUCKET", 2)
    rows = [{**CUSTOMER, "customer_id": f"C{number % 9}"} for number in range(20)]
    path = desk.folder / "customers.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    result = await desk.run(path)
    assert result.total.records["customers"].inserted == 9
    assert result.total.records["customers"].duplicates == 11


async def test_a_full_disk_for_temporary_files(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(_size: int) -> IO[bytes]:
        return Path("/dev/full").open("wb")

    monkeypatch.setattr("app.features.imports.service.ledger.SpooledTemporaryFile", open_full)
    with pytest.raises(
        Conflict, match="the disk for temporary files is full: free space, or set TMPDIR"
    ):
        await desk.load("customers", *({**CUSTOMER, "customer_id": f"C{n}"} for n in range(500)))
    assert await desk.count("import_runs") == 0


async def test_a_database_that_is_not_there(desk: ImportDesk) -> None:
    around = desk.surroundings
    async with open_database("postgresql://nobody@127.0.0.1:9/none", around.settings) as database:
        elsewhere = ImportDesk(
            Surroundings(database, around.settings, around.vault, TODAY), desk.folder
        )
        with pytest.raises(Conflict, match="the database does not answer: check it; what was"):
            await elsewhere.load("customers", CUSTOMER)


@pytest.mark.parametrize(
    ("error", "slug", "said"),
    [
        (asyncpg.DiskFullError, "database-full", "the database's disk is full: free space; "),
        (
            asyncpg.LockNotAvailableError,
            "import-running",
            "another import is writing: wait for it; ",
        ),
        (asyncpg.AdminShutdownError, "database-unavailable", "the database does not answer: "),
        (
            asyncpg.InternalServerError,
            "database-failed",
            "the database failed with SQLSTATE XX000; ",
        ),
        (
            asyncpg.UniqueViolationError,
            "import-refused",
            "a constraint refuses a row of this chunk; ",
        ),
    ],
)
async def test_what_the_database_says_is_told_without_values(
    desk: ImportDesk,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[str], Exception],
    slug: str,
    said: str,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error("Key (customer_id)=(C1) is not what it should be")

    monkeypatch.setattr("app.features.imports.repository.staging.stage", fail)
    with pytest.raises(DomainError) as caught:
        await desk.load("customers", CUSTOMER)
    assert caught.value.type == slug
    assert caught.value.detail.startswith(said)
    assert "C1" not in caught.value.detail
    assert await desk.query("SELECT state FROM import_runs") == [("failed",)]


async def test_two_imports_of_one_file_meet_at_the_same_chunk(desk: ImportDesk) -> None:
    database = desk.surroundings.database
    await desk.load("customers", CUSTOMER)
    ((run,),) = await desk.query("SELECT id FROM import_runs")
    with pytest.raises(Conflict, match="the same file is being imported by another command"):
        async with runs.transaction(database) as session:
            runs.record_chunk(session, run_id=run, chunk_no=0, counts={})  # type: ignore[arg-type]


async def test_files_are_read_in_parts_not_at_once(tmp_path: Path) -> None:
    """What is held at any time is a few batches, whatever the length of the file."""
    table = pa.table({"customer_id": [f"C{n:040d}" for n in range(200_000)]})
    for path in (tmp_path / "a.parquet", tmp_path / "a.csv"):
        (pq.write_table if path.suffix == ".parquet" else pacsv.write_csv)(table, path)
        sizes = [batch.num_rows for batch in batches(open_rows(path, Source()), ["customer_id"])]
        assert sum(sizes) == 200_000
        assert max(sizes) <= 40_000
