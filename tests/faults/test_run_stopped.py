"""Ctrl-C and SIGTERM end a run in order: one line, the shell's status, and nothing left behind."""

from __future__ import annotations

import asyncio
import signal
from itertools import pairwise
from time import sleep

import asyncpg
import pytest

from app.infra.database import libpq_url
from app.infra.settings import Settings
from tests.factories.book import AS_OF
from tests.faults.nursery import Child, Nursery
from tests.faults.stopped_child import AT_WORK
from tests.faults.test_run_killed import prepare
from tests.patience import PATIENCE_SECONDS

INT, TERM = signal.SIGINT, signal.SIGTERM


async def states(url: str) -> list[str]:
    """How the runs ended."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        return [row["state"] for row in await connection.fetch("SELECT * FROM reevaluation_runs")]
    finally:
        await connection.close()


def start(nursery: Nursery, url: str, settings: Settings) -> Child:
    """A run over the book."""
    return nursery.start(
        "tests.faults.stopped_child",
        *("reevaluate", "--apply", "--as-of", AS_OF.isoformat()),
        env={"DATA_DIR": str(settings.data_dir), "TIERING_DATABASE_URL": libpq_url(url)},
    )


@pytest.mark.parametrize(
    ("signals", "status"),
    [([INT], 130), ([TERM], 143), ([INT] * 5, 130), ([TERM, TERM], 143), ([INT, TERM], 130)],
    ids=str,
)
def test_a_run_that_is_stopped_says_so_in_one_line(
    fresh_database_url: str,
    settings: Settings,
    nursery: Nursery,
    signals: list[signal.Signals],
    status: int,
) -> None:
    asyncio.run(prepare(fresh_database_url, settings))
    with start(nursery, fresh_database_url, settings) as running:
        assert running.stdout.readline() == f"{AT_WORK}\n"
        sleep(0.15)
        running.send_signal(signals[0])
        for _ in pairwise(signals):
            sleep(0.1)
            running.send_signal(signals[-1])
        assert (running.wait(PATIENCE_SECONDS), running.stdout.read()) == (status, "")
        said = running.errors()
    assert said == (
        "error: stopped; what was committed stays, the same command goes on from there\n"
    )
    assert asyncio.run(states(fresh_database_url)) == ["cancelled"]
    assert list(settings.data_dir.glob("book-*")) == []
