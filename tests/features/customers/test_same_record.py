"""The API and the files speak of one record: what one takes or refuses, the other does too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import pytest
from pydantic import ValidationError

from app.domain.records.checks.frame import check
from app.domain.records.mapping.frame import Setting, compile_mapping, draw
from app.domain.records.mapping.own_layout import own_layout
from app.domain.records.reasons import REJECTING
from app.domain.records.specs import EARLIEST_DAY, LATEST_DAY, RECORDS, Column, ColumnType
from app.features.customers.schemas import CustomerWrite
from app.features.imports.service.frame import from_rows
from app.infra.written import FILLED

RECORD: Final = RECORDS["customers"]
TODAY: Final = date(2026, 11, 22)
#: The address says who, the day of the call from when; consents are a record of their own.
NOT_IN_THE_BODY: Final = {"customer_id", "valid_from"}
NOT_IN_THE_RECORD: Final = {"consent"}
#: A feed knows the name of whom it writes; an old file may not.
REQUIRED_BY_THE_API_ONLY: Final = {"name"}
#: What the body takes, and the record's own checks refuse behind it.
LEFT_TO_THE_RECORD: Final = {"birth_date", "credit_code", "email"}
#: Texts in and out of the form that a column asks for.
FORMS: Final = {
    "credit_code": ("91350100M000100Y43", "91350100m000100Y43", "91350100M000100Y4"),
    "email": ("a@b", "张三@示例.cn", "no address", "a b@c", "@b", "a@", "a@b@c", "a@b c"),
}

SHARED: Final = {
    name: column for name, column in RECORD.columns.items() if name not in NOT_IN_THE_BODY
}
KINDS: Final[dict[ColumnType, dict[str, str]]] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.WORD: {"type": "string"},
    ColumnType.INT: {"type": "integer"},
    ColumnType.BOOL: {"type": "boolean"},
    ColumnType.DATE: {"type": "string", "format": "date"},
}


def all_schemas_of(name: str) -> Iterator[dict[str, Any]]:
    """The JSON schemas of what a field may be."""
    field: dict[str, Any] = CustomerWrite.model_json_schema()["properties"][name]
    for item in field.get("anyOf", [field]):
        yield from item.get("anyOf", [item])


def test_the_body_names_the_columns_of_the_record() -> None:
    assert set(CustomerWrite.model_fields) - NOT_IN_THE_RECORD == set(SHARED)
    required = {name for name, field in CustomerWrite.model_fields.items() if field.is_required()}
    assert required - REQUIRED_BY_THE_API_ONLY == set(RECORD.required) - NOT_IN_THE_BODY


@pytest.mark.parametrize("name", SHARED)
def test_a_field_has_the_type_the_words_and_the_bounds_of_its_column(name: str) -> None:
    column = SHARED[name]
    told = [schema for schema in all_schemas_of(name) if schema["type"] != "null"]
    if column.type is ColumnType.MONEY:
        # The bounds of amounts, which JSON writes in two ways, are tried below.
        assert [schema["type"] for schema in told] == ["string", "integer"]
        return
    (schema,) = told
    assert schema.items() >= KINDS[column.type].items()
    assert frozenset(schema.get("enum", ())) == frozenset(column.values)
    assert schema.get("maxLength") == column.length
    form = column.pattern or (FILLED.pattern if column.type is ColumnType.TEXT else None)
    assert schema.get("pattern") == form or name in LEFT_TO_THE_RECORD
    assert (schema.get("minimum"), schema.get("maximum")) == (column.minimum, column.maximum)


def test_consents_name_the_purposes_of_their_record() -> None:
    (purposes,) = [item for item in all_schemas_of("consent") if item["type"] == "array"]
    assert set(purposes["items"]["enum"]) == set(RECORDS["consents"].columns["purpose"].values)
    assert purposes["maxItems"] == len(purposes["items"]["enum"])


def at_the_bounds(column: Column) -> Iterator[object]:
    """Values at the bounds of a column, and one step beyond them."""
    if column.values:
        yield from (*column.values, "neither")
    if column.length is not None:
        start = "a@b" if column.name == "email" else ""
        yield from (start.ljust(length, "x") for length in (column.length, column.length + 1))
    if column.type is ColumnType.INT and column.minimum is not None and column.maximum is not None:
        yield from (column.minimum, column.minimum - 1, column.maximum, column.maximum + 1)
    if column.type is ColumnType.MONEY:
        yield from ("0", "-0.01", "0.01", "0.001", "9999999999999999.99", "10000000000000000")
    if column.type is ColumnType.BOOL:
        yield from (True, False)
    if column.type is ColumnType.DATE:
        days = (EARLIEST_DAY, EARLIEST_DAY - timedelta(1), LATEST_DAY, LATEST_DAY + timedelta(1))
        yield from (*map(str, days), "2020-02-30", "20200229", "29.02.2020")
    if column.pattern is not None:
        yield from FORMS[column.name]


def refused_by_the_body(row: dict[str, object], name: str) -> bool:
    try:
        CustomerWrite.model_validate_json(json.dumps(row))
    except ValidationError as error:
        return name in {place["loc"][0] for place in error.errors()}
    return False


def refused_by_a_file(row: dict[str, object], name: str) -> bool:
    texts = {key: said if isinstance(said, str) else json.dumps(said) for key, said in row.items()}
    cells = {"customer_id": "C-1", **texts}
    source = from_rows([cells], list(cells))
    plan = compile_mapping(own_layout(RECORD, list(cells)), source.schema, Setting("UTC", TODAY))
    drawn = draw(plan, source)
    return any(
        column == name and code in REJECTING
        for findings in (drawn.findings, check(RECORD, drawn.records[0][1], currency="CNY"))
        for _, _, column, code, _ in findings.iter_rows()
    )


def said_of(kind: str, name: str, value: object) -> dict[str, object]:
    return {"kind": kind, "name": "X", name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, column in SHARED.items() for value in at_the_bounds(column)],
)
def test_both_doors_take_and_refuse_the_same(name: str, value: object) -> None:
    row = said_of("corporate" if name in RECORD.only_corporate else "individual", name, value)
    by_the_body, by_a_file = refused_by_the_body(row, name), refused_by_a_file(row, name)
    assert by_the_body == by_a_file or (by_a_file and name in LEFT_TO_THE_RECORD)


@pytest.mark.parametrize("name", [*RECORD.only_corporate, *RECORD.only_individual])
def test_both_doors_know_what_the_other_kind_of_customer_leaves_empty(name: str) -> None:
    value = next(at_the_bounds(SHARED[name]))
    other = "individual" if name in RECORD.only_corporate else "corporate"
    row = said_of(other, name, value)
    assert refused_by_a_file(row, name)
    assert refused_by_the_body(row, name) or name in LEFT_TO_THE_RECORD
