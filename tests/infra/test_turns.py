"""Turns: who waits, for whom, and that readers and probes never do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from httpx import Response
from sqlalchemy import event, text
from sqlalchemy.pool import QueuePool

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import install_templates
from app.infra.database import Database, create_database, open_database
from app.infra.problems import ProblemError
from app.infra.settings import Settings
from app.infra.turns import Turns, create_proving_places, create_turns, turn_of
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.customers import INDIVIDUAL, put_customer
from tests.locks import until_somebody_waits
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

ME, OTHER = ("issuer", "me"), ("issuer", "other")
OFFICER = Caller(Role.RISK_OFFICER, subject="officer-1")
FEED = Caller(Role.INTEGRATION, subject="feed-1")
SECOND_FEED = Caller(Role.INTEGRATION, subject="feed-2")
AGENT = Caller(Role.AGENT, subject="agent-1")
PURPOSE = {"X-Purpose": "customer_service"}
#: Only reads by way of a body.
READS_BY_BODY: Final = {"find_tiers"}
ALL_AT_ONCE: Final = 20
#: How long who is to be refused waits for a turn or a lock. A deployment waits five times as long.
MOMENT_SECONDS: Final = 1


async def settle() -> None:
    """Let everybody who can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class Takers:
    """Tasks that take a turn each and keep it until they are told."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.has: list[str] = []
        self._done = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def _take(self, name: tuple[str, str]) -> None:
        await self.turns.take(name)
        self.has.append(name[1])
        await self._done.wait()
        self.turns.give_back(name)

    def begin(self, name: tuple[str, str], times: int) -> None:
        """Want that many turns at once."""
        self.tasks += [asyncio.create_task(self._take(name)) for _ in range(times)]

    async def end(self) -> None:
        """Give all turns back, and wait for who comes after."""
        self._done.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_one_actor_has_some_turns_and_leaves_the_others_to_others() -> None:
    takers = Takers(Turns(3, 2))
    takers.begin(ME, 10)
    await settle()
    assert takers.has == ["me", "me"]
    takers.begin(OTHER, 2)
    await settle()
    assert takers.has == ["me", "me", "other"]
    await takers.end()
    assert Counter(takers.has) == {"me": 10, "other": 2}
    assert len(takers.turns) == 0


async def test_who_waits_too_long_is_refused_and_keeps_no_turn() -> None:
    turns = Turns(2, 1, patience_seconds=0.01)
    await turns.take(ME)
    with pytest.raises(ProblemError) as caught:
        await turns.take(ME)
    assert caught.value.slug == "unavailable"
    await turns.take(OTHER)
    # He has his own turn by now, and waits for one of all.
    with pytest.raises(ProblemError):
        await turns.take(("issuer", "third"))
    turns.give_back(ME)
    await turns.take(("issuer", "third"))
    turns.give_back(OTHER)
    turns.give_back(("issuer", "third"))
    assert len(turns) == 0
    await turns.take(ME)
    await turns.take(OTHER)


async def test_who_is_cancelled_while_he_waits_keeps_no_turn() -> None:
    turns = Turns(1, 1)
    await turns.take(ME)
    waiting = [asyncio.create_task(turns.take(name)) for name in (ME, OTHER)]
    await settle()
    for task in waiting:
        task.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
    turns.give_back(ME)
    assert len(turns) == 0
    await turns.take(OTHER)


@pytest.mark.parametrize(("pool_size", "most"), [(1, 1), (2, 1), (4, 2), (10, 5), (200, 100)])
def test_half_of_the_connections_are_left_to_readers(
    settings: Settings, pool_size: int, most: int
) -> None:
    turns = create_turns(settings.model_copy(update={"pool_size": pool_size}))
    assert turns._free._value == most  # noqa: SLF001 - what the deployment comes to.
    assert turns._most_of_one == (most + 1) // 2  # noqa: SLF001 - likewise.


@pytest.mark.parametrize(("pool_size", "most"), [(1, 1), (4, 1), (8, 2), (10, 2), (200, 2)])
def test_half_of_the_turns_are_left_to_who_has_nothing_proved(
    settings: Settings, pool_size: int, most: int
) -> None:
    places = create_proving_places(settings.model_copy(update={"pool_size": pool_size}))
    assert places._free._value == most  # noqa: SLF001 - what the deployment comes to.
    assert places._most_of_one == 1  # noqa: SLF001 - likewise.


def takes_turns(dependant: Dependant) -> bool:
    """Whether a route asks for a turn."""
    return dependant.call is turn_of or any(map(takes_turns, dependant.dependencies))


async def test_every_route_that_changes_or_costs_something_takes_a_turn(api: Api) -> None:
    without = {
        context.name
        for context in iter_route_contexts(api.app.routes)
        if not set(context.methods or ()) <= {"GET", "HEAD", "OPTIONS"}
        and (dependant := getattr(context, "dependant", None)) is not None
        and not takes_turns(dependant)
    }
    assert without == READS_BY_BODY


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Four connections, of which two are for turns, one of them for one actor."""
    return settings.model_copy(update={"pool_size": 4})


@pytest.fixture
async def onlooker(settings: Settings, fresh_database_url: str) -> AsyncIterator[Database]:
    """Connections beside the pool."""
    async with open_database(fresh_database_url, settings) as opened:
        yield opened


@pytest.fixture
def patience() -> int:
    """How long anybody waits for a turn, or for a lock, in seconds."""
    return MOMENT_SECONDS


