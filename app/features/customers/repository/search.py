"""Finding customers by the HMAC of what they are known by, and filling it where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ARRAY, LargeBinary, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.serving import JOINED, serving_tier


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """A customer who may be the one that is looked for, in masked forms."""

    customer_id: str
    kind: str
    account_manager: str | None
    name_masked: str | None
    phone_masked: str | None
    tier: str | None


# One plan whatever is asked for: an HMAC that is null is that of nobody. Who was merged away is
# found too, and answers as the survivor.
_SEARCH: Final = text(f"""
    WITH RECURSIVE steps AS (
        SELECT customer_id FROM customers WHERE phone_index = :phone
        UNION
        SELECT customer_id FROM customers WHERE id_no_index = :id_no
        UNION
        SELECT alias.customer_id
        FROM steps JOIN customer_aliases AS alias ON alias.alias_id = steps.customer_id
    )
    SELECT customer.customer_id, customer.kind, customer.account_manager,
        customer.name_masked, customer.phone_masked, {serving_tier("CAST(:today AS date)")}
    FROM (SELECT DISTINCT customer_id FROM steps) AS step
    JOIN customers AS customer USING (customer_id)
    LEFT JOIN (scoring_states AS state {JOINED}) ON state.customer_id = customer.customer_id
    WHERE NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
    ORDER BY customer.customer_id LIMIT :limit
""").bindparams(  # noqa: S608 - all texts are ours.
    bindparam("phone", type_=LargeBinary), bindparam("id_no", type_=LargeBinary)
)


async def find_candidates(
    session: AsyncSession,
    *,
    phone: bytes | None,
    id_no: bytes | None,
    today: date,
    limit: int,
) -> list[StoredCandidate]:
    """The customers behind an HMAC, by id.

    Args:
        session: an open session.
        phone: the HMAC of a phone number; None finds nobody.
        id_no: likewise of an ID number.
        today: the business day.
        limit: how many at most.
    """
    asked = {"phone": phone, "id_no": id_no, "today": today, "limit": limit}
    rows = await session.execute(_SEARCH, asked)
    return [StoredCandidate(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class UnindexedCustomer:
    """A customer with a sealed number that no look-up finds yet."""

    customer_id: str
    phone_cipher: bytes | None
    id_no_cipher: bytes | None


_UNINDEXED: Final = """
    (phone_cipher IS NOT NULL AND phone_index IS NULL)
    OR (id_no_cipher IS NOT NULL AND id_no_index IS NULL)
"""
_LIST_UNINDEXED: Final = text(f"""
    SELECT customer_id, phone_cipher, id_no_cipher FROM customers
    WHERE customer_id > :after AND ({_UNINDEXED})
    ORDER BY customer_id LIMIT :limit
""")  # noqa: S608 - both texts are ours.
# What was written since it was read has its own HMAC, or none: it is not touched.
_FILL: Final = text("""
    UPDATE customers AS customer
    SET phone_index = coalesce(customer.phone_index, filled.phone_index),
        id_no_index = coalesce(customer.id_no_index, filled.id_no_index)
    FROM unnest(:ids, :phones, :id_nos, :phone_ciphers, :id_no_ciphers)
        AS filled (customer_id, phone_index, id_no_index, phone_cipher, id_no_cipher)
    WHERE customer.customer_id = filled.customer_id COLLATE "C"
        AND customer.phone_cipher IS NOT DISTINCT FROM filled.phone_cipher
        AND customer.id_no_cipher IS NOT DISTINCT FROM filled.id_no_cipher
""").bindparams(
    bindparam("ids", type_=ARRAY(Text)),
    *(
        bindparam(name, type_=ARRAY(LargeBinary))
        for name in ("phones", "id_nos", "phone_ciphers", "id_no_ciphers")
    ),
)


async def has_unindexed(session: AsyncSession) -> bool:
    """Whether an exact look-up misses anybody."""
    query = text(f"SELECT EXISTS (SELECT FROM customers WHERE {_UNINDEXED})")  # noqa: S608 - ours.
    return bool(await session.scalar(query))


async def list_unindexed(
    session: AsyncSession, *, after: str, limit: int
) -> list[UnindexedCustomer]:
    """Customers that an exact look-up misses although the number is stored, in the order of ids."""
    rows = await session.execute(_LIST_UNINDEXED, {"after": after, "limit": limit})
    return [UnindexedCustomer(*row) for row in rows]


async def fill_index(
    session: AsyncSession,
    found: Sequence[tuple[UnindexedCustomer, bytes | None, bytes | None]],
) -> None:
    """Store the HMACs of phone and ID numbers, each beside the sealed value it was made of."""
    await session.execute(
        _FILL,
        {
            "ids": [customer.customer_id for customer, _, _ in found],
            "phones": [phone for _, phone, _ in found],
            "id_nos": [id_no for _, _, id_no in found],
            "phone_ciphers": [customer.phone_cipher for customer, _, _ in found],
            "id_no_ciphers": [customer.id_no_cipher for customer, _, _ in found],
        },
    )
