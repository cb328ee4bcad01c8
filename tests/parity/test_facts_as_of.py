"""A fact never sees what is dated after it, whatever becomes known later."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.infra.database import AsyncSession, raw_connection
from tests.parity.facts_of import facts_in_postgresql, store
from tests.recompute.random_book import DAYS, RandomBook, Rows

pytestmark = pytest.mark.anyio

#: The business day of each dated record.
OWN_DAY = {
    "scoring_inputs": "valid_from",
    "policies": "issued_on",
    "policy_terms": "term_start",
    "claims": "reported_on",
    "service_uses": "used_on",
    "referrals": "succeeded_on",
    "interactions": "occurred_on",
    "surveys": "answered_on",
    "external_checks": "checked_on",
    "consents": "given_on",
    "market_benchmarks": "valid_from",
    "model_scores": "valid_from",
}

#: What may become known of a record later, and of which record.
LATER = (
    ("scoring_inputs", "valid_to"),
    ("policy_terms", "ended_on"),
    ("policy_terms", "paid_on"),
    ("claims", "paid_on"),
    ("claims", "closed_on"),
    ("consents", "withdrawn_on"),
)


def known_on(book: dict[str, Rows], as_of: date) -> dict[str, Rows]:
    """The book without anything dated after the day."""
    known = {
        table: [row for row in rows if table not in OWN_DAY or row[OWN_DAY[table]] <= as_of]
        for table, rows in deepcopy(book).items()
    }
    policies = {row["policy_no"] for row in known["policies"]}
    for table in ("policy_terms", "claims"):
        known[table] = [row for row in known[table] if row["policy_no"] in policies]
    for table, column in LATER:
        for row in known[table]:
            if row[column] is not None and row[column] > as_of:
                row[column] = None
                if column == "ended_on":
                    row["ended_how"] = None
    return known


def with_a_future(book: dict[str, Rows], as_of: date, random: Random) -> dict[str, Rows]:
    """The same book after something was recorded of every record that could still change."""
    later = deepcopy(book)

    def some_day() -> date:
        return as_of + timedelta(days=random.choice((1, 2, 30, 400)))

    for table, column in LATER:
        for row in list(later[table]):
            if row[column] is None:
                _learn(row, column, some_day())
                if table == "scoring_inputs":
                    later[table].append(_nothing_known_since(row))
    return later


def _learn(row: dict[str, Any], column: str, day: date) -> None:
    row[column] = day
    if column == "ended_on":
        row["ended_how"] = "surrendered"
    if column == "paid_on" and "paid" in row:
        row["paid"] = 777_00


def _nothing_known_since(closed: dict[str, Any]) -> dict[str, Any]:
    """The row that follows a closed one; attributes end only where others begin."""
    begins = {"customer_id": closed["customer_id"], "valid_from": closed["valid_to"]}
    return {**dict.fromkeys(closed), **begins}


class FutureBook(RandomBook):
    """More of everything for the same customers, all of it on later days."""

    def _day(self) -> date:
        return self.as_of + timedelta(days=self.random.choice((1, 2, 29, 366)))

    def _next(self, letter: str) -> str:
        return f"F{super()._next(letter)}"


@settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(seed=st.integers(0, 10_000), as_of=st.sampled_from(DAYS))
async def test_what_is_dated_later_changes_no_fact(
    session: AsyncSession, seed: int, as_of: date
) -> None:
    connection = await raw_connection(session)
    full = RandomBook(seed, 30, as_of).rows
    _drop_claims_before_their_policy(full)
    book = known_on(full, as_of)
    await store(connection, book)
    expected = await facts_in_postgresql(connection, as_of)

    later = with_a_future(book, as_of, Random(seed))
    await store(connection, later)
    assert await facts_in_postgresql(connection, as_of) == expected

    await store(connection, full)
    assert await facts_in_postgresql(connection, as_of) == expected

    _add(later, FutureBook(seed + 1, 30, as_of).rows, as_of)
    await store(connection, later)
    assert await facts_in_postgresql(connection, as_of) == expected


def _drop_claims_before_their_policy(book: dict[str, Rows]) -> None:
    """Such a claim is known, but cannot be stored without what is not."""
    issued = {row["policy_no"]: row["issued_on"] for row in book["policies"]}
    book["claims"] = [
        row for row in book["claims"] if issued[row["policy_no"]] <= row["reported_on"]
    ]


def _add(book: dict[str, Rows], future: dict[str, Rows], as_of: date) -> None:
    """Add the dated rows of a later book for the same customers."""
    open_rows = {row["customer_id"]: row for row in book["scoring_inputs"] if not row["valid_to"]}
    for table, day in OWN_DAY.items():
        keys = {
            (row.get("customer_id"), row.get("product_line"), row.get("purpose"), row[day])
            for row in book[table]
        }
        for row in future[table]:
            if row[day] <= as_of:
                continue
            key = (row.get("customer_id"), row.get("product_line"), row.get("purpose"), row[day])
            if table in {"scoring_inputs", "consents", "market_benchmarks", "model_scores"}:
                if key in keys or (table == "scoring_inputs" and key[0] in open_rows):
                    continue
                keys.add(key)
            book[table].append(row)
