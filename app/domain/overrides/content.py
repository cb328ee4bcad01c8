"""What two officers put their names to: the content of one version, and its digest."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from app.domain.errors import Invalid
from app.domain.rules.canonical import rfc8785_hash
from app.domain.words import OverrideMode, OverrideReason

LEAST_STATEMENT: Final = 20
"""Characters of a statement that can be seen, a space between words among them."""
MOST_DAYS: Final = 366
"""Business days that an override may be asked for, from the day it is written."""
EXPIRES_AFTER: Final = timedelta(hours=72)
"""From the first version of a request to when nobody can decide on it any more."""

#: Letters and signs by their category that show nothing.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: Marks that stand on another character, and whatever is no character to be seen.
_UNSEEN: Final = frozenset({"Mn", "Me", "Cc", "Cf", "Cn", "Co", "Cs"})
_SPACE: Final = re.compile(r"\s+")


def seen_characters(text: str) -> int:
    r"""How many characters a reader is shown; space counts once, wherever it is between words.

    >>> seen_characters("a  b"), seen_characters("\u200b" * 20), seen_characters("e\u0301")
    (3, 0, 1)
    """
    seen = "".join(
        character
        for character in text
        if character not in _BLANK
        and (character.isspace() or unicodedata.category(character) not in _UNSEEN)
    )
    return len(_SPACE.sub(" ", seen).strip())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; `valid_until` is the first business day it no longer serves."""

    tier: str
    mode: OverrideMode
    reason: OverrideReason
    statement: str
    valid_until: date

    def require_validity(self, today: date) -> None:
        """See to it that it ends, and not too late.

        Raises:
            Invalid: `validity-out-of-range` for a day that is not after today, or too long after.
        """
        if not today < self.valid_until <= today + timedelta(MOST_DAYS):
            raise Invalid(
                "validity-out-of-range",
                f"valid_until lies after today and at most {MOST_DAYS} days from it.",
            )


@dataclass(frozen=True, slots=True)
class Basis:
    """What the rules gave a customer when the version was written."""

    override_id: UUID
    customer_id: str
    evaluated_tier: str


@dataclass(frozen=True, slots=True)
class Content:
    """One version of a request, whole.

    Args:
        request_id: the request.
        version: from 1.
        requested_by: digest of who asks.
        wanted: what is asked for.
        basis: for whom, and what the rules gave.
        evidence: SHA-256 of each file it rests on, in hexadecimal digits.
        salt: random bytes, without which the digest would tell what was guessed of the statement.
    """

    request_id: UUID
    version: int
    requested_by: str
    wanted: Wanted
    basis: Sequence[Basis]
    evidence: Sequence[str]
    salt: bytes

    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785), in hexadecimal digits.

        The order of customers and files makes no difference.
        """
        wanted = self.wanted
        return rfc8785_hash(
            {
                "customers": sorted(
                    [item.customer_id, str(item.override_id), item.evaluated_tier]
                    for item in self.basis
                ),
                "evidence": sorted(self.evidence),
                "mode": wanted.mode,
                "reason": wanted.reason,
                "request_id": str(self.request_id),
                "requested_by": self.requested_by,
                "salt": self.salt.hex(),
                "statement": wanted.statement,
                "tier": wanted.tier,
                "valid_until": wanted.valid_until.isoformat(),
                "version": self.version,
            }
        )
