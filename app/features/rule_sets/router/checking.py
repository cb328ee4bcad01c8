"""`POST /v1/rule-sets/check`: what is wrong with a document, and how many customers it concerns."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from app.features.rule_sets import service
from app.features.rule_sets.router.shared import Reader, router
from app.features.rule_sets.schemas import DOCUMENT_BODY, CheckQuery, CheckRead
from app.features.rule_sets.service import Count
from app.infra.auth import costs
from app.infra.database import Database
from app.infra.description import problem_responses
from app.infra.desk import Today
from app.infra.negotiation import declared_media_type
from app.infra.proving import PROVES, ProofForCaller
from app.infra.rate_limit import RateClass
from app.infra.session import get_database
from app.infra.turns import TAKES_TURN


@router.post(
    "/v1/rule-sets/check",
    summary="Check a rule-set document",
    response_description="Everything that was found; a document with errors is answered, too.",
    dependencies=[costs(RateClass.COSTLY), PROVES, TAKES_TURN],
    responses=problem_responses("document-unreadable"),
    openapi_extra={"requestBody": DOCUMENT_BODY},
)
async def check_rule_set(
    request: Request,
    database: Annotated[Database, Depends(get_database)],
    today: Today,
    actor: Reader,
    prove: ProofForCaller,
    asked: Annotated[CheckQuery, Query()],
) -> CheckRead:
    """Any document, whether it is stored or not; nothing of it is kept.

    By `Content-Type` it is JSON, YAML (`application/yaml`), a workbook of forms
    (`application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`) or DMN
    (`application/dmn+xml`).

    What it extends must be stored. Only a body that is no readable document at all is a problem;
    whatever else is wrong is a finding, with its place and what to do. Customers are counted by
    their facts as they are now, among those whom the document would decide for. A proof that takes
    too many steps is given up and said to be `inconclusive`. A table that cannot be read hides
    nothing of the others; it is said to be `not-checked`. What reads its answers, or scores that
    cannot be known, is checked as if they could be anything, and said to be `partly-checked`.
    """
    settings = request.app.state.settings
    checked = await service.check_upload(
        database,
        await request.body(),
        declared_media_type(request.headers),
        count=Count.in_request(database, settings, today) if asked.count else None,
        prove=prove,
    )
    return CheckRead.from_domain(checked, actor.viewer())
