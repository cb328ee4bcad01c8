"""A small application behind the real edge, for the tests of its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter
from starlette.types import ASGIApp

from app.infra.application import Application
from app.infra.auth.dependencies import TokenGate
from app.infra.problems import DenialRecorder, install_problems
from tests.infra.auth.forge import token, verifier

Route = Callable[..., Awaitable[object]]


def application(
    *routers: APIRouter,
    on_denial: DenialRecorder | None = None,
    max_body_size: int = 1000,
    gated: bool = True,
) -> Application:
    """An application with the token gate and the problem documents."""
    app = Application(max_body_size=max_body_size, redoc_url=None)
    if gated:
        app.add_middleware(TokenGate, verifier=verifier())
    install_problems(app, on_denial)
    for router in routers:
        app.include_router(router)
    return app


def bearer(*roles: str, customer_id: str | None = None, **headers: str) -> dict[str, str]:
    """Headers of a caller; names are given with underscores."""
    claims = {} if customer_id is None else {"customer_id": customer_id}
    signed = token(None, roles=list(roles) or ["agent"], **claims).es256()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": f"Bearer {signed}", **named}


@asynccontextmanager
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sees what a real one would, errors of the application included."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened
