"""Facts of named customers, as an evaluation reads them."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.features.facts.service import read_facts
from app.infra.database import AsyncSession, raw_connection
from tests.parity.facts_of import store
from tests.recompute.facts import recompute
from tests.recompute.random_book import random_book

pytestmark = pytest.mark.anyio

AS_OF = date(2024, 12, 31)


async def test_named_customers_have_all_facts_in_the_catalogues_order(
    session: AsyncSession,
) -> None:
    book = random_book(5, 60, AS_OF)
    await store(await raw_connection(session), book)
    found = await read_facts(session, ["c003", "c007", "nobody"], AS_OF)
    assert sorted(found) == ["c003", "c007"]
    for customer_id, facts in found.items():
        assert list(facts) == list(CATALOGUE)
        assert facts == recompute(book, customer_id, AS_OF)


async def test_many_customers_at_once_have_the_facts_they_have_alone(
    session: AsyncSession,
) -> None:
    await store(await raw_connection(session), random_book(6, 60, AS_OF))
    everybody = [f"c{number:03d}" for number in range(60)]
    together = await read_facts(session, everybody, AS_OF)
    assert sorted(together) == everybody
    for customer_id in everybody[:10]:
        assert await read_facts(session, [customer_id], AS_OF) == {
            customer_id: together[customer_id]
        }


async def test_a_customer_without_any_record_has_a_row(session: AsyncSession) -> None:
    book = random_book(7, 1, AS_OF)
    for table, rows in book.items():
        if table not in {"customers", "market_benchmarks", "product_services"}:
            rows.clear()
    await store(await raw_connection(session), book)
    (facts,) = (await read_facts(session, ["c000"], AS_OF)).values()
    known = {name for name, value in facts.items() if value is not None}
    assert known == {"is_corporate", "has_credit_code"}
