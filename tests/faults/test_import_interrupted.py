"""An import that was killed, stopped or starved goes on where it was, as if undisturbed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

import asyncpg
import pytest

from app.domain.errors import Conflict, Invalid
from app.features.imports.service import ImportOptions, ImportResult, Surroundings, run_import
from app.infra.cipher import Vault, load_master_key
from app.infra.database import libpq_url, open_database
from app.infra.settings import Settings
from tests.faults.nursery import Nursery
from tests.features.imports.desk import CUSTOMER, TODAY, ImportDesk, rejects
from tests.patience import PATIENCE_SECONDS

ROWS = [
    {
        **CUSTOMER,
        "customer_id": f"C{number}",
        "name": "王小明",
        "gender": "?" if number % 4 == 0 else "",
    }
    for number in range(10)
]


def kill_in(nursery: Nursery, place: str, number: int, url: str, folder: Path) -> None:
    """Run an import that is killed at a place."""
    arguments = (place, str(number), url, str(folder))
    with nursery.start("tests.faults.interrupted_child", *arguments) as child:
        assert child.wait(PATIENCE_SECONDS) == -signal.SIGKILL


async def go_on(
    url: str,
    folder: Path,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    chunk_rows: int = 2,
) -> ImportResult:
    """Give the same command again, with chunks of another size."""
    settings = Settings(data_dir=folder / "data")
    async with open_database(url, settings) as database:
        around = Surroundings(database, settings, Vault(load_master_key(settings)), TODAY)
        options = ImportOptions(chunk_rows=chunk_rows, rejects=folder / "rejects.csv")
        return await run_import(around, folder / "customers.csv", options, progress)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that is closed however its user ends, skipping included."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        yield connection
    finally:
        await connection.close()


async def stored(url: str) -> list[str]:
    async with connected(url) as connection:
        rows = await connection.fetch("SELECT customer_id FROM customers ORDER BY 1")
    return [row["customer_id"] for row in rows]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("place", "number", "committed"),
    [("inside", 1, 0), ("inside", 3, 6), ("between", 5, 10)],
)
async def test_a_killed_import_goes_on_where_it_was(
    fresh_database_url: str,
    tmp_path: Path,
    nursery: Nursery,
    place: str,
    number: int,
    committed: int,
) -> None:
    write_customers(tmp_path)
    kill_in(nursery, place, number, fresh_database_url, tmp_path)
    loaded = [f"C{n}" for n in range(committed) if n % 4]
    assert await stored(fresh_database_url) == loaded
    assert not (tmp_path / "rejects.csv").exists()

    result = await go_on(fresh_database_url, tmp_path)

    assert result.resumed_rows == committed
    assert (result.total.rows, result.total.loaded, result.total.rejected) == (10, 7, 3)
    assert result.total.records["customers"].inserted == 7
    assert await stored(fresh_database_url) == [f"C{n}" for n in range(10) if n % 4]
    assert [line["row"] for line in rejects(tmp_path / "rejects.csv")] == ["1", "5", "9"]
    again = await go_on(fresh_database_url, tmp_path)
    assert (again.changed, again.resumed_rows) == (False, 0)


def has_report(folder: Path) -> bool:
    """Whether a report of rejected rows, or the draft of one, lies in a folder."""
    return any("rejects" in item.name for item in folder.iterdir())


def write_customers(folder: Path) -> None:
    around: Surroundings = object()  # type: ignore[assignment]
    ImportDesk(around, folder).write("customers.csv", ROWS)


@pytest.mark.anyio
async def test_ctrl_c_keeps_whole_chunks_and_nothing_else(
    fresh_database_url: str, tmp_path: Path
) -> None:
    write_customers(tmp_path)

    def stop(stage: str, done: int, _total: int) -> None:
        # What Ctrl-C becomes in a running event loop.
        if stage == "writing" and done == 4:
            asyncio.current_task().cancel()  # type: ignore[union-attr]

    with pytest.raises(asyncio.CancelledError):
        await go_on(fresh_database_url, tmp_path, stop)
    assert await stored(fresh_database_url) == ["C1", "C2", "C3"]
    assert not has_report(tmp_path)
    assert (await go_on(fresh_database_url, tmp_path)).resumed_rows == 4


@pytest.mark.anyio
async def test_two_commands_for_one_file_do_nothing_twice(
    fresh_database_url: str, tmp_path: Path
) -> None:
    write_customers(tmp_path)
    others: list[asyncio.Task[ImportResult]] = []

    def overtake(stage: str, done: int, _total: int) -> None:
        if stage == "writing" and done == 0:
            others.append(asyncio.create_task(go_on(fresh_database_url, tmp_path)))

    first = go_on(fresh_database_url, tmp_path, overtake)
    ended = list(await asyncio.gather(first, return_exceptions=True))
    ended += await asyncio.gather(*others, return_exceptions=True)

    assert [end for end in ended if not isinstance(end, ImportResult | Conflict)] == []
    assert len(await stored(fresh_database_url)) == 7
    result = await go_on(fresh_database_url, tmp_path)
    assert result.total.records["customers"].unchanged + result.resumed_rows >= 7


@pytest.mark.anyio
async def test_a_full_disk_under_the_report_stops_before_the_chunk_is_committed(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(descriptor: int, *_: object, **__: object) -> IO[str]:
        os.close(descriptor)
        return Path("/dev/full").open("w", encoding="utf-8")

    monkeypatch.setattr("app.features.imports.service.rejects.os.fdopen", open_full)
    path = desk.write("customers.csv", [*ROWS, {**CUSTOMER, "kind": "robot"}])
    with pytest.raises(Invalid, match="no space left on device; name another place"):
        await desk.run(path, rejects=desk.folder / "rejects.csv")
    assert await desk.count("customers") == 0


def owner_of(process_id: int) -> int:
    """The user a process runs as."""
    return Path(f"/proc/{process_id}").stat().st_uid


@contextmanager
def small_disk(owner: int) -> Iterator[Path]:
    """A disk of one megabyte that belongs to a user, if we may make one."""
    place = Path(tempfile.mkdtemp(prefix="tiering-full-"))
    options = f"size=1m,mode=0700,uid={owner}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    try:
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("mounting a small disk takes privileges that this user does not have")
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)  # noqa: S607 - wherever it is.
        place.rmdir()


@pytest.mark.anyio
async def test_a_full_disk_under_the_database_leaves_whole_chunks(
    fresh_database_url: str, tmp_path: Path
) -> None:
    rows = [{"customer_id": f"C{number}", "kind": "individual"} for number in range(20_000)]
    around: Surroundings = object()  # type: ignore[assignment]
    ImportDesk(around, tmp_path).write("customers.csv", rows)
    async with connected(fresh_database_url) as server:
        backend = await server.fetchval("SELECT pg_backend_pid()")
        with small_disk(owner_of(backend)) as place:
            await server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
            await server.execute("ALTER TABLE customers SET TABLESPACE small")

            with pytest.raises(Conflict, match="the database's disk is full: free space; what was"):
                await go_on(fresh_database_url, tmp_path, chunk_rows=3_000)

            whole = await server.fetchval("SELECT count(*) FROM customers")
            assert 0 < whole < len(rows)
            assert whole % 3_000 == 0
            assert await server.fetchval("SELECT state FROM import_runs") == "failed"
            await server.execute("ALTER TABLE customers SET TABLESPACE pg_default")
            await server.execute("DROP TABLESPACE small")
    result = await go_on(fresh_database_url, tmp_path, chunk_rows=3_000)
    assert (result.resumed_rows, result.total.loaded) == (whole, len(rows))
