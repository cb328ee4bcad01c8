"""People of an insurer who ask for overrides and decide on them, day by day, over the real API.

Their clock is turned by the test, their roles change with newer tokens, and whatever they are
answered is compared with what the interface description says they may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest
from httpx import Response

from app.domain.privacy.roles import Role
from app.features.overrides.service import Tick, keep_time
from app.infra.auth.issuer import TokenRequest, development_issuer
from app.infra.clock import business_day, utc_now
from app.infra.database import Database
from tests.api import Api
from tests.described import said_by
from tests.features.overrides.desk import PURPOSE, STATEMENT, WORD

#: Where the clock is read on the way of a request; audit and ids go on by the real one.
CLOCKS: Final = (
    "app.infra.desk.utc_now",
    "app.infra.express.utc_now",
    "app.infra.auth.dependencies.utc_now",
)
CUSTOMERS: Final = ("C1", "C2", "C3", "C4")
#: Who holds which office in the beginning; Tess changes hers all the time.
STAFF: Final[Mapping[str, tuple[Role, ...]]] = {
    "mia": (Role.ACCOUNT_MANAGER,),
    "noah": (Role.ACCOUNT_MANAGER,),
    "rita": (Role.RISK_OFFICER,),
    "rob": (Role.RISK_OFFICER,),
    "bea": (Role.BUSINESS_OFFICER,),
    "ben": (Role.BUSINESS_OFFICER,),
    "tess": (Role.RISK_OFFICER,),
    "cleo": (Role.COMPLIANCE,),
    "ann": (Role.AGENT,),
    "feed": (Role.INTEGRATION,),
}
DEPARTMENTS: Final = {"risk": Role.RISK_OFFICER, "business": Role.BUSINESS_OFFICER}
SECOND: Final = timedelta(seconds=1)
_LIFETIME: Final = timedelta(hours=20)


@dataclass(slots=True)
class OfficeClock:
    """The time in the office, which passes when the test says so."""

    now: datetime = field(default_factory=utc_now)

    def hang(self, patch: pytest.MonkeyPatch) -> None:
        """Let an application that is made from now on read this clock."""
        for place in CLOCKS:
            patch.setattr(place, lambda: self.now)


@dataclass(frozen=True, slots=True)
class Badge:
    """A token, and what it says."""

    roles: tuple[Role, ...]
    issued_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a request as who wrote it was answered."""

    asker: str
    digest: str
    tier: str
    mode: str
    until: date
    asked_at: datetime


