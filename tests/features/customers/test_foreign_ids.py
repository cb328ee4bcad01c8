"""A customer learns nothing of other ids: not by the answer, and not by what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession, Database
from app.infra.lanes import Connection
from tests.api import Api, Caller
from tests.factories.customers import put_customer, write
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked
from tests.lanes import BoundLanes

pytestmark = pytest.mark.anyio

ME = Caller(Role.CUSTOMER, "MINE")
#: My token is of before a merge.
FORMER_ME = Caller(Role.CUSTOMER, "FORMER")
#: Somebody with a tier, somebody without, an id merged into somebody, and an id that nobody has.
OTHERS = ("HIS", "HERS", "WAS-HIS", "NOBODY")
PATHS = ("", "/tier", "/tier/explanation", "/tier-history", "/consents", "/benefits")


async def _customers(api: Api, session: AsyncSession) -> None:
    """Myself and others."""
    for customer_id in ("MINE", "HIS", "HERS"):
        await put_customer(api, customer_id)
    for customer_id in ("MINE", "HIS"):
        await write_stand(session, Stand(customer_id))
    for alias, survivor in (("WAS-HIS", "HIS"), ("FORMER", "MINE")):
        row = CustomerAliasRow(alias_id=alias, customer_id=survivor, merged_on=date(2020, 5, 1))
        await write(session, row)


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


@contextmanager
def asked_of(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of the database meanwhile, over sessions and over lanes."""
    sent: list[str] = []
    lend = BoundLanes.lend

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "SAVEPOINT" not in statement:
            sent.append(statement)

    @asynccontextmanager
    async def lend_noted(lanes: BoundLanes) -> AsyncIterator[Connection]:
        sent.append("a lane")
        async with lend(lanes) as connection:
            yield connection

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(BoundLanes, "lend", lend_noted)
            yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("caller", [ME, FORMER_ME], ids=["present", "former"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_id_and_a_missing_one_cost_the_same_statements(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, path: str, caller: Caller
) -> None:
    # Thereafter the token is known, so that hot reads go the short way.
    assert (await api.get(f"/v1/customers/{caller.customer_id}{path}", caller)).status_code == 200
    costs: dict[str, list[str]] = {}
    for other in OTHERS:
        with asked_of(database, monkeypatch) as sent:
            answer = await api.get(f"/v1/customers/{other}{path}", caller)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
        costs[other] = sent
    assert len(costs["NOBODY"]) > 1
    assert all(cost == costs["NOBODY"] for cost in costs.values())


@pytest.mark.parametrize("caller", [ME, FORMER_ME], ids=["present", "former"])
async def test_nor_do_they_in_a_list_of_ids(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> None:
    # Thereafter the token is noted, which a first request waits for.
    await api.get("/v1/tiers", caller)
    costs: dict[str, list[str]] = {}
    bodies: list[dict[str, Any]] = []
    for other in OTHERS:
        with asked_of(database, monkeypatch) as sent:
            asked = {"customer_ids": [other]}
            answer = await api.call("POST", "/v1/tier-lookups", caller, json=asked)
        assert answer.status_code == 200
        bodies.append({key: str(said).replace(other, "") for key, said in answer.json().items()})
        costs[other] = sent
    assert all(cost == costs["NOBODY"] for cost in costs.values())
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize("path", PATHS)
async def test_every_id_of_ones_own_is_answered(api: Api, path: str) -> None:
    for caller in (ME, FORMER_ME):
        for own in ("MINE", "FORMER"):
            answer = await api.get(f"/v1/customers/{own}{path}", caller)
            assert answer.status_code == 200
