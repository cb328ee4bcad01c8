"""A sensitive value that is forgotten must not tell itself."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.sensitive import Sensitive, SensitiveUseError

SECRET = "sentinel-4711"

USES: dict[str, Callable[[Sensitive[str]], object]] = {
    "==": lambda value: value == SECRET,
    "!=": lambda value: value != SECRET,
    "<": lambda value: operator.lt(value, SECRET),
    "<=": lambda value: operator.le(value, SECRET),
    ">": lambda value: operator.gt(value, SECRET),
    ">=": lambda value: operator.ge(value, SECRET),
    "hash": hash,
    "bool": bool,
    "len": len,
    "iter": iter,
    "in": lambda value: operator.contains(value, SECRET),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "getstate": lambda value: value.__getstate__(),
    "reduce": lambda value: value.__reduce__(),
    "set attribute": lambda value: setattr(value, "_value", SECRET),
    "delete attribute": lambda value: delattr(value, "_value"),
}


def _value(masked: str | None = "s***", band: str | None = "s-t") -> Sensitive[str]:
    return Sensitive(SensitivityClass.C2_NAME, SECRET, masked=masked, band=band)


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_use_that_could_tell_the_value_raises_without_telling_it(
    use: Callable[[Sensitive[str]], object],
) -> None:
    with pytest.raises(SensitiveUseError) as caught:
        use(_value())
    assert SECRET not in str(caught.value)


def test_printing_tells_nothing() -> None:
    value = _value()
    printed = [repr(value), str(value), f"{value}", f"{value!r:>40}", f"{value:x}", f"{[value]}"]
    assert all("<withheld>" in text and SECRET not in text for text in printed)


def test_a_value_has_no_dictionary_of_attributes() -> None:
    with pytest.raises(TypeError):
        vars(_value())


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (Disposition.CLEAR, SECRET),
        (Disposition.PARTIAL, "s***"),
        (Disposition.BAND, "s-t"),
        (Disposition.TOKEN, None),
        (Disposition.WITHHELD, None),
    ],
)
def test_a_disposition_gives_its_form(disposition: Disposition, expected: object) -> None:
    assert _value().form(disposition) == expected


@given(st.sampled_from(Disposition), st.sampled_from([Disposition.PARTIAL, Disposition.BAND]))
def test_a_missing_form_is_never_replaced_by_a_more_telling_one(
    disposition: Disposition, missing: Disposition
) -> None:
    value = _value(
        masked=None if missing is Disposition.PARTIAL else "s***",
        band=None if missing is Disposition.BAND else "s-t",
    )
    if disposition is not Disposition.CLEAR:
        assert value.form(disposition) != SECRET
    if disposition is missing:
        assert value.form(disposition) is None


def test_a_sealed_value_granted_in_clear_shows_its_masked_form_else_its_band() -> None:
    sealed = Sensitive[str].sealed(SensitivityClass.C2_NAME, masked="s***", band="s-t")
    banded = Sensitive[str].sealed(SensitivityClass.C2_BIRTH, band="1980-1984")
    assert (sealed.is_sealed, _value().is_sealed) == (True, False)
    assert sealed.form(Disposition.CLEAR) == "s***"
    assert banded.form(Disposition.CLEAR) == "1980-1984"


def test_a_value_knows_its_class() -> None:
    assert _value().sensitivity is SensitivityClass.C2_NAME
