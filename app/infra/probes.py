"""Liveness, readiness and metrics: what the platform asks, not what callers ask."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated, Final, Literal

import asyncpg
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel, Field

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.auth import TokenVerifier, get_token_verifier, requires
from app.infra.batcher import Batcher
from app.infra.cipher import CipherError, Vault, WrappedKey
from app.infra.database import DATABASE_ERRORS, Database
from app.infra.description import problem_responses
from app.infra.lifespan import Service
from app.infra.masking import Open
from app.infra.metrics import Metrics
from app.infra.migrations import code_revision
from app.infra.routing import Router

router = Router("operations")

Check = Literal["ok", "failed"]

#: A probe that waits longer than the platform asks again is as good as none.
_PATIENCE_SECONDS: Final = 3.0

_REVISION: Final = "SELECT version_num FROM alembic_version"
_ANY_KEY: Final = "SELECT subject_id, key_id, wrapped_key FROM subject_keys LIMIT 1"
_AUDIT_IS_WRITABLE: Final = (
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
    probe: DatabaseProbe = request.app.state.database_probe
    found, tokens = await asyncio.gather(probe.ask(), _can_verify(verifier))
    found.tokens = _word(ok=tokens)
    if not tokens:
        found.status = "failed"
    if found.status == "failed":
        response.status_code = 503
    return found


class DatabaseProbe:
    """What the database says of its readiness, asked once for all who want to know.

    Over a lane and not over the pool: however busy that is, the process is ready; and however many
    probes there are, they take one lane.

    Args:
        database: what is asked.
        vault: has to open what is stored in it.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._lanes = database.lanes
        self._vault = vault
        self._batcher = Batcher(self._send)

    async def ask(self) -> Readiness:
        """What it says now."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await self._batcher.ask(None)
        except TimeoutError:
            return Readiness(status="failed")
        return found.model_copy()

    async def _send(self, asked: list[None]) -> list[Readiness]:
        return [await self._check()] * len(asked)

    async def _check(self) -> Readiness:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._lanes.lend() as connection:
                if await connection.fetchval(_REVISION) != _expected_revision():
                    return Readiness(status="failed", database="ok")
                audit = bool(await connection.fetchval(_AUDIT_IS_WRITABLE))
                keys = self._opens(await connection.fetchrow(_ANY_KEY))
        except asyncpg.UndefinedTableError:
            return Readiness(status="failed", database="ok")
        except DATABASE_ERRORS:
            return Readiness(status="failed")
        return Readiness(
            status=_word(ok=audit and keys),
            database="ok",
            migrations="ok",
            audit=_word(ok=audit),
            keys=_word(ok=keys),
        )

    def _opens(self, stored: asyncpg.Record | None) -> bool:
        """Whether a stored data key opens: with another master key, none would."""
        try:
            if stored is not None:
                self._vault.unwrap(WrappedKey(*stored))
        except CipherError:
            return False
        return True


def install_probes(app: FastAPI) -> None:
    """Let the application's database and vault, which must be there, be probed."""
    app.state.database_probe = DatabaseProbe(app.state.database, app.state.vault)


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
