"""Customers' attributes keep a dated history that nothing overwrites, in any order of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.features.imports.desk import CUSTOMER, TODAY, ImportDesk, Row, counts, in_transaction

DATED = ("smoker", "credit_score", "income")
BANDS = {None: None, "50000.00": 1, "70000.00": 2}

HISTORY = """
    SELECT customer_id, valid_from, valid_to, smoker, credit_score, income_band
    FROM scoring_inputs ORDER BY customer_id, valid_from
"""


@pytest.mark.anyio
async def test_a_newer_day_closes_the_old_values(desk: ImportDesk) -> None:
    await desk.load("customers", {**CUSTOMER, "smoker": "no"})
    result = await desk.load("customers", {**CUSTOMER, "smoker": "yes", "valid_from": "2022-05-01"})
    assert counts(result, "customers") == (1, 0, 0, 0)
    assert await desk.query(
        "SELECT valid_from, valid_to, smoker FROM scoring_inputs ORDER BY 1"
    ) == [
        (date(2020, 1, 1), date(2022, 5, 1), False),
        (date(2022, 5, 1), None, True),
    ]


@pytest.mark.anyio
async def test_a_day_in_between_is_put_in_between_and_does_not_change_the_person(
    desk: ImportDesk,
) -> None:
    await desk.load("customers", {**CUSTOMER, "smoker": "no", "city": "Old"})
    await desk.load(
        "customers", {**CUSTOMER, "smoker": "no", "city": "New", "valid_from": "2022-01-01"}
    )
    between = {**CUSTOMER, "smoker": "yes", "city": "Between", "valid_from": "2021-01-01"}
    assert counts(await desk.load("customers", between), "customers") == (1, 0, 0, 0)
    assert counts(await desk.load("customers", between), "customers") == (0, 0, 1, 0)
    assert await desk.query("SELECT valid_to, smoker FROM scoring_inputs ORDER BY valid_from") == [
        (date(2021, 1, 1), False),
        (date(2022, 1, 1), True),
        (None, False),
    ]
    assert await desk.query("SELECT city FROM customers") == [("New",)]


@pytest.mark.anyio
async def test_values_without_a_day_hold_from_the_import_and_only_if_they_are_new(
    desk: ImportDesk,
) -> None:
    undated = {"customer_id": "C1", "kind": "individual", "credit_score": "700"}
    await desk.load("customers", undated, valid_from=date(2021, 1, 1))
    assert counts(await desk.load("customers", undated), "customers") == (0, 0, 1, 0)
    await desk.load("customers", {**undated, "credit_score": "710"})
    await desk.load("customers", {**undated, "credit_score": "720"})
    assert await desk.query("SELECT valid_from, credit_score FROM scoring_inputs ORDER BY 1") == [
        (date(2021, 1, 1), 700),
        (TODAY, 720),
    ]


@dataclass
class Known:
    """What a reader of the rules would expect of one customer."""

    days: dict[date, dict[str, object]] = field(default_factory=dict)
    city: object = None

    def in_force(self, day: date) -> dict[str, object]:
        """The values of the newest day up to this one."""
        before = [known for known in self.days if known <= day]
        return dict(self.days[max(before)]) if before else dict.fromkeys(DATED)


@dataclass(frozen=True)
class File:
    """One file: which columns it has, and its rows by customer and day (None: without a day)."""

    columns: tuple[str, ...]
    has_days: bool
    rows: dict[tuple[str, date | None], dict[str, object]]

    def as_rows(self) -> list[Row]:
        """The rows as the file holds them."""
        rows: list[Row] = []
        for (customer, day), values in self.rows.items():
            row: dict[str, object] = {"customer_id": customer, "kind": "individual"}
            if self.has_days:
                row["valid_from"] = "" if day is None else day.isoformat()
            for name in self.columns:
                value = values[name]
                row[name] = "" if value is None else value
            rows.append(row)
        return rows


def expect(known: dict[str, Known], file: File) -> None:
    """The rules, one row after the other."""
    before = {
        name: Known({day: dict(v) for day, v in item.days.items()}, item.city)
        for name, item in known.items()
    }
    given_columns = [name for name in file.columns if name in DATED]
    newest: dict[str, date] = {}
    for (customer, own_day), values in file.rows.items():
        day = own_day or TODAY
        now = known.setdefault(customer, Known())
        old = before.get(customer, Known())
        is_latest = not old.days or day >= max(old.days)
        if "city" in file.columns and is_latest and day >= newest.get(customer, day):
            newest[customer] = day
            now.city = values["city"]
        given_values = {name: values[name] for name in given_columns}
        in_force = old.in_force(day)
        has_row = any(known_day <= day for known_day in old.days)
        if own_day is None and has_row and given_values.items() <= in_force.items():
            continue
        now.days[day] = now.days.get(day, in_force) | given_values


def expected(known: dict[str, Known]) -> list[tuple[object, ...]]:
    """The history as the table should hold it."""
    rows: list[tuple[object, ...]] = []
    for customer in sorted(known):
        days = sorted(known[customer].days)
        ends: list[date | None] = [*days[1:], None]
        for day, end in zip(days, ends, strict=True):
            values = known[customer].days[day]
            band = BANDS[values["income"]]  # type: ignore[index]
            rows.append((customer, day, end, values["smoker"], values["credit_score"], band))
    return rows


DAYS = st.sampled_from([date(2020, 1, 1), date(2021, 6, 1), date(2024, 2, 29), TODAY])
VALUES: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "smoker": st.sampled_from([None, True, False]),
        "credit_score": st.sampled_from([None, 300, 950]),
        "income": st.sampled_from(list(BANDS)),
        "city": st.sampled_from([None, "A", "B"]),
    }
)


@st.composite
def file_of_customers(draw: st.DrawFn) -> File:
    has_days = draw(st.booleans())
    columns = draw(st.sets(st.sampled_from((*DATED, "city"))).map(sorted).map(tuple))
    customer = st.sampled_from(["C1", "C2"])
    # A row without a day in a file that has days could be the same as one dated today.
    day = DAYS if has_days else st.none()
    rows = draw(st.dictionaries(st.tuples(customer, day), VALUES, min_size=1, max_size=5))
    return File(columns, has_days, rows)


@settings(max_examples=15)
@given(st.lists(file_of_customers(), min_size=1, max_size=4), st.sampled_from([1, 2, 50]))
@example(
    [
        File(
            ("smoker",),
            has_days=True,
            rows={("C1", date(2024, 2, 29)): {"smoker": True, "city": None}},
        ),
        File(("city",), has_days=True, rows={("C1", date(2020, 1, 1)): {"city": "A"}}),
        File(("city",), has_days=False, rows={("C1", None): {"city": "B"}}),
    ],
    1,
)
def test_history_is_what_the_rules_say_in_any_order_and_in_chunks_of_any_size(
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    files: Sequence[File],
    chunk_rows: int,
) -> None:
    async def story(desk: ImportDesk) -> None:
        known: dict[str, Known] = {}
        for file in files:
            expect(known, file)
            path = desk.write("customers.csv", file.as_rows())
            await desk.run(path, chunk_rows=chunk_rows)
            again = await desk.run(path, chunk_rows=chunk_rows)
            assert not again.changed
            assert await desk.query(HISTORY) == expected(known)
            assert await desk.query("SELECT customer_id, city FROM customers ORDER BY 1") == [
                (customer, known[customer].city) for customer in sorted(known)
            ]

    folder: Path = tmp_path_factory.mktemp("history")
    in_transaction(database_url, folder, story)
