"""Liveness, readiness and metrics: what the platform asks, not what callers ask."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.privacy.roles import Role
from app.infra.auth import requires
from app.infra.database import Database
from app.infra.masking import OpenField
from app.infra.metrics import Metrics
from app.infra.migrations import code_revision, database_revision
from app.infra.session import get_database

router = APIRouter(tags=["probes"])

Check = Literal["ok", "failed"]


class Liveness(BaseModel):
    """The process answers."""

    status: OpenField[Literal["ok"]] = "ok"


class Readiness(BaseModel):
    """What the service needs before it can answer callers."""

    status: OpenField[Check]
    database: OpenField[Check]
    migrations: OpenField[Check]


@router.head("/livez", include_in_schema=False)
@router.get("/livez", summary="Is the process alive?")
async def get_liveness() -> Liveness:
    """Answers without asking any dependency."""
    return Liveness()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    summary="Can the service answer callers?",
    responses={503: {"model": Readiness, "description": "It cannot; the failed check says why."}},
)
async def get_readiness(
    response: Response, database: Annotated[Database, Depends(get_database)]
) -> Readiness:
    """Asks the database whether it is there and at the revision this code needs."""
    found = await _check(database)
    if found.status == "failed":
        response.status_code = 503
    return found


async def _check(database: Database) -> Readiness:
    try:
        async with database.sessions() as session:
            await session.execute(text("SELECT 1"))
            revision = await database_revision(session)
    except (SQLAlchemyError, OSError, TimeoutError):
        return Readiness(status="failed", database="failed", migrations="failed")
    migrations: Check = "ok" if revision == code_revision() else "failed"
    return Readiness(status=migrations, database="ok", migrations=migrations)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    dependencies=[Depends(requires(Role.ADMIN))],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format."}},
)
async def get_metrics(request: Request) -> Response:
    """Counts and durations by route; no label carries an identifier."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.exposition(), media_type=metrics.content_type)
