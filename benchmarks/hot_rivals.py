"""What a look-up is measured against: the endpoints that a good engineer writes by hand.

None of them verifies a token, masks by role, tells how fresh an answer is, or holds an idea of
merged customers; each writes one audit row, durable before the answer.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import asyncpg
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.db.rows import CustomerRow, SlaEntryRow
from app.db.rows.audit_event import AuditEventRow
from app.db.rows.claim import ClaimRow
from app.db.rows.consent import ConsentRow
from app.db.rows.decision import DecisionRow
from app.db.rows.interaction import InteractionRow
from app.db.rows.policy_term import PolicyTermRow
from app.db.rows.scoring_input import ScoringInputRow
from app.db.rows.scoring_state import ScoringStateRow
from app.db.rows.tier_assignment import TierAssignmentRow
from app.infra.database import libpq_url, normalise_url
from app.infra.ids import new_id

URL: Final = "TIERING_BENCHMARK_URL"
POOL: Final = 10

_TIER: Final = """
    SELECT state.customer_id, assignment.tier, assignment.source, state.since, decision.segment,
        decision.life_cycle_stage, decision.score, decision.rule_set_id,
        decision.rule_set_version, state.evaluated_at, decision.as_of
    FROM scoring_states AS state
    JOIN tier_assignments AS assignment
        ON assignment.customer_id = state.customer_id AND assignment.valid_to IS NULL
    JOIN decisions AS decision ON decision.id = state.decision_id
    WHERE state.customer_id = $1
"""
_AUDIT: Final = """
    INSERT INTO audit_events (id, writer, seq, at, actor_digest, role, route, subjects,
        policy_version, dispositions, status, outcome)
    VALUES ($1, $2, 1, now(), 'a', 'agent', 'GET /tier', ARRAY[$3], '1', '{}', 200, 'answered')
"""


@asynccontextmanager
async def _open(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ[URL]
    app.state.pool = await asyncpg.create_pool(libpq_url(url), min_size=POOL, max_size=POOL)
    engine = create_async_engine(normalise_url(url), pool_size=POOL, max_overflow=0)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await app.state.pool.close()
    await engine.dispose()


app = FastAPI(lifespan=_open)


@app.get("/ok")
async def get_ok() -> dict[str, bool]:
    """Bare FastAPI."""
    return {"ok": True}


@app.get("/tier/{customer_id}")
async def get_tier(customer_id: str) -> dict[str, Any]:
    """One SELECT and one audit INSERT on asyncpg."""
    async with app.state.pool.acquire() as connection:
        found = await connection.fetchrow(_TIER, customer_id)
        if found is None:
            raise HTTPException(404)
        id_ = new_id()
        await connection.execute(_AUDIT, id_, str(id_), customer_id)
    return dict(found)


async def _session() -> AsyncIterator[AsyncSession]:
    async with app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


def _event(customer_id: str) -> AuditEventRow:
    id_ = new_id()
    return AuditEventRow(
        id=id_,
        writer=str(id_),
        seq=1,
        at=datetime.now(UTC),
        actor_digest="a",
        role="agent",
        route="GET /profile",
        subjects=[customer_id],
        policy_version="1",
        dispositions={},
        status=200,
        outcome="answered",
    )


@app.get("/profile/{customer_id}")
async def get_profile(customer_id: str, session: Session) -> dict[str, Any]:
    """The masked profile by the ORM: what ours tells, of the same tables."""
    customer = await session.get(CustomerRow, customer_id)
    if customer is None:
        raise HTTPException(404)
    inputs = await session.scalar(
        select(ScoringInputRow).where(
            ScoringInputRow.customer_id == customer_id, ScoringInputRow.valid_to.is_(None)
        )
    )
    standing = (
        await session.execute(
            select(TierAssignmentRow, DecisionRow)
            .join(ScoringStateRow, ScoringStateRow.customer_id == TierAssignmentRow.customer_id)
            .join(DecisionRow, DecisionRow.id == ScoringStateRow.decision_id)
            .where(
                TierAssignmentRow.customer_id == customer_id, TierAssignmentRow.valid_to.is_(None)
            )
        )
    ).first()
    premium = await session.scalar(
        select(func.sum(PolicyTermRow.premium)).where(
            PolicyTermRow.customer_id == customer_id, PolicyTermRow.term_end > func.current_date()
        )
    )
    claims = (
        await session.execute(
            select(func.count(), func.sum(ClaimRow.paid)).where(ClaimRow.customer_id == customer_id)
        )
    ).one()
    contacts = await session.scalar(
        select(func.count())
        .select_from(InteractionRow)
        .where(InteractionRow.customer_id == customer_id)
    )
    consents = await session.scalars(
        select(ConsentRow).where(ConsentRow.customer_id == customer_id)
    )
    answer = {
        "customer_id": customer.customer_id,
        "name": customer.name_masked,
        "phone": customer.phone_masked,
        "email": customer.email_masked,
        "birth": customer.birth_band,
        "city": customer.city,
        "gender": customer.gender,
        "smoker": None if inputs is None else inputs.smoker,
        "tier": None if standing is None else standing[0].tier,
        "score": None if standing is None else standing[1].score,
        "premium": premium,
        "claims": claims[0],
        "paid": claims[1],
        "contacts": contacts,
        "consents": [consent.purpose for consent in consents],
    }
    session.add(_event(customer_id))
    await session.commit()
    return answer


@app.get("/sla/{tier}")
async def get_sla(tier: str, session: Session) -> list[dict[str, Any]]:
    """The promises to a tier by the ORM; nothing to audit."""
    rows = await session.scalars(
        select(SlaEntryRow)
        .where((SlaEntryRow.tier == tier) | SlaEntryRow.tier.is_(None))
        .order_by(SlaEntryRow.position)
    )
    return [
        {
            "service_type": row.service_type,
            "clock": row.clock,
            "response_seconds": row.response_seconds,
            "response_days": row.response_days,
            "resolution_seconds": row.resolution_seconds,
            "resolution_days": row.resolution_days,
            "milestones": row.milestones,
        }
        for row in rows
    ]
