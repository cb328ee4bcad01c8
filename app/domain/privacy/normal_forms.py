"""Identifiers as they are compared: however a phone or ID number is written, it has one form."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NO_DIGIT: Final = re.compile("[^0-9]")
_SEPARATOR: Final = re.compile(r"[\s\-‐‑‒–—.·/]")
_CHINA: Final = "86"
_TRUNK: Final = "0"
#: A Chinese mobile number with its country code and nothing that says so.
_BARE_CHINESE: Final = re.compile("861[0-9]{10}")


def normal_phone(written: str) -> str:
    """The form of a phone number that equal numbers share; empty if there is no digit in it.

    >>> normal_phone("+86 138-0013 8000"), normal_phone("１３８００１３８０００")
    ('13800138000', '13800138000')
    >>> normal_phone("0571 8765 4321"), normal_phone("+86 (571) 87654321")
    ('57187654321', '57187654321')
    >>> normal_phone("+44 20 7946 0000"), normal_phone("0044 2079460000"), normal_phone("none")
    ('+442079460000', '+442079460000', '')
    """
    folded = unicodedata.normalize("NFKC", written).strip()
    digits = _NO_DIGIT.sub("", folded)
    abroad = folded.startswith("+") or digits.startswith("00")
    digits = digits.lstrip(_TRUNK) if abroad else digits
    if (abroad and digits.startswith(_CHINA)) or _BARE_CHINESE.fullmatch(digits):
        return digits.removeprefix(_CHINA).removeprefix(_TRUNK)
    return f"+{digits}" if abroad and digits else digits.removeprefix(_TRUNK)


def normal_id_no(written: str) -> str:
    """The form of an ID number that equal numbers share; empty if it says nothing.

    >>> normal_id_no(" 330106 19870411 493x"), normal_id_no("３３０１０６１９８７０４１１４９３Ｘ")
    ('33010619870411493X', '33010619870411493X')
    """
    joined = _SEPARATOR.sub("", unicodedata.normalize("NFKC", written)).upper()
    # What stands together now, or is a capital now, may be written in one sign.
    return unicodedata.normalize("NFKC", joined)
