"""Calls about drafts and publications as their people make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

from httpx import Response

from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from tests.api import Api, Caller

ADA: Final = Caller(Role.RULE_AUTHOR, subject="ada")
ALAN: Final = Caller(Role.RULE_AUTHOR, subject="alan")
PIA: Final = Caller(Role.RULE_PUBLISHER, subject="pia")
PAUL: Final = Caller(Role.RULE_PUBLISHER, subject="paul")
#: The author, acting as a publisher.
ADA_PUBLISHES: Final = Caller(Role.RULE_PUBLISHER, subject="ada")
CLEO: Final = Caller(Role.COMPLIANCE, subject="cleo")
BEA: Final = Caller(Role.BUSINESS_OFFICER, subject="bea")

READERS: Final = frozenset(
    {
        Role.RULE_AUTHOR,
        Role.RULE_PUBLISHER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
    }
)
TEMPLATE: Final = {"template": "motor"}
TITLE: Final = {"en": "Own motor", "zh": "自有车险"}
ASSESSMENT: Final = "PIA-2026-017"

_KEYS = count(1)


def today() -> date:
    """The business day; zones that differ from it are not what is tested here."""
    return (utc_now() + timedelta(hours=8)).date()


def in_days(days: int) -> str:
    """A business day to come, as it is written."""
    return (today() + timedelta(days)).isoformat()


def overlay(id_: str = "own", bound: str = "0.5", **changed: object) -> dict[str, Any]:
    """A document over the shipped motor template, another one for every bound."""
    characteristic = {
        "id": "premium_ratio",
        "bins": [
            {"when": f"< {bound}", "points": 0},
            {"when": f">= {bound}", "points": 100},
            {"when": "null", "points": 0},
        ],
    }
    return {
        "format": "tiering/1",
        "id": id_,
        "product_line": "motor",
        "title": TITLE,
        "extends": "motor@1",
        "scorecard": {"characteristics": [characteristic]},
        **changed,
    }


@dataclass(slots=True)
class RuleDesk:
    """The routes of drafts and publications."""

    api: Api

    async def send(
        self,
        method: str,
        path: str,
        caller: Caller | None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One call; what creates has a key of its own."""
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"key {next(_KEYS)}")
        return await self.api.call(method, f"/v1/rule-sets{path}", caller, headers=sent, json=body)

    async def open(
        self,
        caller: Caller | None = ADA,
        source: Mapping[str, object] | None = TEMPLATE,
        **body: Any,  # noqa: ANN401 - any JSON there is.
    ) -> Response:
        """Open a draft, by default of a new rule set over the motor template."""
        wanted = {"id": "own", "from": source} | body
        given = {name: value for name, value in wanted.items() if value is not None}
        return await self.send("POST", "", caller, given)

    async def opened(
        self,
        caller: Caller = ADA,
        source: Mapping[str, object] | None = TEMPLATE,
        **body: Any,  # noqa: ANN401 - any JSON there is.
    ) -> Response:
        """Open a draft, which is granted."""
        answer = await self.open(caller, source, **body)
        assert answer.status_code == 201, answer.text
        return answer

    async def edit(
        self, document: object, caller: Caller | None = ADA, *, tag: str = "*", id_: str = "own"
    ) -> Response:
        """Replace the document of a draft."""
        return await self.send("PUT", f"/{id_}/draft", caller, document, {"If-Match": tag})

    async def draft(self, caller: Caller | None = ADA, *, id_: str = "own") -> Response:
        """Read a draft."""
        return await self.send("GET", f"/{id_}/draft", caller)

    async def publish(
        self,
        caller: Caller | None = PIA,
        *,
        id_: str = "own",
        key: str | None = None,
        **body: Any,  # noqa: ANN401 - any JSON.
    ) -> Response:
        """Publish, by default what is open now, from today."""
        wanted = {"valid_from": in_days(0), "pia_ref": ASSESSMENT} | body
        if not {"hash", "version"} & wanted.keys():
            wanted["hash"] = (await self.draft(id_=id_)).json().get("hash", "0" * 64)
        given = {name: value for name, value in wanted.items() if value is not None}
        headers = None if key is None else {"Idempotency-Key": key}
        return await self.send("POST", f"/{id_}/publish", caller, given, headers)

    async def published(self, caller: Caller = PIA, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON.
        """Publish, which is granted."""
        answer = await self.publish(caller, **body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def retire(
        self, caller: Caller | None = PIA, *, id_: str = "own", day: str | None = None
    ) -> Response:
        """Retire a rule set, by default from today."""
        return await self.send("POST", f"/{id_}/retire", caller, {"valid_to": day or in_days(0)})

    async def listed(self, id_: str) -> dict[str, Any]:
        """A rule set as the list tells it."""
        items = (await self.send("GET", "", ADA)).json()["items"]
        return next(item for item in items if item["id"] == id_)


def refused(answer: Response) -> tuple[int, str]:
    """Status and slug of a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")
