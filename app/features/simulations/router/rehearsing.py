"""Asking for simulations, reading what they found, stopping them, and comparing two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic.types import UUID7

from app.features.rule_sets.schemas import RuleSetId, refused_places
from app.features.simulations import service
from app.features.simulations.router.shared import Maker, Reader, SimulationId, router
from app.features.simulations.schemas import (
    ComparisonRead,
    SimulationCreate,
    SimulationOrderedRead,
    SimulationRead,
    SimulationsRead,
)
from app.features.simulations.service import UnsafeError
from app.infra.app_vault import AppVault
from app.infra.audit import ChangeAudit, Outcome
from app.infra.auth import costs
from app.infra.conditions import respond_open
from app.infra.database import AsyncSession
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.idempotency import REPLAYED, Once
from app.infra.pagination import Cursors, PageQuery
from app.infra.problems import ProblemError
from app.infra.prover import Prove
from app.infra.proving import PROVES, ProofForCaller
from app.infra.rate_limit import RateClass
from app.infra.requester import CurrentRequester, Requester
from app.infra.reveal import respond_about_nobody
from app.infra.session import ReadSession, WriteSession
from app.infra.turns import TAKES_TURN

_ACCEPTED: Final = 202


@dataclass(frozen=True, slots=True)
class OrderDesk:
    """What an order of a simulation works with: the transaction, who asks, and the prover."""

    session: AsyncSession
    today: date
    requester: Requester
    prove: Prove


async def order_desk(desk: Desk, requester: CurrentRequester, prove: ProofForCaller) -> OrderDesk:
    """The desk of one order."""
    return OrderDesk(desk.session, desk.today, requester, prove)


@router.post(
    "/v1/rule-sets/{rule_set_id}/simulations",
    status_code=_ACCEPTED,
    response_model=SimulationOrderedRead,
    summary="Rehearse a rule set on the whole book",
    response_description="The simulation is queued; `Location` tells how it goes.",
    dependencies=[costs(RateClass.COSTLY), PROVES, TAKES_TURN],
    responses={
        202: REPLAYED,
        **problem_responses(
            404, "no-rule-set", "rule-set-unsafe", "other-line", "unknown-objective"
        ),
    },
)
async def create_simulation(
    rule_set_id: RuleSetId,
    wanted: SimulationCreate,
    desk: Annotated[OrderDesk, Depends(order_desk, scope="function")],
    once: Once,
    actor: Maker,
) -> Response:
    """Everybody is evaluated twice: by what decides on the day, and by the candidate in its place.

    Candidate and baseline are frozen as they are now; whatever is edited later changes nothing of
    it. Nothing is written about any customer but who would move, which rule authors and publishers
    are not shown.

    To find on whom two drafts differ, simulate the one with the other as its `baseline`.
    """
    if (earlier := await once.find()) is not None:
        made = UUID(earlier.resource)
    else:
        order = wanted.to_domain(rule_set_id, desk.requester, desk.today)
        try:
            made = await service.order_simulation(
                desk.session, order, today=desk.today, prove=desk.prove
            )
        except UnsafeError as error:
            places = refused_places(error.findings, "candidate")
            raise ProblemError("rule-set-unsafe", errors=places) from None
        await once.keep(str(made), status=_ACCEPTED)
    found = await service.get_simulation(desk.session, rule_set_id=rule_set_id, simulation_id=made)
    return await respond_about_nobody(
        SimulationOrderedRead(id=made, state=found.state),
        viewer=actor.viewer(),
        audit=once.noting(found.stored.hash),
        status=once.status,
        headers={
            "Location": f"/v1/rule-sets/{rule_set_id}/simulations/{made}",
            **once.headers,
        },
    )


@router.get(
    "/v1/rule-sets/{rule_set_id}/simulations",
    response_model=SimulationsRead,
    summary="Simulations of a rule set",
    response_description="A page of simulations, the newest first, without their reports.",
    responses=read_responses(404),
)
async def list_simulations(
    rule_set_id: RuleSetId,
    query: Annotated[PageQuery, Query()],
    request: Request,
    session: ReadSession,
    vault: AppVault,
    actor: Reader,
) -> Response:
    """Those of drafts and of stored versions."""
    cursors = Cursors(vault.master, f"simulations:{rule_set_id}", actor)
    page = await service.list_simulations(
        session,
        rule_set_id=rule_set_id,
        limit=query.limit,
        before=None if query.cursor is None else UUID(cursors.open(query.cursor)[0]),
    )
    listed = SimulationsRead.of_page(
        page.items, None if page.before is None else cursors.seal([str(page.before)])
    )
    return respond_open(request, listed)


@router.get(
    "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}",
    response_model=SimulationRead,
    summary="A simulation",
    response_description="How far it is, and what it found.",
    responses=read_responses(404),
)
async def get_simulation(
    rule_set_id: RuleSetId,
    simulation_id: SimulationId,
    request: Request,
    session: ReadSession,
    actor: Reader,
) -> Response:
    """Counts of customers and their premiums, never of a sample.

    Officers of risk and of business are told every count. To all others a count of fewer than ten
    is `<10`, and where one could be reckoned from others, one more of those is null.
    """
    found = await service.get_simulation(
        session, rule_set_id=rule_set_id, simulation_id=simulation_id
    )
    return respond_open(request, SimulationRead.from_domain(found, actor.viewer()))


@router.post(
    "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}/cancel",
    response_model=SimulationOrderedRead,
    summary="Cancel a simulation",
    response_description="The simulation; one that runs stops after the batch at hand.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404, "job-ended"),
)
async def cancel_simulation(
    rule_set_id: RuleSetId,
    simulation_id: SimulationId,
    session: WriteSession,
    audit: ChangeAudit,
    actor: Maker,
) -> Response:
    """Nothing is kept of it but that there was one. Cancelling twice is as once."""
    found = await service.cancel_simulation(
        session, rule_set_id=rule_set_id, simulation_id=simulation_id
    )
    return await respond_about_nobody(
        SimulationOrderedRead(id=found.stored.id, state=found.state),
        viewer=actor.viewer(),
        audit=audit.noting(outcome=Outcome.CHANGED, record_version=found.stored.hash),
    )


@router.get(
    "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}/comparison",
    response_model=ComparisonRead,
    summary="Two simulations side by side",
    response_description="Cell by cell, what the one would do otherwise than the other.",
    responses=read_responses(404, "simulation-not-completed", "simulations-differ"),
)
async def get_simulation_comparison(
    rule_set_id: RuleSetId,
    simulation_id: SimulationId,
    other: Annotated[
        UUID7, Query(alias="with", description="Id of the other simulation, of any rule set.")
    ],
    request: Request,
    session: ReadSession,
    actor: Reader,
) -> Response:
    """Of two candidates on one business day against one baseline; else 409 `simulations-differ`.

    On whom the two differ is found by simulating the one with the other as its baseline.
    """
    sides = await service.compare_simulations(
        session, rule_set_id=rule_set_id, simulation_id=simulation_id, other_id=other
    )
    return respond_open(request, ComparisonRead.of_sides(*sides, actor.viewer()))
