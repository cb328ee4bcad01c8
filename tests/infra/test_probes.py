"""Liveness asks nobody; readiness asks everything an answer needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.cipher import ensure_subject_keys
from app.infra.database import AsyncSession, Database, create_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api

pytestmark = pytest.mark.anyio

CHECKS = ("status", "database", "migrations", "audit", "keys", "tokens")
READY = dict.fromkeys(CHECKS, "ok") | {"serving": "ok"}
NOT_READY = dict.fromkeys(CHECKS, "failed") | {"tokens": "ok", "serving": "ok"}


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The application over the test's database."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


@pytest.fixture
async def cut_off(settings: Settings) -> AsyncIterator[Api]:
    """The application over a database that is not there."""
    database = create_database("postgresql://nobody@127.0.0.1:1/none", settings)
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened
    await database.engine.dispose()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_process_is_alive_with_or_without_a_database(cut_off: Api, method: str) -> None:
    answer = await cut_off.call(method, "/livez")
    assert answer.status_code == 200
    assert answer.content == (b'{"status":"ok"}' if method == "GET" else b"")


async def test_a_service_over_a_current_and_writable_database_is_ready(api: Api) -> None:
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)
    assert (await api.call("HEAD", "/readyz")).status_code == 200


async def test_without_a_database_nothing_is_ready(cut_off: Api) -> None:
    answer = await cut_off.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == NOT_READY
    assert (await cut_off.call("HEAD", "/readyz")).status_code == 503


@pytest.mark.parametrize(
    "statement",
    ["UPDATE alembic_version SET version_num = 'another'", "DROP TABLE alembic_version"],
)
async def test_a_database_at_another_revision_is_not_ready(
    api: Api, session: AsyncSession, statement: str
) -> None:
    await session.execute(text(statement))
    await session.commit()
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        NOT_READY | {"database": "ok"},
    )


async def test_a_database_that_takes_no_audit_event_is_not_ready(
    api: Api, session: AsyncSession
) -> None:
    await session.execute(text("CREATE ROLE without_audit"))
    await session.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO without_audit"))
    await session.execute(text("SET LOCAL ROLE without_audit"))
    await session.commit()
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        READY | {"status": "failed", "audit": "failed"},
    )


async def test_data_sealed_under_another_master_key_is_not_ready(
    api: Api, session: AsyncSession
) -> None:
    await ensure_subject_keys(session, api.app.state.vault, ["C1"])
    await session.commit()
    assert (await api.get("/readyz")).status_code == 200
    await session.execute(text("UPDATE subject_keys SET key_id = 'another'"))
    await session.commit()
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        READY | {"status": "failed", "keys": "failed"},
    )


async def test_metrics_are_for_operations_only(api: Api) -> None:
    assert (await api.get("/metrics")).status_code == 401
    assert (await api.get("/metrics", Role.AGENT)).status_code == 403
    answer = await api.get("/metrics", Role.ADMIN)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_process_that_was_told_to_stop_is_not_ready_and_still_alive(api: Api) -> None:
    api.app.state.service.leave()
    answer = await api.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == dict.fromkeys(READY, "failed")
    assert (await api.get("/livez")).status_code == 200
    assert (await api.get("/v1/tiers", Role.AGENT)).status_code == 200
