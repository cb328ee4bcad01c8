"""People of the staff as the register of actors knows them, for services that judge by roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select

from app.db.rows.actor import ActorRow
from app.domain.overrides.keys import Person
from app.infra.database import AsyncSession


async def find_people(session: AsyncSession, digests: Collection[str]) -> dict[str, Person]:
    """People by their digests; who never showed a token is left out.

    Args:
        session: the transaction that judges by their roles.
        digests: HMACs of issuer and subject, as the audit's writer makes them.
    """
    if not digests:
        return {}
    rows = await session.execute(
        select(ActorRow.actor_digest, ActorRow.subject, ActorRow.roles).where(
            ActorRow.actor_digest.in_(digests)
        )
    )
    return {digest: Person(digest, subject, frozenset(roles)) for digest, subject, roles in rows}


async def find_people_by_subject(
    session: AsyncSession, issuer: str, subjects: Collection[str]
) -> Mapping[str, Person]:
    """People by their ids at one issuer; who never showed a token is left out."""
    if not subjects:
        return {}
    rows = await session.execute(
        select(ActorRow.actor_digest, ActorRow.subject, ActorRow.roles).where(
            ActorRow.issuer == issuer, ActorRow.subject.in_(subjects)
        )
    )
    return {subject: Person(digest, subject, frozenset(roles)) for digest, subject, roles in rows}
