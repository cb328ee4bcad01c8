"""What is known of a customer across policies, claims, contacts and tiers, as of a business day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class StoredLine:
    """The policies of one line that are in force."""

    policies: int
    yearly_premium: Decimal


@dataclass(frozen=True, slots=True)
class StoredPanorama:
    """Claims and contacts in figures; None and 0 mean that nothing of the kind is recorded."""

    claims: int
    open_claims: int
    claims_paid: Decimal
    last_claim_on: date | None
    last_contact_on: date | None
    contacts: int
    complaints: int
    service_uses: int
    last_nps: int | None


@dataclass(frozen=True, slots=True)
class StoredStanding:
    """The tier that serves and what the newest decision says."""

    tier: str
    source: str
    since: date
    segment: str
    life_cycle_stage: str
    score: int
    risk_grade: str
    labels: tuple[str, ...]


_LINES: Final = text("""
    SELECT policy.product_line, count(DISTINCT policy.policy_no),
        coalesce(sum(term.premium) FILTER (WHERE term.premium_kind = 'regular'), 0.00)
    FROM policy_terms AS term JOIN policies AS policy USING (policy_no, customer_id)
    WHERE term.customer_id = :customer_id
        AND term.term_start <= :on AND least(term.term_end, term.ended_on) > :on
    GROUP BY policy.product_line
""")

_PANORAMA: Final = text("""
    WITH claim AS (
        SELECT * FROM claims WHERE customer_id = :customer_id AND reported_on <= :on
    ), contact AS (
        SELECT * FROM interactions
        WHERE customer_id = :customer_id AND occurred_on <= :on AND initiated_by = 'customer'
    )
    SELECT
        (SELECT coalesce(sum(claim_count), 0) FROM claim),
        (SELECT coalesce(sum(claim_count), 0) FROM claim
            WHERE closed_on IS NULL OR closed_on > :on),
        (SELECT coalesce(sum(paid) FILTER (WHERE paid_on <= :on), 0.00) FROM claim),
        (SELECT max(reported_on) FROM claim),
        (SELECT max(occurred_on) FROM contact),
        (SELECT count(*) FROM contact WHERE occurred_on > :year_before),
        (SELECT count(*) FROM contact WHERE occurred_on > :year_before AND kind = 'complaint'),
        (SELECT count(*) FROM service_uses
            WHERE customer_id = :customer_id AND used_on <= :on AND used_on > :year_before),
        (SELECT nps FROM surveys WHERE customer_id = :customer_id AND answered_on <= :on
            ORDER BY answered_on DESC, survey_no DESC LIMIT 1)
""")

_STANDING: Final = text("""
    SELECT assignment.tier, assignment.source, state.since, decision.segment,
        decision.life_cycle_stage, decision.score, decision.risk_grade,
        CASE WHEN jsonb_typeof(decision.outcomes -> 'labels') = 'array'
            THEN decision.outcomes -> 'labels' END AS labels
    FROM scoring_states AS state
    JOIN decisions AS decision ON decision.id = state.decision_id
    JOIN tier_assignments AS assignment
        ON assignment.customer_id = state.customer_id AND assignment.valid_to IS NULL
    WHERE state.customer_id = :customer_id
""")


async def list_lines(session: AsyncSession, customer_id: str, *, on: date) -> dict[str, StoredLine]:
    """Policies in force on a business day, by product line; lines without any are left out."""
    rows = await session.execute(_LINES, {"customer_id": customer_id, "on": on})
    return {line: StoredLine(policies, premium) for line, policies, premium in rows}


async def get_panorama(
    session: AsyncSession, customer_id: str, *, on: date, year_before: date
) -> StoredPanorama:
    """Claims and contacts known on a business day; what is counted by the year began after."""
    given = {"customer_id": customer_id, "on": on, "year_before": year_before}
    return StoredPanorama(*(await session.execute(_PANORAMA, given)).one())


async def find_standing(session: AsyncSession, customer_id: str) -> StoredStanding | None:
    """The tier that serves, None before the first evaluation."""
    found = (await session.execute(_STANDING, {"customer_id": customer_id})).first()
    if found is None:
        return None
    return StoredStanding(
        tier=found.tier,
        source=found.source,
        since=found.since,
        segment=found.segment,
        life_cycle_stage=found.life_cycle_stage,
        score=found.score,
        risk_grade=found.risk_grade,
        labels=tuple(found.labels or ()),
    )
