from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database, create_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C00000007/evaluations"
BODY = {"as_of": AS_OF.isoformat()}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
OFFICER = Caller(Role.RISK_OFFICER, subject="officer-1")
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-7")


@pytest.fixture
async def book(session: AsyncSession) -> None:
    """A small book, with the templates in force."""
    await write_book(session, 40)
    await put_templates(session)
    await session.commit()


async def count(session: AsyncSession, table: str) -> int:
    """Rows of a table."""
    return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.mark.usefixtures("book")
async def test_a_repetition_answers_the_first_decision_and_makes_no_second(
    api: Api, session: AsyncSession
) -> None:
    first = await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)
    again = await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await count(session, "decisions") == 1
    told = await session.execute(text("SELECT outcome, status FROM audit_events ORDER BY at, seq"))
    assert [tuple(row) for row in told] == [("changed", 201), ("answered", 201)]


@pytest.mark.usefixtures("book")
async def test_without_a_key_each_request_has_its_effect(api: Api, session: AsyncSession) -> None:
    for _ in range(2):
        assert (await api.call("POST", PATH, OFFICER, json=BODY)).status_code == 201
    assert await count(session, "decisions") == 2
    assert await count(session, "idempotency_keys") == 0


@pytest.mark.usefixtures("book")
async def test_a_repetition_is_written_for_who_asks_now(api: Api) -> None:
    first = await api.call("POST", PATH, MANAGER, headers=KEY, json=BODY)
    chinese = {**KEY, "Accept-Language": "zh"}
    again = await api.call("POST", PATH, MANAGER, headers=chinese, json=BODY)
    assert again.json()["id"] == first.json()["id"]
    assert (first.headers["Content-Language"], again.headers["Content-Language"]) == ("en", "zh")
    assert again.json()["reasons"] != first.json()["reasons"]


@pytest.mark.usefixtures("book")
async def test_a_key_is_good_for_one_request_only(api: Api, session: AsyncSession) -> None:
    assert (await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)).status_code == 201
    later = {"as_of": (AS_OF + timedelta(days=1)).isoformat()}
    elsewhere = PATH.replace("07/", "08/")
    asked = [(PATH, later), (PATH, None), (f"{PATH}?x=1", BODY), (elsewhere, BODY)]
    for path, body in asked:
        refused = await api.call("POST", path, OFFICER, headers=KEY, json=body)
        assert refused.status_code == 422, path
        assert refused.json()["type"] == "/problems/idempotency-key-reused"
        assert "8e03978e" not in refused.text
    assert await count(session, "decisions") == 1


@pytest.mark.usefixtures("book")
async def test_a_key_belongs_to_its_caller_in_his_role(api: Api, session: AsyncSession) -> None:
    callers = [OFFICER, Caller(Role.RISK_OFFICER, subject="officer-2"), MANAGER]
    callers.append(Caller(Role.BUSINESS_OFFICER, subject="officer-1"))
    for caller in callers:
        answer = await api.call("POST", PATH, caller, headers=KEY, json=BODY)
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers
    assert await count(session, "decisions") == len(callers)


@pytest.mark.usefixtures("book")
async def test_a_repetition_is_refused_like_any_request(api: Api, session: AsyncSession) -> None:
    assert (await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)).status_code == 201
    missing = await api.call("POST", PATH.replace("07/", "99/"), OFFICER, headers=KEY, json=BODY)
    assert missing.status_code == 404
    assert (await api.call("POST", PATH, Role.AGENT, headers=KEY, json=BODY)).status_code == 403
    assert (await api.call("POST", PATH, headers=KEY, json=BODY)).status_code == 401
    assert await count(session, "idempotency_keys") == 1


@pytest.mark.usefixtures("book")
async def test_an_effect_that_failed_leaves_no_row(api: Api, session: AsyncSession) -> None:
    future = {"as_of": (utc_now().date() + timedelta(days=9)).isoformat()}
    refused = await api.call("POST", PATH, OFFICER, headers=KEY, json=future)
    assert refused.status_code in {409, 422}
    assert await count(session, "idempotency_keys") == 0
    assert (await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)).status_code == 201


