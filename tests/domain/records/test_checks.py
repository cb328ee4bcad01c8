"""What a row must satisfy, on frames; each failure names its row, its column and its code."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from app.domain.privacy.masks import asset_band, income_band
from app.domain.records.casting.frame import DTYPES
from app.domain.records.checks.frame import check, without_rejected
from app.domain.records.deriving.frame import dated_columns, derive
from app.domain.records.keys.frame import (
    GROUP,
    find_torn_group,
    fingerprint,
    group_starts,
    in_buckets,
    nothing_repeated,
    repeated,
    sort_out,
)
from app.domain.records.mapping.document import OnDuplicate
from app.domain.records.mapping.frame import ROW
from app.domain.records.specs import RECORDS

DAY = date(2020, 2, 29)


def frame_of(record: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Typed rows of a record, numbered from 1."""
    columns = RECORDS[record].columns
    names = list(dict.fromkeys(name for row in rows for name in row))
    series = [
        pl.Series(
            name,
            [row.get(name) for row in rows],
            DTYPES[columns[name].type] if name in columns else pl.String(),
        )
        for name in names
    ]
    return pl.DataFrame([pl.Series(ROW, range(1, len(rows) + 1), pl.Int64), *series])


def found(record: str, *rows: dict[str, Any]) -> list[tuple[int, str, str, str | None]]:
    """Row, column, code and value of what is wrong."""
    findings = check(RECORDS[record], frame_of(record, *rows), currency="CNY")
    return [(row, column, code, value) for row, _, column, code, value in findings.rows()]


SURVEY = {"survey_no": "S1", "customer_id": "C1", "answered_on": DAY, "nps": 5}
CUSTOMER = {"customer_id": "C1", "kind": "individual", "valid_from": DAY}

CLAIM = {
    "claim_no": "K",
    "policy_no": "P",
    "customer_id": "C",
    "occurred_on": DAY,
    "reported_on": DAY,
}


def test_a_payment_needs_its_amount_and_two_customers_are_two() -> None:
    assert found("claims", {**CLAIM, "paid_on": DAY, "paid": None}, {**CLAIM, "paid": 1}) == [
        (1, "paid", "incomplete-pair", None)
    ]
    referral = {"referral_no": "R", "customer_id": "C", "succeeded_on": DAY}
    one, other = {"referred_customer_id": "C"}, {"referred_customer_id": "D"}
    assert found("referrals", {**referral, **one}, {**referral, **other}) == [
        (1, "referred_customer_id", "same-customer", "C")
    ]


def test_a_good_row_has_no_findings() -> None:
    assert found("surveys", SURVEY) == []
    assert found("customers", CUSTOMER) == []


def test_bounds_are_inclusive_and_absent_values_are_fine() -> None:
    assert found("surveys", {**SURVEY, "nps": 0}, {**SURVEY, "nps": 10}) == []
    assert found("surveys", {**SURVEY, "nps": -1}, {**SURVEY, "nps": 11}) == [
        (1, "nps", "out-of-range", "-1"),
        (2, "nps", "out-of-range", "11"),
    ]
    assert found("model_scores", {"customer_id": "C1", "valid_from": DAY, "clv": None}) == []


def test_texts_hold_no_control_characters_except_free_ones() -> None:
    checked = {
        "check_no": "1",
        "customer_id": "C1",
        "checked_on": DAY,
        "kind": "credit",
        "matches": True,
    }
    assert found("external_checks", {**checked, "declared": "a\nb"}) == []
    assert found("external_checks", {**checked, "declared": "a\0b"}) == [
        (1, "declared", "bad-text", None)
    ]
    assert found("surveys", {**SURVEY, "survey_no": "a\x1bb"}) == [
        (1, "survey_no", "bad-text", "a\x1bb")
    ]


def test_a_currency_must_be_the_deployment_s() -> None:
    score = {"customer_id": "C1", "valid_from": DAY}
    assert found(
        "model_scores", {**score, "currency": "CNY"}, {**score, "currency": "EUR"}, score
    ) == [
        (2, "currency", "foreign-currency", "EUR"),
        (3, "currency", "foreign-currency", None),
    ]


def test_a_partner_that_the_file_does_not_have_counts_as_absent() -> None:
    term = {
        "policy_no": "P",
        "customer_id": "C",
        "term_start": DAY,
        "premium_kind": "regular",
        "term_end": date(2021, 2, 28),
        "premium": 1,
        "pay_mode": "yearly",
        "started_as": "new",
    }
    assert found("policy_terms", {**term, "ended_on": date(2020, 3, 1)}) == [
        (1, "ended_how", "incomplete-pair", None)
    ]
    assert found("policy_terms", term) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("11010519491231002X", None),
        ("11010519491231002x", None),
        ("110105194912310021", "id-number-checksum"),
        ("01010519491231002X", "id-number-form"),
        ("11010519491231002", "id-number-form"),
        ("440524188001010014", "id-number-birth-date"),
    ],
)
def test_resident_id_numbers_are_doubted_not_refused(number: str, code: str | None) -> None:
    row = {**CUSTOMER, "id_type": "resident_id", "id_no": number, "birth_date": date(1949, 12, 31)}
    assert found("customers", row) == ([] if code is None else [(1, "id_no", code, None)])
    assert found("customers", {**row, "id_type": "passport"}) == []
    del row["birth_date"]
    expected = [] if code in {None, "id-number-birth-date"} else [(1, "id_no", code, None)]
    assert found("customers", row) == expected


def test_credit_codes_are_doubted_by_their_check_character() -> None:
    company = {**CUSTOMER, "kind": "corporate"}
    good = {**company, "credit_code": "91350100M000100Y43"}
    bad = {**company, "credit_code": "91350100M000100Y44"}
    assert found("customers", good, bad, company) == [
        (2, "credit_code", "credit-code-checksum", "91350100M000100Y44")
    ]
    assert found("customers", {**company, "credit_code": None}) == []


