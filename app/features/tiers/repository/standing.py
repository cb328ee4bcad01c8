"""Where customers stand: one question for one of them, or for as many as ask at the moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.serving import JOINED, serving_since, serving_source, serving_tier
from app.domain.tiering.override import OverrideInForce, serving_on
from app.domain.words import OverrideMode
from app.infra.lanes import Connection


@dataclass(frozen=True, slots=True)
class PendingOverride:
    """An override that was asked for and waits for its two keys."""

    id: UUID
    mode: OverrideMode
    tier: str


@dataclass(frozen=True, slots=True)
class StoredTier:
    """The tier that serves, the state and the decision behind it, and what happened since.

    `run_at` and `run_as_of` are of the newest completed applied run that read the book after the
    newest decision and was not back-dated for this customer: it found nothing else to decide.
    `in_force_*` name the rule set that would decide today, and `newer_lines` the lines whose own
    came into force since, for a customer of whom the decision does not say which line he held last.
    `moves` are the single changes of facts that would lift the tier. `tier`, `source` and `since`
    are of what serves, `held_tier` and `held_since` of what stability keeps below an override;
    `override` is the one in force on the day asked about, whether or not it changes the tier.
    """

    tier: str
    source: str
    since: date
    last_downgrade_on: date | None
    first_lower_on: date | None
    grace_until: date | None
    evaluated_on: date
    evaluated_at: datetime
    decision_id: UUID
    as_of: date
    score: int
    segment: str
    life_cycle_stage: str
    risk_grade: str
    review_cycle: str | None
    tier_evaluated: str
    rule_set_id: str
    rule_set_version: int
    rule_set_hash: str
    moves: Sequence[Mapping[str, str]]
    run_at: datetime | None
    run_as_of: date | None
    in_force_id: str | None
    in_force_version: int | None
    newer_lines: Sequence[str]
    held_tier: str
    held_since: date
    override: OverrideInForce | None
    pending: PendingOverride | None

    @property
    def overridden_by(self) -> OverrideInForce | None:
        """The override if it is why the tier serves."""
        return self.override if self.source == "override" else None


#: Where the moves stand in a row, which carries them as JSON text.
_MOVES: Final = 19
#: The columns of a row after those that a field each is made of: four of the override in force or
#: overdue, three of the one that waits.
_OVERRIDE: Final = slice(27, 31)
_PENDING: Final = slice(31, 34)
_FIELDS: Final = slice(0, 27)


@dataclass(frozen=True, slots=True)
class StandingOf:
    """A customer and where he stands: nowhere before the first evaluation."""

    customer_id: str
    account_manager: str | None
    tier: StoredTier | None


# Who was merged away is not found: whom his id stands for now is another question. The preferred
# line is the one `tiering.selection` would prefer. A customer without premium in force goes by the
# line last held: the line of the rule set that decided, unless that was `all`. Then the line had no
# rule set of its own, and what came into force since may be for it.
_TIERS: Final = f"""
    SELECT asked.today, customer.customer_id, customer.account_manager,
        {serving_tier("asked.today")}, {serving_source("asked.today")},
        {serving_since("asked.today")}, state.last_downgrade_on,
        state.first_lower_on, state.grace_until, state.evaluated_on, state.evaluated_at,
        decision.id, decision.as_of, decision.score, decision.segment,
        decision.life_cycle_stage, decision.risk_grade,
        decision.outcomes ->> 'review_cycle', decision.tier_evaluated,
        decision.rule_set_id, decision.rule_set_version, decision.rule_set_hash,
        decision.gap ->> 'moves', run.snapshot_at, run.as_of,
        in_force.rule_set_id, in_force.version, coalesce(newer.lines, '{{}}'),
        state.tier, state.since, active.id, active.mode, active.tier, active.valid_until,
        pending.id, pending.mode, pending.tier
    FROM unnest($1::text[], $2::date[]) AS asked (customer_id, today)
    JOIN customers AS customer ON customer.customer_id = asked.customer_id COLLATE "C"
    LEFT JOIN overrides AS pending
        ON pending.customer_id = customer.customer_id AND pending.state = 'requested'
    LEFT JOIN (
        scoring_states AS state {JOINED}
        JOIN decisions AS decision ON decision.id = state.decision_id
        JOIN rule_set_versions AS deciding
            ON deciding.rule_set_id = decision.rule_set_id
            AND deciding.version = decision.rule_set_version
    ) ON state.customer_id = customer.customer_id
    LEFT JOIN LATERAL (
        SELECT snapshot_at, as_of FROM reevaluation_runs
        WHERE state = 'completed' AND mode = 'apply'
            AND snapshot_at > state.evaluated_at AND as_of >= state.evaluated_on
        ORDER BY snapshot_at DESC LIMIT 1
    ) AS run ON true
    LEFT JOIN LATERAL (
        SELECT rule_set_id, version FROM rule_set_activations
        WHERE valid @> asked.today AND product_line IN ('all',
            CASE WHEN customer.kind = 'corporate' THEN 'corporate'
                ELSE coalesce(decision.primary_line, deciding.product_line) END)
        ORDER BY product_line = 'all' LIMIT 1
    ) AS in_force ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(product_line) AS lines FROM rule_set_activations
        WHERE valid @> asked.today AND product_line NOT IN ('all', 'corporate')
            AND NOT (valid @> decision.as_of AND created_at <= decision.recorded_at)
            AND customer.kind <> 'corporate'
            AND decision.primary_line IS NULL AND deciding.product_line = 'all'
    ) AS newer ON true
    WHERE NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
"""  # noqa: S608 - all texts are ours.


async def find_tiers(
    session: AsyncSession, customer_ids: Sequence[str], *, today: date
) -> dict[str, StoredTier]:
    """Where customers stand, by id; who was never evaluated is left out."""
    connection = await session.connection()
    asked = (list(customer_ids), [today] * len(customer_ids))
    rows = [_standing(row) for row in await connection.exec_driver_sql(_TIERS, asked)]
    return {found.customer_id: found.tier for found in rows if found.tier is not None}


async def find_standings(
    connection: Connection, asked: Sequence[tuple[str, date]]
) -> list[StandingOf | None]:
    """Where each stands on the day he is asked about; None for ids that no customer has now.

    Args:
        connection: outside of any transaction.
        asked: ids and business days.
    """
    # Some are asked about by several at once.
    ids, days = [list(column) for column in zip(*dict.fromkeys(asked), strict=True)]
    rows = await connection.fetch(_TIERS, ids, days)
    found = {(row[1], row[0]): _standing(row) for row in rows}
    return [found.get(question) for question in asked]


def _standing(row: Iterable[Any]) -> StandingOf:
    """What a row of the query tells; its order is that of the fields."""
    today, customer_id, account_manager, *held = row
    if held[0] is None:
        return StandingOf(customer_id, account_manager, None)
    held[_MOVES] = () if held[_MOVES] is None else json.loads(held[_MOVES])
    active, pending = held[_OVERRIDE], held[_PENDING]
    override = None if active[0] is None else serving_on(OverrideInForce(*active), today)
    waiting = None if pending[0] is None else PendingOverride(*pending)
    fields = [*held[_FIELDS], override, waiting]
    return StandingOf(customer_id, account_manager, StoredTier(*fields))
