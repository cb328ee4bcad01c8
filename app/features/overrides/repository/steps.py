"""Writing what happens to requests and overrides; triggers refuse what must not happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.override import OverrideRow
from app.db.rows.override_approval import OverrideApprovalRow, OverrideReadRow
from app.db.rows.override_request import OverrideRequestRow, OverrideVersionRow
from app.domain.words import ClosingCause, OverrideState
from app.features.overrides.repository.cases import (
    StoredApproval,
    StoredOverride,
    StoredRequest,
    StoredVersion,
)


@dataclass(frozen=True, slots=True)
class Closing:
    """How an override ends; `by` is nobody where the clock or a merge ends it."""

    state: OverrideState
    because: ClosingCause
    at: datetime
    on: date
    by: str | None = None


def _values(stored: Any, *without: str) -> dict[str, Any]:  # noqa: ANN401 - any of the shapes.
    names = type(stored).__dataclass_fields__
    return {name: getattr(stored, name) for name in names if name not in without}


async def insert_request(session: AsyncSession, request: StoredRequest) -> None:
    """Store who asks."""
    await session.execute(insert(OverrideRequestRow).values(_values(request)))


async def insert_version(session: AsyncSession, version: StoredVersion) -> None:
    """Store what is asked for."""
    await session.execute(insert(OverrideVersionRow).values(_values(version)))


async def insert_overrides(session: AsyncSession, overrides: Sequence[StoredOverride]) -> None:
    """Store for whom."""
    await session.execute(insert(OverrideRow), [_values(found) for found in overrides])


async def move_to_version(
    session: AsyncSession,
    version: StoredVersion,
    basis: Mapping[UUID, tuple[str, UUID]],
) -> None:
    """Let a request and its waiting overrides say what a new version says.

    Args:
        session: in whose transaction.
        version: the new one, which is stored.
        basis: evaluated tier and decision by override.
    """
    asked = OverrideRequestRow
    await session.execute(
        update(asked).where(asked.id == version.request_id).values(version=version.version)
    )
    said = {
        "version": version.version,
        "tier": version.tier,
        "mode": version.mode,
        "valid_until": version.valid_until,
    }
    await session.execute(
        update(OverrideRow),
        [
            {"id": id_, **said, "evaluated_tier": evaluated_tier, "decision_id": decision_id}
            for id_, (evaluated_tier, decision_id) in basis.items()
        ],
    )


async def record_read(
    session: AsyncSession, version: StoredVersion, *, reader: str, now: datetime
) -> None:
    """Note that somebody was shown a version; the first time counts."""
    await session.execute(
        upsert(OverrideReadRow)
        .values(
            request_id=version.request_id,
            version=version.version,
            digest=version.digest,
            reader=reader,
            read_at=now,
        )
        .on_conflict_do_nothing()
    )


async def insert_approval(
    session: AsyncSession, approval: StoredApproval, *, requested_by: str
) -> None:
    """Store one officer's word."""
    values = {**_values(approval), "requested_by": requested_by}
    await session.execute(insert(OverrideApprovalRow).values(values))


async def void_approvals(
    session: AsyncSession, approval_ids: Sequence[UUID], *, now: datetime
) -> None:
    """Note that the officers of some approvals may not decide any more."""
    row = OverrideApprovalRow
    await session.execute(update(row).where(row.id.in_(approval_ids)).values(voided_at=now))


async def activate(
    session: AsyncSession,
    override_ids: Sequence[UUID],
    *,
    state: OverrideState,
    on: date,
    now: datetime,
) -> None:
    """Let overrides serve."""
    row = OverrideRow
    await session.execute(
        update(row)
        .where(row.id.in_(override_ids))
        .values(state=state, valid_from=on, activated_at=now)
    )


async def close(session: AsyncSession, override_ids: Sequence[UUID], closing: Closing) -> None:
    """End overrides."""
    row = OverrideRow
    await session.execute(
        update(row)
        .where(row.id.in_(override_ids))
        .values(
            state=closing.state,
            closed_because=closing.because,
            closed_at=closing.at,
            closed_on=closing.on,
            closed_by=closing.by,
        )
    )


async def seal_closing_statements(session: AsyncSession, sealed: Mapping[UUID, bytes]) -> None:
    """Store with the statements why overrides that still serve are about to be revoked."""
    await session.execute(
        update(OverrideRow),
        [{"id": id_, "closing_statement_cipher": statement} for id_, statement in sealed.items()],
    )