@pytest.mark.usefixtures("book")
async def test_after_a_day_the_key_is_new_and_expired_rows_go(
    api: Api, session: AsyncSession
) -> None:
    headers = [{"Idempotency-Key": f"key-{number}"} for number in range(3)]
    for key in headers:
        assert (await api.call("POST", PATH, OFFICER, headers=key, json=BODY)).status_code == 201
    await session.execute(
        text("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'")
    )
    await session.commit()
    answer = await api.call("POST", PATH, OFFICER, headers=headers[0], json=BODY)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert await count(session, "decisions") == 4
    await api.call("POST", PATH, OFFICER, headers=headers[1], json=BODY)
    live = "idempotency_keys WHERE expires_at > now()"
    assert await count(session, live) == await count(session, "idempotency_keys") == 2


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "gr\u00fc\u00df"])
async def test_what_is_no_key_is_refused(api: Api, session: AsyncSession, key: str) -> None:
    sent: list[tuple[bytes, bytes]] = [(b"Idempotency-Key", key.encode("latin-1"))]
    sent.append((b"Authorization", f"Bearer {api.token(OFFICER)}".encode()))
    answer = await api.client.post(PATH, headers=sent, json=BODY)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]
    assert await count(session, "decisions") == 0


@pytest.mark.usefixtures("book")
async def test_two_keys_in_one_request_are_refused(api: Api) -> None:
    sent = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    sent.append(("Authorization", f"Bearer {api.token(OFFICER)}"))
    answer = await api.client.post(PATH, headers=sent, json=BODY)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")


async def test_ten_at_once_have_one_effect_and_one_answer(
    settings: Settings, committed: Database
) -> None:
    async with committed.sessions.begin() as session:
        await write_book(session, 40)
        await put_templates(session)
    async with open_api(create_app(settings, committed), settings) as api:
        calls = [api.call("POST", PATH, OFFICER, headers=KEY, json=BODY) for _ in range(10)]
        answers = await asyncio.gather(*calls)
    assert [answer.status_code for answer in answers] == [201] * 10
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotent-Replayed", "-") for answer in answers) == [
        "-",
        *["true"] * 9,
    ]
    async with committed.sessions() as session:
        assert await count(session, "decisions") == 1
        assert await count(session, "audit_events") == 10


async def test_even_past_the_lock_there_is_one_effect(
    settings: Settings, committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pass_by(*_: object) -> None:
        """No lock is taken."""

    monkeypatch.setattr("app.infra.idempotency.OneEffect._lock", pass_by)
    async with committed.sessions.begin() as session:
        await write_book(session, 40)
        await put_templates(session)
    async with open_api(create_app(settings, committed), settings) as api:
        calls = [api.call("POST", PATH, OFFICER, headers=KEY, json=BODY) for _ in range(5)]
        statuses = {answer.status_code for answer in await asyncio.gather(*calls)}
    assert 201 in statuses
    assert statuses <= {201, 409}
    async with committed.sessions() as session:
        assert await count(session, "decisions") == 1
        assert await count(session, "idempotency_keys") == 1


async def test_who_waits_too_long_is_told_to_come_back(
    settings: Settings, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.database._LOCK_TIMEOUT_SECONDS", 1)
    monkeypatch.setattr("app.infra.idempotency._Scope.lock", lambda _: 42)
    database = create_database(fresh_database_url, settings)
    async with database.sessions.begin() as session:
        await write_book(session, 40)
        await put_templates(session)
    async with (
        open_api(create_app(settings, database), settings) as api,
        database.sessions() as one,
    ):
        await one.execute(text("SELECT pg_advisory_xact_lock(42)"))
        refused = await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)
        assert (refused.status_code, refused.headers["Retry-After"]) == (409, "2")
        assert refused.json()["type"] == "/problems/idempotency-key-in-use"
        assert await count(one, "decisions") == 0
        await one.rollback()
        assert (await api.call("POST", PATH, OFFICER, headers=KEY, json=BODY)).status_code == 201
    await database.close()
