"""What was in a file stands in the tables, whatever the file's form and the size of the chunks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.records.specs import RECORDS, Column, ColumnType
from app.infra.cipher import find_subject_keys
from tests.features.imports.desk import CUSTOMER, POLICY, ImportDesk, in_transaction

CUSTOMERS = ("A-1", "B.2", "C_3")
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20
).filter(lambda text: text == text.strip())
DAY = st.dates(date(1900, 1, 1), date(2199, 12, 31))


def values(column: Column) -> st.SearchStrategy[object]:
    """Values a column may hold."""
    if column.name in {"customer_id", "referred_customer_id"}:
        return st.sampled_from(CUSTOMERS)
    strategies: Mapping[ColumnType, st.SearchStrategy[object]] = {
        ColumnType.ID: st.sampled_from(CUSTOMERS),
        ColumnType.TEXT: TEXT,
        ColumnType.WORD: st.sampled_from(column.values or ("",)),
        ColumnType.INT: st.integers(column.minimum or 0, column.maximum or 0),
        ColumnType.MONEY: st.decimals(0, Decimal("9999999999999999.99"), places=2),
        ColumnType.DECIMAL: st.decimals("0.01", 9999, places=2),
        ColumnType.BOOL: st.booleans(),
        ColumnType.DATE: DAY,
        ColumnType.MONTH: DAY.map(lambda day: day.replace(day=1)),
    }
    strategy = strategies[column.type]
    return strategy if column.required else st.none() | strategy


def rows_of(name: str) -> st.SearchStrategy[list[dict[str, object]]]:
    """Rows of a record with different keys."""
    record = RECORDS[name]
    row = st.fixed_dictionaries({column: values(spec) for column, spec in record.columns.items()})
    return st.lists(
        row, min_size=1, max_size=8, unique_by=lambda r: tuple(r[k] for k in record.key)
    )


#: Records whose columns are free of each other, so that every row is good.
FREE = ("service_uses", "interactions", "surveys", "product_services", "model_scores")


@settings(max_examples=12)
@given(
    st.sampled_from(FREE).flatmap(lambda name: st.tuples(st.just(name), rows_of(name))),
    st.sampled_from(["csv", "parquet"]),
    st.integers(1, 9),
)
def test_every_row_stands_in_the_table_as_it_stood_in_the_file(
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    content: tuple[str, list[dict[str, object]]],
    file_format: str,
    chunk_rows: int,
) -> None:
    name, rows = content
    columns = list(RECORDS[name].columns)

    async def story(desk: ImportDesk) -> None:
        await desk.load("customers", *({**CUSTOMER, "customer_id": c} for c in CUSTOMERS))
        path = desk.folder / f"{name}.{file_format}"
        if file_format == "csv":
            written = [{k: "" if v is None else v for k, v in row.items()} for row in rows]
            desk.write(path.name, written)
        else:
            pq.write_table(pa.Table.from_pylist(rows), path)
        result = await desk.run(path, chunk_rows=chunk_rows)
        assert result.total.loaded == len(rows)
        stored = await desk.query(f"SELECT {', '.join(columns)} FROM {name}")
        expected = [tuple(row[column] for column in columns) for row in rows]
        assert sorted(stored, key=repr) == sorted(expected, key=repr)
        before = await desk.contents()
        assert not (await desk.run(path, chunk_rows=10 - chunk_rows)).changed
        assert await desk.contents() == before

    folder: Path = tmp_path_factory.mktemp("round-trip")
    in_transaction(database_url, folder, story)


@settings(max_examples=12)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=30), st.integers(1, 12))
def test_chunks_of_any_size_give_the_same_tables(
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    numbers: list[int],
    chunk_rows: int,
) -> None:
    rows = [
        {
            **POLICY,
            "policy_no": f"P{number}",
            "customer_id": CUSTOMERS[number % 3],
            "product": place,
        }
        for place, number in enumerate(numbers)
    ]

    async def story(desk: ImportDesk) -> object:
        await desk.load("customers", *({**CUSTOMER, "customer_id": c} for c in CUSTOMERS[:2]))
        path = desk.write("policies.csv", rows)
        result = await desk.run(path, chunk_rows=desk_chunk_rows)
        total = result.total
        assert total.rows == len(rows) == total.loaded + total.rejected
        return total.to_json(), await desk.contents()

    folder: Path = tmp_path_factory.mktemp("chunks")
    desk_chunk_rows = 1_000
    whole = in_transaction(database_url, folder, story)
    desk_chunk_rows = chunk_rows
    assert in_transaction(database_url, folder, story) == whole


PERSON = {
    **CUSTOMER,
    "name": "欧阳锋",
    "phone": "13812345678",
    "email": "zhang.san@example.com",
    "id_type": "resident_id",
    "id_no": "11010519491231002X",
    "birth_date": "1949-12-31",
    "income": "120000.00",
    "assets": "99.5",
    "occupation": "天文学家",
}


@pytest.mark.anyio
async def test_what_names_a_person_is_sealed_with_its_mask_beside_it(desk: ImportDesk) -> None:
    await desk.load("customers", PERSON)
    assert await desk.query(
        "SELECT name_masked, phone_masked, email_masked, id_no_masked, birth_band FROM customers"
    ) == [("欧阳**", "138****5678", "z***@***.com", "1****************X", "1945-1949")]
    assert await desk.query("SELECT birth_month, income_band, asset_band FROM scoring_inputs") == [
        (date(1949, 12, 1), 3, 1)
    ]
    assert await opened(desk) == {
        "name": "欧阳锋",
        "phone": "13812345678",
        "email": "zhang.san@example.com",
        "id_no": "11010519491231002X",
        "birth_date": "1949-12-31",
        "income": "120000.00",
        "assets": "99.50",
        "occupation": "天文学家",
    }


@pytest.mark.anyio
async def test_a_sealed_value_is_sealed_anew_only_if_it_changed(desk: ImportDesk) -> None:
    ciphers = "SELECT name_cipher, phone_cipher FROM customers"
    await desk.load("customers", PERSON)
    ((name, phone),) = await desk.query(ciphers)
    result = await desk.load("customers", {**PERSON, "phone": "13900000000", "email": ""})
    assert result.total.records["customers"].updated == 1
    ((same, other),) = await desk.query(ciphers)
    assert same == name
    assert other != phone
    assert (await opened(desk))["phone"] == "13900000000"
    assert await desk.query("SELECT email_cipher, email_masked FROM customers") == [(None, None)]


@pytest.mark.anyio
async def test_a_corporate_s_name_stands_in_full(desk: ImportDesk) -> None:
    company = {"customer_id": "F1", "kind": "corporate", "name": "上海某某有限公司"}
    await desk.load("customers", company)
    assert await desk.query("SELECT name_masked FROM customers") == [("上海某某有限公司",)]


@pytest.mark.anyio
async def test_a_number_of_no_known_document_is_masked_whole(desk: ImportDesk) -> None:
    await desk.load("customers", {**CUSTOMER, "id_no": "123456789"})
    assert await desk.query("SELECT id_no_masked FROM customers") == [("************",)]


async def opened(desk: ImportDesk) -> dict[str, str]:
    """The customer's sealed values, opened."""
    around = desk.surroundings
    names = ("name", "phone", "email", "id_no", "birth_date", "income", "assets", "occupation")
    ((*sealed,),) = await desk.query(
        f"SELECT {', '.join(f'{name}_cipher' for name in names)} FROM customers"
    )
    async with around.database.sessions() as session:
        key = (await find_subject_keys(session, around.vault, ["C1"]))["C1"]
    return {
        name: around.vault.decrypt(key, "customers", f"{name}_cipher", "C1", value).decode()
        for name, value in zip(names, sealed, strict=True)
        if isinstance(value, bytes)
    }
