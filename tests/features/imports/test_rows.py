"""Rows that cannot be taken are listed with their reason; all others are loaded."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from app.domain.errors import Invalid
from tests.features.imports.desk import (
    CUSTOMER,
    POLICY,
    TERM,
    ImportDesk,
    Row,
    counts,
    rejects,
)

pytestmark = pytest.mark.anyio


async def rejected(desk: ImportDesk, record: str, *rows: Row) -> list[tuple[str, str, str]]:
    """Row, column and reason of what an import rejects."""
    await desk.load(record, *rows, rejects=desk.folder / "rejects.csv")
    return [
        (line["row"], line["column"], line["reason"])
        for line in rejects(desk.folder / "rejects.csv")
        if line["outcome"] == "rejected"
    ]


@pytest.fixture
async def book(desk: ImportDesk) -> ImportDesk:
    """A desk at which one customer with one policy is known."""
    await desk.load("customers", CUSTOMER)
    await desk.load("policies", POLICY)
    return desk


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"customer_id": ""}, "customer_id", "required"),
        ({"customer_id": "C 1"}, "customer_id", "bad-id"),
        ({"customer_id": "x" * 65}, "customer_id", "bad-id"),
        ({"customer_id": "."}, "customer_id", "bad-id"),
        ({"customer_id": ".."}, "customer_id", "bad-id"),
        ({"kind": "person"}, "kind", "unknown-word"),
        ({"birth_date": "1990-02-30"}, "birth_date", "bad-date"),
        ({"birth_date": "1890-01-01"}, "birth_date", "out-of-range"),
        ({"birth_date": "2020-01-02"}, "valid_from", "dates-out-of-order"),
        ({"income": "12,000"}, "income", "bad-decimal"),
        ({"income": "1.005"}, "income", "too-many-decimals"),
        ({"income": "-1"}, "income", "negative"),
        ({"income": "99999999999999999"}, "income", "bad-decimal"),
        ({"income": "1", "currency": "EUR"}, "currency", "foreign-currency"),
        ({"smoker": "perhaps"}, "smoker", "bad-bool"),
        ({"credit_score": "299"}, "credit_score", "out-of-range"),
        ({"credit_score": "951"}, "credit_score", "out-of-range"),
        ({"credit_score": "7.5"}, "credit_score", "bad-int"),
        ({"city": "x" * 101}, "city", "too-long"),
        ({"credit_code": "91350211M000100Y43"}, "credit_code", "corporate-only"),
        ({"kind": "corporate", "credit_code": "123"}, "credit_code", "bad-form"),
        ({"email": "no address"}, "email", "bad-form"),
        ({"kind": "corporate", "id_type": "passport"}, "id_type", "individual-only"),
        ({"kind": "corporate", "id_no": "4711"}, "id_no", "individual-only"),
        ({"kind": "corporate", "birth_date": "1990-01-01"}, "birth_date", "individual-only"),
        ({"kind": "corporate", "gender": "male"}, "gender", "individual-only"),
        ({"kind": "corporate", "occupation": "teacher"}, "occupation", "individual-only"),
        ({"kind": "corporate", "occupation_risk": "low"}, "occupation_risk", "individual-only"),
        ({"kind": "corporate", "health_grade": "A"}, "health_grade", "individual-only"),
        ({"kind": "corporate", "smoker": "no"}, "smoker", "individual-only"),
        ({"kind": "corporate", "heavy_drinker": "no"}, "heavy_drinker", "individual-only"),
        ({"kind": "corporate", "health_habit_score": "9"}, "health_habit_score", "individual-only"),
        ({"kind": "corporate", "career_stage": "peak"}, "career_stage", "individual-only"),
        ({"kind": "corporate", "family_stage": "couple"}, "family_stage", "individual-only"),
    ],
)
async def test_a_customer_that_cannot_be_taken(
    desk: ImportDesk, changes: Row, column: str, reason: str
) -> None:
    good = {**CUSTOMER, "customer_id": "C2", **dict.fromkeys(changes, "")}
    good |= {"kind": "individual", "customer_id": "C2"}
    if "currency" in changes:
        good["currency"] = "CNY"
    found = await rejected(desk, "customers", {**CUSTOMER, **changes}, good)
    assert found == [("1", column, reason)]
    assert await desk.query("SELECT customer_id FROM customers") == [("C2",)]


async def test_what_only_people_have_is_said_with_its_remedy(desk: ImportDesk) -> None:
    path = desk.folder / "rejects.csv"
    await desk.load("customers", {**CUSTOMER, "kind": "corporate", "smoker": "no"}, rejects=path)
    (line,) = rejects(path)
    assert (line["row"], line["column"], line["value"]) == ("1", "smoker", "")
    assert line["remedy"] == "leave smoker empty for companies"


async def test_three_dots_are_an_id(desk: ImportDesk) -> None:
    result = await desk.load("customers", {**CUSTOMER, "customer_id": "..."})
    assert counts(result, "customers") == (1, 0, 0, 0)


@pytest.mark.parametrize("chunk_rows", [1, 50])
async def test_a_customer_stays_what_he_is(desk: ImportDesk, chunk_rows: int) -> None:
    company = {**CUSTOMER, "customer_id": "C2", "kind": "corporate"}
    await desk.load("customers", CUSTOMER)
    path = desk.folder / "rejects.csv"
    result = await desk.load(
        "customers",
        {**CUSTOMER, "kind": "corporate", "valid_from": "2021-01-01"},
        company,
        {**company, "kind": "individual", "valid_from": "2021-01-01"},
        {**company, "kind": "corporate", "valid_from": "2022-01-01"},
        chunk_rows=chunk_rows,
        rejects=path,
    )
    assert [(line["row"], line["column"], line["reason"]) for line in rejects(path)] == [
        ("1", "kind", "kind-fixed"),
        ("3", "kind", "kind-fixed"),
    ]
    assert rejects(path)[0]["remedy"] == (
        "a person stays a person and a company a company: use an id of its own, or correct kind"
    )
    assert result.total.records["customers"].rejected == {"kind-fixed": 2}
    assert await desk.query("SELECT customer_id, kind FROM customers ORDER BY 1") == [
        ("C1", "individual"),
        ("C2", "corporate"),
    ]
    assert await desk.query("SELECT customer_id, valid_from FROM scoring_inputs ORDER BY 1, 2") == [
        ("C1", date(2020, 1, 1)),
        ("C2", date(2020, 1, 1)),
        ("C2", date(2022, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"premium": "-0.01"}, "premium", "negative"),
        ({"premium": ""}, "premium", "required"),
        ({"term_end": "2020-02-01"}, "term_end", "dates-out-of-order"),
        ({"ended_on": "2020-01-31", "ended_how": "lapsed"}, "ended_on", "dates-out-of-order"),
        ({"ended_on": "2020-03-01"}, "ended_how", "incomplete-pair"),
        ({"policy_no": "P9"}, "policy_no", "unknown-parent"),
        ({"customer_id": "C9"}, "policy_no", "other-customer"),
    ],
)
async def test_a_term_that_cannot_be_taken(
    book: ImportDesk, changes: Row, column: str, reason: str
) -> None:
    good = {**TERM, "term_start": "2021-02-01", "term_end": "2022-02-01"}
    assert await rejected(book, "policy_terms", {**TERM, **changes}, good) == [
        ("1", column, reason)
    ]
    assert await book.count("policy_terms") == 1


async def test_claims_and_others_follow_their_own_rules(book: ImportDesk) -> None:
    claim = {
        "claim_no": "K1",
        "policy_no": "P1",
        "customer_id": "C1",
        "occurred_on": "2020-05-01",
        "reported_on": "2020-05-02",
    }
    found = await rejected(
        book,
        "claims",
        {**claim, "paid_on": "2020-06-01"},
        {**claim, "claim_no": "K2", "reported_on": "2020-04-30"},
        {**claim, "claim_no": "K3", "claim_count": "0"},
        {**claim, "claim_no": "K4"},
    )
    assert found == [
        ("1", "paid", "incomplete-pair"),
        ("2", "reported_on", "dates-out-of-order"),
        ("3", "claim_count", "out-of-range"),
    ]
    assert await book.query("SELECT claim_count, personal_injury FROM claims") == [(1, False)]

    referral = {"referral_no": "R1", "customer_id": "C1", "succeeded_on": "2020-01-01"}
    found = await rejected(book, "referrals", {**referral, "referred_customer_id": "C1"})
    assert found == [("1", "referred_customer_id", "same-customer")]

    benchmark = {
        "product_line": "motor",
        "customer_kind": "individual",
        "valid_from": "2020-01-01",
        "average_premium": "0",
        "benchmark_version": "v1",
    }
    assert await rejected(book, "market_benchmarks", benchmark) == [
        ("1", "average_premium", "out-of-range")
    ]


async def test_personal_values_are_withheld_and_formulas_disarmed(desk: ImportDesk) -> None:
    path = desk.folder / "rejects.csv"
    await desk.load(
        "customers",
        {**CUSTOMER, "birth_date": "31.12.1999"},
        {**CUSTOMER, "customer_id": "C2", "gender": "=1+1"},
        {**CUSTOMER, "customer_id": "C3", "income": "much"},
        rejects=path,
    )
    found = rejects(path)
    assert [(line["column"], line["value"]) for line in found] == [
        ("birth_date", ""),
        ("gender", "'=1+1"),
        ("income", ""),
    ]
    assert found[0]["remedy"] == (
        "write birth_date as YYYY-MM-DD, or map it with as: date and its format"
    )
    assert "1999" not in path.read_text(encoding="utf-8")
    assert sorted(item.name for item in desk.folder.iterdir() if item.is_file()) == [
        "customers.csv",
        "rejects.csv",
    ]


async def test_doubtful_numbers_are_loaded_with_a_warning(desk: ImportDesk) -> None:
    person = {**CUSTOMER, "id_type": "resident_id", "birth_date": "1949-12-31"}
    company = {**CUSTOMER, "kind": "corporate", "birth_date": ""}
    result = await desk.load(
        "customers",
        {**person, "customer_id": "A", "id_no": "11010519491231002X", "credit_code": ""},
        {**person, "customer_id": "B", "id_no": "110105194912310021"},
        {**person, "customer_id": "C", "id_no": "11010519491231002x", "birth_date": "1950-01-01"},
        {**person, "customer_id": "D", "id_no": "4711"},
        {**company, "customer_id": "E", "credit_code": "91350100M000100Y43"},
        {**company, "customer_id": "F", "credit_code": "91350100M000100Y44"},
        {**company, "customer_id": "G", "credit_code": "91350100M000100I43"},
        rejects=desk.folder / "rejects.csv",
    )
    assert result.total.loaded == 7
    assert result.total.records["customers"].warnings == {
        "id-number-checksum": 1,
        "id-number-birth-date": 1,
        "id-number-form": 1,
        "credit-code-checksum": 2,
    }
    outcomes = [(line["row"], line["outcome"]) for line in rejects(desk.folder / "rejects.csv")]
    assert outcomes == [(row, "warning") for row in ("2", "3", "4", "6", "7")]


async def test_equal_rows_count_once_and_different_ones_are_all_rejected(
    book: ImportDesk,
) -> None:
    one = {"survey_no": "S1", "customer_id": "C1", "answered_on": "2021-01-01", "nps": "9"}
    two = {**one, "survey_no": "S2"}
    three = {**one, "survey_no": "S3"}
    found = await rejected(book, "surveys", one, two, one, {**two, "nps": "1"}, three)
    assert found == [
        ("2", "survey_no", "duplicate-key"),
        ("4", "survey_no", "duplicate-key"),
    ]
    assert await book.query("SELECT survey_no FROM surveys ORDER BY 1") == [("S1",), ("S3",)]
    result = await book.load("surveys", one, one, one)
    assert counts(result, "surveys") == (0, 0, 1, 2)


@pytest.mark.parametrize("chunk_rows", [1, 50])
async def test_rows_that_share_a_key_are_told_of_their_other_faults_too(
    book: ImportDesk, chunk_rows: int
) -> None:
    one = {"survey_no": "S1", "customer_id": "C1", "answered_on": "2021-01-01", "nps": "9"}
    path = book.folder / "rejects.csv"
    result = await book.load(
        "surveys",
        one,
        {**one, "nps": "11"},
        {**one, "nps": "many"},
        {**one, "survey_no": "S2", "nps": "12"},
        {**one, "survey_no": "S2", "nps": "12"},
        chunk_rows=chunk_rows,
        rejects=path,
    )
    assert [(line["row"], line["column"], line["reason"]) for line in rejects(path)] == [
        ("1", "survey_no", "duplicate-key"),
        ("2", "survey_no", "duplicate-key"),
        ("2", "nps", "out-of-range"),
        ("3", "survey_no", "duplicate-key"),
        ("3", "nps", "bad-int"),
        ("4", "nps", "out-of-range"),
    ]
    assert result.total.rejected == 4
    counted = result.total.records["surveys"]
    assert (counted.rejected, counted.duplicates) == ({"duplicate-key": 3, "out-of-range": 1}, 1)
    assert await book.count("surveys") == 0


async def test_keys_across_chunks_are_seen_too(book: ImportDesk) -> None:
    one = {"survey_no": "S1", "customer_id": "C1", "answered_on": "2021-01-01", "nps": "9"}
    result = await book.load("surveys", one, {**one, "nps": "1"}, chunk_rows=1)
    assert result.total.records["surveys"].rejected == {"duplicate-key": 2}
    assert await book.count("surveys") == 0


async def test_the_last_row_wins_only_if_the_mapping_says_so(book: ImportDesk) -> None:
    mapping = book.write_text(
        "mapping.yaml",
        """
