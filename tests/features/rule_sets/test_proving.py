"""Proofs for callers: who waits for one holds up nobody, and who has gone has none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from httpx import Response
from starlette.types import Message

from app.domain.privacy.roles import Role
from app.domain.rules.check import Proof
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.findings import Finding
from app.domain.rules.model import RuleSetDocument
from app.features.publications.service import publishing
from app.features.rule_sets.service import versions
from app.infra import prover, proving
from app.infra.database import Database
from app.infra.settings import Settings
from app.infra.turns import turn_of
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.customers import INDIVIDUAL, put_customer
from tests.factories.templates import put_templates
from tests.features.rule_sets.desk import ADA, ALAN, BEA, CLEO, RuleDesk, overlay
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

CHECK = "/v1/rule-sets/check"
AGENT = Caller(Role.AGENT, subject="agent-1")
FEED = Caller(Role.INTEGRATION, subject="feed-1")
OFFICER = Caller(Role.RISK_OFFICER, subject="officer-1")
AT_ONCE = 40


class Slow:
    """Stands for the prover: it has no proof until it is told, and notes who is given up."""

    def __init__(self) -> None:
        self.begun = 0
        self.given_up = 0
        self.goes_on = asyncio.Event()

    async def prove(self, _document: RuleSetDocument) -> Proof:
        """Wait with the proof."""
        await self._wait()
        return Proof((), (), ())

    async def check(self, *_raw: object) -> tuple[Finding, ...]:
        """Wait with what is found."""
        await self._wait()
        return (Finding("objective", "bad-choice", "", ""),)

    async def _wait(self) -> None:
        self.begun += 1
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise

    async def until(self, begun: int, given_up: int = 0) -> None:
        """Wait until that many are begun and given up."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (self.begun, self.given_up) != (begun, given_up):  # noqa: ASYNC110 - documents are read in threads.
                await asyncio.sleep(0.001)


@pytest.fixture
async def api(settings: Settings, committed: Database) -> AsyncIterator[Api]:
    """The application over a pool of its own, so that requests are really concurrent."""
    async with committed.sessions.begin() as session:
        await put_templates(session)
    async with open_api(create_app(settings, committed), settings) as opened:
        opened.app.state.proving_places._patience = 0.2  # noqa: SLF001 - as long as tests may wait.
        yield opened


@pytest.fixture
def slow(api: Api) -> Iterator[Slow]:
    """A prover that is not done before it is told."""
    api.app.state.prover = slow = Slow()
    yield slow
    # Nobody kept anything.
    assert len(api.app.state.proving_places) == 0
    assert len(api.app.state.turns) == 0


async def check(api: Api, caller: Caller, **changed: object) -> Response:
    raw = {**overlay(), **changed}
    return await api.call("POST", f"{CHECK}?count=false", caller, json=raw)


def takes(dependant: Dependant, what: object) -> bool:
    return dependant.call is what or any(takes(each, what) for each in dependant.dependencies)


