"""Verifying who somebody is, without seeing what is known of him."""

from __future__ import annotations

import hmac
import os
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.errors import DomainError
from app.domain.privacy.normal_forms import normal_id_no, normal_phone
from app.features.customers.repository import verifications
from app.infra.cipher import CipherError, Vault, find_subject_keys
from app.infra.database import AsyncSession

MOST_TRIES: Final = 3
WINDOW: Final = timedelta(hours=1)


class TriesExhaustedError(DomainError):
    """Somebody tried too often; after `retry_after` the oldest of his tries is forgotten."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("tries-exhausted")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of himself; `field` is a key of `NORMAL_FORMS`."""

    field: str
    value: str = dataclass_field(repr=False)


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether what was said is what is known, and how many tries are left."""

    matches: bool
    tries_left: int


async def verify(
    session: AsyncSession,
    *,
    customer_id: str,
    actor_digest: str,
    said: Said,
    vault: Vault,
    now: datetime,
) -> Verification:
    """Whether a customer has this phone, ID number, birth date, e-mail address or name.

    What is not stored, or was erased, is never a match. Tries are counted whatever comes out.

    Args:
        session: an open session; the try is counted in its transaction.
        customer_id: the customer, by the id he is stored under.
        actor_digest: stands for who tries.
        said: what is verified, and what the caller says.
        vault: opens what is known.
        now: the time of the try.

    Raises:
        TriesExhaustedError: it would be one try too many.
    """
    tries = await verifications.count_tries(
        session, customer_id=customer_id, actor_digest=actor_digest, since=now - WINDOW
    )
    if tries.count >= MOST_TRIES:
        # Tries of the same moment may have waited for each other in another order.
        first_at = min(tries.first_at or now, now)
        raise TriesExhaustedError(first_at + WINDOW - now)
    await verifications.record_try(
        session, customer_id=customer_id, actor_digest=actor_digest, field=said.field, at=now
    )
    normal = NORMAL_FORMS[said.field]
    known = await _known(session, customer_id, f"{said.field}_cipher", vault)
    # What is not known is compared with what nobody can say.
    stored = (normal(known) if known is not None else "").encode() or os.urandom(32)
    return Verification(
        matches=hmac.compare_digest(stored, normal(said.value).encode()),
        tries_left=MOST_TRIES - tries.count - 1,
    )


async def _known(session: AsyncSession, customer_id: str, column: str, vault: Vault) -> str | None:
    sealed = await verifications.find_sealed(session, customer_id, column=column)
    keys = await find_subject_keys(session, vault, [customer_id])
    if sealed is None or customer_id not in keys:
        return None
    try:
        return vault.decrypt(keys[customer_id], "customers", column, customer_id, sealed).decode()
    except CipherError:
        return None


def _folded(written: str) -> str:
    return "".join(unicodedata.normalize("NFKC", written).split()).casefold()


def _day(written: str) -> str:
    try:
        return date.fromisoformat(unicodedata.normalize("NFKC", written).strip()).isoformat()
    except ValueError:
        return ""


#: How what is said and what is known are written, so that spelling makes no difference.
NORMAL_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "phone": normal_phone,
    "id_no": normal_id_no,
    "birth_date": _day,
    "email": _folded,
    "name": _folded,
}
