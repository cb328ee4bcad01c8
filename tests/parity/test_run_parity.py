"""A run over the book stores what evaluating the customers one by one stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.facts.catalogue import CATALOGUE
from app.domain.snapshots.snapshot import read_snapshot
from app.domain.tiering.decision import Cause, CauseKind
from app.domain.tiering.ladder import LADDER
from app.domain.words import OVERRIDE_MODES, OverrideMode
from app.features.reevaluation.service import run
from app.features.scoring.service import SNAPSHOT_PLACE, evaluate_customer, replay_decision
from app.infra.cipher import Vault, find_subject_keys, load_master_key
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database, create_database, open_database
from app.infra.settings import Settings
from tests.factories.book import AS_OF, change_some, write_book
from tests.factories.overrides import put_override
from tests.factories.templates import put_templates

CUSTOMERS = 200
LATER = AS_OF + timedelta(40)

DECISIONS = """
SELECT customer_id, as_of, rule_set_id, rule_set_version, rule_set_hash, primary_line, score,
    dimensions, segment, life_cycle_stage, risk_grade, tier_evaluated, tier_applied, outcomes,
    fired, reasons, gap, gap IS NULL AS is_top, facts_completeness, risk_model_version,
    benchmark_version, override_id IS NOT NULL AS is_overridden
FROM decisions WHERE cause NOT LIKE 'override:%' ORDER BY customer_id, recorded_at
"""
# The id of an override is another one in each database, and is in the digest of what it decides.
STATES = """
SELECT customer_id, tier, since, last_downgrade_on, first_lower_on, grace_until, evaluated_on,
    returned_on,
    CASE WHEN NOT EXISTS (
        SELECT FROM tier_assignments AS open WHERE open.customer_id = scoring_states.customer_id
            AND open.valid_to IS NULL AND open.override_id IS NOT NULL
    ) THEN outputs_digest END AS outputs_digest,
    segment, life_cycle_stage, labels FROM scoring_states ORDER BY customer_id
