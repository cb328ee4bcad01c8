"""A feed that sends files, and a desk that does its jobs, within the test's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from httpx import Response

from app.domain.privacy.roles import Role
from app.features.imports.service import Surroundings, do_import
from app.infra.cipher import Vault
from app.infra.database import Database
from app.infra.jobs import Lease
from app.infra.jobs.lease import claim
from app.infra.jobs.loop import settlement_of
from tests.api import Api, Caller
from tests.features.imports.desk import TODAY

FEED = Caller(Role.INTEGRATION)
OTHER_FEED = Caller(Role.INTEGRATION, subject="another-feed")


@dataclass
class Feed:
    """One caller of role integration."""

    api: Api
    database: Database
    caller: Caller = FEED

    async def send(self, content: bytes, name: str = "customers.csv", **texts: str) -> Response:
        """Order an import; of customers in our layout unless something else is said."""
        data = texts or {"record": "customers"}
        return await self.request("POST", "/v1/imports", files={"file": (name, content)}, data=data)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **sent: Any,  # noqa: ANN401 - httpx's.
    ) -> Response:
        """Any request."""
        bearer = {"Authorization": f"Bearer {self.api.token(self.caller)}"}
        return await self.api.client.request(
            method, path, headers={**bearer, **(headers or {})}, **sent
        )

    async def work(self) -> None:
        """Do the job that waits, as a worker would."""
        async with self.database.sessions.begin() as session:
            lease = await claim(session, ["import"], 60)
        assert lease is not None
        vault: Vault = self.api.app.state.vault
        around = Surroundings(self.database, self.api.settings, vault, TODAY)
        error = await _error_of(around, lease)
        async with self.database.sessions.begin() as session:
            await lease.settle(session, settlement_of(lease, error, 0.01))

    async def import_file(self, content: bytes, name: str = "customers.csv", **texts: str) -> Any:  # noqa: ANN401 - JSON.
        """Send a file, have it imported, and look at what came of it."""
        answer = await self.send(content, name, **texts)
        assert answer.status_code == 202, answer.text
        await self.work()
        return (await self.request("GET", answer.headers["Location"])).json()


async def _error_of(around: Surroundings, lease: Lease) -> Exception | None:
    try:
        await do_import(around, lease)
    except Exception as error:  # noqa: BLE001 - the loop judges whatever it is.
        return error
    return None
