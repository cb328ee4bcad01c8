"""Tries to verify a customer, and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.rows.verification_attempt import VerificationAttemptRow
from app.infra.ids import new_id


@dataclass(frozen=True, slots=True)
class Tries:
    """How often somebody tried of late, and when first."""

    count: int
    first_at: datetime | None


async def count_tries(
    session: AsyncSession, *, customer_id: str, actor_digest: str, since: datetime
) -> Tries:
    """The tries of an actor at a customer since a time; until the transaction ends he alone counts.

    Older ones are removed.
    """
    who = f"verification {customer_id} {actor_digest}"
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": who}
    )
    row = VerificationAttemptRow
    mine = (row.customer_id == customer_id, row.actor_digest == actor_digest)
    await session.execute(delete(row).where(*mine, row.attempted_at <= since))
    query = select(func.count(), func.min(row.attempted_at)).where(*mine)
    return Tries(*(await session.execute(query)).one())


async def record_try(
    session: AsyncSession, *, customer_id: str, actor_digest: str, field: str, at: datetime
) -> None:
    """Count a try."""
    await session.execute(
        insert(VerificationAttemptRow).values(
            id=new_id(),
            customer_id=customer_id,
            actor_digest=actor_digest,
            field=field,
            attempted_at=at,
        )
    )


async def find_sealed(session: AsyncSession, customer_id: str, *, column: str) -> bytes | None:
    """A sealed value of a customer."""
    query = select(CustomerRow.__table__.columns[column]).where(
        CustomerRow.customer_id == customer_id
    )
    found: bytes | None = await session.scalar(query)
    return found
