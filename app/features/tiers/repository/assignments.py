"""Writing assignments and scoring states of customers who were evaluated one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CollectionAggregate,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.rows.scoring_state import ScoringStateRow
from app.db.rows.tier_assignment import TierAssignmentRow
from app.db.serving import JOINED
from app.domain.tiering.override import OverrideInForce
from app.domain.tiering.stability import StabilityState
from app.features.tiers.repository.returning import Return, give_back
from app.infra.ids import new_id

OVERRIDE: Final = "override"
"""Source of a tier that a person decided."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The open assignment; `override_until` is the last day's morrow of what replaced the tier."""

    tier: str
    source: str
    override_id: UUID | None
    valid_from: date
    override_until: date | None


@dataclass(frozen=True, slots=True)
class Held:
    """Where a customer stands: stability state, the outputs it came with, and what serves.

    `override` is his active one, whether or not it changes anything, and whether or not its last
    day has passed.
    """

    state: StabilityState
    decision_id: UUID
    outputs_digest: bytes
    assigned: Assigned | None
    override: OverrideInForce | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands after an evaluation.

    `state` is what stability says. `tier` and `source` are what serves; `override_id` is set where
    an override is why.
    """

    customer_id: str
    state: StabilityState
    tier: str
    source: str
    override_id: UUID | None
    grace_until: date | None
    decision_id: UUID
    evaluated_at: datetime
    outputs_digest: bytes
    segment: str
    life_cycle_stage: str
    labels: tuple[str, ...]


# What was assigned by an override may outlast it until the end of a transaction, so that the last
# day is of the override that is named there, and not of an active one.
_SERVED: Final = text(f"""
    SELECT state.customer_id, assignment.tier, assignment.source, assignment.override_id,
        assignment.valid_from, replacing.valid_until AS override_until, active.id AS active_id,
        active.mode, active.tier AS active_tier, active.valid_until
    FROM scoring_states AS state {JOINED}
    LEFT JOIN overrides AS replacing ON replacing.id = assignment.override_id
    WHERE state.customer_id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(Text)))  # noqa: S608 - both texts are ours.


async def lock_customers(session: AsyncSession, customer_ids: Sequence[str]) -> set[str]:
    """Let one evaluation of each customer run at a time; who does not exist is left out."""
    own_id = CustomerRow.customer_id
    query = select(own_id).where(own_id == _any_of(customer_ids)).order_by(own_id)
    return set(await session.scalars(query.with_for_update(key_share=True)))


async def lock_held(session: AsyncSession, customer_ids: Sequence[str]) -> dict[str, Held]:
    """Where customers stand, with row locks; who was never evaluated is left out."""
    row = ScoringStateRow
    query = (
        select(
            row.tier,
            row.since,
            row.last_downgrade_on,
            row.first_lower_on,
            row.evaluated_on,
            row.decision_id,
            row.outputs_digest,
            row.customer_id,
        )
        .where(row.customer_id == _any_of(customer_ids))
        .order_by(row.customer_id)
        .with_for_update(key_share=True)
    )
    locked = (await session.execute(query)).all()
    # Another statement, which sees what those wrote who held the locks until now.
    served = {row.customer_id: row for row in await session.execute(_SERVED, {"ids": customer_ids})}
    held: dict[str, Held] = {}
    for found in locked:
        now = served.get(found.customer_id)
        assigned = override = None
        if now is not None:
            assigned = Assigned(
                now.tier, now.source, now.override_id, now.valid_from, now.override_until
            )
            if now.active_id is not None:
                override = OverrideInForce(
                    now.active_id, now.mode, now.active_tier, now.valid_until
                )
        held[found.customer_id] = Held(
            StabilityState(*found[:5]), found.decision_id, found.outputs_digest, assigned, override
        )
    return held


async def save_standings(
    session: AsyncSession, standings: Sequence[Standing], held: Mapping[str, Held], *, on: date
) -> None:
    """Store where customers stand after they were evaluated for one day.

    Args:
        session: an open session that holds the locks.
        standings: where each stands now, whose decisions are stored.
        held: where they stood before.
        on: the business day.
    """
    before = {own_id: found.assigned for own_id, found in held.items() if found.assigned}
    before |= await _ended(session, before, on=on)
    row = TierAssignmentRow
    opening = [item for item in standings if _differs(item, before.get(item.customer_id))]
    if opening:
        whose = _any_of([item.customer_id for item in opening])
        is_open = (row.customer_id == whose, row.valid_to.is_(None))
        await session.execute(
            update(row).where(*is_open).values(valid_to=on), execution_options=_UNSYNCHRONIZED
        )
        await session.execute(insert(row), [_assignment(item, on) for item in opening])
    columns = [
        {"customer_id": item.customer_id, **_state(item), "returned_on": day}
        for item in standings
        for day in [on if _returns(item, before.get(item.customer_id)) else None]
    ]
    await session.execute(_SAVE_STATE, columns)


_UNSYNCHRONIZED: Final = {"synchronize_session": False}


async def _ended(
    session: AsyncSession, before: Mapping[str, Assigned], *, on: date
) -> dict[str, Assigned]:
    """Let the tier held serve from the last day of overrides that should have ended before."""
    overdue = {
        own_id: Return(own_id, found.tier, max(found.valid_from, found.override_until))
        for own_id, found in before.items()
        if found.override_until is not None and found.override_until < on
    }
    if not overdue:
        return {}
    await give_back(session, list(overdue.values()))
    served = await session.execute(_SERVED, {"ids": list(overdue)})
    return {
        row.customer_id: Assigned(row.tier, row.source, row.override_id, row.valid_from, None)
        for row in served
    }


def _differs(standing: Standing, before: Assigned | None) -> bool:
    served = (standing.tier, standing.source, standing.override_id)
    return before is None or served != (before.tier, before.source, before.override_id)


def _returns(standing: Standing, before: Assigned | None) -> bool:
    """Whether another tier serves again now than an override let serve."""
    return (
        before is not None
        and before.source == OVERRIDE
        and standing.source != OVERRIDE
        and before.tier != standing.tier
    )


def _assignment(standing: Standing, on: date) -> dict[str, object]:
    return {
        "id": new_id(),
        "customer_id": standing.customer_id,
        "tier": standing.tier,
        "source": standing.source,
        "override_id": standing.override_id,
        "decision_id": standing.decision_id,
        "valid_from": on,
    }


def _state(standing: Standing) -> dict[str, object]:
    state = standing.state
    return {
        "decision_id": standing.decision_id,
        "tier": state.tier,
        "since": state.since,
        "last_downgrade_on": state.last_downgrade_on,
        "first_lower_on": state.first_lower_on,
        "grace_until": standing.grace_until,
        "evaluated_on": state.evaluated_on,
        "evaluated_at": standing.evaluated_at,
        "outputs_digest": standing.outputs_digest,
        "segment": standing.segment,
        "life_cycle_stage": standing.life_cycle_stage,
        "labels": list(standing.labels),
    }


_NEW: Final = upsert(ScoringStateRow)
_SAVE_STATE: Final = _NEW.on_conflict_do_update(
    index_elements=[ScoringStateRow.customer_id],
    set_={
        # Every column, so that none that is added later keeps what an older evaluation said.
        **{name: new for name, new in _NEW.excluded.items() if name != "customer_id"},
        "returned_on": func.coalesce(_NEW.excluded.returned_on, ScoringStateRow.returned_on),
    },
)


def _any_of(customer_ids: Sequence[str]) -> CollectionAggregate[Any]:
    return bindparam("ids", list(customer_ids), ARRAY(Text)).any_()
