"""SQL on the benefit catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import BenefitGrantRow, BenefitRow
from app.domain.benefits.catalogue import Benefit, Grant


async def has_benefits(session: AsyncSession) -> bool:
    """Whether a catalogue was ever stored."""
    return await session.scalar(select(BenefitRow.code).limit(1)) is not None


async def list_offered(session: AsyncSession, *, on: date) -> list[Benefit]:
    """Enabled benefits valid on a business day, with their grants, in order of display."""
    rows = await session.scalars(
        select(BenefitRow)
        .where(
            BenefitRow.is_enabled,
            BenefitRow.valid_from <= on,
            or_(BenefitRow.valid_to.is_(None), BenefitRow.valid_to > on),
        )
        .order_by(BenefitRow.position)
    )
    grants: dict[str, list[Grant]] = {}
    for grant in await session.scalars(select(BenefitGrantRow)):
        grants.setdefault(grant.code, []).append(Grant(grant.tier, grant.quota, grant.period))
    return [
        Benefit(
            code=row.code,
            position=row.position,
            kind=row.kind,
            legal_class=row.legal_class,
            name_en=row.name_en,
            name_zh=row.name_zh,
            text_en=row.text_en,
            text_zh=row.text_zh,
            is_enabled=row.is_enabled,
            grants=tuple(grants.get(row.code, ())),
        )
        for row in rows
    ]


async def save_benefits(
    session: AsyncSession, benefits: Sequence[Benefit], *, valid_from: date
) -> None:
    """Store a catalogue."""
    session.add_all(
        BenefitRow(
            code=benefit.code,
            position=benefit.position,
            kind=benefit.kind,
            legal_class=benefit.legal_class,
            name_en=benefit.name_en,
            name_zh=benefit.name_zh,
            text_en=benefit.text_en,
            text_zh=benefit.text_zh,
            is_enabled=benefit.is_enabled,
            valid_from=valid_from,
        )
        for benefit in benefits
    )
    await session.flush()
    session.add_all(
        BenefitGrantRow(code=benefit.code, tier=grant.tier, quota=grant.quota, period=grant.period)
        for benefit in benefits
        for grant in benefit.grants
    )
    await session.flush()
