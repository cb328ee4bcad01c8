"""The demo as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.infra.database import libpq_url
from app.infra.settings import Settings
from tests.paths import ROOT


@dataclass(frozen=True)
class Served:
    """The process, where it listens, and what it printed before."""

    process: subprocess.Popen[str]
    base: str
    printed: str
    settings: Settings


@pytest.fixture
def served(fresh_database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The demo in a process of its own, and what it printed before serving."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = tmp_path / "printed"
    with printed.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "DATA_DIR": str(tmp_path / "data"),
                "TIERING_DATABASE_URL": libpq_url(fresh_database_url),
                "CUSTOMERS": "60",
                "PORT": str(port),
            },
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "Uvicorn running" in line:
                break
        settings = Settings(data_dir=tmp_path / "data")
        yield Served(process, f"http://127.0.0.1:{port}", printed.read_text(), settings)
        if process.poll() is None:
            process.kill()
        process.communicate()
