"""Calls to the override routes as their people make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import policy, term, write

MIA: Final = Caller(Role.ACCOUNT_MANAGER, subject="mia")
NOAH: Final = Caller(Role.ACCOUNT_MANAGER, subject="noah")
RITA: Final = Caller(Role.RISK_OFFICER, subject="rita")
ROB: Final = Caller(Role.RISK_OFFICER, subject="rob")
BEA: Final = Caller(Role.BUSINESS_OFFICER, subject="bea")
BEN: Final = Caller(Role.BUSINESS_OFFICER, subject="ben")
CLEO: Final = Caller(Role.COMPLIANCE, subject="cleo")
AGENT: Final = Caller(Role.AGENT, subject="ann")

STATEMENT: Final = "Acquired by our largest corporate client."
WORD: Final = "The contract under way justifies it."
PURPOSE: Final = {"X-Purpose": "override_review"}

_KEYS = count(1)


def today() -> date:
    """The business day; zones that differ from it are not what is tested here."""
    return (utc_now() + timedelta(hours=8)).date()


@dataclass(slots=True)
class Overrides:
    """The routes of overrides."""

    api: Api

    @staticmethod
    def body(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON there is.
        """What is asked for."""
        return {
            "tier": "diamond",
            "mode": "pin",
            "reason": "merger",
            "statement": STATEMENT,
            "valid_until": (today() + timedelta(30)).isoformat(),
            **changed,
        }

    async def send(
        self,
        method: str,
        path: str,
        caller: Caller,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One call; what creates has a key of its own."""
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"key {next(_KEYS)}")
        return await self.api.call(method, path, caller, headers=sent, json=body)

    async def ask(self, customer_id: str, caller: Caller = MIA, **changed: Any) -> Response:  # noqa: ANN401 - any JSON.
        """Ask for an override."""
        body = {"customer_id": customer_id, **self.body(**changed)}
        return await self.send("POST", "/v1/overrides", caller, body)

    async def asked(self, customer_id: str, caller: Caller = MIA, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON.
        """Ask for an override, which is granted to be asked."""
        answer = await self.ask(customer_id, caller, **changed)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask_bulk(
        self,
        customer_ids: list[str],
        caller: Caller = MIA,
        **changed: Any,  # noqa: ANN401 - any JSON.
    ) -> Response:
        """Ask for the same override of many."""
        body = {"customer_ids": customer_ids, **self.body(**changed)}
        return await self.send("POST", "/v1/overrides/bulk", caller, body)

    async def get(self, id_: str, caller: Caller, *, purpose: bool = True) -> Response:
        """Read a request."""
        return await self.send(
            "GET", f"/v1/overrides/{id_}", caller, headers=PURPOSE if purpose else None
        )

    async def put(
        self,
        id_: str,
        caller: Caller = MIA,
        *,
        tag: str = "*",
        **changed: Any,  # noqa: ANN401 - any JSON.
    ) -> Response:
        """Ask otherwise."""
        return await self.send(
            "PUT", f"/v1/overrides/{id_}", caller, self.body(**changed), {"If-Match": tag}
        )

    async def decide(
        self,
        id_: str,
        caller: Caller,
        decision: str = "approve",
        **changed: Any,  # noqa: ANN401 - any JSON.
    ) -> Response:
        """Turn a key, whatever was read."""
        body = {"decision": decision, "statement": WORD, **changed}
        return await self.send("POST", f"/v1/overrides/{id_}/approvals", caller, body)

    async def approve(self, id_: str, caller: Caller) -> Response:
        """Read, then approve."""
        read = await self.get(id_, caller)
        assert read.status_code == 200, read.text
        return await self.decide(id_, caller)

    async def withdraw(self, id_: str, caller: Caller = MIA) -> Response:
        """Take a request back."""
        return await self.send("POST", f"/v1/overrides/{id_}/withdraw", caller)

    async def revoke(self, id_: str, caller: Caller = RITA) -> Response:
        """End what serves."""
        body = {"statement": "The merger was called off yesterday."}
        return await self.send("POST", f"/v1/overrides/{id_}/revoke", caller, body)

    async def half_approved(self, customer_id: str, **changed: Any) -> str:  # noqa: ANN401 - any JSON.
        """The id of a request that Rita approved, and that Bea has read."""
        asked = await self.asked(customer_id, **changed)
        id_: str = asked["id"]
        assert (await self.approve(id_, RITA)).status_code == 201
        assert (await self.get(id_, BEA)).status_code == 200
        return id_

    async def delegated(self, absent: Caller, acting: Caller) -> str:
        """The id of a delegation that runs from today on."""
        # He has to have shown a token.
        await self.send("GET", "/v1/overrides", acting)
        body = {
            "delegate": acting.subject,
            "valid_from": today().isoformat(),
            "valid_to": (today() + timedelta(7)).isoformat(),
        }
        made = await self.send("POST", "/v1/override-delegations", absent, body)
        assert made.status_code == 201, made.text
        id_: str = made.json()["id"]
        return id_

    async def evaluate(self, customer_id: str, caller: Caller = RITA) -> Response:
        """Evaluate a customer as of today."""
        return await self.send("POST", f"/v1/customers/{customer_id}/evaluations", caller)

    async def activated(self, customer_id: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON.
        """Ask, and turn both keys."""
        asked = await self.asked(customer_id, **changed)
        await self.approve(asked["id"], RITA)
        answer = await self.approve(asked["id"], BEA)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def tier(self, customer_id: str, caller: Caller = AGENT) -> dict[str, Any]:
        """The tier that serves."""
        answer = await self.send("GET", f"/v1/customers/{customer_id}/tier", caller)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def write_wealth(session: AsyncSession, customer_id: str) -> None:
    """Give a customer what makes the rules put him in the highest tier."""
    number = f"wealth of {customer_id}"
    yearly = term(customer_id, number, premium=Decimal("200000.00"))
    await write(session, policy(customer_id, number), yearly)


async def show_newer_token(session: AsyncSession, caller: Caller, *roles: Role) -> None:
    """Let somebody have shown a token of a second later, with other roles."""
    await session.execute(
        text(
            "UPDATE actors SET roles = :roles, issued_at = issued_at + interval '1 second'"
            " WHERE subject = :subject"
        ),
        {"roles": [str(role) for role in roles], "subject": caller.subject},
    )
    await session.commit()


def problem(answer: Response) -> tuple[int, str]:
    """Status and slug of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def told(answer: Response) -> str:
    """The status of what was granted, the slug of what was refused."""
    return str(answer.status_code) if answer.is_success else problem(answer)[1]
