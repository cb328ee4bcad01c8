"""The scan hook: a command that reads a file and says what it found by its exit status."""

from __future__ import annotations

import os
import select
import shlex
import sys
import time
from pathlib import Path

import pytest

from app.domain.errors import Invalid
from app.infra.scanner import Scanner, ScannerFailedError
from app.infra.settings import Settings, load_settings

pytestmark = pytest.mark.anyio

READ = "import sys; content = sys.stdin.buffer.read(); "
BLOCKS = [b"a" * 1_000_000, b"EICAR", b"b" * 1_000_000]


def scanner(program: str, *, patience_seconds: float = 20) -> Scanner:
    """A scanner whose command is a short program."""
    command = shlex.join([sys.executable, "-c", program])
    return Scanner(Settings(evidence_scanner=command), patience_seconds)


async def test_without_a_command_everything_is_clean() -> None:
    assert await Scanner(Settings()).is_clean(BLOCKS)


async def test_it_reads_the_whole_file_and_says_whether_it_is_clean() -> None:
    finds = scanner(READ + "assert len(content) == 2_000_005; sys.exit(b'EICAR' in content)")
    assert not await finds.is_clean(BLOCKS)
    assert await finds.is_clean([BLOCKS[0], b"other", BLOCKS[2]])


@pytest.mark.parametrize(
    "program",
    [
        READ + "sys.exit(2)",
        READ + "sys.exit(255)",
        READ + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
async def test_one_that_does_not_know_has_failed(program: str) -> None:
    with pytest.raises(ScannerFailedError, match="could not judge"):
        await scanner(program).is_clean(BLOCKS)


async def test_one_that_did_not_read_to_the_end_found_something_or_has_failed() -> None:
    assert not await scanner("import sys; sys.exit(1)").is_clean(BLOCKS)
    with pytest.raises(ScannerFailedError):
        await scanner("import sys; sys.exit(0)").is_clean(BLOCKS)


@pytest.mark.parametrize("command", ["/nowhere/scan -", "/", shlex.quote(str(Path(__file__)))])
async def test_one_that_is_not_there_has_failed(command: str) -> None:
    with pytest.raises(ScannerFailedError, match="does not answer"):
        await Scanner(Settings(evidence_scanner=command)).is_clean(BLOCKS)


@pytest.mark.parametrize(
    "hang",
    [
        "import time; time.sleep(600)",
        READ + "import time; time.sleep(600)",
        READ + "sys.stdout.close(); import time; time.sleep(600)",
    ],
)
async def test_one_that_hangs_is_ended(hang: str) -> None:
    began = time.monotonic()
    with pytest.raises(ScannerFailedError, match="does not answer"):
        await scanner(hang, patience_seconds=0.5).is_clean(BLOCKS)
    assert time.monotonic() - began < 20


async def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    program = (
        "import subprocess, sys, time; from pathlib import Path; "
        "child = subprocess.Popen(['sleep', '600']); "
        f"Path({str(told)!r}).write_text(str(child.pid)); time.sleep(600)"
    )
    with pytest.raises(ScannerFailedError):
        await scanner(program, patience_seconds=2).is_clean([b"x"])
    assert _has_ended(int(told.read_text()))


def _has_ended(pid: int) -> bool:
    """Whether a process ends, or has ended, without our doing."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 20)[0])
    finally:
        os.close(watched)


async def test_what_it_prints_is_neither_kept_nor_waited_for() -> None:
    flood = READ + "print('x' * 5_000_000); print(content, file=sys.stderr)"
    assert await scanner(flood).is_clean(BLOCKS)


async def test_it_is_told_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERING_MASTER_KEY", "secret")
    assert "TIERING_MASTER_KEY" in os.environ
    program = READ + "import os; sys.exit('secret' in os.environ.values())"
    assert await scanner(program).is_clean(BLOCKS)


async def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    made = tmp_path / "made"
    command = f"{shlex.quote(sys.executable)} -c '{READ}' ; touch {made}"
    assert await Scanner(Settings(evidence_scanner=command)).is_clean(BLOCKS)
    assert not made.exists()


@pytest.mark.parametrize("command", ["", "  ", "scan 'unclosed secret"])
def test_a_command_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("TIERING_EVIDENCE_SCANNER", command)
    with pytest.raises(Invalid, match=r"evidence_scanner: .*command") as refused:
        load_settings()
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize(
    ("name", "value"), [("evidence_max_bytes", "10485761"), ("evidence_keep_days", "364")]
)
def test_neither_size_nor_retention_go_beyond_what_the_tables_take(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TIERING_{name.upper()}", value)
    with pytest.raises(Invalid, match=name):
        load_settings()