@pytest.fixture
async def committed(
    fresh_database_url: str, settings: Settings, patience: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """A pool whose connections wait so long for locks of others."""
    monkeypatch.setattr("app.infra.database._LOCK_TIMEOUT_SECONDS", patience)
    opened = create_database(fresh_database_url, settings)
    yield opened
    await opened.close()


@pytest.fixture
async def api(
    settings: Settings, committed: Database, patience: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The application over the pool, with two customers."""
    async with committed.sessions.begin() as session:
        await install_templates(session)
    async with open_api(create_app(settings, committed), settings) as opened:
        monkeypatch.setattr(opened.app.state.turns, "_patience", patience)
        for customer_id in ("BUSY", "FREE"):
            await put_customer(opened, customer_id)
        yield opened


@contextmanager
def most_in_use(database: Database) -> Iterator[list[int]]:
    """How many connections of the pool are in use at a time meanwhile, whenever one is taken."""
    engine = database.engine.sync_engine
    noted: list[int] = []

    def note(*_told: object) -> None:
        pool = engine.pool
        assert isinstance(pool, QueuePool)
        noted.append(pool.checkedout())

    event.listen(engine, "checkout", note)
    try:
        yield noted
    finally:
        event.remove(engine, "checkout", note)


async def ask(api: Api, what: str) -> Response:
    """One request for the busy customer."""
    busy = "/v1/customers/BUSY"
    if what == "put":
        body = {**INDIVIDUAL, "city": "苏州"}
        return await api.call("PUT", busy, FEED, json=body)
    if what == "conditional put":
        return await api.call("PUT", busy, FEED, headers={"If-Match": "*"}, json=INDIVIDUAL)
    if what == "consents":
        body = {"items": [{"purpose": "behaviour", "given_on": "2020-01-01", "basis": "consent"}]}
        return await api.call("PUT", f"{busy}/consents", FEED, json=body)
    if what == "merge":
        return await api.call("POST", f"{busy}/merge", FEED, json={"into": "FREE"})
    return await api.call("POST", f"{busy}/evaluations", OFFICER)


@pytest.mark.parametrize("what", ["put", "conditional put", "consents", "merge", "evaluation"])
async def test_readers_probes_and_other_writers_are_answered_while_writers_wait(
    api: Api, committed: Database, onlooker: Database, what: str
) -> None:
    with most_in_use(committed) as in_use:
        await writers_wait(api, onlooker, what)
    # One is the actor's who waits, and one is of who is answered meanwhile.
    assert max(in_use) == 2
    # Nobody kept his turn.
    assert len(api.app.state.turns) == 0
    after = await ask(api, what)
    assert after.status_code in {200, 201}


async def writers_wait(api: Api, onlooker: Database, what: str) -> None:
    """Many of one actor's requests for a customer who is locked; what others are answered."""
    async with onlooker.sessions.begin() as session:
        lock = text("SELECT FROM customers WHERE customer_id = 'BUSY' FOR UPDATE")
        await session.execute(lock)
        writers = [asyncio.create_task(ask(api, what)) for _ in range(ALL_AT_ONCE)]
        await until_somebody_waits(onlooker)
        answers = [
            await api.get("/readyz"),
            await api.get("/v1/customers?limit=1", AGENT),
            await api.get("/v1/customers/BUSY/consents", AGENT),
            await api.get("/v1/customers/BUSY", AGENT),
            await api.get("/v1/tiers", AGENT),
        ]
        if what != "merge":
            # A merge keeps everybody else's merges waiting, and nothing but these.
            body = {**INDIVIDUAL, "city": "杭州"}
            answers.append(await api.call("PUT", "/v1/customers/FREE", SECOND_FEED, json=body))
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        # The lock is held on: who waits for it gives up before the lock does.
        refused = await asyncio.gather(*writers)
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["Retry-After"] == "2" for answer in refused)
    assert {answer.json()["type"] for answer in refused} == {"/problems/unavailable"}


@pytest.mark.parametrize("patience", [PATIENCE_SECONDS])
async def test_one_actors_searches_wait_for_each_other_and_nobody_for_them(
    api: Api, onlooker: Database
) -> None:
    writer = api.app.state.audit
    digest = writer.actor_digest(api.settings.issuer, AGENT.subject or "")
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))")

    async def search(caller: Caller) -> Response:
        path, body = "/v1/customers/search", {"phone": "13800000000"}
        return await api.call("POST", path, caller, headers=PURPOSE, json=body)

    async with onlooker.sessions.begin() as session:
        await session.execute(lock, {"who": f"search {digest}"})
        searches = [asyncio.create_task(search(AGENT)) for _ in range(ALL_AT_ONCE)]
        await until_somebody_waits(onlooker)
        assert (await search(Caller(Role.AGENT, subject="agent-2"))).status_code == 200
        assert (await api.get("/readyz")).status_code == 200
    answers = await asyncio.gather(*searches)
    assert {answer.status_code for answer in answers} == {200}


async def test_probes_take_one_lane_however_many_there_are(api: Api) -> None:
    answers = await asyncio.gather(*(api.get("/readyz") for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    lanes = api.app.state.database.lanes
    assert lanes._pool.get_size() <= 2  # noqa: SLF001 - the audit's own, and that of the probes.


async def test_a_busy_pool_is_still_ready(api: Api, committed: Database) -> None:
    connections = [await committed.engine.connect() for _ in range(4)]
    try:
        assert (await api.get("/readyz")).status_code == 200
    finally:
        for connection in connections:
            await connection.close()
