"""The record types say the same as the tables they are stored in."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import CheckConstraint, Numeric

from app.db.rows import CustomerRow
from app.domain.errors import Invalid
from app.domain.privacy.classes import SensitivityClass
from app.domain.records.reasons import REASONS, Outcome
from app.domain.records.specs import RECORDS, Column, ColumnType, get_record

TABLES = CustomerRow.metadata.tables
HISTORY = TABLES["scoring_inputs"]


def stored_names(record: str, column: Column) -> list[str]:
    """The columns of tables that a column of a record fills."""
    if column.dated:
        return [f"scoring_inputs.{column.name}"]
    names = [f"{column.name}_cipher"] if column.seal else [column.name]
    if column.seal == "birth_date":
        names.append("birth_band")
    elif column.seal in {"name", "phone", "email", "id_no"}:
        names.append(f"{column.name}_masked")
    if column.seal in {"phone", "id_no"}:
        names.append(f"{column.name}_index")
    found = [f"{record}.{name}" for name in names]
    return [*found, f"scoring_inputs.{column.yields}"] if column.yields else found


@pytest.mark.parametrize("name", RECORDS)
def test_every_column_of_a_table_is_filled_by_a_column_of_its_record(name: str) -> None:
    filled = {
        item for column in RECORDS[name].columns.values() for item in stored_names(name, column)
    }
    tables = [TABLES[name], *([HISTORY] if name == "customers" else [])]
    own = {f"{table.name}.{column.name}" for table in tables for column in table.columns}
    ours = {"recorded_at", "updated_at", "valid_to"}
    expected = {item for item in own if item.partition(".")[2] not in ours}
    assert filled | {"scoring_inputs.customer_id"} & expected == expected


@pytest.mark.parametrize("name", RECORDS)
def test_keys_and_required_columns_agree_with_the_table(name: str) -> None:
    record, table = RECORDS[name], TABLES[name]
    key = {column.name for column in table.primary_key}
    assert set(record.key) - {"valid_from" if name == "customers" else ""} == key
    for column in record.columns.values():
        if column.name in table.columns and not column.seal:
            stored = table.columns[column.name]
            must = not stored.nullable and stored.server_default is None
            assert column.required == must, column.name


@pytest.mark.parametrize("name", RECORDS)
def test_classes_words_and_scales_agree_with_the_table(name: str) -> None:
    for column in RECORDS[name].columns.values():
        assert column.sensitivity in set(SensitivityClass)
        for place in stored_names(name, column)[:1]:
            table, _, stored_name = place.partition(".")
            stored = TABLES[table].columns[stored_name]
            assert stored.info["sensitivity"] == column.sensitivity, place
            if isinstance(stored.type, Numeric) and not column.seal:
                assert stored.type.scale == column.scale
            if column.values:
                assert set(column.values) == words_of(table, stored_name), place


def words_of(table: str, column: str) -> set[str]:
    """The words that a table's check lets into a column."""
    for constraint in TABLES[table].constraints:
        if isinstance(constraint, CheckConstraint):
            text = str(constraint.sqltext)
            if text.startswith(f"{column} IN ("):
                return set(re.findall(r"'([^']*)'", text))
    return set()


def test_a_parent_comes_before_its_children() -> None:
    order = list(RECORDS)
    for name, record in RECORDS.items():
        if record.parent:
            assert order.index(record.parent.record) < order.index(name)
            assert set(record.parent.columns) <= set(record.columns)


def test_only_records_with_money_may_carry_a_currency() -> None:
    with_amounts = {name for name, record in RECORDS.items() if record.has_amounts}
    assert with_amounts == {
        "customers",
        "policy_terms",
        "claims",
        "referrals",
        "market_benchmarks",
        "model_scores",
    }


def test_a_record_is_found_by_its_name() -> None:
    assert get_record("surveys") is RECORDS["surveys"]
    with pytest.raises(Invalid, match="no record type is called 'survey'; use one of customers, "):
        get_record("survey")


def test_every_reason_has_a_remedy_that_fits_any_column() -> None:
    for reason in REASONS.values():
        for record in RECORDS.values():
            for column in (*record.columns, "currency", "key, pair"):
                assert "{" not in reason.remedy(record.name, column)


def test_remedies_name_bounds_as_they_are_written() -> None:
    remedy = REASONS["out-of-range"].remedy
    assert remedy("policy_terms", "premium") == (
        "check premium: it lies between 0.00 and 9999999999999999.99"
    )
    assert remedy("policy_terms", "term_start") == (
        "check term_start: it lies between 1900-01-01 and 2199-12-31"
    )
    assert remedy("policies", "product") == "check product: it lies between  and "
    assert REASONS["id-number-form"].outcome is Outcome.WARNING


def test_dates_and_months_are_the_only_types_without_a_bound_of_their_own() -> None:
    for record in RECORDS.values():
        for column in record.columns.values():
            if column.type in {ColumnType.INT, ColumnType.MONEY, ColumnType.DECIMAL}:
                assert column.minimum is not None
                assert column.maximum is not None
            if column.type is ColumnType.TEXT:
                assert column.length or column.pattern
