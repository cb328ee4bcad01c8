"""Masked and banded forms. Their data is `masks.toml`; `MASK` stands for what is hidden.

Every function keeps at most what its docstring declares, and never all of a value, however short
or odd the value is: what cannot be read is hidden altogether.
"""

from __future__ import annotations

import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Final

MASK: Final = "*"

PHONE_KEPT_HEAD: Final = 3
PHONE_KEPT_TAIL: Final = 4
ID_KEPT_HEAD: Final = 1
ID_KEPT_TAIL: Final = 1

_NAME_STARS = MASK * 2
_WESTERN_STARS = MASK * 3
_MOBILE_DIGITS = 11
_FOREIGN_DIGITS = 9
_LANDLINE_DIGITS = 7
_BIRTH_BAND_YEARS = 5
_SHORTEST_ID = 6
_LONGEST_TOP_LEVEL = 6


class IdType(StrEnum):
    """Which document an ID number belongs to."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    PERMIT = "permit"
    OTHER = "other"


#: Width of the masked number. It says nothing of the length of the number itself.
ID_WIDTHS: Final[Mapping[IdType, int]] = MappingProxyType(
    {IdType.RESIDENT_ID: 18, IdType.PASSPORT: 9, IdType.PERMIT: 9, IdType.OTHER: 12}
)


class MaskDataError(ValueError):
    """`masks.toml` is not what it must be; the message names the place."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Numbered intervals from 1; `lower` holds the inclusive lower bounds of bands 2 and on."""

    lower: tuple[int, ...]

    def number(self, amount: Decimal | int) -> int:
        """The number of the band that an amount falls in.

        >>> Bands((60_000, 120_000)).number(60_000)
        2
        """
        return bisect_right(self.lower, amount) + 1

    def label(self, number: int) -> str:
        """The band as text; an upper bound is exclusive.

        >>> [Bands((60_000, 120_000)).label(number) for number in (1, 2, 3)]
        ['<60000', '60000-120000', '>=120000']

        Raises:
            ValueError: there is no band of that number.
        """
        last = len(self.lower) + 1
        if not 1 <= number <= last:
            message = f"there are bands 1 to {last}"
            raise ValueError(message)
        if number == 1:
            return f"<{self.lower[0]}"
        if number == last:
            return f">={self.lower[-1]}"
        return f"{self.lower[number - 2]}-{self.lower[number - 1]}"

    def band(self, amount: Decimal | int | None) -> str | None:
        """The label of the band an amount falls in; None for no amount."""
        return None if amount is None else self.label(self.number(amount))


@dataclass(frozen=True, slots=True)
class ResidentIdSpace:
    """How many resident ID numbers each kind of knowledge leaves open."""

    regions: int
    regions_by_first_digit: int
    regions_by_city: int
    sequence_numbers: int
    fewest_candidates: int


@dataclass(frozen=True, slots=True)
class MaskData:
    """The tables that the masks need."""

    compound_surnames: frozenset[str]
    bands: Mapping[str, Bands]
    resident_id: ResidentIdSpace


def _whole_number(raw: object, place: str) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        message = f"{place}: a whole number is needed"
        raise MaskDataError(message)
    return raw


def _list(raw: object, place: str) -> list[object]:
    if not isinstance(raw, list) or not raw:
        message = f"{place}: a list is needed"
        raise MaskDataError(message)
    return list(raw)


def _mapping(raw: object, place: str) -> dict[str, object]:
    if not isinstance(raw, dict):
        message = f"{place}: a table is needed"
        raise MaskDataError(message)
    return {str(key): value for key, value in raw.items()}


def _bands(raw: object, place: str) -> Bands:
    lower = tuple(_whole_number(bound, place) for bound in _list(raw, place))
    if list(lower) != sorted(set(lower)):
        message = f"{place}: bounds rise"
        raise MaskDataError(message)
    return Bands(lower)


def parse_mask_data(text: str) -> MaskData:
    """The mask tables of a TOML text.

    Raises:
        MaskDataError: a part is missing or of the wrong shape.
    """
    raw: Mapping[str, object] = tomllib.loads(text)
    surnames = frozenset(
        str(name) for name in _list(raw.get("compound_surnames"), "compound_surnames")
    )
    bands = {
        name: _bands(bounds, f"bands.{name}")
        for name, bounds in _mapping(raw.get("bands"), "bands").items()
    }
    space = _mapping(raw.get("resident_id"), "resident_id")
    names = ResidentIdSpace.__dataclass_fields__
    resident_id = ResidentIdSpace(
        **{name: _whole_number(space.get(name), f"resident_id.{name}") for name in names}
    )
    return MaskData(surnames, MappingProxyType(bands), resident_id)


