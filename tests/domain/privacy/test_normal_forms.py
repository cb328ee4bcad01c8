"""However a number is written, it has one form; and two numbers have two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.normal_forms import normal_id_no, normal_phone

DIGITS = "0123456789"
WIDE = str.maketrans(DIGITS, "０１２３４５６７８９")
mobiles = st.text(DIGITS, min_size=10, max_size=10).map("1".__add__)
id_numbers = st.builds(
    str.__add__, st.text(DIGITS, min_size=17, max_size=17), st.sampled_from([*DIGITS, "X"])
)
gaps = st.lists(st.sampled_from(["", " ", "-", "\u3000", " - "]), min_size=18, max_size=18)


def spaced(number: str, between: list[str]) -> str:
    """A number with something between its digits."""
    return "".join(digit + gap for digit, gap in zip(number, between, strict=False))


@given(mobile=mobiles, between=gaps, prefix=st.sampled_from(["", "+86", "86", "0086", "＋86 "]))
def test_a_mobile_number_has_one_form_however_it_is_written(
    mobile: str, between: list[str], prefix: str
) -> None:
    written = prefix + spaced(mobile, between)
    assert normal_phone(written) == mobile
    assert normal_phone(written.translate(WIDE)) == mobile


@given(number=id_numbers, between=gaps)
def test_an_id_number_has_one_form_however_it_is_written(number: str, between: list[str]) -> None:
    written = spaced(number, between)
    assert normal_id_no(written) == number
    assert normal_id_no(written.lower().translate(WIDE)) == number


@given(one=mobiles, other=mobiles)
def test_two_mobile_numbers_have_two_forms(one: str, other: str) -> None:
    assert (normal_phone(one) == normal_phone(other)) == (one == other)


@given(written=st.text())
def test_any_text_has_a_form_that_holds_nothing_but_the_number(written: str) -> None:
    form = normal_phone(written)
    assert set(form.removeprefix("+")) <= set(DIGITS)
    assert not set(normal_id_no(written)) & set(" -\u3000")
