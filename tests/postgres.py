"""A throw-away PostgreSQL for one test process.

The embedded one, or the binaries that TIERING_TEST_PG_BIN names (as `make test PG=15` does).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.infra.embedded import embedded_server

#: Tests may lose everything at a power cut; they are faster for it.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextmanager
def throw_away_server() -> Iterator[str]:
    """A URL of a server that goes with the block."""
    folder = Path(tempfile.mkdtemp(prefix="tiering-tests-"))
    folder.chmod(0o755)
    binaries = os.environ.get("TIERING_TEST_PG_BIN")
    try:
        if binaries:
            with _foreign_server(Path(binaries), folder) as url:
                yield url
        else:
            with embedded_server(folder) as url:
                yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _foreign_server(binaries: Path, folder: Path) -> Iterator[str]:
    data = folder / "data"
    data.mkdir()
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        entry = pwd.getpwnam(user)
        os.chown(data, entry.pw_uid, entry.pw_gid)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    options = " ".join(f"-c {setting}" for setting in FAST)

    def run(*arguments: str) -> None:
        subprocess.run(arguments, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    run(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8")
    start = (str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"))
    run(*start, "-o", f"-h '' -k {folder} {options}", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
