"""One SQL text, two engines: PostgreSQL and DuckDB give every customer the same facts.

A third opinion comes from `tests.recompute`, which knows the meanings and nothing of the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.db.facts_query import FACTS, Scope, facts_query, facts_steps
from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.frame import SCHEMA, facts_frame
from app.domain.facts.model import Fact, FactType, FactValue
from app.infra.book import open_book
from tests.parity.facts_of import Facts, facts_in_duckdb, store_and_read
from tests.recompute.facts import recompute
from tests.recompute.random_book import DAYS, Rows, random_book

CUSTOMERS = 60
TYPES = {
    FactType.INT: int,
    FactType.DECIMAL: int,
    FactType.BOOL: bool,
    FactType.ENUM: str,
    FactType.STRING: str,
    FactType.DATE: date,
}


def differences(found: Facts, expected: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What differs, one line for each customer and fact."""
    return [
        f"{customer_id}.{name}: {found[customer_id][name]!r}, expected {facts[name]!r}"
        for customer_id, facts in expected.items()
        for name in CATALOGUE
        if found[customer_id][name] != facts[name]
    ]


def refuse(fact: Fact, value: FactValue) -> str | None:
    """Why the catalogue would not have a value; None if it would."""
    if value is None:
        return None if fact.nullable else "null"
    if type(value) is not TYPES[fact.type]:
        return f"a {type(value).__name__}"
    if fact.values and value not in fact.values:
        return f"{value!r}, which is no value of it"
    if not isinstance(value, int) or fact.minimum is None or fact.maximum is None:
        return None
    inside = fact.minimum <= value <= fact.maximum
    return None if inside else f"{value}, outside {fact.minimum} to {fact.maximum}"


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_and_the_recomputation_agree(
    seed: int, fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 25)
    as_of = DAYS[seed % len(DAYS)]
    book = random_book(seed, CUSTOMERS, as_of)
    in_postgresql = store_and_read(fresh_database_url, book, as_of)
    in_duckdb = facts_in_duckdb(fresh_database_url, tmp_path, as_of)
    expected = {
        row["customer_id"]: recompute(book, row["customer_id"], as_of) for row in book["customers"]
    }
    assert sorted(in_postgresql) == sorted(in_duckdb) == sorted(expected)
    assert set(next(iter(expected.values()))) == set(CATALOGUE)
    assert differences(in_postgresql, expected) == []
    assert differences(in_duckdb, in_postgresql) == []


@pytest.mark.parametrize("seed", range(100, 104))
def test_every_value_is_one_that_the_catalogue_declares(seed: int, fresh_database_url: str) -> None:
    as_of = DAYS[seed % len(DAYS)]
    found = store_and_read(fresh_database_url, random_book(seed, CUSTOMERS, as_of), as_of)
    refused = [
        f"{customer_id}.{name} is {reason}"
        for customer_id, facts in found.items()
        for name, fact in CATALOGUE.items()
        if (reason := refuse(fact, facts[name]))
    ]
    assert refused == []


def test_huge_money_takes_the_bounds_instead_of_failing(
    fresh_database_url: str, tmp_path: Path
) -> None:
    as_of = date(2024, 12, 31)
    book = random_book(2, CUSTOMERS, as_of)
    _inflate(book)
    in_postgresql = store_and_read(fresh_database_url, book, as_of)
    in_duckdb = facts_in_duckdb(fresh_database_url, tmp_path, as_of)
    assert differences(in_duckdb, in_postgresql) == []
    most = max(facts["annual_premium"] for facts in in_postgresql.values())
    assert most == CATALOGUE["annual_premium"].maximum
    for facts in in_postgresql.values():
        assert [name for name, fact in CATALOGUE.items() if refuse(fact, facts[name])] == []


def _inflate(book: Mapping[str, Rows]) -> None:
    largest = 10**18 - 1
    for row in book["policy_terms"]:
        row["premium"] = largest
    for row in book["claims"]:
        row["claimed"] = row["paid"] = largest
    for row in book["referrals"]:
        row["annual_premium"] = largest
    for row in book["market_benchmarks"]:
        row["average_premium"] = 1 if row["product_line"] == "all" else largest


def test_a_frame_has_the_catalogues_columns_and_types(
    fresh_database_url: str, tmp_path: Path
) -> None:
    as_of = date(2024, 12, 31)
    store_and_read(fresh_database_url, random_book(1, 5, as_of), as_of)
    with open_book(fresh_database_url, tmp_path) as book:
        frames = [facts_frame(batch.facts) for batch in book.batches(as_of)]
    assert [frame.schema for frame in frames] == [SCHEMA]
    assert SCHEMA.names() == ["customer_id", *CATALOGUE]
    assert set(SCHEMA.dtypes()) <= {pl.Int64(), pl.Boolean(), pl.String(), pl.Date()}


def test_an_empty_book_gives_no_batch(fresh_database_url: str, tmp_path: Path) -> None:
    with open_book(fresh_database_url, tmp_path) as book:
        assert book.customers == 0
        assert list(book.batches(date(2024, 12, 31))) == []


def test_the_statements_say_all_of_the_text_and_drop_every_table_but_the_last() -> None:
    steps = facts_steps(Scope.BETWEEN)
    said = {line for step in steps for line in step.query.splitlines()}
    told = [line for line in facts_query(Scope.BETWEEN).splitlines() if line.startswith(" ")]
    assert set(told) <= said
    assert len(steps) == facts_query(Scope.ALL).count("AS /* cut */ (") + 1
    assert steps[-1].table == FACTS
    dropped = [table for step in steps for table in step.read_last]
    assert sorted(dropped) == sorted(step.table for step in steps[:-1])
