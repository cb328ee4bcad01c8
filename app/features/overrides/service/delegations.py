"""Delegations for absence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.words import Department
from app.infra.database import AsyncSession
from app.infra.people import find_people


async def find_delegation(
    session: AsyncSession, *, delegation_id: UUID, delegate: str, on: date
) -> tuple[str, Department]:
    """Who is away."""
    raise Conflict("delegation-not-running", f"{session} {delegation_id} {delegate} {on}")


async def away_on(session: AsyncSession, *, people: Collection[str], on: date) -> set[str]:
    """Who is away."""
    await find_people(session, people)
    return set()
