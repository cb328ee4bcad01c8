"""Masks keep at most what they declare, at a fixed width where they say so."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.privacy import masks
from app.domain.privacy.masks import Bands, IdType, MaskDataError, parse_mask_data

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEF", min_size=1, max_size=12)
DIGITS = st.text("0123456789", max_size=20)


def _shown(mask: str) -> int:
    return len(mask.replace(masks.MASK, ""))


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "138****5678"),
        ("008613812345678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("+44 7911 123456", "*******3456"),
        ("66554321", "*********21"),
        ("110", "***********"),
        ("", "***********"),
        ("call me", "***********"),
    ],
)
def test_a_phone_number_is_masked_as(phone: str, expected: str) -> None:
    assert masks.mask_phone(phone) == expected


@given(st.one_of(DIGITS, st.text(max_size=30)))
@example("1" * 11)
def test_a_masked_phone_has_one_width_and_keeps_less_than_the_number(phone: str) -> None:
    masked = masks.mask_phone(phone)
    digits = [char for char in unicodedata.normalize("NFKC", phone) if char in "0123456789"]
    assert len(masked) == 11
    assert _shown(masked) <= masks.PHONE_KEPT_HEAD + masks.PHONE_KEPT_TAIL
    assert _shown(masked) == 0 or _shown(masked) <= len(digits) - 4


@pytest.mark.parametrize(
    ("id_no", "id_type", "expected"),
    [
        ("11010519491231002x", IdType.RESIDENT_ID, "1****************X"),
        ("110105491231002", IdType.RESIDENT_ID, "1****************2"),
        ("E12345678", IdType.PASSPORT, "E*******8"),
        ("H1234567890", IdType.PERMIT, "H*******0"),
        ("A-17", IdType.PASSPORT, "*********"),
        ("whatever-it-is", IdType.OTHER, "************"),
    ],
)
def test_an_id_number_is_masked_as(id_no: str, id_type: IdType, expected: str) -> None:
    assert masks.mask_id(id_no, id_type) == expected


@given(st.text(max_size=40), st.sampled_from(IdType))
def test_a_masked_id_number_has_the_width_of_its_document_and_keeps_two_characters(
    id_no: str, id_type: IdType
) -> None:
    masked = masks.mask_id(id_no, id_type)
    assert len(masked) == masks.ID_WIDTHS[id_type]
    hidden = masks.ID_WIDTHS[id_type] - masks.ID_KEPT_HEAD - masks.ID_KEPT_TAIL
    assert masked[1:-1] == masks.MASK * hidden


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("王小明", "王**"),
        ("王明", "王**"),
        ("欧阳锋", "欧阳**"),
        ("歐陽鋒", "歐陽**"),
        ("欧阳", "欧**"),
        ("司马相如", "司马**"),
        ("买买提·吐尔逊", "买**"),
        ("王", "***"),
        ("", "***"),
        ("John Ronald Smith", "*** Smith"),
        ("Smith, John", "Smith, ***"),
        ("Smith,", "S***"),
        ("Madonna", "M***"),
        ("Prince R", "P***"),
        ("김철수", "김***"),
        ("  王  小明 ", "王**"),
    ],
)
def test_a_name_is_masked_as(name: str, expected: str) -> None:
    assert masks.mask_name(name) == expected


@given(HAN)
def test_a_chinese_name_keeps_its_surname_and_not_its_length(name: str) -> None:
    masked = masks.mask_name(name)
    assert masked.endswith("**")
    assert _shown(masked) <= min(2, len(name) - 1)


@given(st.one_of(HAN, LETTERS, st.lists(LETTERS, min_size=1, max_size=4).map(" ".join)))
def test_a_masked_name_never_holds_the_whole_name(name: str) -> None:
    masked = masks.mask_name(name).replace(masks.MASK, "").strip(" ,")
    rest = Counter(name) - Counter(masked)
    assert sum(rest.values()) > 0


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("zhang.san@example.com", "z***@***.com"),
        ("z@example.com", "***@***.com"),
        ("me@zhangsan.cn", "m***@***.cn"),
        ("me@localhost", "***@***"),
        ("me@example.averylongdomain", "***@***"),
        ("me@10.0.0.1", "***@***"),
        ("no address", "***@***"),
    ],
)
def test_an_email_address_is_masked_as(email: str, expected: str) -> None:
    assert masks.mask_email(email) == expected


@given(LETTERS, LETTERS, st.sampled_from(["com", "cn", "org"]))
def test_a_masked_address_keeps_one_character_of_the_mailbox_and_no_domain(
    mailbox: str, domain: str, top_level: str
) -> None:
    head, _, rest = masks.mask_email(f"{mailbox}@{domain}.{top_level}").partition("@")
    assert _shown(head) <= min(1, len(mailbox) - 1)
    assert rest == f"***.{top_level}"


@given(st.dates())
def test_a_birth_band_holds_the_birth_year_and_four_others(birth_date: date) -> None:
    first, last = (int(year) for year in masks.birth_band(birth_date).split("-"))
    assert first <= birth_date.year <= last
    assert last - first == 4
    assert first % 5 == 0


@pytest.mark.parametrize("name", ["income", "assets"])
def test_income_and_assets_have_seven_bands(name: str) -> None:
    bands = masks.BANDS[name]
    assert bands.number(0) == 1
    assert bands.number(10**12) == 7
    assert len({bands.label(number) for number in range(1, 8)}) == 7


@given(st.decimals(0, 10**9, places=2), st.decimals(0, 10**9, places=2))
def test_bands_rise_with_the_amount(one: Decimal, other: Decimal) -> None:
    smaller, larger = sorted((one, other))
    assert masks.income_band(smaller) <= masks.income_band(larger)
    assert masks.asset_band(smaller) <= masks.asset_band(larger)


def test_a_lower_bound_belongs_to_its_band() -> None:
    bands = Bands((10, 20))
    assert [bands.band(amount) for amount in (9, 10, 19, 20)] == ["<10", "10-20", "10-20", ">=20"]
    assert bands.band(None) is None


@pytest.mark.parametrize("number", [0, 4])
def test_a_band_that_does_not_exist_has_no_label(number: int) -> None:
    with pytest.raises(ValueError, match="bands 1 to 3"):
        Bands((10, 20)).label(number)


SPACE = """
[resident_id]
regions = 1
regions_by_first_digit = 1
regions_by_city = 1
sequence_numbers = 1
fewest_candidates = 1
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "compound_surnames"),
        ("compound_surnames = ['欧阳']\nbands = 1", "bands"),
        ("compound_surnames = ['欧阳']\n[bands]\nincome = [2, 1]" + SPACE, "bands.income"),
        ("compound_surnames = ['欧阳']\n[bands]\nincome = ['a']" + SPACE, "bands.income"),
        ("compound_surnames = ['欧阳']\n[bands]\nincome = [true]" + SPACE, "bands.income"),
        ("compound_surnames = ['欧阳']\n[bands]\nincome = [1]", "resident_id"),
    ],
)
def test_a_wrong_table_is_refused_by_name(text: str, place: str) -> None:
    with pytest.raises(MaskDataError, match=place):
        parse_mask_data(text)
