"""The job of a simulation: nothing it stores is doubled, however often it begins anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError
from app.features.rule_sets.service import get_version
from app.features.simulations.repository import movers as movers_repository
from app.features.simulations.repository import simulations as repository
from app.features.simulations.repository.movers import COPIED
from app.features.simulations.repository.simulations import Rehearsed
from app.features.simulations.service.frame import Movers
from app.features.simulations.service.plan import Decider, Plan, make_plan
from app.features.simulations.service.report import written_report
from app.features.simulations.service.running import read_loads, walk
from app.infra.database import AsyncSession, Database
from app.infra.jobs import JobCancelledError, Lease
from app.infra.settings import Settings


async def do_simulation(url: str, settings: Settings, database: Database, lease: Lease) -> None:
    """One attempt at a simulation, from its beginning: a few minutes are soon made up for.

    Raises:
        Invalid: `rule-set-outdated` if this release cannot read what was rehearsed.
        LeaseLostError: another worker has the job; nothing of the batch at hand was stored.
        JobCancelledError: stopped between two batches; nobody is listed as moving.
        JobStoppedError: likewise, since the worker leaves; what is listed goes when it goes on.
    """
    id_ = UUID(lease.payload["simulation_id"])
    async with database.sessions.begin() as session:
        rehearsed = await repository.find_rehearsed(session, id_)
        if rehearsed is None:
            # It was removed meanwhile.
            return
        others = await _others(session, rehearsed)
    plan = await asyncio.to_thread(_plan, rehearsed, others)
    writer = _Writer(database, lease, id_)
    await writer.begin()
    try:
        walked = await walk(url, settings, plan, writer.keep)
    except JobCancelledError:
        await writer.forget()
        raise
    tally = walked.tally
    async with database.sessions.begin() as session:
        loads = await read_loads(session, plan.as_of)
        report = tally.report(loads, rehearsed.objectives, plan.boxed)
        await repository.complete(
            session,
            simulation_id=id_,
            snapshot_at=walked.snapshot_at,
            report=written_report(report),
        )
        await lease.confirm(session, done=tally.customers, total=tally.customers)
        await lease.succeed(session)


async def remove_old_simulations(session: AsyncSession, settings: Settings) -> None:
    """Remove what was simulated long ago; of what decided after, only who moves is forgotten."""
    await repository.remove_old(session, days=settings.simulation_keep_days)


async def _others(session: AsyncSession, rehearsed: Rehearsed) -> dict[str, Decider]:
    return {
        line: Decider.of_version(
            await get_version(session, rule_set_id=rule_set_id, version=version)
        )
        for line, (rule_set_id, version) in rehearsed.others.items()
    }


def _plan(rehearsed: Rehearsed, others: dict[str, Decider]) -> Plan:
    try:
        candidate, baseline = (
            Decider.of_document(compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE))
            for raw in (rehearsed.document, rehearsed.baseline_document)
        )
    except DocumentError:
        detail = "this release reads the document otherwise; ask for a new simulation"
        raise Invalid("rule-set-outdated", detail) from None
    return make_plan(
        candidate,
        baseline,
        others,
        objectives=rehearsed.objectives,
        as_of=rehearsed.as_of,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Stores who moves, each batch in a transaction that the lease fences."""

    database: Database
    lease: Lease
    simulation_id: UUID

    async def begin(self) -> None:
        """Forget whoever an earlier attempt listed."""
        async with self.database.sessions.begin() as session:
            await movers_repository.remove_movers(session, self.simulation_id)
            await self.lease.confirm(session, done=0, total=None)
        self.lease.check()

    async def keep(self, movers: Movers, done: int, total: int) -> None:
        """Store a batch, and stop if that is wanted."""
        async with self.database.sessions.begin() as session:
            if len(movers):
                csv = movers.csv(self.simulation_id, COPIED)
                await movers_repository.copy_movers(session, csv)
            await self.lease.confirm(session, done=done, total=total)
        self.lease.check()

    async def forget(self) -> None:
        """List nobody of a simulation that is not wanted any more."""
        async with self.database.sessions.begin() as session:
            await movers_repository.remove_movers(session, self.simulation_id)
            await self.lease.confirm(session, done=0, total=None)