MASK_DATA: Final = parse_mask_data(
    resources.files("app.domain.privacy").joinpath("masks.toml").read_text(encoding="utf-8")
)
BANDS: Final = MASK_DATA.bands


def income_band(income: Decimal | int) -> int:
    """The band, 1 to 7, of a yearly income in currency units."""
    return BANDS["income"].number(income)


def asset_band(assets: Decimal | int) -> int:
    """The band, 1 to 7, of declared assets in currency units."""
    return BANDS["assets"].number(assets)


def birth_band(birth_date: date) -> str:
    """The five-year band of the birth year.

    >>> birth_band(date(1984, 2, 29))
    '1980-1984'
    """
    first = birth_date.year // _BIRTH_BAND_YEARS * _BIRTH_BAND_YEARS
    return f"{first:04d}-{first + _BIRTH_BAND_YEARS - 1:04d}"


def mask_phone(phone: str) -> str:
    """A phone number at the width of a mainland mobile number.

    Of eleven digits (after +86) three leading and four trailing stay, of nine and more four
    trailing, of seven and more two trailing, of fewer none.

    >>> mask_phone("+86 138 1234 5678")
    '138****5678'
    >>> mask_phone("6655 4321")
    '*********21'
    """
    digits = "".join(char for char in unicodedata.normalize("NFKC", phone) if char in "0123456789")
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) == len(prefix) + _MOBILE_DIGITS:
            digits = digits.removeprefix(prefix)
    head, tail = "", ""
    if len(digits) == _MOBILE_DIGITS:
        head, tail = digits[:PHONE_KEPT_HEAD], digits[-PHONE_KEPT_TAIL:]
    elif len(digits) >= _FOREIGN_DIGITS:
        tail = digits[-PHONE_KEPT_TAIL:]
    elif len(digits) >= _LANDLINE_DIGITS:
        tail = digits[-2:]
    return head + MASK * (_MOBILE_DIGITS - len(head) - len(tail)) + tail


def mask_id(id_no: str, id_type: IdType) -> str:
    """An ID number at the fixed width of its document.

    The first and the last character stay, of unknown documents and of fewer than six characters
    none.

    >>> mask_id("11010519491231002X", IdType.RESIDENT_ID)
    '1****************X'
    """
    text = "".join(unicodedata.normalize("NFKC", id_no).split()).upper()
    width = ID_WIDTHS[id_type]
    if id_type is IdType.OTHER or len(text) < _SHORTEST_ID:
        return MASK * width
    stars = MASK * (width - ID_KEPT_HEAD - ID_KEPT_TAIL)
    return text[:ID_KEPT_HEAD] + stars + text[-ID_KEPT_TAIL:]


def mask_name(name: str) -> str:
    """A person's name: the surname stays, the rest becomes a fixed number of stars.

    Chinese names keep their surname, a compound one whole; names of several words keep the last
    word, or what stands before a comma; a name that shows no surname keeps its first character,
    and one of a single character nothing.

    >>> [mask_name(name) for name in ("王小明", "欧阳锋", "John Ronald Smith", "Smith, John")]
    ['王**', '欧阳**', '*** Smith', 'Smith, ***']
    """
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    if len(text) <= 1:
        return _WESTERN_STARS
    if _is_chinese(text[0]):
        kept = 2 if len(text) > 2 and text[:2] in MASK_DATA.compound_surnames else 1  # noqa: PLR2004 - compound surnames have two characters.
        return text[:kept] + _NAME_STARS
    surname, comma, given = text.partition(",")
    if comma and surname.strip() and given.strip():
        return f"{surname.strip()}, {_WESTERN_STARS}"
    _, space, last = text.rpartition(" ")
    if space and len(last) > 1:
        return f"{_WESTERN_STARS} {last}"
    return text[0] + _WESTERN_STARS


def _is_chinese(char: str) -> bool:
    return unicodedata.name(char, "").startswith("CJK ")


def mask_email(email: str) -> str:
    """An e-mail address: the first character of the mailbox and the top-level domain stay.

    The domain is hidden too, since people have domains of their own name.

    >>> mask_email("zhang.san@example.com")
    'z***@***.com'
    """
    mailbox, at, domain = unicodedata.normalize("NFKC", email).strip().rpartition("@")
    top_level = domain.rpartition(".")[2]
    if not at or "." not in domain or not _is_top_level(top_level):
        return f"{MASK * 3}@{MASK * 3}"
    head = mailbox[0] if len(mailbox) > 1 else ""
    return f"{head}{MASK * 3}@{MASK * 3}.{top_level}"


def _is_top_level(word: str) -> bool:
    return word.isascii() and word.isalpha() and 1 < len(word) <= _LONGEST_TOP_LEVEL
