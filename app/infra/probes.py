"""Liveness, readiness and metrics: what the platform asks, not what callers ask."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated, Final, Literal

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.subject_key import SubjectKeyRow
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.app_vault import AppVault
from app.infra.auth import TokenVerifier, get_token_verifier, requires
from app.infra.cipher import CipherError, Vault, WrappedKey
from app.infra.database import Database
from app.infra.description import problem_responses
from app.infra.lifespan import Service
from app.infra.masking import Open
from app.infra.metrics import Metrics
from app.infra.migrations import code_revision, database_revision
from app.infra.routing import Router
from app.infra.session import get_database

router = Router("operations")

Check = Literal["ok", "failed"]

#: A probe that waits longer than the platform asks again is as good as none.
_PATIENCE_SECONDS: Final = 3.0

_AUDIT_IS_WRITABLE: Final = text(
    "SELECT has_table_privilege('audit_events', 'INSERT') AND NOT pg_is_in_recovery()"
    " AND current_setting('transaction_read_only') = 'off'"
)


class Liveness(BaseModel):
    """The process answers."""

    status: Open[Literal["ok"]] = Field("ok", description="Always ok.")


class Readiness(BaseModel):
    """What the service needs before it can answer callers."""

    status: Open[Check] = Field(description="ok if every check is.")
    serving: Open[Check] = Field("ok", description="The process is not about to stop.")
    database: Open[Check] = Field("failed", description="The database answers.")
    migrations: Open[Check] = Field("failed", description="It is at this version's revision.")
    audit: Open[Check] = Field("failed", description="Audit events can be written.")
    keys: Open[Check] = Field("failed", description="Stored data keys open with the master key.")
    tokens: Open[Check] = Field("failed", description="There is a key to verify tokens with.")


@router.head("/livez", include_in_schema=False)
@router.get("/livez", summary="Is the process alive?", response_description="It is.")
async def get_liveness() -> Liveness:
    """Answers without asking any dependency."""
    return Liveness()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    summary="Can the service answer callers?",
    response_description="It can.",
    responses={
        503: {
            "model": Readiness,
            "description": "It cannot; the failed check says why.",
            "content": {"application/json": {"example": Readiness(status="failed").model_dump()}},
        }
    },
)
async def get_readiness(
    request: Request,
    response: Response,
    database: Annotated[Database, Depends(get_database)],
    vault: AppVault,
    verifier: Annotated[TokenVerifier, Depends(get_token_verifier)],
) -> Readiness:
    """Asks the database whether it is there, current and writable, and whether the keys fit it.

    Without a key to verify tokens with, the issuer is asked for its key set. A process that was
    told to stop is not ready, and asks nobody.
    """
    service: Service = request.app.state.service
    if service.is_leaving:
        response.status_code = 503
        return Readiness(status="failed", serving="failed")
    found, tokens = await asyncio.gather(_check(database, vault), _can_verify(verifier))
    found.tokens = _word(ok=tokens)
    if not tokens:
        found.status = "failed"
    if found.status == "failed":
        response.status_code = 503
    return found


async def _check(database: Database, vault: Vault) -> Readiness:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.sessions() as session:
            if await database_revision(session) != _expected_revision():
                return Readiness(status="failed", database="ok")
            audit = bool(await session.scalar(_AUDIT_IS_WRITABLE))
            keys = await _opens_keys(session, vault)
    except (SQLAlchemyError, OSError, TimeoutError):
        return Readiness(status="failed")
    return Readiness(
        status=_word(ok=audit and keys),
        database="ok",
        migrations="ok",
        audit=_word(ok=audit),
        keys=_word(ok=keys),
    )


async def _can_verify(verifier: TokenVerifier) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await verifier.keys.has_keys()
    except TimeoutError:
        return False


def _word(*, ok: bool) -> Check:
    return "ok" if ok else "failed"


@cache
def _expected_revision() -> str:
    """The code's revision, read from the migration files once."""
    return code_revision()


async def _opens_keys(session: AsyncSession, vault: Vault) -> bool:
    """Whether a stored data key opens: with another master key, none would."""
    row = SubjectKeyRow
    found = (
        await session.execute(select(row.subject_id, row.key_id, row.wrapped_key).limit(1))
    ).first()
    try:
        if found is not None:
            vault.unwrap(WrappedKey(*found))
    except CipherError:
        return False
    return True


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "Prometheus text format.",
        },
        **problem_responses(),
    },
)
async def get_metrics(request: Request, _actor: Annotated[Actor, requires(Role.ADMIN)]) -> Response:
    """Counts and durations by route; no label carries an identifier."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.exposition(), media_type=metrics.content_type)