format: tiering-mapping/1
source: {format: csv}
records:
  - record: surveys
    on_duplicate: last
    columns: {survey_no: No, customer_id: {constant: C1}, answered_on: Day, nps: Nps}
""",
    )
    path = book.write_text(
        "export.csv", "No,Day,Nps\nS1,2021-01-01,1\nS2,2021-01-01,5\nS1,2021-01-02,9\n"
    )
    for chunk_rows in (1, 50):
        result = await book.run(path, mapping=mapping, chunk_rows=chunk_rows)
        assert result.total.loaded == 3
        assert result.total.records["surveys"].duplicates == 1
        assert await book.query("SELECT survey_no, nps FROM surveys ORDER BY 1") == [
            ("S1", 9),
            ("S2", 5),
        ]


async def test_plans_know_of_a_large_import_as_soon_as_it_has_ended(
    book: ImportDesk, tmp_path: Path
) -> None:
    path = tmp_path / "policies.csv"
    rows = [{**POLICY, "policy_no": f"P{number:05}"} for number in range(1_000)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    await book.run(path)
    [(known,)] = await book.query(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = 'policies'::regclass"
    )
    assert known == await book.count("policies")


async def test_records_under_an_old_id_go_to_the_survivor(book: ImportDesk) -> None:
    alias = {"alias_id": "OLD", "customer_id": "C1", "merged_on": "2021-01-01"}
    await book.load("customer_aliases", alias)
    assert await rejected(book, "customer_aliases", {**alias, "customer_id": "OLD"}) == [
        ("1", "alias_id", "same-customer")
    ]
    await book.load("policies", {**POLICY, "policy_no": "P2", "customer_id": "OLD"})
    assert await book.query("SELECT customer_id FROM policies WHERE policy_no = 'P2'") == [("C1",)]
    assert await rejected(book, "customers", {**CUSTOMER, "customer_id": "OLD"}) == [
        ("1", "customer_id", "merged-customer")
    ]


async def test_records_of_an_id_that_was_merged_twice_go_to_the_last_survivor(
    book: ImportDesk,
) -> None:
    await book.load("customers", {**CUSTOMER, "customer_id": "C2"})
    for old, new in (("OLD", "C1"), ("C1", "C2")):
        alias = {"alias_id": old, "customer_id": new, "merged_on": "2021-01-01"}
        await book.load("customer_aliases", alias)
    await book.load("policies", {**POLICY, "policy_no": "P2", "customer_id": "OLD"})
    assert await book.query("SELECT customer_id FROM policies WHERE policy_no = 'P2'") == [("C2",)]


async def test_sealed_texts_of_strangers_are_rejected_before_a_key_is_made(
    book: ImportDesk,
) -> None:
    checked = {
        "check_no": "X1",
        "customer_id": "C9",
        "checked_on": "2021-01-01",
        "kind": "credit",
        "matches": "yes",
        "declared": "owns\na house",
    }
    found = await rejected(
        book, "external_checks", checked, {**checked, "check_no": "X2", "customer_id": "C1"}
    )
    assert found == [("1", "customer_id", "unknown-parent")]
    assert await book.query("SELECT subject_id FROM subject_keys") == [("C1",)]
    again = await book.load("external_checks", {**checked, "check_no": "X2", "customer_id": "C1"})
    assert counts(again, "external_checks") == (0, 0, 1, 0)


async def test_columns_a_file_does_not_have_stay_as_they_are(book: ImportDesk) -> None:
    await book.load("policies", {**POLICY, "channel": "agent", "object_coefficient": "1.25"})
    result = await book.load("policies", {**POLICY, "product": "van"})
    assert counts(result, "policies") == (0, 1, 0, 0)
    assert await book.query("SELECT product, channel, object_coefficient::text FROM policies") == [
        ("van", "agent", "1.25")
    ]


async def test_a_table_that_is_all_key_is_repeated_without_a_change(desk: ImportDesk) -> None:
    rows = [{"product": "car", "service_code": code} for code in ("tow", "glass")]
    assert counts(await desk.load("product_services", *rows), "product_services") == (2, 0, 0, 0)
    assert counts(await desk.load("product_services", *rows), "product_services") == (0, 0, 2, 0)


async def test_one_row_becomes_several_records_if_their_conditions_hold(desk: ImportDesk) -> None:
    mapping = desk.write_text(
        "mapping.yaml",
        """
