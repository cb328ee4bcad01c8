"""Evaluating customers now, and storing what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from app.domain.errors import DomainError
from app.domain.snapshots.snapshot import Snapshot, write_snapshot
from app.domain.tiering.decision import Cause, TierDecision, outputs_digest
from app.domain.tiering.record import DecisionRecord, record_of
from app.features.customers.service import get_survivors
from app.features.facts.service import read_facts
from app.features.rule_sets.service import RuleSet, resolve_all
from app.features.scoring import repository
from app.features.scoring.repository import Sealed
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
    """Evaluate one customer and store decision, assignment and state; see `evaluate_customers`."""
    stored = await evaluate_customers(
        session,
        customer_ids=[customer_id],
        as_of=as_of,
        causes={customer_id: cause},
        now=now,
        vault=vault,
    )
    return stored[customer_id]


@dataclass(frozen=True, slots=True)
class _Decided:
    """A decision that is not stored yet, with what it was made of."""

    decision: TierDecision
    snapshot: Snapshot
    stored: Stored


async def evaluate_customers(
    session: AsyncSession,
    *,
    customer_ids: Sequence[str],
    as_of: date,
    causes: Mapping[str, Cause],
    now: datetime,
    vault: Vault,
) -> dict[str, Stored]:
    """Evaluate customers and store decisions, assignments and states, all of them or none.

    Evaluations of one customer take turns, and his active override replaces the tier as long as it
    serves. If anything is refused, nothing is stored and the old tiers stay. A thousand customers
    at most: whoever else evaluates one of them waits.

    Args:
        session: the session whose transaction holds all of it.
        customer_ids: the customers, or those that were merged into them.
        as_of: business day of the facts.
        causes: why, by the ids asked for.
        now: the present instant.
        vault: seals each snapshot under the customer's own key.

    Returns:
        By the ids asked for; two that stand for one customer have one decision.

    Raises:
        NotFound: there is no such customer.
        Conflict: `back-dated` or `no-rule-set`.
        Invalid: `input-error`. Each error names the customer in `customer_id`.
    """
    survivors = await get_survivors(session, customer_ids=customer_ids)
    asked = {survivor.customer_id: asked for asked, survivor in survivors.items()}
    kinds = {survivor.customer_id: survivor.kind for survivor in survivors.values()}
    own_ids = sorted(asked)
    held = await lock_held(session, customer_ids=own_ids)
    facts = await read_facts(session, own_ids, as_of)
    in_force = await resolve_all(session, as_of)
    versions = await repository.benchmark_versions(session, as_of)
    decided: dict[str, _Decided] = {}
    for own_id in own_ids:
        before = held.get(own_id)
        occasion = Occasion(
            own_id,
            as_of,
            causes[asked[own_id]],
            None if before is None else before.state,
            versions.get(kinds[own_id]),
            None if before is None else before.override,
        )
        try:
            rule_set = deciding_rule_set(facts[own_id], in_force)
            decision = decide(facts[own_id], rule_set, occasion)
        except DomainError as error:
            error.customer_id = own_id
            raise
        decided[own_id] = _Decided(
            decision,
            Snapshot(facts[own_id], occasion.state, decision.override),
            Stored(record_of(decision, new_id(), now), rule_set),
        )
        # Deciding on many takes its time, in which others are served.
        await asyncio.sleep(0)
    await _store(session, list(decided.values()), vault)
    standings = [_standing(item) for item in decided.values()]
    await assign(session, standings=standings, held=held, on=as_of)
    return {asked: decided[found.customer_id].stored for asked, found in survivors.items()}


async def _store(session: AsyncSession, decided: Sequence[_Decided], vault: Vault) -> None:
    """Append the decisions with their sealed snapshots."""
    keys = await ensure_subject_keys(
        session, vault, [item.decision.customer_id for item in decided]
    )
    await repository.insert_decisions(
        session,
        [
            Sealed(
                record,
                vault.encrypt(
                    keys[record.customer_id],
                    *SNAPSHOT_PLACE,
                    str(record.id),
                    write_snapshot(item.snapshot),
                ),
            )
            for item in decided
            for record in [item.stored.record]
        ],
    )


def _standing(item: _Decided) -> Standing:
    """Where the customer stands after the decision."""
    decision, record = item.decision, item.stored.record
    settled, overriding = decision.settled, decision.overridden_by
    return Standing(
        customer_id=decision.customer_id,
        state=settled.state,
        tier=decision.tier_applied,
        source=settled.source if overriding is None else "override",
        override_id=None if overriding is None else overriding.id,
        grace_until=settled.grace_until,
        decision_id=record.id,
        evaluated_at=record.recorded_at,
        # A run compares without the gap: it repeats the facts as they were, which change daily
        # without anything being decided otherwise.
        outputs_digest=outputs_digest(replace(decision, gap=None)),
        segment=decision.segment,
        life_cycle_stage=decision.life_cycle_stage,
        labels=decision.labels,
    )
