"""Clear values leave through one door, after their audit event is committed, or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any

import httpx
import pytest
from dirty_equals import IsDatetime, IsPositiveInt, IsStr, IsUUID
from fastapi import APIRouter
from sqlalchemy import select, text
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.db.rows.audit_event import AuditEventRow
from app.domain.errors import NotFound
from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Role
from app.domain.privacy.sensitive import Sensitive
from app.infra.application import Application
from app.infra.audit import Audit, AuditWriter, ChangeAudit, Outcome, install_audit
from app.infra.auth import CurrentActor, requires
from app.infra.cipher import MasterKey, Vault
from app.infra.database import Database, open_database
from app.infra.masking import Contact, Internal, MaskedRead, Name, Open, Premium
from app.infra.problems import install_problems
from app.infra.reveal import respond
from app.infra.session import WriteSession
from app.infra.settings import Settings
from tests.infra.edge import application, bearer, client

pytestmark = pytest.mark.anyio

NAME, PHONE = "欧阳sentinel锋", "13812345678"
router = APIRouter(prefix="/v1/customers")


class ProfileRead(MaskedRead):
    """A customer."""

    customer_id: Open[str]
    name: Name
    phone: Contact
    segment: Internal[str]
    premium: Premium


def _profile() -> ProfileRead:
    return ProfileRead(
        customer_id="C1",
        name=Sensitive(SensitivityClass.C2_NAME, NAME, masked="欧阳**"),
        phone=Sensitive(SensitivityClass.C2_CONTACT, PHONE, masked="138****5678"),
        segment=Sensitive(SensitivityClass.INTERNAL, None),
        premium=Sensitive(SensitivityClass.VALUE, Decimal("12.50"), band="<1000"),
    )


@router.get("/{customer_id}", response_model=ProfileRead)
async def get_customer(customer_id: str, actor: CurrentActor, audit: Audit) -> Response:
    """The whole way: viewer, rendering, audit."""
    if customer_id != "C1":
        raise NotFound("not-found")
    viewer = actor.viewer_of("C1", account_manager="alice")
    return await respond(_profile(), viewer=viewer, audit=audit, subjects=["C1"])


@router.put("/{customer_id}", response_model=ProfileRead)
async def put_customer(
    customer_id: str,
    actor: Annotated[Actor, requires(Role.INTEGRATION)],
    session: WriteSession,
    audit: ChangeAudit,
) -> Response:
    """A change, in the same transaction as its event."""
    assert audit.session is session
    await session.execute(text("INSERT INTO changes VALUES (1)"))
    return await respond(
        _profile(),
        viewer=actor.viewer(),
        audit=audit.noting(outcome=Outcome.CHANGED, record_version="7"),
        subjects=[customer_id],
        status=201,
        headers={"Location": "/v1/customers/C1"},
    )


@router.get("/careless/forgotten")
async def get_forgotten() -> ProfileRead:
    """A router that forgets everything."""
    return _profile()


@router.get("/careless/missing")
async def get_missing() -> ProfileRead:
    """A route without a caller."""
    raise NotFound("not-found")


@router.get("/careless/dict")
async def get_dict() -> dict[str, Any]:
    """A raw dict of a sensitive value."""
    return {"name": _profile().name}


@router.get("/careless/json-response")
async def get_json_response() -> JSONResponse:
    """A JSONResponse of a sensitive value."""
    return JSONResponse({"name": _profile().name})


@router.get("/careless/text", response_model=str)
async def get_text() -> object:
    """A sensitive value where text is declared."""
    return _profile().name


def _application(database: Database, *, gated: bool = True) -> Application:
    app = application(router, gated=gated)
    app.state.database = database
    app.state.vault = Vault(MasterKey(b"k" * 32))
    install_problems(app, install_audit(app).record_denial)
    return app


@pytest.fixture
async def own_database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A database in which commits are commits."""
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            await session.execute(text("CREATE TABLE changes (number int)"))
        yield database


async def _events(database: Database) -> list[dict[str, object]]:
    async with database.sessions() as session:
        rows = await session.execute(select(*AuditEventRow.__table__.c).order_by(AuditEventRow.seq))
        return [dict(row) for row in rows.mappings()]


async def _get(database: Database, path: str, headers: dict[str, str]) -> httpx.Response:
    async with client(_application(database)) as http:
        return await http.get(path, headers=headers)


