"""Nothing passes without a token, and a caller acts in one role."""

from __future__ import annotations

import logging
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.types import Message

from app.domain.errors import Invalid, NotFound
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Purpose, Relation, Role
from app.infra.auth import (
    CurrentActor,
    development_token,
    install_authentication,
    requires,
)
from app.infra.auth.dependencies import TokenGate, create_verifier
from app.infra.clock import utc_now
from app.infra.settings import Environment, Settings
from tests.described import in_full
from tests.infra.auth.forge import token, verifier
from tests.infra.auth.hostile import HOSTILE
from tests.infra.edge import application, bearer, client

pytestmark = pytest.mark.anyio

router = APIRouter(prefix="/v1")


@router.get("/me")
async def get_me(actor: CurrentActor) -> dict[str, str | None]:
    """The caller."""
    return {
        "subject": actor.subject,
        "role": actor.role,
        "customer_id": actor.customer_id,
        "purpose": actor.purpose,
    }


@router.post("/officers")
async def post_officer(
    actor: Annotated[Actor, requires(Role.RISK_OFFICER, Role.COMPLIANCE)], body: dict[str, int]
) -> int:
    """For two roles only."""
    return len(actor.role) + len(body)


@router.get("/livez")
async def get_other() -> str:
    """Not the open path of that name."""
    return ""


app = application(router)


async def test_every_hostile_token_is_answered_by_the_same_bytes() -> None:
    bodies = set()
    headers = {"X-Request-Id": "same-request"}
    async with client(app) as http:
        for hostile in HOSTILE.values():
            if not hostile.isascii():
                continue
            answer = await http.get(
                "/v1/me", headers=headers | {"Authorization": f"Bearer {hostile}"}
            )
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            bodies.add(_bytes(answer))
        bodies.add(_bytes(await http.get("/v1/me", headers=headers)))
    assert len(bodies) == 1


def _bytes(answer: httpx.Response) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    return answer.content, tuple(answer.headers.multi_items())


@pytest.mark.parametrize(
    "authorization",
    [
        [],
        [""],
        ["Basic YTpi"],
        [token().es256()],
        [f"Bearer  {token().es256()}"],
        [f"Bearer {token().es256()}", f"Bearer {token().es256()}"],
    ],
)
async def test_a_request_without_one_bearer_token_is_refused(authorization: list[str]) -> None:
    async with client(app) as http:
        answer = await http.get(
            "/v1/me", headers=[("Authorization", value) for value in authorization]
        )
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/", "/v1/none", "/v1/livez", "/metrics", "/redoc", "/docs/"])
async def test_also_an_unknown_path_answers_nobody_without_a_token(path: str) -> None:
    async with client(app) as http:
        assert (await http.get(path)).status_code == 401


async def test_an_anonymous_body_is_not_read() -> None:
    async with client(app) as http:
        answer = await http.post(
            "/v1/officers", content=b"{", headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_the_interface_description_is_open(path: str) -> None:
    async with client(app) as http:
        assert (await http.get(path)).status_code == 200


async def test_a_web_socket_is_closed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    gate = TokenGate(app, verifier())
    await gate({"type": "websocket", "path": "/livez", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_the_reason_of_a_refusal_is_logged_without_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "app.infra.auth"):
        async with client(app) as http:
            await http.get("/v1/me", headers={"Authorization": f"Bearer {HOSTILE['no aud']}"})
    record = next(record for record in caplog.records if record.msg == "token refused")
    assert record.__dict__["reason"] == "aud"
    assert HOSTILE["no aud"] not in caplog.text


async def test_the_only_role_is_the_active_one() -> None:
    async with client(app) as http:
        answer = await http.get(
            "/v1/me", headers=bearer("customer", customer_id="C1", X_Purpose="audit")
        )
    assert answer.json() == {
        "subject": "alice",
        "role": "customer",
        "customer_id": "C1",
        "purpose": "audit",
    }


@pytest.mark.parametrize(
    ("roles", "headers", "status", "slug"),
    [
        (["agent", "analyst"], {}, 400, "role-required"),
        (["agent", "analyst"], {"X_Act_Role": "admin"}, 403, "role-not-held"),
        (["agent"], {"X_Act_Role": "root"}, 403, "role-not-held"),
        (["agent"], {"X_Act_Role": ""}, 403, "role-not-held"),
        (["agent"], {"X_Purpose": "curiosity"}, 400, "purpose-unknown"),
        (["agent"], {"X_Purpose": ""}, 400, "purpose-unknown"),
    ],
)
async def test_a_role_or_purpose_that_is_none_is_refused(
    roles: list[str], headers: dict[str, str], status: int, slug: str
) -> None:
    async with client(app) as http:
        answer = await http.get("/v1/me", headers=bearer(*roles, **headers))
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_one_of_several_roles_is_acted_in_and_never_their_union() -> None:
    headers = bearer("customer", "compliance", customer_id="C1", X_Act_Role="compliance")
    async with client(app) as http:
        me = await http.get("/v1/me", headers=headers)
        permitted = await http.post("/v1/officers", headers=headers, json={})
        refused = await http.post(
            "/v1/officers", headers=headers | {"X-Act-Role": "customer"}, json={}
        )
    assert (me.json()["role"], me.json()["customer_id"]) == ("compliance", None)
    assert (permitted.status_code, refused.status_code) == (200, 403)


async def test_a_wrong_role_is_told_before_the_body_is_judged() -> None:
    async with client(app) as http:
        answer = await http.post("/v1/officers", headers=bearer("agent"), json={"x": "y"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


async def test_without_the_gate_nobody_is_anybody() -> None:
    async with client(application(router, gated=False)) as http:
        assert (await http.get("/v1/me", headers=bearer())).status_code == 401


async def test_the_description_tells_the_scheme_and_the_headers() -> None:
    operation = in_full(app.openapi())["paths"]["/v1/me"]["get"]
    assert operation["security"] == [{"HTTPBearer": []}]
    named = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert named["x-act-role"]["enum"] == list(Role)
    assert named["x-purpose"]["enum"] == list(Purpose)


def test_a_customer_views_nobody_but_himself() -> None:
    customer = Actor("i", "s", Role.CUSTOMER, "C1", Purpose.AUDIT)
    viewer = customer.viewer_of("C1")
    assert (viewer.relation, viewer.purpose) == (Relation.SELF, Purpose.AUDIT)
    with pytest.raises(NotFound):
        customer.viewer_of("C2")
    assert customer.viewer().relation is Relation.OTHER


def test_an_account_manager_owns_the_customers_that_name_him() -> None:
    manager = Actor("i", "s", Role.ACCOUNT_MANAGER)
    assert manager.viewer_of("C1", "s").relation is Relation.OWN
    assert manager.viewer_of("C1", "t").relation is Relation.OTHER


async def test_a_deployment_verifies_by_its_own_issuer_or_by_its_key_set(
    settings: Settings,
) -> None:
    signed = development_token(settings, role=Role.AGENT, now=utc_now())
    assert (await create_verifier(settings).verify(signed)).roles == {Role.AGENT}
    production = settings.model_copy(update={"environment": Environment.PRODUCTION})
    with pytest.raises(Invalid, match="production"):
        create_verifier(production)
    missing = settings.model_copy(update={"jwks_file": settings.data_dir / "none.json"})
    with pytest.raises(Invalid, match="jwks_file"):
        install_authentication(FastAPI(), missing)
