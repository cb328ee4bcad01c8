"""A run may be killed at any instant: the next one completes it, and nothing is doubled."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from sqlalchemy import text

from app.features.reevaluation.service import run
from app.infra.database import open_database
from app.infra.settings import Settings
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.faults.nursery import Nursery
from tests.faults.run_child import INSTANTS
from tests.patience import PATIENCE_SECONDS

CUSTOMERS = 50

WHAT_STANDS = """
SELECT s.customer_id, s.tier, s.since, encode(s.outputs_digest, 'hex') AS digest,
    (SELECT count(*) FROM decisions d WHERE d.customer_id = s.customer_id) AS decisions,
    (SELECT count(*) FROM tier_assignments a WHERE a.customer_id = s.customer_id) AS assignments
FROM scoring_states s ORDER BY s.customer_id
"""


async def prepare(url: str, settings: Settings) -> None:
    """A small book, with the templates in force."""
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await write_book(session, CUSTOMERS)
        await put_templates(session)


async def what_stands(url: str, settings: Settings) -> list[dict[str, Any]]:
    """Every customer's state, with how many decisions and assignments led to it."""
    async with open_database(url, settings) as database, database.sessions() as session:
        return [dict(row) for row in (await session.execute(text(WHAT_STANDS))).mappings()]


def run_and_die(
    nursery: Nursery, url: str, settings: Settings, instant: str, time_round: int
) -> int:
    """The exit status of a run that kills itself."""
    day = AS_OF.isoformat()
    arguments = (url, str(settings.data_dir), day, instant, str(time_round))
    with nursery.start("tests.faults.run_child", *arguments) as child:
        return child.wait(PATIENCE_SECONDS)


def test_a_run_killed_at_any_instant_is_completed_by_the_next_with_nothing_doubled(
    fresh_database_url: str, settings: Settings, nursery: Nursery
) -> None:
    asyncio.run(prepare(fresh_database_url, settings))
    for number, instant in enumerate(INSTANTS):
        # Later and later, so that each death meets another part of the book.
        time_round = 1 if instant in {"resolve_all", "finish"} else 1 + number % 3
        status = run_and_die(nursery, fresh_database_url, settings, instant, time_round)
        assert status == -signal.SIGKILL, instant
        stands = asyncio.run(what_stands(fresh_database_url, settings))
        assert all((row["decisions"], row["assignments"]) == (1, 1) for row in stands)
    summary = asyncio.run(run(fresh_database_url, settings, as_of=AS_OF, apply=True))
    assert summary.tally.customers == CUSTOMERS
    stands = asyncio.run(what_stands(fresh_database_url, settings))
    assert len(stands) == CUSTOMERS
    assert all((row["decisions"], row["assignments"]) == (1, 1) for row in stands)
    again = asyncio.run(run(fresh_database_url, settings, as_of=AS_OF, apply=True))
    assert again.tally.changed == 0
    # What the killed runs left of their temporary books is gone.
    assert list(settings.data_dir.glob("book-*")) == []


@pytest.mark.parametrize("instant", ["copy_decisions", "apply_staged"])
def test_a_chunk_is_written_whole_or_not_at_all(
    fresh_database_url: str, settings: Settings, nursery: Nursery, instant: str
) -> None:
    asyncio.run(prepare(fresh_database_url, settings))
    status = run_and_die(nursery, fresh_database_url, settings, instant, time_round=2)
    assert status == -signal.SIGKILL
    stands = asyncio.run(what_stands(fresh_database_url, settings))
    # The first chunk was committed before the second one began; of the second nothing stands.
    assert 0 < len(stands) <= 8