"""
ASSIGNMENTS = """
SELECT customer_id, tier, source, valid_from, valid_to, mode
FROM tier_assignments LEFT JOIN (
    SELECT id AS override_id, mode FROM overrides
) AS replacing USING (override_id) ORDER BY customer_id, valid_from, valid_to, tier
"""


async def rows(session: AsyncSession, query: str) -> list[dict[str, Any]]:
    """What a query gives."""
    return [dict(row) for row in (await session.execute(text(query))).mappings()]


async def evaluate_all(database: Database, vault: Vault, as_of: date) -> None:
    """Evaluate every customer by himself, a transaction each."""
    async with database.sessions() as session:
        ids = list(await session.scalars(text("SELECT customer_id FROM customers")))
    for customer_id in ids:
        async with database.sessions.begin() as session:
            await evaluate_customer(
                session,
                customer_id=customer_id,
                as_of=as_of,
                cause=Cause(CauseKind.API),
                now=utc_now(),
                vault=vault,
            )


async def override_some(database: Database, vault: Vault) -> None:
    """Overrides of every mode and tier that serve on both days, or end on the second or before."""
    ends = (LATER + timedelta(1), LATER, LATER - timedelta(7))
    modes: tuple[OverrideMode, ...] = ("ceiling", "pin", "floor")
    wanted = list(product(modes, LADDER.tiers, ends))
    async with database.sessions.begin() as session:
        # Ceilings for the best and floors for the lowest, so that they change something.
        query = text("SELECT customer_id FROM scoring_states ORDER BY tier, customer_id")
        ids = list(await session.scalars(query))
        chosen = [*ids[:18], *ids[-9:]]
        for customer_id, (mode, tier, until) in zip(chosen, wanted, strict=True):
            id_ = await put_override(session, customer_id, mode=mode, tier=tier, until=until)
            await evaluate_customer(
                session,
                customer_id=customer_id,
                as_of=AS_OF,
                cause=Cause(CauseKind.OVERRIDE, str(id_)),
                now=utc_now(),
                vault=vault,
            )


Stored = dict[str, list[dict[str, Any]]]


async def two_days(url: str, settings: Settings, *, by_run: bool) -> Stored:
    """What is stored after a book was evaluated on two days, with changes between them."""
    vault = Vault(load_master_key(settings))
    serving = create_database(url, settings)
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            await write_book(session, CUSTOMERS)
            await put_templates(session)
        for day in (AS_OF, LATER):
            if by_run:
                await run(url, settings, as_of=day, apply=True)
            else:
                await evaluate_all(serving, vault, day)
            if day == AS_OF:
                await override_some(serving, vault)
            async with database.sessions.begin() as session:
                # Some rise at once on the second day, and others' downgrades wait.
                await change_some(session, one_in=10, day=LATER)
                await session.execute(
                    text("UPDATE policy_terms SET premium = premium / 3 WHERE premium < 9000")
                )
        async with database.sessions() as session:
            queries = {"states": STATES, "assignments": ASSIGNMENTS, "decisions": DECISIONS}
            stored = {name: await rows(session, query) for name, query in queries.items()}
    await serving.engine.dispose()
    return stored


def test_a_run_stores_what_single_evaluations_store(
    make_database: Callable[[], str], settings: Settings
) -> None:
    ran = asyncio.run(two_days(make_database(), settings, by_run=True))
    single = asyncio.run(two_days(make_database(), settings, by_run=False))
    assignments = single["assignments"]
    assert ran["assignments"] == assignments
    assert len([row for row in assignments if row["valid_to"]]) > CUSTOMERS / 10
    assert {row["source"] for row in assignments} == {"evaluated", "grace", "override"}
    assert {row["mode"] for row in assignments if row["valid_to"] is None} > set(OVERRIDE_MODES)
    # A run leaves those alone whose outputs did not change, so their day stays.
    later = [row | {"evaluated_on": LATER} for row in ran["states"]]
    assert later == single["states"]
    assert {row["returned_on"] for row in later} == {None, LATER, LATER - timedelta(7)}
    kept = [row for row in ran["states"] if row["evaluated_on"] == AS_OF]
    assert 0 < len(kept) < CUSTOMERS
    decided = {(row["customer_id"], row["as_of"]): row for row in single["decisions"]}
    assert len(ran["decisions"]) == len(decided) - len(kept)
    for row in ran["decisions"]:
        assert row == decided[row["customer_id"], row["as_of"]]


@pytest.mark.anyio
async def test_decisions_of_a_run_replay(fresh_database_url: str, settings: Settings) -> None:
    vault = Vault(load_master_key(settings))
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            await write_book(session, 40)
            await put_templates(session)
        await run(fresh_database_url, settings, as_of=AS_OF, apply=True)
        async with database.sessions.begin() as session:
            await session.execute(text("UPDATE policy_terms SET premium = premium / 5"))
            await put_override(session, "C00000007", tier="gold", until=LATER + timedelta(1))
        await run(fresh_database_url, settings, as_of=LATER, apply=True)
        async with database.sessions.begin() as session:
            ids = list(await session.scalars(text("SELECT id FROM decisions")))
            assert len(ids) > 40
            for id_ in ids:
                replay = await replay_decision(session, decision_id=id_, vault=vault)
                assert replay.differences == ()
            key = (await find_subject_keys(session, vault, ["C00000007"]))["C00000007"]
            first = (
                await session.execute(
                    text(
                        "SELECT id, snapshot_cipher FROM decisions WHERE customer_id = 'C00000007'"
                    )
                )
            ).first()
            assert first is not None
            opened = vault.decrypt(key, *SNAPSHOT_PLACE, str(first.id), first.snapshot_cipher)
            assert set(read_snapshot(opened, CATALOGUE).facts) == set(CATALOGUE)
