"""A worker in a thread of the serving process."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta

import pytest

from app.infra.clock import business_day, utc_now
from app.infra.database import open_database
from app.infra.settings import Settings
from app.main import create_app
from app.worker import worker_beside
from tests.api import open_api
from tests.factories.customers import put_customer
from tests.factories.overrides import put_override
from tests.factories.templates import put_templates
from tests.factories.tiers import Stand, write_stand
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


async def write_overdue(url: str, settings: Settings) -> None:
    """An override whose validity is over, and a request whose 72 hours are."""
    today = business_day(utc_now(), settings.business_zone)
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            await put_templates(session)
        async with open_api(create_app(settings, database), settings) as api:
            for customer_id in ("C1", "C2"):
                await put_customer(api, customer_id)
        async with database.sessions() as session:
            for customer_id in ("C1", "C2"):
                await write_stand(session, Stand(customer_id))
        async with database.sessions.begin() as session:
            await put_override(session, "C1", until=today)
            until = today + timedelta(90)
            await put_override(session, "C2", until=until, state="requested")


def test_what_is_overdue_of_overrides_ends_by_itself(
    fresh_database_url: str, settings: Settings
) -> None:
    asyncio.run(write_overdue(fresh_database_url, settings))
    yard = Yard(fresh_database_url)
    ended = (
        "SELECT count(*) FROM overrides"
        " WHERE (customer_id, state) IN (('C1', 'ended'), ('C2', 'expired'))"
    )
    succeeded = "SELECT count(*) FROM jobs WHERE kind = 'override-clock' AND state = 'succeeded'"
    minutely = (
        "SELECT every_seconds FROM schedules WHERE kind = 'override-clock'"
        " AND next_due <= now() + interval '1 minute'"
    )
    with worker_beside(fresh_database_url, settings):
        yard.until(ended, 2)
        yard.until(succeeded, 1)
        yard.until(minutely, 60)
    sources = "SELECT source FROM tier_assignments WHERE customer_id = 'C1' AND valid_to IS NULL"
    # He was evaluated: what he held before serves again, while a downgrade waits.
    assert yard.query(sources) == [("grace",)]
