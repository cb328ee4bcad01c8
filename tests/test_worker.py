"""A worker in a thread of the serving process."""

from __future__ import annotations

import logging
import threading

import pytest

from app.infra.settings import Settings
from app.worker import worker_beside
from tests.faults.workers import Yard

LISTENING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
)


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_it_listens_within_the_block_and_is_gone_after_it(
    fresh_database_url: str, settings: Settings
) -> None:
    yard = Yard(fresh_database_url)
    with worker_beside(fresh_database_url, settings):
        yard.until(LISTENING, 1)
        assert "worker" in names()
    assert "worker" not in names()
    yard.until(LISTENING, 0)


def test_one_that_cannot_work_says_so_and_keeps_nobody_from_serving(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), worker_beside("mysql://nonsense", settings):
        pass
    assert "the worker ended" in caplog.text
    assert "worker" not in names()