async def test_whatever_proves_for_a_caller_takes_a_place_before_it_takes_a_turn(api: Api) -> None:
    proves = {}
    for context in iter_route_contexts(api.app.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is None or not takes(dependant, proving.prover_for_caller):
            continue
        order = [
            next(at for at, each in enumerate(dependant.dependencies) if takes(each, what))
            for what in (proving.prover_for_caller, turn_of)
        ]
        proves[context.name] = order == sorted(order)
    assert proves == dict.fromkeys(
        ("check_rule_set", "create_simulation", "publish_rule_set"), True
    )


async def test_a_full_lane_starves_nobody_and_who_gets_no_place_is_told_when_to_come_back(
    api: Api, slow: Slow
) -> None:
    await put_customer(api, "C1")
    patient = [asyncio.create_task(check(api, ADA)), asyncio.create_task(check(api, ALAN))]
    await slow.until(begun=2)
    callers = [Caller(Role.RULE_AUTHOR, subject=f"author-{at}") for at in range(AT_ONCE)]
    crowd = [asyncio.create_task(check(api, caller)) for caller in [ADA, ALAN, *callers]]
    # The turns that are left, and connections, are for everybody else meanwhile.
    answers = [
        await api.get("/v1/customers/C1", AGENT),
        await api.get("/readyz"),
        await api.get("/v1/rule-sets", CLEO),
        await api.call("PUT", "/v1/customers/C1", FEED, json=INDIVIDUAL),
        await api.call("POST", "/v1/customers/C1/evaluations", OFFICER),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 201]
    for refused in await asyncio.gather(*crowd):
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "2"
        assert refused.json()["type"] == "/problems/unavailable"
    assert slow.begun == 2
    slow.goes_on.set()
    assert [found.status_code for found in await asyncio.gather(*patient)] == [200, 200]


async def test_one_caller_has_one_proof_and_leaves_the_other_place_to_others(
    api: Api, slow: Slow
) -> None:
    first = asyncio.create_task(check(api, ADA))
    await slow.until(begun=1)
    assert (await check(api, ADA)).status_code == 503
    other = asyncio.create_task(check(api, BEA))
    await slow.until(begun=2)
    slow.goes_on.set()
    assert {found.status_code for found in await asyncio.gather(first, other)} == {200}


async def test_what_can_be_read_of_a_document_with_errors_is_proved_in_such_a_place(
    api: Api, slow: Slow
) -> None:
    broken = asyncio.create_task(check(api, ADA, objective=7))
    await slow.until(begun=1)
    assert (await check(api, ADA)).status_code == 503
    slow.goes_on.set()
    answer = (await broken).json()
    assert [finding["path"] for finding in answer["findings"]] == ["objective"]
    assert (answer["ok"], answer["hash"]) == (False, None)


class Line:
    """The connection of one caller, who sends his document when he likes, and hangs up."""

    def __init__(self) -> None:
        self.is_listened_to = asyncio.Event()
        self.sends = asyncio.Event()
        self.hangs_up = asyncio.Event()

    async def receive(self) -> Message:
        """What comes next of him."""
        self.is_listened_to.set()
        if self.sends.is_set():
            await self.hangs_up.wait()
            return {"type": "http.disconnect"}
        await self.sends.wait()
        return {"type": "http.request", "body": json.dumps(overlay()).encode()}

    async def send(self, _message: Message) -> None:
        """Nobody is there to hear it."""

    async def check(self, api: Api, caller: Caller) -> None:
        """Ask for a check of a document to come."""
        headers = {
            "authorization": f"Bearer {api.token(caller)}",
            "content-type": "application/json",
            "transfer-encoding": "chunked",
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": CHECK,
            "raw_path": CHECK.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("tiering.test", 80),
        }
        await api.app(scope, self.receive, self.send)


async def test_the_proof_of_a_caller_who_hangs_up_is_given_up(api: Api, slow: Slow) -> None:
    line = Line()
    asked = asyncio.create_task(line.check(api, ADA))
    await line.is_listened_to.wait()
    line.sends.set()
    await slow.until(begun=1)
    line.hangs_up.set()
    await slow.until(begun=1, given_up=1)
    await asked
    # The place is free at once.
    following = asyncio.create_task(check(api, ADA))
    await slow.until(begun=2, given_up=1)
    slow.goes_on.set()
    assert (await following).status_code == 200


async def test_who_sends_slowly_has_no_place_before_his_document_is_there(
    api: Api, slow: Slow
) -> None:
    lines = [Line(), Line()]
    asked = [
        asyncio.create_task(line.check(api, caller))
        for line, caller in zip(lines, (ADA, ALAN), strict=True)
    ]
    for line in lines:
        await line.is_listened_to.wait()
    assert len(api.app.state.proving_places) == 0
    slow.goes_on.set()
    assert (await check(api, BEA)).status_code == 200
    for line in lines:
        line.sends.set()
    await asyncio.gather(*asked)
    assert slow.begun == 3


async def test_the_proof_of_a_request_that_takes_too_long_is_given_up(
    settings: Settings, committed: Database, slow: Slow
) -> None:
    short = settings.model_copy(update={"request_timeout_seconds": 2})
    async with open_api(create_app(short, committed), short) as api:
        # What is made once is made by now: all of the time is the proof's.
        assert (await check(api, ADA)).status_code == 200
        api.app.state.prover = slow
        late = await check(api, ADA)
        assert (late.status_code, late.json()["type"]) == (503, "/problems/timeout")
        assert late.headers["Retry-After"] == "2"
        await slow.until(begun=1, given_up=1)
        assert len(api.app.state.proving_places) == 0


async def test_a_stored_version_is_compiled_once_and_not_by_who_answers_everybody(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []

    def noted(*given: Any) -> Any:  # noqa: ANN401 - the compiler's own.
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        compiled.append(given)
        return compile_rule_set(*given)

    monkeypatch.setattr(versions, "compile_rule_set", noted)
    monkeypatch.setattr(versions, "_compiled", type(versions._compiled)())  # noqa: SLF001 - a process just started.
    asked = [api.get("/v1/rule-sets/all/versions/1", CLEO) for _ in range(4)]
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
    assert len(compiled) == 1


async def test_what_was_checked_is_not_proved_again_when_it_is_simulated_and_published(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = RuleDesk(api)
    proved: list[bytes] = []

    async def prove(canonical: bytes) -> Proof:
        proved.append(canonical)
        return Proof((), (), ())

    async def has_rehearsed(*_session: object, **_of: object) -> bool:
        return True

    monkeypatch.setattr(prover, "prove_aside", prove)
    monkeypatch.setattr(publishing, "has_rehearsed", has_rehearsed)
    await rules.opened()
    await rules.edit(overlay())
    assert (await check(api, ADA)).json()["ok"] is True
    simulated = await rules.send("POST", "/own/simulations", ADA, {})
    assert simulated.status_code == 202, simulated.text
    await rules.published()
    assert len(proved) == 1