@dataclass
class Office:
    """What happens, and what an onlooker knows of it without asking the application.

    Args:
        api: the application.
        database: its database.
        clock: the one it reads.
    """

    api: Api
    database: Database
    clock: OfficeClock
    badges: dict[str, list[Badge]] = field(default_factory=dict)
    #: By person, the newest token that was shown.
    shown: dict[str, Badge] = field(default_factory=dict)
    #: By person, the digests of the versions that he was shown in clear.
    has_read: dict[str, set[str]] = field(default_factory=dict)
    #: By customer, the account manager, as the feed was answered last.
    account_managers: dict[str, str | None] = field(default_factory=dict)
    versions: dict[tuple[str, int], Version] = field(default_factory=dict)
    #: Ids of requests and of delegations, the oldest first.
    requests: list[str] = field(default_factory=list)
    delegations: list[str] = field(default_factory=list)
    #: What was answered, by operation.
    answers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now

    @property
    def today(self) -> date:
        """The business day."""
        return business_day(self.now, self.api.settings.business_zone)

    def pass_time(self, time: timedelta) -> None:
        """Turn the clock; tokens that would expire are issued anew with the same roles."""
        self.clock.now += time
        for person, held in self.badges.items():
            if held[-1].issued_at + _LIFETIME < self.now + timedelta(hours=1):
                self.issue(person, held[-1].roles)
                self.badges[person] = held[-1:]

    def issue(self, person: str, roles: tuple[Role, ...]) -> None:
        """Give somebody a newer token, which nobody has seen yet."""
        self.clock.now += SECOND
        asked = TokenRequest(person, roles, lifetime=_LIFETIME + timedelta(hours=4))
        text = development_issuer(self.api.settings).sign(asked, self.now)
        at = self.now.replace(microsecond=0)
        self.badges.setdefault(person, []).append(Badge(roles, at, text))

    def badge(self, person: str, *, stale: bool = False) -> Badge:
        """The newest token of somebody, or an older one that is good still."""
        if person not in self.badges:
            self.issue(person, STAFF[person])
        held = self.badges[person]
        return held[0] if stale else held[-1]

    async def call(
        self,
        person: str,
        role: Role,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        stale: bool = False,
        **sent: Any,  # noqa: ANN401 - what the client sends.
    ) -> Response:
        """One request of somebody in one of his roles."""
        badge = self.badge(person, stale=stale)
        newest = self.shown.get(person)
        if newest is None or newest.issued_at < badge.issued_at:
            self.shown[person] = badge
        head = {"Authorization": f"Bearer {badge.text}", "X-Act-Role": role, **(headers or {})}
        if method == "POST":
            head.setdefault("Idempotency-Key", f"key {len(self.answers)}")
        answer = await self.api.client.request(method, path, headers=head, **sent)
        self._watch(person, method, path, answer)
        return answer

    def _watch(self, person: str, method: str, path: str, answer: Response) -> None:
        """See to it that the answer is one that is described, and note what it tells."""
        operation = _operation(self.api.app.openapi(), method, path)
        responses = operation["responses"]
        assert str(answer.status_code) in responses, (method, path, answer.text)
        told = answer.json()
        if answer.is_success:
            self.answers.append((operation["operationId"], str(answer.status_code)))
            self._read(person, told)
            return
        slug = told["type"].removeprefix("/problems/")
        assert slug in repr(responses[str(answer.status_code)]), (method, path, slug)
        self.answers.append((operation["operationId"], slug))

    def _read(self, person: str, told: Any) -> None:  # noqa: ANN401 - any body.
        if isinstance(told, dict) and told.get("statement") == STATEMENT:
            self.has_read.setdefault(person, set()).add(told["digest"])

    async def ask(
        self, person: str, customers: list[str], wanted: Mapping[str, Any], *, bulk: bool = False
    ) -> Response:
        """Ask for an override, or for the same one of many."""
        whom = {"customer_ids": customers} if bulk else {"customer_id": customers[0]}
        path = "/v1/overrides/bulk" if bulk else "/v1/overrides"
        body = {**whom, **self.wanted(wanted)}
        answer = await self.call(person, Role.ACCOUNT_MANAGER, "POST", path, json=body)
        if answer.is_success:
            self.requests.append(answer.json()["id"])
            self._note_version(person, answer)
        return answer

    def wanted(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What is asked for, as it is sent; `days` says until when."""
        until = self.today + timedelta(wanted["days"])
        return {
            "tier": wanted["tier"],
            "mode": wanted["mode"],
            "reason": "merger",
            "statement": STATEMENT,
            "valid_until": until.isoformat(),
        }

    def _note_version(self, person: str, answer: Response) -> None:
        told = answer.json()
        key = told["request_id"], told["version"]
        first = self.versions.get((told["request_id"], 1))
        self.versions[key] = Version(
            asker=person if first is None else first.asker,
            digest=told["digest"],
            tier=told["tier"],
            mode=told["mode"],
            until=date.fromisoformat(told["valid_until"]),
            asked_at=self.now if first is None else first.asked_at,
        )

    async def revise(self, person: str, id_: str, wanted: Mapping[str, Any]) -> Response:
        """Ask otherwise."""
        body, path = self.wanted(wanted), f"/v1/overrides/{id_}"
        role, head = Role.ACCOUNT_MANAGER, {"If-Match": "*"}
        answer = await self.call(person, role, "PUT", path, headers=head, json=body)
        if answer.is_success:
            # What was sent is what counts, and not what came back.
            told = answer.json()
            assert {name: told[name] for name in body} | {"statement": STATEMENT} == body
            self._note_version(person, answer)
        return answer

    async def add_evidence(self, person: str, id_: str, content: bytes) -> Response:
        """Add a file."""
        file = {"file": ("contract.txt", content, "text/plain")}
        path = f"/v1/overrides/{id_}/evidence"
        answer = await self.call(person, Role.ACCOUNT_MANAGER, "POST", path, files=file)
        if answer.is_success:
            self._note_version(person, answer)
        return answer

    async def read(self, person: str, role: Role, id_: str, *, purpose: bool = True) -> Response:
        """Read a request."""
        head = PURPOSE if purpose else {}
        return await self.call(person, role, "GET", f"/v1/overrides/{id_}", headers=head)

    async def decide(
        self, person: str, role: Role, id_: str, *, stale: bool = False, **changed: object
    ) -> Response:
        """Turn a key, or refuse to."""
        body = {"decision": "approve", "statement": WORD, **changed}
        path = f"/v1/overrides/{id_}/approvals"
        return await self.call(person, role, "POST", path, stale=stale, json=body)

    async def delegate(self, person: str, role: Role, to: str, days: int) -> Response:
        """Let a colleague act."""
        until = self.today + timedelta(days)
        body = {
            "delegate": to,
            "valid_from": self.today.isoformat(),
            "valid_to": until.isoformat(),
        }
        answer = await self.call(person, role, "POST", "/v1/override-delegations", json=body)
        if answer.is_success:
            self.delegations.append(answer.json()["id"])
        return answer

    async def put_customer(self, customer: str, account_manager: str | None, *, big: bool) -> None:
        """Say of a company who manages its account, and whether it is one of the register."""
        code = {"credit_code": "91330106MA27XY1234"} if big else {"credit_code": None}
        body = {"kind": "corporate", "name": "杭州示例科技有限公司", **code}
        path = f"/v1/customers/{customer}"
        sent = {**body, "account_manager": account_manager}
        answer = await self.call("feed", Role.INTEGRATION, "PUT", path, json=sent)
        assert answer.is_success, answer.text
        self.account_managers[customer] = account_manager

    async def tick(self) -> None:
        """Let the clock look."""
        state = self.api.app.state
        tick = Tick(self.database, state.vault, state.audit, self.now, self.today)
        self.answers.append(("tick", str((await keep_time(tick)).steps > 0)))


def _operation(description: Mapping[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation that is described for a path."""
    for template, operations in description["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        # What is spelt out goes before what has a parameter there.
        if template == path or (re.fullmatch(pattern, path) and path not in description["paths"]):
            found: dict[str, Any] = said_by(description, operations[method.lower()])
            return found
    raise LookupError(path)
