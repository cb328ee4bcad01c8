"""Merging one customer into another, over the one write path of the imports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.domain.errors import Conflict, NotFound
from app.features.imports.repository import merging, records, staging
from app.features.imports.service.rows import write_records
from app.infra.cipher import Vault
from app.infra.database import CALLERS_LOCK_SECONDS, AsyncSession
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Merge:
    """A customer id, and the customer it stands for."""

    merged_id: str
    customer_id: str
    is_new: bool


async def merge_customer(
    session: AsyncSession,
    *,
    merged_id: str,
    survivor_id: str,
    vault: Vault,
    settings: Settings,
    today: date,
) -> Merge:
    """Let one customer's id stand for another from now on, and move what is recorded of him.

    Saying it again changes nothing. It waits for imports, and imports and evaluations for it.

    Args:
        session: the caller's transaction; nothing is committed here.
        merged_id: the id that goes.
        survivor_id: the customer that stays.
        vault: seals anew what was sealed under the key of the merged id.
        settings: for the currency and the business zone.
        today: the business day of the merge.

    Raises:
        NotFound: one of the ids is nobody's.
        Conflict: `same-customer`; `merged-already` into somebody else; `merged-away` if the
            survivor is not one; `kind-fixed` if one is a person and the other a company.
    """
    if merged_id == survivor_id:
        raise Conflict("same-customer", "A customer cannot be merged into himself.")
    await staging.begin_writing(session, lock_seconds=CALLERS_LOCK_SECONDS)
    kinds = await merging.lock_customers(session, [merged_id, survivor_id])
    aliases = await records.list_aliases(session)
    if survivor_id not in kinds or (merged_id not in kinds and merged_id not in aliases):
        raise NotFound("not-found", "There is no such customer.")
    if survivor_id in aliases:
        raise Conflict("merged-away", "The survivor was merged into another customer himself.")
    if merged_id in aliases:
        if aliases[merged_id] == survivor_id:
            return Merge(merged_id, survivor_id, is_new=False)
        raise Conflict("merged-already", "The customer was merged into another one before.")
    if kinds[merged_id] != kinds[survivor_id]:
        raise Conflict("kind-fixed", "A person cannot be merged into a company, nor the reverse.")
    await write_records(
        session,
        record="customer_aliases",
        rows=[{"alias_id": merged_id, "customer_id": survivor_id, "merged_on": today}],
        vault=vault,
        settings=settings,
        valid_from=today,
    )
    return Merge(merged_id, survivor_id, is_new=True)
