"""What a list costs the database, and that it is of one instant; over a book of its own."""

from __future__ import annotations

import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.customers.repository import book
from app.features.customers.repository.book import BookFilter
from app.features.customers.service import list_whole_book
from app.features.rule_sets.service import install_templates
from app.infra.database import Database, create_database, open_database
from app.infra.media_types import CSV, XLSX
from app.infra.settings import Settings
from app.main import create_app
from tests.api import open_api
from tests.conftest import made_databases
from tests.factories.tiers import Stand, write_stand

pytestmark = pytest.mark.anyio

CUSTOMERS = 8_000
TODAY = date(2026, 6, 30)
PAGE = 51
#: Rows that a page may read: its customers with all that is joined to each, and those of a manager.
#: Whoever walks the book reads three for each customer.
FEW = CUSTOMERS // 5
MEGABYTE = 1 << 20

#: Everybody stands like the first but the last ten, who have what nobody else has.
_BOOK = (
    """
INSERT INTO customers (customer_id, kind, account_manager)
SELECT 'C' || lpad(i::text, 8, '0'), 'individual', 'manager-' || i % 50
FROM generate_series(2, :customers) AS i
""",
    """
INSERT INTO scoring_states SELECT (jsonb_populate_record(state, jsonb_build_object(
    'customer_id', others.customer_id,
    'segment', CASE WHEN is_rare THEN 'base' ELSE 'mid_market' END,
    'life_cycle_stage', CASE WHEN is_rare THEN 'dormant' ELSE 'stable' END,
    'labels', CASE WHEN is_rare THEN '["vip_care", "rare"]'::jsonb ELSE '["vip_care"]'::jsonb END,
    'grace_until', CASE WHEN is_rare THEN '2026-12-01' END))).*
FROM scoring_states AS state, (
    SELECT customer_id, customer_id > :last AS is_rare FROM customers
    WHERE customer_id > 'C00000001'
) AS others
""",
    """
INSERT INTO tier_assignments (id, customer_id, tier, source, decision_id, valid_from)
SELECT gen_random_uuid(), customer_id, CASE WHEN customer_id > :last THEN 'diamond' ELSE 'gold' END,
    'evaluated', decision_id, '2020-10-31'
FROM scoring_states WHERE customer_id > 'C00000001'
""",
    """
INSERT INTO policies (policy_no, customer_id, product_line, product, issued_on)
SELECT 'P' || customer_id, customer_id, 'motor', 'motor-basic', '2020-01-01' FROM customers
""",
    """
INSERT INTO policy_terms (policy_no, customer_id, term_start, term_end, premium_kind, premium,
    pay_mode, started_as)
SELECT policy_no, customer_id, '2025-08-01',
    CASE WHEN customer_id > :last THEN CAST(:soon AS date) ELSE '2026-09-01' END,
    'regular', 100, 'yearly', 'new'
FROM policies
""",
    "ANALYZE",
)


async def _write_book(url: str, settings: Settings) -> None:
    async with open_database(url, settings) as database, database.sessions() as session:
        await install_templates(session)
        await session.execute(
            text("INSERT INTO customers (customer_id, kind) VALUES ('C00000001', 'individual')")
        )
        await write_stand(session, Stand("C00000001"))
        used = {
            "customers": CUSTOMERS,
            "last": f"C{CUSTOMERS - 10:08}",
            "soon": TODAY + timedelta(days=3),
        }
        for statement in _BOOK:
            given = {name: value for name, value in used.items() if f":{name}" in statement}
            await session.execute(text(statement), given)
        await session.commit()


@pytest.fixture(scope="module")
def book_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the book, which no test changes."""
    with made_databases(server_url) as make:
        url = make()
        asyncio.run(_write_book(url, Settings(data_dir=tmp_path_factory.mktemp("book"))))
        yield url


@pytest.fixture
async def big(book_url: str, settings: Settings) -> AsyncIterator[Database]:
    """The book's database as a service has it."""
    database = create_database(book_url, settings)
    yield database
    await database.close()