async def test_an_answer_is_rendered_for_its_viewer_and_written_down(database: Database) -> None:
    answer = await _get(database, "/v1/customers/C1", bearer("agent", X_Purpose="audit"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "meta": {"masked": ["name", "phone", "premium"]},
        "customer_id": "C1",
        "name": "欧阳**",
        "phone": "138****5678",
        "segment": None,
        "premium": "<1000",
    }
    writer = AuditWriter(MasterKey(b"k" * 32), database.lanes)
    assert await _events(database) == [
        {
            "id": IsUUID(),
            "writer": IsStr(),
            "seq": 1,
            "at": IsDatetime(),
            "actor_digest": writer.actor_digest("https://issuer.example", "alice"),
            "role": "agent",
            "purpose": "audit",
            "route": "GET /v1/customers/{customer_id}",
            "subjects": ["C1"],
            "subject_count": None,
            "policy_version": MATRIX.version,
            "record_version": None,
            "dispositions": {
                "name": "partial",
                "phone": "partial",
                "segment": "clear",
                "premium": "band",
            },
            "body_hmac": writer.body_hmac(answer.content),
            "status": 200,
            "outcome": "answered",
        }
    ]


async def test_a_granted_viewer_is_shown_clear_values(database: Database) -> None:
    headers = bearer("account_manager", X_Purpose="renewal_advice")
    answer = await _get(database, "/v1/customers/C1", headers)
    assert (answer.json()["name"], answer.json()["phone"]) == (NAME, PHONE)
    assert answer.json()["premium"] == "12.50"
    assert answer.json()["meta"]["masked"] == []


async def test_a_role_without_customer_data_is_refused_at_the_door(database: Database) -> None:
    answer = await _get(database, "/v1/customers/C1", bearer("admin"))
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    assert [event["outcome"] for event in await _events(database)] == ["denied"]


async def test_the_event_is_committed_before_a_byte_is_sent(own_database: Database) -> None:
    app = _application(own_database)
    seen: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def watch(message: Message) -> None:
            seen.append(len(await _events(own_database)))
            await send(message)

        await app(scope, receive, watch)

    async with client(watched) as http:
        answer = await http.get("/v1/customers/C1", headers=bearer())
    assert answer.status_code == 200
    assert seen == [1, 1]


async def test_a_change_and_its_event_are_one_transaction(own_database: Database) -> None:
    async with client(_application(own_database)) as http:
        answer = await http.put("/v1/customers/C1", headers=bearer("integration"))
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/customers/C1")
    assert await _changes(own_database) == 1
    events = await _events(own_database)
    assert [(event["outcome"], event["record_version"]) for event in events] == [("changed", "7")]


async def _changes(database: Database) -> int:
    async with database.sessions() as session:
        return int(await session.scalar(text("SELECT count(*) FROM changes")) or 0)


FAILURES = {
    "at the insert": "CREATE TRIGGER fail BEFORE INSERT ON audit_events",
    "at the commit": (
        "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON audit_events DEFERRABLE INITIALLY DEFERRED"
    ),
}


@pytest.mark.parametrize("trigger", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("code", ["53100", "P0001"])
async def test_without_its_event_no_answer_leaves_and_nothing_changes(
    own_database: Database, trigger: str, code: str
) -> None:
    async with own_database.sessions.begin() as session:
        await session.execute(
            text(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION 'sentinel' USING ERRCODE = '{code}'; END $$"
            )
        )
        await session.execute(text(f"{trigger} FOR EACH ROW EXECUTE FUNCTION fail()"))
    app = _application(own_database)
    async with client(app) as http:
        read = await http.get("/v1/customers/C1", headers=bearer())
        changed = await http.put("/v1/customers/C1", headers=bearer("integration"))
        denied = await http.get("/v1/customers/C2", headers=bearer())
    for answer in (read, changed, denied):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert answer.headers["retry-after"]
        assert "sentinel" not in answer.text
        assert "**" not in answer.text
    assert await _changes(own_database) == 0
    assert await _events(own_database) == []


async def test_a_denial_leaves_its_event_though_the_request_rolls_back(
    own_database: Database,
) -> None:
    app = _application(own_database)
    async with client(app) as http:
        await http.get("/v1/customers/C2", headers=bearer())
        await http.get("/v1/customers/C%00", headers=bearer())
        await http.put("/v1/customers/C1", headers=bearer("agent"))
        await http.get("/v1/customers/C1", headers=bearer("agent", X_Act_Role="admin"))
        await http.get("/v1/customers/C1")
        await http.get("/v1/none", headers=bearer())
        # Were the gate forgotten, nobody would be somebody, and nobody would be noted.
    async with client(_application(own_database, gated=False)) as http:
        await http.get("/v1/customers/careless/missing", headers=bearer())
    told = [
        (event["status"], event["role"], event["subjects"], event["outcome"], event["seq"])
        for event in await _events(own_database)
    ]
    assert told == [
        (404, "agent", ["C2"], "denied", IsPositiveInt()),
        (404, "agent", [], "denied", IsPositiveInt()),
        (403, "agent", ["C1"], "denied", IsPositiveInt()),
        (403, "none", ["C1"], "denied", IsPositiveInt()),
    ]


async def test_a_router_that_forgets_everything_serves_masked_data(database: Database) -> None:
    answer = await _get(
        database, "/v1/customers/careless/forgotten", bearer("account_manager", X_Purpose="audit")
    )
    assert answer.json() == {
        "meta": {"masked": ["name", "phone", "segment", "premium"]},
        "customer_id": "C1",
        "name": "欧阳**",
        "phone": "138****5678",
        "segment": None,
        "premium": None,
    }


@pytest.mark.parametrize("path", ["dict", "json-response", "text"])
async def test_a_sensitive_value_outside_a_model_is_a_static_500(
    database: Database, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await _get(database, f"/v1/customers/careless/{path}", bearer())
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert json.loads(answer.content).keys() == {"type", "title", "status", "detail", "request_id"}
    assert "sentinel" not in caplog.text


async def test_actors_are_told_apart_and_not_told(database: Database) -> None:
    writer = AuditWriter(MasterKey(b"k" * 32), database.lanes)
    other = AuditWriter(MasterKey(b"o" * 32), database.lanes)
    assert writer.actor_digest("a", "bc") != writer.actor_digest("ab", "c")
    assert writer.actor_digest("a", "b") != other.actor_digest("a", "b")
