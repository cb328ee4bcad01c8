"""What is known of a customer across his own record, policies, claims, contacts and tier.

One question, for one customer or for as many as are asked about at the moment. It reads masked
forms and never what is encrypted, so that it is the same whoever looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.serving import JOINED, serving_since, serving_source, serving_tier
from app.infra.lanes import Connection


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """A customer's own record, as far as it is not encrypted."""

    customer_id: str
    kind: str
    name_masked: str | None
    phone_masked: str | None
    email_masked: str | None
    id_type: str | None
    id_no_masked: str | None
    birth_band: str | None
    gender: str | None
    city: str | None
    channel: str | None
    credit_code: str | None
    account_manager: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAttributes:
    """The scoring attributes that hold on a business day."""

    occupation_risk: str | None
    smoker: bool | None
    heavy_drinker: bool | None
    health_grade: str | None
    health_habit_score: int | None
    driving_score: int | None
    fraud_suspicion: bool | None
    opinion_leader: bool | None
    income_band: int | None
    asset_band: int | None
    credit_score: int | None
    career_stage: str | None
    family_stage: str | None


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


@dataclass(frozen=True, slots=True)
class StoredLine:
    """The policies of one line that are in force."""

    policies: int
    yearly_premium: Decimal


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A consent that was given, and perhaps withdrawn."""

    given_on: date
    withdrawn_on: date | None

    def holds_on(self, day: date) -> bool:
        """Whether it was given by then and not withdrawn."""
        return self.given_on <= day and (self.withdrawn_on is None or self.withdrawn_on > day)


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """All of it, as of a business day.

    `standing` is None before the first evaluation; lines without a policy in force, and purposes
    that no consent was ever given to, are left out.
    """

    customer: StoredCustomer
    attributes: StoredAttributes | None
    panorama: StoredPanorama
    standing: StoredStanding | None
    lines: dict[str, StoredLine]
    consents: dict[str, StoredConsent]
    on: date


# The columns of each part stand in the order of its fields. What is counted by the year began after
# the same day of the year before. Who was merged away is not found.
_PROFILES: Final = f"""
    SELECT asked.today,
        customer.customer_id, customer.kind, customer.name_masked, customer.phone_masked,
        customer.email_masked, customer.id_type, customer.id_no_masked, customer.birth_band,
        customer.gender, customer.city, customer.channel, customer.credit_code,
        customer.account_manager, customer.updated_at,
        attributes.valid_from IS NOT NULL,
        attributes.occupation_risk, attributes.smoker, attributes.heavy_drinker,
        attributes.health_grade, attributes.health_habit_score, attributes.driving_score,
        attributes.fraud_suspicion, attributes.opinion_leader, attributes.income_band,
        attributes.asset_band, attributes.credit_score, attributes.career_stage,
        attributes.family_stage,
        claim.claims, claim.open_claims, claim.paid, claim.last_on,
        contact.last_on, contact.contacts, contact.complaints,
        (SELECT count(*) FROM service_uses AS used
            WHERE used.customer_id = customer.customer_id
                AND used.used_on <= asked.today AND used.used_on > asked.today - 365),
        (SELECT nps FROM surveys AS survey
            WHERE survey.customer_id = customer.customer_id AND survey.answered_on <= asked.today
            ORDER BY survey.answered_on DESC, survey.survey_no DESC LIMIT 1),
        standing.tier, standing.source, standing.since, standing.segment,
        standing.life_cycle_stage, standing.score, standing.risk_grade, standing.labels,
        (SELECT json_agg(line)::text FROM (
            SELECT policy.product_line, count(DISTINCT policy.policy_no),
                coalesce(
                    sum(term.premium) FILTER (WHERE term.premium_kind = 'regular'), 0.00
                )::text AS premium
            FROM policy_terms AS term JOIN policies AS policy USING (policy_no, customer_id)
            WHERE term.customer_id = customer.customer_id AND term.term_start <= asked.today
                AND least(term.term_end, term.ended_on) > asked.today
            GROUP BY policy.product_line
        ) AS line),
        (SELECT json_agg(newest)::text FROM (
            SELECT DISTINCT ON (purpose) purpose, given_on, withdrawn_on FROM consents AS consent
            WHERE consent.customer_id = customer.customer_id AND given_on <= asked.today
            ORDER BY purpose, given_on DESC
        ) AS newest)
    FROM unnest($1::text[], $2::date[]) AS asked (customer_id, today)
    JOIN customers AS customer ON customer.customer_id = asked.customer_id COLLATE "C"
    LEFT JOIN LATERAL (
        SELECT * FROM scoring_inputs AS input
        WHERE input.customer_id = customer.customer_id AND input.valid_from <= asked.today
        ORDER BY input.valid_from DESC LIMIT 1
    ) AS attributes ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(claim_count), 0) AS claims,
            coalesce(
                sum(claim_count) FILTER (WHERE closed_on IS NULL OR closed_on > asked.today), 0
            ) AS open_claims,
            coalesce(sum(paid) FILTER (WHERE paid_on <= asked.today), 0.00) AS paid,
            max(reported_on) AS last_on
        FROM claims
        WHERE claims.customer_id = customer.customer_id AND reported_on <= asked.today
    ) AS claim
    CROSS JOIN LATERAL (
        SELECT max(occurred_on) AS last_on,
            count(*) FILTER (WHERE occurred_on > asked.today - 365) AS contacts,
            count(*) FILTER (WHERE occurred_on > asked.today - 365 AND kind = 'complaint')
                AS complaints
        FROM interactions
        WHERE interactions.customer_id = customer.customer_id AND occurred_on <= asked.today
            AND initiated_by = 'customer'
    ) AS contact
    LEFT JOIN LATERAL (
        SELECT {serving_tier("asked.today")} AS tier, {serving_source("asked.today")} AS source,
            {serving_since("asked.today")} AS since, decision.segment,
            decision.life_cycle_stage, decision.score, decision.risk_grade,
            CASE WHEN jsonb_typeof(decision.outcomes -> 'labels') = 'array'
                THEN decision.outcomes ->> 'labels' ELSE '[]' END AS labels
        FROM scoring_states AS state {JOINED}
        JOIN decisions AS decision ON decision.id = state.decision_id
        WHERE state.customer_id = customer.customer_id
    ) AS standing ON true
    WHERE NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
