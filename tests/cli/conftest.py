"""Commands in this process, and the demo as a process of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.cli import main
from app.cli.demo import prepare
from app.infra.database import libpq_url
from app.infra.settings import Settings
from tests.conftest import made_databases
from tests.unmeasured import unmeasured

CUSTOMERS = 60
#: The last place on earth where a day begins: what holds today there holds today everywhere.
WEST = "Etc/GMT+12"

_ALONE = """
import sys
from app.cli import main
try:
    main()
finally:
    heavy = {"sqlalchemy", "asyncpg", "polars", "duckdb", "fastapi", "pyarrow", "xlsxwriter"}
    print(f"loaded: {sorted(heavy & set(sys.modules))}")
"""
NOTHING_HEAVY = "loaded: []"


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, whose last line says what it loaded that takes long."""
    return subprocess.run(
        [sys.executable, "-c", _ALONE, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=unmeasured() | {"DATA_DIR": str(folder / "data")},
        check=False,
    )


@dataclass(frozen=True)
class Served:
    """The process, where it listens, and what it printed before."""

    process: subprocess.Popen[str]
    base: str
    printed: str
    settings: Settings


@contextmanager
def serving(url: str, folder: Path, **changed: str) -> Iterator[Served]:
    """The demo in a process of its own.

    Args:
        url: its database.
        folder: where its data folder is, and what it printed.
        changed: what its environment says besides.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = folder / "printed"
    with printed.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=unmeasured()
            | {
                "DATA_DIR": str(folder / "data"),
                "TIERING_DATABASE_URL": libpq_url(url),
                "CUSTOMERS": str(CUSTOMERS),
                "PORT": str(port),
            }
            | changed,
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "Uvicorn running" in line:
                break
        settings = Settings(data_dir=folder / "data")
        try:
            yield Served(process, f"http://127.0.0.1:{port}", printed.read_text(), settings)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@dataclass(frozen=True)
class DemoBook:
    """The demo's book, and the keys that seal what is in it."""

    server: str
    database: str
    folder: Path

    @contextmanager
    def copied(self, folder: Path) -> Iterator[str]:
        """The URL of a copy that goes with the block; its data folder is within `folder`."""
        shutil.copytree(self.folder, folder / "data")
        with made_databases(self.server, self.database) as make:
            yield make()


@pytest.fixture(scope="session")
def demo_book(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoBook]:
    """The book as the demo makes it, loaded once; those who serve it change copies."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("demo") / "data", business_zone=WEST)
    with made_databases(server_url) as make:
        url = make()
        asyncio.run(prepare(url, settings, customers=CUSTOMERS))
        yield DemoBook(server_url, make_url(url).database or "", settings.data_dir)


@pytest.fixture
def book_url(demo_book: DemoBook, tmp_path: Path) -> Iterator[str]:
    """A copy of the demo's book of the test's own, with its keys in the test's data folder."""
    with demo_book.copied(tmp_path) as url:
        yield url


@dataclass(frozen=True)
class Finished:
    status: int
    stdout: str
    stderr: str


Run = Callable[..., Finished]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def tiering(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run one command to its end in this process, as `main` is called from a shell."""
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    monkeypatch.delenv("TIERING_DATABASE_URL", raising=False)
    monkeypatch.delenv("TIERING_DEBUG", raising=False)

    def run(*arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["tiering", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        found = capfd.readouterr()
        return Finished(int(ended.value.code or 0), found.out, found.err)

    return run


@pytest.fixture
def on_database(tiering: Run, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, on a migrated database of the test's own."""
    monkeypatch.setenv("TIERING_DATABASE_URL", libpq_url(fresh_database_url))
    return tiering
