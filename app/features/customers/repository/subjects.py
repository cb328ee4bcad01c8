"""Finding the customer behind an id, merged ids included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class StoredSubject:
    """A customer by the id he is stored under, with who is responsible for him."""

    customer_id: str
    kind: str
    account_manager: str | None


# UNION, not UNION ALL: aliases that point at each other in a ring end the walk, and find nobody.
_FIND: Final = text("""
    WITH RECURSIVE steps AS (
        SELECT CAST(:customer_id AS text) COLLATE "C" AS customer_id
        UNION
        SELECT alias.customer_id
        FROM steps JOIN customer_aliases AS alias ON alias.alias_id = steps.customer_id
    )
    SELECT customer.customer_id, customer.kind, customer.account_manager
    FROM steps JOIN customers AS customer USING (customer_id)
    WHERE NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = steps.customer_id
    )
""")


_FIND_ALL: Final = text("""
    WITH RECURSIVE steps AS (
        SELECT asked, asked COLLATE "C" AS customer_id FROM unnest(:customer_ids) AS asked
        UNION
        SELECT steps.asked, alias.customer_id
        FROM steps JOIN customer_aliases AS alias ON alias.alias_id = steps.customer_id
    )
    SELECT steps.asked, customer.customer_id, customer.kind, customer.account_manager
    FROM steps JOIN customers AS customer USING (customer_id)
    WHERE NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
""").bindparams(bindparam("customer_ids", type_=ARRAY(Text)))


async def find_subject(session: AsyncSession, customer_id: str) -> StoredSubject | None:
    """The customer of an id; an id that was merged away finds the survivor."""
    found = (await session.execute(_FIND, {"customer_id": customer_id})).first()
    return None if found is None else StoredSubject(*found)


async def find_subjects(
    session: AsyncSession, customer_ids: Sequence[str]
) -> dict[str, StoredSubject]:
    """The customers of many ids, by the ids asked for; an id that nobody has is left out."""
    rows = await session.execute(_FIND_ALL, {"customer_ids": list(customer_ids)})
    return {asked: StoredSubject(*found) for asked, *found in rows}
