"""Single rows go the way of whole files: same checks, same statements, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.domain.errors import Invalid
from app.features.imports.service import RecordCounts, RowError, RowsRejected, write_records
from app.infra.cipher import Vault
from app.infra.database import AsyncSession
from app.infra.settings import Settings
from tests.features.imports.desk import TODAY

pytestmark = pytest.mark.anyio


@pytest.fixture
def counter(session: AsyncSession, settings: Settings, vault: Vault) -> Counter:
    return Counter(session, settings, vault)


class Counter:
    """Where single rows are handed in."""

    def __init__(self, session: AsyncSession, settings: Settings, vault: Vault) -> None:
        self.session = session
        self._settings = settings
        self._vault = vault

    async def write(self, record: str, *rows: Mapping[str, object]) -> RecordCounts:
        return await write_records(
            self.session,
            record=record,
            rows=rows,
            vault=self._vault,
            settings=self._settings,
            valid_from=TODAY,
        )

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await self.session.execute(text(query))]


PERSON = {
    "customer_id": "C1",
    "kind": "individual",
    "name": " 王小明 ",
    "birth_date": date(1984, 2, 29),
    "income": Decimal("250000.5"),
    "smoker": False,
    "credit_score": 710,
    "city": "",
}


async def test_python_values_are_read_like_those_of_a_file(counter: Counter) -> None:
    counts = await counter.write("customers", PERSON)
    assert (counts.inserted, counts.updated, counts.unchanged) == (1, 0, 0)
    assert await counter.rows("SELECT name_masked, birth_band, city FROM customers") == [
        ("王**", "1980-1984", None)
    ]
    assert await counter.rows(
        "SELECT valid_from, birth_month, smoker, credit_score FROM scoring_inputs"
    ) == [(TODAY, date(1984, 2, 1), False, 710)]
    again = await counter.write("customers", PERSON)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 1)


async def test_attributes_of_a_day_to_come_do_not_make_today_the_past(counter: Counter) -> None:
    await counter.write("customers", PERSON)
    coming = {"customer_id": "C1", "valid_from": TODAY + timedelta(30), "credit_score": 800}
    await counter.write("customers", {"kind": "individual", **coming})
    counts = await counter.write("customers", PERSON | {"name": "李雷", "credit_score": 720})
    assert (counts.inserted, counts.updated) == (0, 1)
    assert await counter.rows("SELECT name_masked FROM customers") == [("李**",)]
    assert await counter.rows("SELECT credit_score FROM scoring_inputs ORDER BY valid_from") == [
        (720,),
        (800,),
    ]


async def test_every_place_that_is_wrong_is_named_and_nothing_is_stored(counter: Counter) -> None:
    good = {"customer_id": "C2", "kind": "individual"}
    with pytest.raises(RowsRejected) as caught:
        await counter.write(
            "customers",
            good,
            {**PERSON, "credit_score": 1, "birth_date": datetime(1984, 1, 1, 12)},  # noqa: DTZ001 - an instant is no date.
            {**good, "customer_id": "C 3", "kind": None},
        )
    assert [(error.loc, error.code) for error in caught.value.errors] == [
        ((1, "birth_date"), "bad-date"),
        ((2, "customer_id"), "bad-id"),
        ((2, "kind"), "required"),
    ]
    assert "1984" not in caught.value.detail
    assert caught.value.detail.startswith("row 2: bad-date: write birth_date as YYYY-MM-DD")
    assert await counter.rows("SELECT count(*) FROM customers") == [(0,)]


async def test_doubts_do_not_stop_a_row(counter: Counter) -> None:
    counts = await counter.write(
        "customers", {**PERSON, "id_type": "resident_id", "id_no": "110105194912310021"}
    )
    assert counts.inserted == 1
    assert set(counts.warnings) == {"id-number-checksum", "id-number-birth-date"}


async def test_unknown_and_missing_columns_are_named(counter: Counter) -> None:
    with pytest.raises(RowsRejected) as caught:
        await counter.write("customers", {"customer_id": "C1", "nmae": "x"})
    assert caught.value.errors == (
        RowError((0, "nmae"), "bad-column", "did you mean 'name'?"),
        RowError((0, "kind"), "bad-column", "add it, or give a mapping"),
    )


async def test_rows_of_one_key_must_agree(counter: Counter) -> None:
    one = {"product": "car", "service_code": "tow"}
    assert (await counter.write("product_services", one, one)).duplicates == 1
    with pytest.raises(RowsRejected) as caught:
        await counter.write("customers", PERSON, {**PERSON, "city": "B"})
    assert {error.code for error in caught.value.errors} == {"duplicate-key"}


async def test_an_unknown_parent_is_named(counter: Counter) -> None:
    survey = {"survey_no": "S", "customer_id": "C9", "answered_on": TODAY, "nps": 9}
    with pytest.raises(RowsRejected, match="import the customers first: customer_id is not known"):
        await counter.write("surveys", survey)


async def test_an_unknown_record_is_refused(counter: Counter) -> None:
    with pytest.raises(Invalid, match="no record type is called 'people'"):
        await counter.write("people", {})
