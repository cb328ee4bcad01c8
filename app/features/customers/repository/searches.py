"""Searches by number, counted by who makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, not_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.search_attempt import SearchAttemptRow
from app.infra.ids import new_id


async def begin_search(session: AsyncSession, *, actor_digest: str, since: datetime) -> None:
    """Let an actor search once at a time, until the transaction ends.

    His searches that count no longer are removed: older ones, and those that found somebody.
    """
    who = f"search {actor_digest}"
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": who}
    )
    row = SearchAttemptRow
    is_past = or_(row.attempted_at <= since, not_(row.is_miss))
    await session.execute(delete(row).where(row.actor_digest == actor_digest, is_past))


async def list_misses(
    session: AsyncSession, *, actor_digest: str, places: Sequence[int]
) -> list[datetime | None]:
    """When an actor found nobody the last time (place 0), the time before it (1), and so on.

    Args:
        session: an open session.
        actor_digest: stands for who searches.
        places: the places asked about.

    Returns:
        A time for each place, None where there were not so many.
    """
    row = SearchAttemptRow
    mine = (
        select(row.attempted_at)
        .where(row.actor_digest == actor_digest, row.is_miss)
        .order_by(row.attempted_at.desc())
        .limit(1)
    )
    query = select(*(mine.offset(place).scalar_subquery() for place in places))
    return list((await session.execute(query)).one())


async def record_search(
    session: AsyncSession, *, actor_digest: str, is_miss: bool, at: datetime
) -> None:
    """Count a search; one that found somebody is written too, so that both take as long."""
    await session.execute(
        insert(SearchAttemptRow).values(
            id=new_id(), actor_digest=actor_digest, is_miss=is_miss, attempted_at=at
        )
    )
