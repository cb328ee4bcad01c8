"""ID numbers and codes are valid in form, distinct, and belong to nobody."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.demo.columns import Glyphs, digits
from app.demo.days import to_day
from app.demo.identity import (
    CREDIT_ALPHABET,
    credit_codes,
    mobile_numbers,
    resident_ids,
    with_credit_check,
    with_id_check,
    with_organisation_check,
)
from app.demo.vocabulary import load_vocabulary
from tests.demo.conftest import ask

IDENTITY = load_vocabulary().identity
SERIALS = st.integers(min_value=0, max_value=39_999_999)

# Every number of a province, region or municipality in GB/T 2260.
PROVINCES = {
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    *(71, 81, 82, 83),
}


def glyphs(text: str) -> Glyphs:
    return np.array([list(text.encode("ascii"))], dtype=np.uint8)


def text_of(rows: Glyphs) -> str:
    return bytes(rows[0].tolist()).decode("ascii")


def is_valid_id(number: str) -> bool:
    """ISO 7064 MOD 11-2 by its recursive definition, not by the weights of the code under test."""
    total = 0
    for digit in number[:-1]:
        total = (total + int(digit)) * 2 % 11
    return (total + "0123456789X".index(number[-1])) % 11 == 1


def is_valid_credit_code(code: str) -> bool:
    """The weighted sum of all characters, the check character included, vanishes modulo 31."""
    values = [CREDIT_ALPHABET.index(character) for character in code]
    weighted = sum(value * 3**place for place, value in enumerate(values[:-1]))
    return bool((weighted + values[-1]) % 31 == 0)


def test_the_example_of_the_id_standard_has_its_check_character() -> None:
    assert text_of(with_id_check(glyphs("11010519491231002"))) == "11010519491231002X"


def test_the_example_of_the_organisation_code_standard_has_its_check_character() -> None:
    assert text_of(with_organisation_check(glyphs("D2143569"))) == "D2143569X"


def test_the_example_of_the_credit_code_standard_has_its_check_character() -> None:
    assert text_of(with_credit_check(glyphs("91350100M000100Y4"))) == "91350100M000100Y43"


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_any_seventeen_digits_become_a_valid_id(body: str) -> None:
    assert is_valid_id(text_of(with_id_check(glyphs(body))))


@given(st.text(alphabet=CREDIT_ALPHABET, min_size=17, max_size=17))
def test_any_seventeen_characters_become_a_valid_credit_code(body: str) -> None:
    assert is_valid_credit_code(text_of(with_credit_check(glyphs(body))))


@given(serial=SERIALS, birth=st.dates(date(1930, 1, 1), date(2030, 12, 31)), male=st.booleans())
@example(serial=0, birth=date(2000, 2, 29), male=True)
def test_a_resident_id_tells_birth_date_and_gender_and_no_province(
    serial: int, birth: date, *, male: bool
) -> None:
    number = text_of(
        resident_ids(IDENTITY, np.array([to_day(birth)]), np.array([male]), np.array([serial]))
    )
    assert is_valid_id(number)
    assert int(number[:2]) not in PROVINCES
    assert number[6:14] == f"{birth:%Y%m%d}"
    assert int(number[16]) % 2 == male


@given(st.lists(SERIALS, unique=True, min_size=2, max_size=20))
def test_different_customers_never_share_an_id_or_a_number(serials: list[int]) -> None:
    many = np.array(serials)
    births = np.full(len(many), to_day(date(1980, 5, 5)))
    ids = resident_ids(IDENTITY, births, np.ones(len(many), dtype=np.bool_), many)
    assert len(np.unique(ids, axis=0)) == len(many)
    assert len(np.unique(mobile_numbers(IDENTITY, many), axis=0)) == len(many)
    assert len(np.unique(credit_codes(IDENTITY, many), axis=0)) == len(many)


@given(SERIALS)
def test_a_credit_code_is_an_enterprise_of_no_province(serial: int) -> None:
    code = text_of(credit_codes(IDENTITY, np.array([serial])))
    assert is_valid_credit_code(code)
    assert code.startswith("91")
    assert int(code[2:4]) not in PROVINCES
    assert text_of(with_organisation_check(glyphs(code[8:16]))) == code[8:17]


@pytest.mark.parametrize("number", [-1, 1000])
def test_a_number_too_wide_for_its_digits_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="does not fit into 3 digits"):
        digits(np.array([number]), 3)


def test_nobody_in_the_book_is_real(records: duckdb.DuckDBPyConnection) -> None:
    provinces = ", ".join(f"'{province}'" for province in sorted(PROVINCES))
    traces = {
        "a phone of an operator": "left(phone, 3) NOT IN ('154', '163', '164', '169')",
        "a mail address": "email NOT LIKE '%@example.com'",
        "a resident ID of a province": f"id_type LIKE 'res%' AND left(id_no, 2) IN ({provinces})",
        "a travel document": "id_type <> 'resident_id' AND id_no NOT LIKE 'XX%'",
        "a credit code of a province": f"substr(credit_code, 3, 2) IN ({provinces})",
        "a company": "kind = 'corporate' AND name NOT LIKE '%（演示）'",
    }
    found = {
        trace: ask(records, f"SELECT count(*) FROM customers WHERE {condition}")
        for trace, condition in traces.items()
    }
    assert found == dict.fromkeys(traces, 0.0)


def test_every_id_and_credit_code_in_the_book_is_valid(
    records: duckdb.DuckDBPyConnection,
) -> None:
    ids = records.execute("SELECT id_no FROM customers WHERE id_type = 'resident_id'").fetchall()
    codes = records.execute("SELECT credit_code FROM customers WHERE kind = 'corporate'").fetchall()
    assert len(ids) > 15_000
    assert len(codes) > 400
    assert all(is_valid_id(number) for (number,) in ids)
    assert all(is_valid_credit_code(code) for (code,) in codes)
    assert len(set(ids)) == len(ids)
    assert len(set(codes)) == len(codes)
