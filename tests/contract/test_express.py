"""The express way answers byte for byte what the ordinary way does, or leaves it the request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from httpx import Response
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.privacy.roles import Role
from app.features.benefits.service import install_benefits
from app.features.sla.service import install_sla
from app.infra.database import AsyncSession
from app.infra.edge import Edge
from app.infra.express import ExpressWay
from tests.api import Api
from tests.contract.sentinels import CUSTOMER, SEATS, write_evaluated, write_sentinels

pytestmark = pytest.mark.anyio

PATHS = (
    f"/v1/customers/{CUSTOMER}/tier",
    f"/v1/customers/{CUSTOMER}",
    "/v1/customers/nobody/tier",
    "/v1/customers/nobody",
    "/v1/tiers/gold/sla",
    "/v1/tiers/platinum/sla",
)
#: A header that has no business with a GET, so that the ordinary way answers.
ODD = {"Content-Length": "0"}


class Recording:
    """The ordinary way, which counts whom it serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.served += 1
        await self.app(scope, receive, send)


async def recording(api: Api, session: AsyncSession) -> Recording:
    """The ordinary way of an application with services and benefits."""
    await install_sla(session)
    await install_benefits(session)
    edge = api.app.middleware_stack
    assert isinstance(edge, Edge)
    assert isinstance(edge.app, ExpressWay)
    edge.app.app = found = Recording(edge.app.app)
    return found


@pytest.fixture
async def ordinary(api: Api, session: AsyncSession, templates: None) -> Recording:  # noqa: ARG001 - decisions name a rule set.
    """The ordinary way of an application that knows the customer of the sentinels."""
    await write_evaluated(api, session)
    return await recording(api, session)


@pytest.fixture
async def ordinary_of_all(api: Api, session: AsyncSession, templates: None) -> Recording:  # noqa: ARG001 - decisions name a rule set.
    """The same, with an override that waits, which takes longer to write."""
    await write_sentinels(api, session)
    return await recording(api, session)


def told(answer: Response) -> tuple[int, bytes, Mapping[str, str]]:
    """All of an answer but the id of its request, and how many the quota still has."""
    own = {"x-request-id", "ratelimit"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    body = answer.content
    if answer.is_error:
        body = body.replace(answer.json()["request_id"].encode(), b"")
    return answer.status_code, body, headers


async def events(session: AsyncSession) -> list[dict[str, object]]:
    """What the audit holds, but for ids and times."""
    rows = await session.execute(text("SELECT * FROM audit_events ORDER BY at, seq"))
    own = {"id", "writer", "seq", "at"}
    return [
        {name: value for name, value in row.items() if name not in own} for row in rows.mappings()
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_both_ways_say_and_write_down_the_same(
    api: Api, ordinary_of_all: Recording, session: AsyncSession, language: str
) -> None:
    for path, seat in product(PATHS, SEATS):
        held = SEATS[seat]
        headers = {**(held.headers or {}), "Accept-Language": language}
        before = len(await events(session))
        first = told(await api.get(path, held.caller, headers={**headers, **ODD}))
        second = told(await api.get(path, held.caller, headers=headers))
        assert first == second, (path, seat)
        written = (await events(session))[before:]
        assert written[: len(written) // 2] == written[len(written) // 2 :], (path, seat)
    assert ordinary_of_all.served < 2 * len(PATHS) * len(SEATS)


@pytest.mark.parametrize("path", PATHS[:2] + PATHS[4:5])
async def test_an_ordinary_hot_read_takes_the_express_way(
    api: Api, ordinary: Recording, path: str
) -> None:
    assert (await api.get(path, Role.AGENT)).status_code == 200
    before = ordinary.served
    answer = await api.get(path, Role.AGENT)
    assert (answer.status_code, ordinary.served) == (200, before)


async def test_what_is_known_already_is_not_sent_again(api: Api, ordinary: Recording) -> None:
    tag = (await api.get(PATHS[0], Role.AGENT)).headers["etag"]
    before = ordinary.served
    answer = await api.get(PATHS[0], Role.AGENT, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content, ordinary.served) == (304, b"", before)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"X-Act-Role": "compliance"}, ""),
        ({"X-Purpose": "curiosity"}, ""),
        ({"Content-Length": "0"}, ""),
        ({"Authorization": "Basic x"}, ""),
        ({}, "?x=1"),
    ],
)
async def test_what_is_out_of_the_ordinary_goes_the_ordinary_way(
    api: Api, ordinary: Recording, headers: dict[str, str], query: str
) -> None:
    await api.get(PATHS[0], Role.AGENT)
    before = ordinary.served
    signed = {"Authorization": f"Bearer {api.token(SEATS['agent'].caller)}", **headers}
    await api.client.get(PATHS[0] + query, headers=signed)
    assert ordinary.served == before + 1


async def test_a_header_that_stands_twice_goes_the_ordinary_way(
    api: Api, ordinary: Recording
) -> None:
    await api.get(PATHS[0], Role.AGENT)
    signed = ("Authorization", f"Bearer {api.token(SEATS['agent'].caller)}")
    twice = [signed, ("X-Purpose", "audit"), ("X-Purpose", "claims_handling")]
    before = ordinary.served
    answer = await api.client.get(PATHS[0], headers=twice)
    assert (answer.status_code, ordinary.served) == (400, before + 1)


async def test_whatever_goes_wrong_is_for_the_ordinary_way_to_tell(
    api: Api, ordinary: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = await api.get(PATHS[0], Role.AGENT)
    way = api.app.middleware_stack.app  # type: ignore[union-attr]

    async def broken(*_: object) -> None:
        message = "SECRET"
        raise KeyError(message)

    for _, _, lookups in way._routes:  # noqa: SLF001 - what the routes ask.
        monkeypatch.setattr(lookups, "find", broken)
    before = ordinary.served
    answer = await api.get(PATHS[0], Role.AGENT)
    assert (answer.status_code, answer.content) == (200, expected.content)
    assert ordinary.served == before + 1
    assert "a hot read failed" in caplog.text


async def test_without_its_audit_event_no_hot_read_is_answered(
    api: Api, ordinary: Recording, session: AsyncSession
) -> None:
    assert (await api.get(PATHS[0], Role.AGENT)).status_code == 200
    body = "BEGIN RAISE 'disk full' USING ERRCODE = '53100'; END"
    await session.execute(
        text(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    )
    await session.execute(
        text("CREATE TRIGGER refuse BEFORE INSERT ON audit_events EXECUTE FUNCTION refuse()")
    )
    await session.commit()
    before = ordinary.served
    for path in PATHS[:2]:
        answer = await api.get(path, Role.AGENT)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert CUSTOMER not in answer.text
    # The express way tried, and left it to the ordinary way to tell.
    assert ordinary.served == before + 2
