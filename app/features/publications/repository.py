"""SQL of publications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.rule_set import RuleSetActivationRow, RuleSetVersionRow
from app.db.rows.rule_set_publication import RuleSetPublicationRow
from app.domain.words import PublicationKind


@dataclass(frozen=True, slots=True)
class Act:
    """What a publisher did with a rule set.

    Args:
        id: UUIDv7.
        rule_set_id: with which.
        kind: what.
        product_line: the line it decides for.
        version: that was put in force; None for a retirement.
        effective_on: first business day it decides; of a retirement, the first it no longer does.
        activation_id: the range it was given; None for a retirement.
        pia_ref: the privacy assessment it rests on.
        authors: digests of all who edited what was published.
        published_by: digest of who did it.
        published_at: when.
    """

    id: UUID
    rule_set_id: str
    kind: PublicationKind
    product_line: str
    version: int | None
    effective_on: date
    activation_id: UUID | None
    pia_ref: str | None
    authors: tuple[str, ...]
    published_by: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPublication:
    """An act, the hash of its version, and the days on which that decides by it as of now.

    `since` is None where it decides on none: a retirement, or what never came into force.
    """

    act: Act
    hash: str | None
    since: date | None
    until: date | None


async def insert_publication(session: AsyncSession, act: Act) -> None:
    """Record an act for good."""
    await session.execute(
        insert(RuleSetPublicationRow).values(
            id=act.id,
            rule_set_id=act.rule_set_id,
            kind=act.kind,
            product_line=act.product_line,
            version=act.version,
            effective_on=act.effective_on,
            activation_id=act.activation_id,
            pia_ref=act.pia_ref,
            authors=list(act.authors),
            published_by=act.published_by,
            published_at=act.published_at,
        )
    )


async def find_publication(
    session: AsyncSession, rule_set_id: str, publication_id: UUID
) -> StoredPublication | None:
    """One act."""
    row = RuleSetPublicationRow
    query = _query().where(row.rule_set_id == rule_set_id, row.id == publication_id)
    found = (await session.execute(query)).first()
    return None if found is None else _stored(found)


async def list_publications(
    session: AsyncSession, rule_set_id: str, *, limit: int, before: UUID | None
) -> list[StoredPublication]:
    """What was done with a rule set, the newest first; `before` is the last one of a page."""
    row = RuleSetPublicationRow
    query = _query().where(row.rule_set_id == rule_set_id).order_by(row.id.desc()).limit(limit)
    if before is not None:
        query = query.where(row.id < before)
    return [_stored(found) for found in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Precedent:
    """What earlier publications of a version say: all authors of it, and its last assessment."""

    authors: tuple[str, ...]
    pia_ref: str | None


async def find_precedent(session: AsyncSession, rule_set_id: str, version: int) -> Precedent:
    """The earlier publications of a version; of one that has none, nobody is an author."""
    row = RuleSetPublicationRow
    own = (row.rule_set_id == rule_set_id, row.version == version)
    author = func.unnest(row.authors).label("author")
    authors = await session.scalars(select(author).where(*own).distinct().order_by(author))
    last = select(row.pia_ref).where(*own, row.pia_ref.is_not(None)).order_by(row.id.desc())
    return Precedent(tuple(authors), await session.scalar(last.limit(1)))


def _query() -> Select[Any]:
    row, version, active = RuleSetPublicationRow, RuleSetVersionRow, RuleSetActivationRow
    return (
        select(
            row,
            version.hash,
            func.lower(active.valid).label("since"),
            func.upper(active.valid).label("until"),
        )
        .outerjoin(
            version, (version.rule_set_id == row.rule_set_id) & (version.version == row.version)
        )
        .outerjoin(active, active.id == row.activation_id)
    )


def _stored(found: Any) -> StoredPublication:  # noqa: ANN401 - a row of the query above.
    row: RuleSetPublicationRow = found[0]
    act = Act(
        id=row.id,
        rule_set_id=row.rule_set_id,
        kind=row.kind,  # type: ignore[arg-type] # A constraint lets in nothing else.
        product_line=row.product_line,
        version=row.version,
        effective_on=row.effective_on,
        activation_id=row.activation_id,
        pia_ref=row.pia_ref,
        authors=tuple(row.authors),
        published_by=row.published_by,
        published_at=row.published_at,
    )
    return StoredPublication(act, found.hash, found.since, found.until)
