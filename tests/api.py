"""Calling the application as one role after another, in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from app.domain.privacy.roles import Role
from app.infra.auth import development_token
from app.infra.clock import utc_now
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: one role, perhaps as a customer, perhaps under a name of his own."""

    role: Role
    customer_id: str | None = None
    subject: str | None = None


@dataclass(slots=True)
class Api:
    """An HTTP client that signs its calls with the development issuer's tokens."""

    app: FastAPI
    client: AsyncClient
    settings: Settings
    _tokens: dict[Caller, str] = field(default_factory=dict)

    def token(self, caller: Caller) -> str:
        """A token of the caller, signed once."""
        if caller not in self._tokens:
            self._tokens[caller] = development_token(
                self.settings,
                role=caller.role,
                now=utc_now(),
                customer_id=caller.customer_id,
                subject=caller.subject,
            )
        return self._tokens[caller]

    async def call(
        self,
        method: str,
        path: str,
        caller: Caller | Role | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,  # noqa: ANN401 - any JSON there is.
        **form: Any,  # noqa: ANN401 - the client's `files` and `data`.
    ) -> Response:
        """One request; anonymous without a caller."""
        sent = dict(headers or {})
        if caller is not None:
            known = Caller(caller) if isinstance(caller, Role) else caller
            sent["Authorization"] = f"Bearer {self.token(known)}"
        return await self.client.request(method, path, headers=sent, json=json, **form)

    async def get(
        self,
        path: str,
        caller: Caller | Role | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One GET."""
        return await self.call("GET", path, caller, headers=headers)


@asynccontextmanager
async def open_api(app: FastAPI, settings: Settings) -> AsyncIterator[Api]:
    """An API client of an application, in process."""
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://tiering.test") as client:
        yield Api(app, client, settings)
