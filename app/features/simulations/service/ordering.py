"""Asking for a simulation: everything that it depends on is settled and frozen first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.rules.objectives import with_objective
from app.domain.rules.writing import document_json
from app.domain.tiering.selection import require_all
from app.domain.words import ALL
from app.features.rule_sets.service import RuleSet, resolve_all
from app.features.simulations.repository import simulations as repository
from app.features.simulations.repository.simulations import JOB_KIND, Rehearsed
from app.features.simulations.service.candidates import Chosen, choose
from app.features.simulations.service.plan import Decider, Plan, make_plan
from app.infra import jobs
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.jobs import Order
from app.infra.prover import Prove


@dataclass(frozen=True, slots=True)
class SimulationOrder:
    """What is asked for, by whom; without a baseline it is what decides on the day.

    Args:
        candidate: what is rehearsed.
        baseline: what it is compared with.
        objectives: profiles of the candidate that are compared besides its own.
        as_of: the business day.
        requested_by: digest of the actor.
        requested_role: his role.
    """

    candidate: Chosen
    baseline: Chosen | None
    objectives: Sequence[str]
    as_of: date
    requested_by: str
    requested_role: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a simulation compares, once it is settled which rule sets are meant."""

    candidate: Decider
    baseline: Decider
    others: Mapping[str, Decider]
    deciding: Decider

    def plan(self, objectives: Sequence[str], as_of: date) -> Plan:
        """What decides before and after."""
        return make_plan(
            self.candidate, self.baseline, self.others, objectives=objectives, as_of=as_of
        )


async def order_simulation(
    session: AsyncSession, order: SimulationOrder, *, today: date, prove: Prove
) -> UUID:
    """Freeze what is to be rehearsed and put its job in, in the caller's transaction; its id.

    Args:
        session: an open session.
        order: what is asked for.
        today: the business day.
        prove: proves drafts.

    Raises:
        NotFound: candidate or baseline is not there.
        Conflict: `other-line` if they decide for different lines.
        Invalid: `unknown-objective`.
        UnsafeError: one of them must not decide.
        Conflict: `no-rule-set`.
    """
    candidate = await choose(session, order.candidate, prove)
    for name in order.objectives:
        with_objective(candidate.compiled.document, name)
    baseline = order.baseline
    chosen = None if baseline is None else await choose(session, baseline, prove)
    settled = settle_sides(candidate, chosen, await resolve_all(session, order.as_of))
    is_rehearsal = order.as_of == today and settled.baseline.hash == settled.deciding.hash
    rehearsed = _frozen(order, settled, is_rehearsal=is_rehearsal)
    await repository.insert_simulation(session, rehearsed)
    await jobs.enqueue(
        session,
        Order(
            kind=JOB_KIND,
            payload={"simulation_id": str(rehearsed.id)},
            dedupe_key=f"{JOB_KIND}:{rehearsed.id}",
            requested_by=order.requested_by,
            requested_role=order.requested_role,
        ),
    )
    return rehearsed.id


def settle_sides(
    candidate: Decider, baseline: Decider | None, in_force: Mapping[str, RuleSet]
) -> Settled:
    """Which rule sets decide beside the candidate and the baseline, on the day of `in_force`.

    Raises:
        Conflict: `other-line` if candidate and baseline decide for different lines.
        Conflict: `no-rule-set` if the mandatory `all` has none in force.
    """
    require_all(in_force)
    line = candidate.product_line
    # Where the line has none of its own, the candidate takes its customers from `all`.
    deciding = Decider.of_version(in_force.get(line) or in_force[ALL])
    if baseline is not None and baseline.product_line != line and baseline.hash != deciding.hash:
        detail = f"The baseline has to decide for the candidate's line, {line}; name another one."
        raise Conflict("other-line", detail)
    against = baseline or deciding
    others = {
        name: Decider.of_version(found)
        for name, found in in_force.items()
        if name not in {line, against.product_line}
    }
    return Settled(candidate, against, others, deciding)


def _frozen(order: SimulationOrder, settled: Settled, *, is_rehearsal: bool) -> Rehearsed:
    candidate, baseline = settled.candidate, settled.baseline
    return Rehearsed(
        id=new_id(),
        rule_set_id=candidate.rule_set_id,
        product_line=candidate.product_line,
        candidate_version=candidate.version,
        document=_document(candidate),
        hash=candidate.hash,
        baseline_rule_set_id=baseline.rule_set_id,
        baseline_version=baseline.version,
        baseline_document=_document(baseline),
        baseline_hash=baseline.hash,
        others={
            line: [decider.rule_set_id, decider.version]
            for line, decider in sorted(settled.others.items())
        },
        objectives=list(dict.fromkeys(order.objectives)),
        as_of=order.as_of,
        is_rehearsal=is_rehearsal,
        requested_by=order.requested_by,
        requested_role=order.requested_role,
    )


def _document(decider: Decider) -> dict[str, Any]:
    return dict(document_json(decider.compiled.document))


async def rehearse(
    session: AsyncSession, candidate: Decider, *, objectives: Sequence[str], as_of: date
) -> Plan:
    """The plan of a candidate that is stored nowhere, against what decides on a business day.

    Raises:
        Conflict: `no-rule-set`.
        Invalid: `unknown-objective`.
    """
    settled = settle_sides(candidate, None, await resolve_all(session, as_of))
    return settled.plan(objectives, as_of)
