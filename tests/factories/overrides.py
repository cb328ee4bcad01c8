"""Overrides as two officers' keys leave them, through the real tables and their guards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.rows import (
    ActorRow,
    OverrideApprovalRow,
    OverrideReadRow,
    OverrideRequestRow,
    OverrideRow,
    OverrideVersionRow,
)
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce, overridden_tier, replaces_tier
from app.domain.words import OverrideMode
from app.infra.database import AsyncSession
from app.infra.ids import new_id

#: Who asks, and whose keys are turned, by digest.
REQUESTER: Final = "digest-of-the-requester"
OFFICERS: Final = {
    "risk": "digest-of-the-risk-officer",
    "business": "digest-of-the-business-officer",
}
LONGEST: Final = timedelta(300)
_STATEMENT: Final = b"a statement, sealed"
_DIGEST: Final = "0123456789abcdef" * 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and the business day on which everything happens."""

    mode: OverrideMode
    tier: str
    until: date
    on: date

    @property
    def at(self) -> datetime:
        """The instant of every step."""
        return datetime(self.on.year, self.on.month, self.on.day, 3, 4, 5, tzinfo=UTC)


async def put_override(
    session: AsyncSession,
    customer_id: str,
    *,
    mode: OverrideMode = "pin",
    tier: str = "diamond",
    until: date,
    state: str = "active",
) -> UUID:
    """Store an override of a customer who was evaluated, and return its id.

    It was asked for and decided on the day the customer was evaluated for, or `LONGEST` before its
    end if that is later. An active one replaces the open assignment where it changes the tier, as
    the evaluation at its approval does.

    Args:
        session: an open session; nothing is committed.
        customer_id: the customer, by the id he is stored under.
        mode: pin, floor or ceiling.
        tier: the tier asked for.
        until: first business day it no longer serves.
        state: active, or requested.
    """
    query = text("SELECT evaluated_on FROM scoring_states WHERE customer_id = :id")
    evaluated_on: date = (await session.execute(query, {"id": customer_id})).scalar_one()
    asked = Asked(mode, tier, until, max(evaluated_on, until - LONGEST))
    override_id = new_id()
    await _put_people(session, asked.at)
    await _put_request(session, customer_id, override_id, asked)
    if state == "active":
        await _turn_keys(session, override_id, asked)
        await _serve(session, customer_id, override_id, asked)
    return override_id


async def end_override(
    session: AsyncSession, override_id: UUID, *, on: date, because: str = "superseded"
) -> None:
    """Let an active override end, whatever its last day; what it replaced stays as it is."""
    await session.execute(
        update(OverrideRow)
        .where(OverrideRow.id == override_id)
        .values(
            state="ended",
            closed_on=on,
            closed_at=datetime(on.year, on.month, on.day, tzinfo=UTC),
            closed_because=because,
        )
    )


async def _put_people(session: AsyncSession, at: datetime) -> None:
    roles = {
        REQUESTER: "account_manager",
        OFFICERS["risk"]: "risk_officer",
        OFFICERS["business"]: "business_officer",
    }
    people = [
        {
            "actor_digest": digest,
            "issuer": "tests",
            "subject": digest,
            "roles": [role],
            "issued_at": at - timedelta(hours=1),
        }
        for digest, role in roles.items()
    ]
    await session.execute(insert(ActorRow).values(people).on_conflict_do_nothing())


async def _put_request(
    session: AsyncSession, customer_id: str, override_id: UUID, asked: Asked
) -> None:
    query = text("SELECT decision_id, tier FROM scoring_states WHERE customer_id = :id")
    state = (await session.execute(query, {"id": customer_id})).one()
    rows = [
        OverrideRequestRow(
            id=override_id,
            is_bulk=False,
            version=1,
            requested_by=REQUESTER,
            requested_at=asked.at,
            expires_at=asked.at + timedelta(hours=72),
            key_id="a key",
            wrapped_key=b"wrapped",
        ),
        OverrideVersionRow(
            request_id=override_id,
            version=1,
            tier=asked.tier,
            mode=asked.mode,
            reason="key_relationship",
            valid_until=asked.until,
            written_on=asked.on,
            written_at=asked.at,
            statement_cipher=_STATEMENT,
            statement_characters=40,
            salt=b"salt",
            digest=_DIGEST,
        ),
        OverrideRow(
            id=override_id,
            request_id=override_id,
            customer_id=customer_id,
            version=1,
            tier=asked.tier,
            mode=asked.mode,
            valid_until=asked.until,
            evaluated_tier=state.tier,
            decision_id=state.decision_id,
            state="requested",
        ),
    ]
    for row in rows:
        session.add(row)
        await session.flush()


async def _turn_keys(session: AsyncSession, override_id: UUID, asked: Asked) -> None:
    """Both officers read the version and approve it, and it becomes active."""
    which = {"request_id": override_id, "version": 1, "digest": _DIGEST}
    for department, officer in OFFICERS.items():
        session.add(OverrideReadRow(**which, reader=officer, read_at=asked.at))
        await session.flush()
        session.add(
            OverrideApprovalRow(
                id=new_id(),
                **which,
                requested_by=REQUESTER,
                approver=officer,
                department=department,
                decision="approve",
                statement_cipher=_STATEMENT,
                statement_characters=40,
                decided_at=asked.at,
            )
        )
        await session.flush()
    await session.execute(
        update(OverrideRow)
        .where(OverrideRow.id == override_id)
        .values(state="active", valid_from=asked.on, activated_at=asked.at)
    )


async def _serve(session: AsyncSession, customer_id: str, override_id: UUID, asked: Asked) -> None:
    """Replace the open assignment where the override does."""
    query = text("SELECT decision_id, tier FROM scoring_states WHERE customer_id = :id")
    state = (await session.execute(query, {"id": customer_id})).one()
    override = OverrideInForce(override_id, asked.mode, asked.tier, asked.until)
    if not replaces_tier(state.tier, override, LADDER):
        return
    await session.execute(
        text(
            "UPDATE tier_assignments SET valid_to = :on"
            " WHERE customer_id = :id AND valid_to IS NULL"
        ),
        {"on": asked.on, "id": customer_id},
    )
    await session.execute(
        text(
            "INSERT INTO tier_assignments"
            " (id, customer_id, tier, source, override_id, decision_id, valid_from)"
            " VALUES (:new, :id, :tier, 'override', :override, :decision, :on)"
        ),
        {
            "new": new_id(),
            "id": customer_id,
            "tier": overridden_tier(state.tier, override, LADDER),
            "override": override_id,
            "decision": state.decision_id,
            "on": asked.on,
        },
    )
