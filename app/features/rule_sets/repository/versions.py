"""SQL of the rule sets: versions, and the ranges in which they are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.rows.rule_set import RuleSetActivationRow, RuleSetVersionRow
from app.db.rows.rule_set_publication import RuleSetPublicationRow
from app.infra.ids import new_id

#: Any constant will do; it only has to be the same wherever rule sets are written.
ADVISORY_LOCK: Final = 7_430_119


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One stored version, without its document."""

    rule_set_id: str
    version: int
    product_line: str
    hash: str


_VERSION = (
    RuleSetVersionRow.rule_set_id,
    RuleSetVersionRow.version,
    RuleSetVersionRow.product_line,
    RuleSetVersionRow.hash,
)


async def lock_writes(session: AsyncSession) -> None:
    """Let one transaction at a time store versions and put them in force."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


async def find_by_hash(
    session: AsyncSession, *, rule_set_id: str, hash_: str
) -> StoredVersion | None:
    """The version of a rule set that holds exactly this document."""
    query = select(*_VERSION).where(
        RuleSetVersionRow.rule_set_id == rule_set_id, RuleSetVersionRow.hash == hash_
    )
    found = (await session.execute(query)).first()
    return None if found is None else StoredVersion(*found)


async def find_document(
    session: AsyncSession, *, rule_set_id: str, version: int
) -> tuple[StoredVersion, dict[str, Any]] | None:
    """One stored version with its document."""
    query = select(*_VERSION, RuleSetVersionRow.document).where(
        RuleSetVersionRow.rule_set_id == rule_set_id, RuleSetVersionRow.version == version
    )
    found = (await session.execute(query)).first()
    return None if found is None else (StoredVersion(*found[:4]), found[4])


async def insert_version(
    session: AsyncSession, version: StoredVersion, *, document: dict[str, Any], origin: str
) -> None:
    """Store a new version; it can never be changed afterwards."""
    await session.execute(
        insert(RuleSetVersionRow).values(
            rule_set_id=version.rule_set_id,
            version=version.version,
            product_line=version.product_line,
            hash=version.hash,
            document=document,
            origin=origin,
        )
    )


async def newest_version(session: AsyncSession, rule_set_id: str) -> int:
    """The highest version of a rule set, 0 if there is none."""
    query = select(func.max(RuleSetVersionRow.version)).where(
        RuleSetVersionRow.rule_set_id == rule_set_id
    )
    return await session.scalar(query) or 0


async def has_activations(session: AsyncSession) -> bool:
    """Whether any version was ever put in force for any line."""
    return await session.scalar(select(RuleSetActivationRow.id).limit(1)) is not None


async def is_in_force_from(
    session: AsyncSession, version: StoredVersion, *, valid_from: date
) -> bool:
    """Whether a version is already the only one in force from a day on."""
    query = select(
        RuleSetActivationRow.rule_set_id, RuleSetActivationRow.version, RuleSetActivationRow.valid
    ).where(
        RuleSetActivationRow.product_line == version.product_line,
        RuleSetActivationRow.valid.overlaps(Range(valid_from)),
    )
    found = (await session.execute(query)).all()
    return len(found) == 1 and (
        (found[0].rule_set_id, found[0].version) == (version.rule_set_id, version.version)
        and found[0].valid.lower <= valid_from
        and found[0].valid.upper is None
    )


async def put_in_force(session: AsyncSession, version: StoredVersion, *, valid_from: date) -> UUID:
    """Let a version decide for its line from a day on, in place of all others.

    What began before ends on that day; what would begin on or after it never comes into force.
    The range that it was given is told by its id.
    """
    row = RuleSetActivationRow
    line = row.product_line == version.product_line
    await session.execute(delete(row).where(line, func.lower(row.valid) >= valid_from))
    await session.execute(
        update(row)
        .where(line, row.valid.overlaps(Range(valid_from)))
        .values(valid=func.daterange(func.lower(row.valid), valid_from))
    )
    id_ = new_id()
    await session.execute(
        insert(row).values(
            id=id_,
            product_line=version.product_line,
            rule_set_id=version.rule_set_id,
            version=version.version,
            valid=Range(valid_from),
        )
    )
    return id_


async def end_activations(session: AsyncSession, rule_set_id: str, *, valid_to: date) -> int:
    """Let a rule set decide on no day from one on; how many of its ranges that ended or undid."""
    row = RuleSetActivationRow
    own = row.rule_set_id == rule_set_id
    undone = await session.execute(
        delete(row).where(own, func.lower(row.valid) >= valid_to).returning(row.id)
    )
    ended = await session.execute(
        update(row)
        .where(own, row.valid.overlaps(Range(valid_to)))
        .values(valid=func.daterange(func.lower(row.valid), valid_to))
        .returning(row.id)
    )
    return len(undone.all()) + len(ended.all())


@dataclass(frozen=True, slots=True)
class StoredActivation:
    """The business days on which a version decides for a line; `until` is exclusive."""

    id: UUID
    rule_set_id: str
    version: int
    product_line: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A stored version as a list tells it; `published_at` is when it was last published."""

    stored: StoredVersion
    origin: str
    title: dict[str, str]
    created_at: datetime
    published_at: datetime | None


async def list_versions(session: AsyncSession) -> list[VersionEntry]:
    """Every stored version, by rule set and version."""
    row, act = RuleSetVersionRow, RuleSetPublicationRow
    last = (
        select(func.max(act.published_at))
        .where(act.rule_set_id == row.rule_set_id, act.version == row.version)
        .scalar_subquery()
    )
    query = select(*_VERSION, row.origin, row.document["title"], row.created_at, last).order_by(
        row.rule_set_id, row.version
    )
    return [
        VersionEntry(StoredVersion(*found[:4]), *found[4:])
        for found in await session.execute(query)
    ]


async def list_activations(session: AsyncSession) -> list[StoredActivation]:
    """Every range in which a version decides, by line and day."""
    row = RuleSetActivationRow
    query = select(
        row.id,
        row.rule_set_id,
        row.version,
        row.product_line,
        func.lower(row.valid),
        func.upper(row.valid),
    ).order_by(row.product_line, func.lower(row.valid))
    return [StoredActivation(*found) for found in await session.execute(query)]


async def list_in_force(session: AsyncSession, as_of: date) -> Sequence[StoredVersion]:
    """What decides on a day, one version per line that has any."""
    query = (
        select(*_VERSION)
        .join(
            RuleSetActivationRow,
            (RuleSetActivationRow.rule_set_id == RuleSetVersionRow.rule_set_id)
            & (RuleSetActivationRow.version == RuleSetVersionRow.version),
        )
        .where(RuleSetActivationRow.valid.contains(as_of))
    )
    return [StoredVersion(*found) for found in await session.execute(query)]


async def has_more_customers(session: AsyncSession, most: int) -> bool:
    """Whether the book holds more customers than that; no more of them are looked at."""
    some = select(CustomerRow.customer_id).limit(1).offset(most)
    return await session.scalar(some) is not None
