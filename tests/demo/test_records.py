"""Every row of the book is one the import accepts: layout, keys, limits, references, dates."""

from __future__ import annotations

from itertools import chain

import duckdb
import pytest

from app.demo.layout import LAYOUT
from app.domain.records.specs import RECORDS, Column, ColumnType, Record
from tests.demo.conftest import ask

# Planned ends: nothing else may be dated after the day of the book.
PLANNED = {("policy_terms", "term_end"), ("policies", "cooling_off_until")}

EVERY_RECORD = pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.name)


def broken_limits(column: Column) -> list[str]:
    """SQL conditions that a value of the column must not meet."""
    name, unit = column.name, 10**column.scale
    broken = [f"{name} IS NULL"] if column.required else []
    if column.values:
        broken.append(f"{name} NOT IN ({', '.join(repr(value) for value in column.values)})")
    if column.minimum is not None:
        broken.append(f"{name} * {unit} {'<=' if column.above else '<'} {column.minimum}")
    if column.maximum is not None:
        broken.append(f"{name} * {unit} > {column.maximum}")
    if column.length is not None:
        broken.append(f"length({name}) NOT BETWEEN 1 AND {column.length}")
    if column.pattern is not None:
        broken.append(f"NOT regexp_full_match({name}, '{column.pattern}')")
    if column.type is ColumnType.MONTH:
        broken.append(f"day({name}) <> 1")
    return broken


def broken_rules(record: Record) -> list[str]:
    """SQL conditions that a row of the record must not meet."""
    return [
        *chain.from_iterable(broken_limits(column) for column in record.columns.values()),
        *(
            f"{order.earlier} {'>=' if order.strict else '>'} {order.later}"
            for order in record.orders
        ),
        *(f"({one} IS NULL) <> ({other} IS NULL)" for one, other in record.together),
        *(f"{one} IS NOT NULL AND {other} IS NULL" for one, other in record.needs),
        *(f"{one} = {other}" for one, other in record.differ),
        *(f"{name} IS NOT NULL AND kind <> 'corporate'" for name in record.only_corporate),
        *(f"{name} IS NOT NULL AND kind = 'corporate'" for name in record.only_individual),
    ]


def test_there_is_a_file_for_every_record_type_and_no_other() -> None:
    assert set(LAYOUT) == set(RECORDS)


@EVERY_RECORD
def test_a_file_has_exactly_the_columns_of_its_record(record: Record) -> None:
    assert set(LAYOUT[record.name].names) == set(record.columns)


@EVERY_RECORD
def test_no_row_breaks_a_limit_of_its_record(
    record: Record, records: duckdb.DuckDBPyConnection
) -> None:
    assert ask(records, f"SELECT count(*) FROM {record.name}") > 0
    rules = broken_rules(record)
    met = {rule: ask(records, f"SELECT count(*) FROM {record.name} WHERE {rule}") for rule in rules}
    assert met == dict.fromkeys(rules, 0.0)


@EVERY_RECORD
def test_natural_keys_are_unique(record: Record, records: duckdb.DuckDBPyConnection) -> None:
    key = ", ".join(record.key)
    doubled = (
        f"SELECT count(*) FROM (FROM {record.name} SELECT {key} GROUP BY ALL HAVING count(*) > 1)"
    )
    assert ask(records, doubled) == 0


@EVERY_RECORD
def test_every_row_refers_to_an_existing_parent(
    record: Record, records: duckdb.DuckDBPyConnection
) -> None:
    if record.parent is None:
        assert record.name in {"customers", "product_services", "market_benchmarks"}
        return
    columns = ", ".join(record.parent.columns)
    orphans = (
        f"SELECT count(*) FROM {record.name} ANTI JOIN {record.parent.record} USING ({columns})"
    )
    assert ask(records, orphans) == 0


@EVERY_RECORD
def test_nothing_but_planned_ends_is_dated_after_the_day_of_the_book(
    record: Record, records: duckdb.DuckDBPyConnection
) -> None:
    dated = [
        name
        for name, column in record.columns.items()
        if column.type in {ColumnType.DATE, ColumnType.MONTH} and (record.name, name) not in PLANNED
    ]
    late = {
        name: ask(records, f"SELECT count(*) FROM {record.name} WHERE {name} > as_of()")
        for name in dated
    }
    assert late == dict.fromkeys(dated, 0.0)


def test_referred_customers_and_aliases_are_consistent(
    records: duckdb.DuckDBPyConnection,
) -> None:
    strangers = (
        "SELECT count(*) FROM referrals r ANTI JOIN customers c"
        " ON r.referred_customer_id = c.customer_id WHERE r.referred_customer_id IS NOT NULL"
    )
    assert ask(records, strangers) == 0
    living = (
        "SELECT count(*) FROM customer_aliases a JOIN customers c ON a.alias_id = c.customer_id"
    )
    assert ask(records, living) == 0
    used = "SELECT count(*) FROM service_uses ANTI JOIN product_services USING (service_code)"
    assert ask(records, used) == 0
    sold = "SELECT count(*) FROM policies ANTI JOIN product_services USING (product)"
    assert ask(records, sold) == 0
