"""Finding an encrypted identifier by its exact value, without storing anything that tells it.

Beside a sealed phone or ID number stands an HMAC of its normal form. Who asks for a number is
answered by the HMAC of what he asked for. The keys come from the master key, so that a copy of the
database alone cannot be searched by trying numbers; equal numbers have equal HMACs, which is what a
copy does tell.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from app.domain.privacy.normal_forms import normal_id_no, normal_phone

PHONE_PURPOSE: Final = "blind index of phone numbers"
ID_NO_PURPOSE: Final = "blind index of ID numbers"


class BlindIndex:
    """The HMACs that phone and ID numbers are found by.

    Args:
        derive: gives a key for a purpose.
    """

    def __init__(self, derive: Callable[[str], bytes]) -> None:
        self._phone_key = derive(PHONE_PURPOSE)
        self._id_no_key = derive(ID_NO_PURPOSE)

    def phone(self, written: str | None) -> bytes | None:
        """What a phone number is found by; None for a text without a digit."""
        return _hmac(self._phone_key, normal_phone(written or ""))

    def id_no(self, written: str | None) -> bytes | None:
        """What an ID number is found by; None for a text that says nothing."""
        return _hmac(self._id_no_key, normal_id_no(written or ""))


def _hmac(key: bytes, form: str) -> bytes | None:
    # Worked out for an empty form too: what cannot be found takes as long as what can.
    found = hmac.digest(key, form.encode(), "sha256")
    return found if form else None
