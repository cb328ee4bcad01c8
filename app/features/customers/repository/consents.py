"""Every consent of a customer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.consent import ConsentRow


async def list_all_consents(
    session: AsyncSession, customer_id: str
) -> list[tuple[str, date, str, str | None, date | None]]:
    """Purpose, first day, basis, text and end of every consent, by purpose, the newest first."""
    row = ConsentRow
    query = (
        select(row.purpose, row.given_on, row.basis, row.text_version, row.withdrawn_on)
        .where(row.customer_id == customer_id)
        .order_by(row.purpose, row.given_on.desc())
    )
    return [
        (one, day, basis, text, end) for one, day, basis, text, end in await session.execute(query)
    ]
