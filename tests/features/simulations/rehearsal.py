"""What tests of simulations share: a book, candidates, and a worker who does one job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any, Final

from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import load_document
from app.features.simulations.service import JOB_KIND, do_simulation
from app.infra.database import Database
from app.infra.documents import read_document
from app.infra.jobs import Lease
from app.infra.jobs.lease import claim
from app.infra.jobs.loop import settlement_of
from app.infra.settings import Settings
from tests.api import Api, Caller
from tests.factories.book import AS_OF

AUTHOR: Final = Caller(Role.RULE_AUTHOR, subject="an-author")
NEVER: Final = date(2199, 1, 1)
"""Rule sets that are stored decide from some day on, which in these tests does not come."""

CANDIDATE: Final = "motor-candidate"
LINE: Final = "motor"


def generous(premium: str = "3000", rule_set_id: str = CANDIDATE, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON.
    """The motor template with diamonds for a smaller premium, and what else is changed."""
    raw: dict[str, Any] = dict(
        read_document(
            resources.files("app.templates").joinpath("motor.yaml").read_text(encoding="utf-8")
        )
    )
    raw |= {"id": rule_set_id, "tests": [], **changed}
    tables = [
        {
            **table,
            "rules": [
                {"id": "TIER2", "when": {"annual_premium": f"> {premium}"}, "then": "diamond"}
            ],
        }
        if table["id"] == "tier"
        else table
        for table in raw["tables"]
    ]
    return {**raw, "tables": tables}


def watchful() -> dict[str, Any]:
    """The candidate with a table that leaves some without an answer: a gap that is a warning."""
    raw = generous()
    watched = {
        "id": "watch",
        "output": {"name": "watch", "values": ["closely", "loosely"]},
        "hit_policy": "unique",
        "complete": False,
        "inputs": ["premium_ratio", "tier"],
        "rules": [
            {"id": "W1", "when": {"premium_ratio": "> 1.5", "tier": "gold"}, "then": "closely"},
            {"id": "W2", "when": {"premium_ratio": "< 0.5"}, "then": "loosely"},
        ],
    }
    return {**raw, "tables": [*raw["tables"], watched]}


@dataclass
class Rehearsal:
    """A deployment with a book, whose worker is called by hand."""

    url: str
    settings: Settings
    database: Database
    api: Api

    async def store(self, document: Mapping[str, Any], valid_from: date = NEVER) -> int:
        """Store a document as a version, which decides from a day on; its number."""
        async with self.database.sessions.begin() as session:
            stored = await load_document(session, json.dumps(document), valid_from=valid_from)
        return stored.version

    async def ask(
        self,
        rule_set_id: str = CANDIDATE,
        *,
        caller: Caller = AUTHOR,
        headers: Mapping[str, str] | None = None,
        **wanted: Any,  # noqa: ANN401 - JSON.
    ) -> Response:
        """Ask for a simulation; of version 1 on the book's day unless something else is said."""
        body = {"candidate": {"version": 1}, "as_of": AS_OF.isoformat(), **wanted}
        path = f"/v1/rule-sets/{rule_set_id}/simulations"
        return await self.api.call("POST", path, caller, headers=headers, json=body)

    async def claim(self) -> Lease:
        """The job that waits."""
        async with self.database.sessions.begin() as session:
            lease = await claim(session, [JOB_KIND], 60)
        assert lease is not None
        return lease

    async def work(self, lease: Lease | None = None) -> None:
        """Do a job as a worker would."""
        held = lease or await self.claim()
        error: BaseException | None = None
        try:
            await do_simulation(self.url, self.settings, self.database, held)
        except Exception as raised:  # noqa: BLE001 - the loop judges whatever it is.
            error = raised
        async with self.database.sessions.begin() as session:
            await held.settle(session, settlement_of(held, error, 0.01))

    async def get(self, path: str, role: Role | Caller = Role.RISK_OFFICER) -> Any:  # noqa: ANN401 - JSON.
        """What is answered to a read."""
        answer = await self.api.get(path, role)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def simulate(self, rule_set_id: str = CANDIDATE, **wanted: Any) -> str:  # noqa: ANN401 - JSON.
        """Ask for a simulation and do it; where it is read."""
        asked = await self.ask(rule_set_id, **wanted)
        assert asked.status_code == 202, asked.text
        await self.work()
        return asked.headers["Location"]

    async def only(self) -> str:
        """Where the only simulation is read."""
        ((id_,),) = await self.rows("SELECT id FROM simulations")
        return f"/v1/rule-sets/{CANDIDATE}/simulations/{id_}"

    async def change(self, *statements: str, **values: object) -> None:
        """Change rows behind the service's back."""
        async with self.database.sessions.begin() as session:
            for statement in statements:
                await session.execute(text(statement), values)

    async def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        async with self.database.sessions() as session:
            return [tuple(row) for row in await session.execute(text(query), values)]


def matrix(cells: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Customers by tier before and after."""
    return {(cell["before"], cell["after"]): cell["customers"] for cell in cells}
