"""`GET /v1/facts`: what rules may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.facts.schemas import FactsRead
from app.infra.auth import requires
from app.infra.conditions import respond_open
from app.infra.description import read_responses
from app.infra.locale import RequestLocale, language_headers
from app.infra.routing import Router

router = Router("rules")

Reader = Annotated[
    Actor,
    requires(
        Role.RULE_AUTHOR,
        Role.RULE_PUBLISHER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
        Role.ANALYST,
    ),
]


@router.get(
    "/v1/facts",
    summary="The facts catalogue",
    response_description="Every fact, in the catalogue's order.",
    response_model=FactsRead,
    responses=read_responses(),
)
async def list_facts(locale: RequestLocale, request: Request, _actor: Reader) -> Response:
    """The scoring inputs with type, range, sensitivity class and exact meaning; no customer's data.

    A decimal has `scale` digits; its bounds are strings so that no digit is lost on the way.
    """
    return respond_open(request, FactsRead.shipped(locale), language_headers(locale))
