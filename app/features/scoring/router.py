"""Evaluations, decisions and their replay, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Response
from pydantic.types import UUID7

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.domain.tiering.decision import Cause, CauseKind
from app.features.customers.schemas import CustomerId
from app.features.customers.service import identify
from app.features.scoring import service
from app.features.scoring.schemas import (
    DecisionRead,
    DecisionTraceRead,
    EvaluationCreate,
    ReplayRead,
    TrialCreate,
    TrialRead,
)
from app.infra.audit import Audit
from app.infra.auth import costs, requires
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk, Today
from app.infra.idempotency import REPLAYED, Once
from app.infra.locale import RequestLocale, language_headers
from app.infra.rate_limit import RateClass
from app.infra.reveal import respond
from app.infra.routing import Router
from app.infra.session import ReadSession
from app.infra.turns import TAKES_TURN

router = Router("scoring")

DecisionId = Annotated[UUID7, Path(description="Id of a decision.")]

Evaluator = Annotated[
    Actor, requires(Role.ACCOUNT_MANAGER, Role.RISK_OFFICER, Role.BUSINESS_OFFICER)
]
Experimenter = Annotated[
    Actor,
    requires(
        Role.ACCOUNT_MANAGER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.ANALYST,
        Role.RULE_AUTHOR,
    ),
]


@router.post(
    "/v1/customers/{customer_id}/evaluations",
    status_code=201,
    response_model=DecisionRead,
    response_description="The decision, stored.",
    summary="Score a customer now",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses={
        201: REPLAYED,
        **problem_responses(
            404, "back-dated", "future-day", "no-rule-set", "conflict", "input-error"
        ),
    },
)
async def create_evaluation(
    customer_id: CustomerId,
    desk: Desk,
    locale: RequestLocale,
    once: Once,
    actor: Evaluator,
    asked: Annotated[EvaluationCreate | None, Body()] = None,
) -> Response:
    """Evaluate the customer on the records as they are now, and store decision and tier.

    Upgrades serve at once; a downgrade may wait, and the old tier serves until then. A day before
    the customer's newest evaluation is refused, since the clocks of stability run on it, and so
    is a day that has not come. Repeated with its `Idempotency-Key`, the request evaluates nothing
    and answers the decision of the first.
    """
    subject = await identify(desk.session, customer_id=customer_id, actor=actor)
    if (earlier := await once.find()) is not None:
        stored = await service.get_decision(desk.session, decision_id=UUID(earlier.resource))
    else:
        stored = await service.evaluate_customer(
            desk.session,
            customer_id=subject.customer_id,
            as_of=(asked or EvaluationCreate()).day(desk.today),
            cause=Cause(CauseKind.API),
            now=desk.now,
            vault=desk.vault,
        )
        await once.keep(str(stored.record.id))
    id_ = str(stored.record.id)
    return await respond(
        DecisionRead.from_domain(stored, subject, locale),
        viewer=subject.viewer,
        audit=once.noting(id_),
        subjects=[subject.customer_id],
        status=once.status,
        headers={"Location": f"/v1/decisions/{id_}", **once.headers, **language_headers(locale)},
    )


@router.get(
    "/v1/decisions/{decision_id}",
    response_model=DecisionRead,
    response_description="The decision as it was stored.",
    summary="Read one decision",
    responses=read_responses(404),
)
async def get_decision(
    decision_id: DecisionId,
    desk: Desk,
    locale: RequestLocale,
    audit: Audit,
    actor: Evaluator,
) -> Response:
    """Read what was decided, why, and by which rule set version; decisions never change."""
    stored = await service.get_decision(desk.session, decision_id=decision_id)
    own_id = stored.record.customer_id
    subject = await identify(desk.session, customer_id=own_id, actor=actor)
    return await respond(
        DecisionRead.from_domain(stored, subject, locale),
        viewer=subject.viewer,
        audit=audit.noting(record_version=str(stored.record.id)),
        subjects=[subject.customer_id],
        headers=language_headers(locale),
    )


@router.post(
    "/v1/decisions/{decision_id}/replay",
    response_model=ReplayRead,
    response_description="Whether the decision comes out the same.",
    summary="Decide again from the stored snapshot",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses=problem_responses(404, "snapshot-unreadable", "decision-erased"),
)
async def replay_decision(
    decision_id: DecisionId,
    desk: Desk,
    audit: Audit,
    actor: Evaluator,
) -> Response:
    """Decide again from the snapshot of the facts, with the rule set version of then.

    Nothing is stored. Once the customer's data was erased the snapshot cannot be read: 410.
    """
    replay = await service.replay_decision(desk.session, decision_id=decision_id, vault=desk.vault)
    own_id = replay.stored.record.customer_id
    subject = await identify(desk.session, customer_id=own_id, actor=actor)
    return await respond(
        ReplayRead.from_domain(replay, subject.customer_id),
        viewer=subject.viewer,
        audit=audit.noting(record_version=str(decision_id)),
        subjects=[subject.customer_id],
    )


@router.get(
    "/v1/decisions/{decision_id}/trace",
    response_model=DecisionTraceRead,
    response_description="The way from the facts of then to the decision.",
    summary="Explain a decision step by step",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses=read_responses(404, "snapshot-unreadable", "decision-erased"),
)
async def get_decision_trace(
    decision_id: DecisionId,
    desk: Desk,
    locale: RequestLocale,
    audit: Audit,
    actor: Evaluator,
) -> Response:
    """The points of every characteristic, and of every table the rule that fired and the nearest.

    It is taken from the snapshot of the facts, with the rule set version of then. Where any fact
    behind a table is banded or withheld, nothing is told of its rules. Once the customer's data was
    erased the snapshot cannot be read: 410.
    """
    traced = await service.trace_decision(desk.session, decision_id=decision_id, vault=desk.vault)
    own_id = traced.stored.record.customer_id
    subject = await identify(desk.session, customer_id=own_id, actor=actor)
    return await respond(
        DecisionTraceRead.from_domain(traced, subject, locale),
        viewer=subject.viewer,
        audit=audit.noting(record_version=str(decision_id)),
        subjects=[subject.customer_id],
        headers=language_headers(locale),
    )


@router.post(
    "/v1/evaluations/what-if",
    response_description="What the rule set says; nothing is stored.",
    summary="Try facts on a rule set",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses=problem_responses(
        404, "no-rule-set", "input-error", "unknown-fact", "unknown-objective"
    ),
)
async def try_facts(
    trial: TrialCreate,
    response: Response,
    session: ReadSession,
    today: Today,
    locale: RequestLocale,
    _actor: Experimenter,
) -> TrialRead:
    """Try facts that the caller made up; no customer is read, and nothing is stored.

    Facts that are left out are unknown, or false or 0 where they cannot be. The rule set is the
    one in force for such a customer, or the stored version that is named. With `explain` every
    table tells which rule fired, and which nearly did and by what it failed.
    """
    chosen = trial.rule_set
    found = await service.try_facts(
        session,
        given=trial.facts,
        version=None if chosen is None else (chosen.id, chosen.version),
        objective=trial.objective,
        as_of=today,
        explain=trial.explain,
    )
    response.headers.update(language_headers(locale))
    return TrialRead.from_domain(found, locale)