def test_doubts_keep_a_row_and_faults_do_not() -> None:
    rows = ({**SURVEY, "nps": 99}, SURVEY)
    frame = frame_of("surveys", *rows)
    findings = check(RECORDS["surveys"], frame, currency="CNY")
    assert without_rejected(frame, findings)[ROW].to_list() == [2]
    doubts = findings.with_columns(code=pl.lit("id-number-form"))
    assert without_rejected(frame, doubts).height == 2


# ----------------------------------------------------------------------------------------- derived


def test_bands_and_months_are_those_of_the_masks() -> None:
    amounts = [0, 59_999_99, 60_000_00, 120_000_00, 10**13, None]
    rows = [{**CUSTOMER, "income": cents, "assets": cents, "birth_date": DAY} for cents in amounts]
    derived = derive(RECORDS["customers"], frame_of("customers", *rows))
    known = [cents // 100 for cents in amounts if cents is not None]
    assert derived["income_band"].to_list() == [*map(income_band, known), None]
    assert derived["asset_band"].to_list() == [*map(asset_band, known), None]
    assert derived["birth_month"].unique().to_list() == [date(2020, 2, 1)]


def test_dated_attributes_are_given_or_left() -> None:
    given, left = dated_columns(
        RECORDS["customers"], ["customer_id", "income", "smoker", "valid_from"]
    )
    assert given == ["income_band", "smoker"]
    assert {"birth_month", "asset_band", "credit_score"} < set(left)
    assert "valid_from" not in {*given, *left}


# -------------------------------------------------------------------------------------------- keys


def sorted_out(
    on_duplicate: OnDuplicate, *rows: dict[str, Any]
) -> tuple[list[int], int, list[int]]:
    """Rows kept, how many were passed over, rows rejected."""
    record, frame = RECORDS["surveys"], frame_of("surveys", *rows)
    known = repeated(fingerprint(record, frame))
    done = sort_out(record, frame, known, on_duplicate)
    return done.frame[ROW].to_list(), done.passed_over, done.findings["row"].to_list()


OTHER = {**SURVEY, "nps": 6}
SECOND = {**SURVEY, "survey_no": "S2"}


def test_rows_of_one_key() -> None:
    reject, last = OnDuplicate.REJECT, OnDuplicate.LAST
    assert sorted_out(reject, SURVEY, SECOND) == ([1, 2], 0, [])
    assert sorted_out(reject, SURVEY, SECOND, SURVEY) == ([1, 2], 1, [])
    assert sorted_out(reject, SURVEY, SECOND, OTHER) == ([2], 0, [1, 3])
    assert sorted_out(last, SURVEY, SECOND, OTHER) == ([2, 3], 1, [])
    assert sorted_out(last, SURVEY, SECOND, SURVEY) == ([1, 2], 1, [])
    no_key = {**SURVEY, "survey_no": None}
    assert sorted_out(reject, no_key, no_key) == ([1, 2], 0, [])


def test_a_key_that_one_row_makes_twice_is_kept_once() -> None:
    record, frame = RECORDS["surveys"], frame_of("surveys", SURVEY)
    twice = pl.concat([frame, frame])
    done = sort_out(record, twice, repeated(fingerprint(record, twice)), OnDuplicate.REJECT)
    assert (done.frame.height, done.passed_over) == (1, 1)


def test_keys_of_other_records_do_not_matter() -> None:
    record, frame = RECORDS["surveys"], frame_of("surveys", SURVEY, SURVEY)
    known = repeated(fingerprint(record, frame)).with_columns(record=pl.lit(0, dtype=pl.UInt8))
    assert sort_out(record, frame, known, OnDuplicate.REJECT).frame.height == 2
    done = sort_out(record, frame.clear(), repeated(fingerprint(record, frame)), OnDuplicate.REJECT)
    assert done.frame.is_empty()


def test_personal_keys_are_not_shown() -> None:
    record = RECORDS["claims"]
    claim = {
        "claim_no": "K",
        "policy_no": "P",
        "customer_id": "C",
        "occurred_on": DAY,
        "reported_on": DAY,
    }
    frame = frame_of("claims", claim, {**CLAIM, "policy_no": "Q"})
    done = sort_out(record, frame, repeated(fingerprint(record, frame)), OnDuplicate.REJECT)
    assert done.findings["value"].to_list() == [None, None]


def test_equal_keys_share_their_bucket() -> None:
    rows = [{**SURVEY, "survey_no": f"S{number % 50}"} for number in range(100)]
    prints = fingerprint(RECORDS["surveys"], frame_of("surveys", *rows))
    assert in_buckets(prints, 1)[0] is prints
    buckets = in_buckets(prints, 4)
    assert set(buckets) == {0, 1, 2, 3}
    parts = [repeated(part) for part in buckets.values()]
    assert sum(part.height for part in parts) == 50
    assert (
        pl.concat([nothing_repeated(), *parts]).sort("first").equals(repeated(prints).sort("first"))
    )


def test_a_group_that_goes_on_after_its_end_is_found() -> None:
    whole = pl.DataFrame({ROW: [1, 2, 3, 4], "G": ["a", "a", "b", None]})
    assert find_torn_group(repeated(group_starts(whole, ["G"]))) is None
    torn = pl.DataFrame({ROW: [5, 6], "G": ["b", "a"]})
    starts = pl.concat([group_starts(whole, ["G"]), group_starts(torn, ["G"])])
    assert starts["record"].unique().to_list() == [GROUP]
    assert find_torn_group(repeated(starts)) == 5