async def rows_read(database: Database, wanted: BookFilter, after: str = "") -> tuple[int, int]:
    """Customers on a page, and rows of tables that were read for it."""
    count = text(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    )
    async with database.sessions() as session:
        before = await session.scalar(count) or 0
        found = await book.list_customers(session, wanted, today=TODAY, after=after, limit=PAGE)
        return len(found), int((await session.scalar(count) or 0) - before)


@pytest.mark.parametrize("after", ["", f"C{CUSTOMERS // 2:08}"])
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (BookFilter(), PAGE),
        (BookFilter(tier="gold"), PAGE),
        (BookFilter(tier="diamond"), 10),
        (BookFilter(tier="standard"), 0),
        (BookFilter(segment="mid_market"), PAGE),
        (BookFilter(segment="base"), 10),
        (BookFilter(segment="potential"), 0),
        (BookFilter(life_cycle_stage="stable"), PAGE),
        (BookFilter(life_cycle_stage="dormant"), 10),
        (BookFilter(label="vip_care"), PAGE),
        (BookFilter(label="rare"), 10),
        (BookFilter(label="nobody_has"), 0),
        (BookFilter(downgrade_pending=True), 10),
        (BookFilter(downgrade_pending=False), PAGE),
        (BookFilter(renewal_due_before=TODAY + timedelta(days=7)), 10),
        (BookFilter(renewal_due_before=TODAY), 0),
        (BookFilter(renewal_due_before=date(2199, 1, 1)), PAGE),
        (BookFilter(account_manager="manager-7"), PAGE),
        (BookFilter(account_manager="manager-7", label="rare"), 0),
        (BookFilter(tier="diamond", segment="base", life_cycle_stage="dormant"), 10),
    ],
)
async def test_a_page_reads_few_rows_whatever_it_is_filtered_by(
    big: Database, wanted: BookFilter, found: int, after: str
) -> None:
    listed, read = await rows_read(big, wanted, after)
    assert listed == found
    assert listed <= read + 1 < FEW


async def test_whoever_comes_or_changes_while_a_list_is_read_is_told_as_at_its_beginning(
    fresh_database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "_AT_A_TIME", 2)
    actor = Actor("issuer", "subject", Role.AGENT)
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            for number in range(1, 10):
                await session.execute(
                    text("INSERT INTO customers (customer_id, kind) VALUES (:id, 'individual')"),
                    {"id": f"C{number}"},
                )
        async with database.sessions() as reading:
            parts = list_whole_book(
                reading, wanted=BookFilter(), actor=actor, today=TODAY, most=100
            )
            found = list(await anext(parts))
            assert len(found) == 2
            async with database.sessions.begin() as session:
                for statement in (
                    "INSERT INTO customers (customer_id, kind) VALUES ('C5a', 'individual')",
                    "DELETE FROM customers WHERE customer_id = 'C6'",
                    "UPDATE customers SET customer_id = 'C9z' WHERE customer_id = 'C1'",
                    "UPDATE customers SET account_manager = 'm' WHERE customer_id = 'C8'",
                ):
                    await session.execute(text(statement))
            async for part in parts:
                found += part
            assert not reading.in_transaction()
        async with database.sessions() as session:
            now = await book.list_customers(session, BookFilter(), today=TODAY, after="", limit=100)
    assert [one.customer_id for one in found] == [f"C{number}" for number in range(1, 10)]
    assert {one.account_manager for one in found} == {None}
    # The control: the changes were made.
    assert {"C5a", "C9z"} <= {one.customer_id for one in now}


@pytest.mark.parametrize("kind", [CSV, XLSX])
async def test_a_file_of_everybody_is_made_in_little_memory(
    big: Database, settings: Settings, kind: str
) -> None:
    async with open_api(create_app(settings, big), settings) as api:
        headers = {"Accept": kind}
        small = await api.get("/v1/customers?tier=diamond", Role.AGENT, headers=headers)
        assert small.status_code == 200
        tracemalloc.start()
        try:
            answer = await api.get("/v1/customers", Role.AGENT, headers=headers)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answer.status_code == 200
    if kind == CSV:
        lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        ids = [line[0] for line in lines][1:]
        assert ids == [f"C{number:08}" for number in range(1, CUSTOMERS + 1)]
    # The client holds the body twice; all rows at once would take more than 7 megabytes.
    assert peak - 2 * len(answer.content) < 4 * MEGABYTE
