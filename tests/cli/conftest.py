"""Commands in this process, and the demo as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli import main
from app.infra.database import libpq_url
from app.infra.settings import Settings
from tests.unmeasured import unmeasured

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
                "CUSTOMERS": "60",
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


@pytest.fixture
def served(fresh_database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The demo in a process of its own, and what it printed before serving."""
    with serving(fresh_database_url, tmp_path) as opened:
        yield opened


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