"""  # noqa: S608 - all texts are ours.

_CUSTOMER: Final = slice(1, 15)
_HAS_ATTRIBUTES: Final = 15
_ATTRIBUTES: Final = slice(16, 29)
_PANORAMA: Final = slice(29, 38)
_STANDING: Final = slice(38, 45)
_LABELS: Final = 45
_LINES: Final = 46
_CONSENTS: Final = 47


async def get_profile(session: AsyncSession, customer_id: str, *, on: date) -> StoredProfile:
    """The profile of a customer who is known to exist, as of a business day."""
    connection = await session.connection()
    rows = await connection.exec_driver_sql(_PROFILES, ([customer_id], [on]))
    return _profile(tuple(rows.one()))


async def find_profiles(
    connection: Connection, asked: Sequence[tuple[str, date]]
) -> list[StoredProfile | None]:
    """The profile of each on the day he is asked about; None for ids that no customer has now.

    Args:
        connection: outside of any transaction.
        asked: ids and business days.
    """
    # Some are asked about by several at once.
    ids, days = [list(items) for items in zip(*dict.fromkeys(asked), strict=True)]
    rows = await connection.fetch(_PROFILES, ids, days)
    found = {(row[1], row[0]): _profile(tuple(row)) for row in rows}
    return [found.get(question) for question in asked]


async def lock_customer(session: AsyncSession, customer_id: str) -> None:
    """Keep a customer, who is known to exist, from being changed by others."""
    query = select(CustomerRow.customer_id).where(CustomerRow.customer_id == customer_id)
    await session.execute(query.with_for_update())


async def read_sealed(
    session: AsyncSession, customer_id: str, columns: Iterable[str]
) -> dict[str, bytes | None]:
    """What is stored encrypted of a customer, by column."""
    held = CustomerRow.__table__.c
    query = select(*(held[name] for name in columns)).where(held.customer_id == customer_id)
    return dict((await session.execute(query)).mappings().one())


def _profile(row: Sequence[Any]) -> StoredProfile:
    """What a row of the query tells."""
    has_standing = row[_STANDING.start] is not None
    return StoredProfile(
        customer=StoredCustomer(*row[_CUSTOMER]),
        attributes=StoredAttributes(*row[_ATTRIBUTES]) if row[_HAS_ATTRIBUTES] else None,
        panorama=StoredPanorama(*row[_PANORAMA]),
        standing=_standing(row) if has_standing else None,
        lines={
            line["product_line"]: StoredLine(line["count"], Decimal(line["premium"]))
            for line in _listed(row[_LINES])
        },
        consents={
            consent["purpose"]: StoredConsent(
                date.fromisoformat(consent["given_on"]), _day(consent["withdrawn_on"])
            )
            for consent in _listed(row[_CONSENTS])
        },
        on=row[0],
    )


def _standing(row: Sequence[Any]) -> StoredStanding:
    held = [*row[_STANDING], tuple(_listed(row[_LABELS]))]
    return StoredStanding(*held)


def _listed(text: str | None) -> list[Any]:
    return [] if text is None else list(json.loads(text))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
