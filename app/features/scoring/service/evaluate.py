"""Evaluating a customer now, and storing what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from app.domain.snapshots.snapshot import Snapshot, write_snapshot
from app.domain.tiering.decision import Cause, outputs_digest
from app.domain.tiering.record import DecisionRecord, record_of
from app.features.customers.service import get_survivor
from app.features.facts.service import read_facts
from app.features.rule_sets.service import RuleSet, resolve_all
from app.features.scoring import repository
from app.features.scoring.service.decide import Occasion, decide, deciding_rule_set
from app.features.tiers.service import Standing, assign, lock_held
from app.infra.cipher import Vault, ensure_subject_keys
from app.infra.database import AsyncSession
from app.infra.ids import new_id

SNAPSHOT_PLACE = ("decisions", "snapshot_cipher")
"""Table and column that a snapshot is sealed for."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored decision with the rule set that made it."""

    record: DecisionRecord
    rule_set: RuleSet


async def evaluate_customer(
    session: AsyncSession,
    *,
    customer_id: str,
    as_of: date,
    cause: Cause,
    now: datetime,
    vault: Vault,
) -> Stored:
    """Evaluate one customer and store decision, assignment and state.

    Evaluations of one customer take turns. If anything is refused, nothing is stored and the old
    tier stays.

    Args:
        session: the session whose transaction holds all of it.
        customer_id: the customer, or one that was merged into him.
        as_of: business day of the facts.
        cause: why.
        now: the present instant.
        vault: seals the snapshot under the customer's own key.

    Raises:
        NotFound: there is no such customer.
        Conflict: `back-dated` or `no-rule-set`.
        Invalid: `input-error`.
    """
    survivor = await get_survivor(session, customer_id=customer_id)
    own_id = survivor.customer_id
    held = await lock_held(session, customer_id=own_id)
    facts = (await read_facts(session, [own_id], as_of))[own_id]
    rule_set = deciding_rule_set(facts, await resolve_all(session, as_of))
    state = None if held is None else held.state
    versions = await repository.benchmark_versions(session, as_of)
    occasion = Occasion(own_id, as_of, cause, state, versions.get(survivor.kind))
    decision = decide(facts, rule_set, occasion)
    record = record_of(decision, new_id(), now)
    keys = await ensure_subject_keys(session, vault, [own_id])
    snapshot = write_snapshot(Snapshot(facts, state))
    sealed = vault.encrypt(keys[own_id], *SNAPSHOT_PLACE, str(record.id), snapshot)
    await repository.insert_decision(session, record, snapshot_cipher=sealed)
    standing = Standing(
        customer_id=own_id,
        state=decision.settled.state,
        source=decision.settled.source,
        grace_until=decision.settled.grace_until,
        decision_id=record.id,
        evaluated_at=now,
        # A run compares without the gap: it repeats the facts as they were, which change daily
        # without anything being decided otherwise.
        outputs_digest=outputs_digest(replace(decision, gap=None)),
        segment=decision.segment,
        life_cycle_stage=decision.life_cycle_stage,
        labels=decision.labels,
    )
    await assign(session, standing=standing)
    return Stored(record, rule_set)
