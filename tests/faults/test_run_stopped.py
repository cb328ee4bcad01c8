"""Ctrl-C and SIGTERM end a run in order: one line, the shell's status, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from itertools import pairwise
from time import sleep

import asyncpg
import pytest

from app.infra.database import libpq_url
from app.infra.settings import Settings
from tests.factories.book import AS_OF
from tests.faults.stopped_child import AT_WORK
from tests.faults.test_run_killed import prepare
from tests.paths import ROOT

INT, TERM = signal.SIGINT, signal.SIGTERM


async def states(url: str) -> list[str]:
    """How the runs ended."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        return [row["state"] for row in await connection.fetch("SELECT * FROM reevaluation_runs")]
    finally:
        await connection.close()


def start(url: str, settings: Settings) -> subprocess.Popen[str]:
    """A run over the book, which waits until it is at work."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.faults.stopped_child"),
            *("reevaluate", "--apply", "--as-of", AS_OF.isoformat()),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(settings.data_dir),
            "TIERING_DATABASE_URL": libpq_url(url),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("signals", "status"),
    [([INT], 130), ([TERM], 143), ([INT] * 5, 130), ([TERM, TERM], 143), ([INT, TERM], 130)],
    ids=str,
)
def test_a_run_that_is_stopped_says_so_in_one_line(
    fresh_database_url: str, settings: Settings, signals: list[signal.Signals], status: int
) -> None:
    asyncio.run(prepare(fresh_database_url, settings))
    with start(fresh_database_url, settings) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == f"{AT_WORK}\n"
        sleep(0.3)
        running.send_signal(signals[0])
        for _ in pairwise(signals):
            sleep(0.2)
            running.send_signal(signals[-1])
        out, said = running.communicate(timeout=60)
    assert (running.returncode, out) == (status, "")
    assert said == (
        "error: stopped; what was committed stays, the same command goes on from there\n"
    )
    assert asyncio.run(states(fresh_database_url)) == ["cancelled"]
    assert list(settings.data_dir.glob("book-*")) == []