format: tiering-mapping/1
source: {format: csv, delimiter: ";", decimal_mark: ",", nulls: [NA]}
filters:
  - {name: training, reason: Not real., when: {value: Branch, equals: "999"}}
records:
  - record: customers
    when: {value: Kind, is_one_of: [C]}
    columns: {customer_id: Id, kind: {constant: individual}, income: Income}
  - record: policies
    when: {value: Kind, is_one_of: [C]}
    columns:
      policy_no: {template: "P-{Id}"}
      customer_id: Id
      product_line: {from: Line, map: {"1": motor}, otherwise: life}
      product: {constant: x}
      issued_on: {from: Issued, as: date, format: DD.MM.YYYY}
""",
    )
    path = desk.write_text(
        "export.csv",
        "Id;Kind;Branch;Line;Issued;Income\n"
        "A;C;1;1;01.02.2020;1000,5\nB;C;999;1;01.02.2020;1\nC;Z;1;1;01.02.2020;1\n"
        "D;C;1;7;31.02.2020;NA\n",
    )
    result = await desk.run(path, mapping=mapping)
    total = result.total
    assert (total.rows, total.loaded, total.rejected, total.unused) == (4, 1, 1, 1)
    assert total.filtered == {"training": 1}
    assert result.reasons == {"training": "Not real."}
    assert await desk.query("SELECT policy_no, product_line, issued_on FROM policies") == [
        ("P-A", "motor", date(2020, 2, 1))
    ]
    assert await desk.query("SELECT customer_id, valid_from FROM scoring_inputs ORDER BY 1") == [
        ("A", date(2026, 11, 22)),
        ("D", date(2026, 11, 22)),
    ]


async def test_a_refusal_by_the_database_repeats_no_value(
    desk: ImportDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.features.imports.service.writing.check",
        lambda _record, frame, **_: frame.head(0).select(),
    )
    with pytest.raises(Invalid) as caught:
        await desk.load("customers", {**CUSTOMER, "kind": "person"})
    assert caught.value.type == "import-refused"
    assert caught.value.detail.startswith("ck_customers_kind refuses a row of this chunk")
    assert "person" not in caught.value.detail
    assert await desk.query("SELECT state FROM import_runs") == [("failed",)]
