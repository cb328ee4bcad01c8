"""Tokens at a click: in a demonstration, for its own page on its own machine, and nowhere else."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest
from pydantic import SecretStr

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import Database
from app.infra.docs_page import TOKEN_PATH, DemoSeats, may_offer_tokens
from app.infra.docs_page.bar import read_seats
from app.infra.settings import Environment, Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.infra.auth.forge import POLICY, ec_jwk, key_set, token

pytestmark = pytest.mark.anyio

SEATS: Final = DemoSeats(customer_id="C1", account_manager="M-7")
PAGE: Final = {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}
JWT: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
#: A call that each role may make; many of them no other may.
CALLS: Final[Mapping[Role, str]] = {
    Role.AGENT: "/v1/customers/C1/tier",
    Role.CUSTOMER: "/v1/customers/C1",
    Role.ACCOUNT_MANAGER: "/v1/customers?mine=true",
    Role.RISK_OFFICER: "/v1/rule-sets",
    Role.BUSINESS_OFFICER: "/v1/customers",
    Role.RULE_AUTHOR: "/v1/rule-sets",
    Role.RULE_PUBLISHER: "/v1/facts",
    Role.ANALYST: "/v1/facts",
    Role.COMPLIANCE: "/v1/customers/C1",
    Role.INTEGRATION: "/v1/tiers",
    Role.ADMIN: "/metrics",
}


@pytest.fixture
async def demo(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The application of a demonstration."""
    async with open_api(create_app(settings, database, seats=SEATS), settings) as opened:
        yield opened


@pytest.fixture
def production(settings: Settings, tmp_path: Path) -> Settings:
    """Everything that production needs."""
    keys = tmp_path / "keys.json"
    keys.write_text(key_set(ec_jwk()))
    return settings.model_copy(
        update={
            "environment": Environment.PRODUCTION,
            "jwks_file": keys,
            "issuer": POLICY.issuer,
            "audience": POLICY.audience,
            "master_key": SecretStr(base64.b64encode(bytes(range(32))).decode()),
        }
    )


async def ask(
    demo: Api,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = tuple(PAGE.items()),
    *,
    role: str = "admin",
    peer: tuple[str, int] | None = ("127.0.0.1", 40_000),
) -> httpx.Response:
    """One click, as whoever it is."""
    transport = httpx.ASGITransport(demo.app, client=peer)  # type: ignore[arg-type] # a socket file has no peer.
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.post(f"{TOKEN_PATH}?role={role}", headers=headers)


@pytest.mark.parametrize("role", Role)
async def test_a_click_gives_a_token_that_works_in_that_role_alone(
    demo: Api,
    templates: None,  # noqa: ARG001 - decisions name a rule set.
    role: Role,
) -> None:
    body = {"kind": "individual", "name": "Wang"}
    put = await demo.call("PUT", "/v1/customers/C1", Role.INTEGRATION, json=body)
    evaluated = await demo.call("POST", "/v1/customers/C1/evaluations", Role.RISK_OFFICER)
    assert (put.status_code, evaluated.status_code) == (201, 201)

    answer = await ask(demo, role=role)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert (given["seconds"], given["customer_id"]) == (3600, "C1")
    verified = await demo.app.state.token_verifier.verify(given["token"])
    assert verified.roles == {role}
    assert verified.customer_id == ("C1" if role is Role.CUSTOMER else None)
    called = await demo.client.get(
        CALLS[role], headers={"Authorization": f"Bearer {given['token']}"}
    )
    assert called.status_code == 200, called.text


async def test_the_account_manager_is_one_who_has_customers(demo: Api) -> None:
    given = (await ask(demo, role="account_manager")).json()
    assert (await demo.app.state.token_verifier.verify(given["token"])).subject == "M-7"
    assert DemoSeats().request_of(Role.ACCOUNT_MANAGER).subject == "account_manager-1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8000", "Origin": "http://localhost:8000"},
        {"Host": "[::1]:8000", "Origin": "http://[::1]:8000"},
        {"Host": "localhost", "Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_the_loopback_has_several_names(demo: Api, headers: dict[str, str]) -> None:
    assert (await ask(demo, headers)).status_code == 200


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8"])
async def test_the_loopback_has_several_addresses(demo: Api, peer: str) -> None:
    assert (await ask(demo, peer=(peer, 1))).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": PAGE["Host"]}, id="no page"),
        pytest.param({**PAGE, "Origin": "null"}, id="a page without an origin"),
        pytest.param({**PAGE, "Origin": "https://attacker.example"}, id="another site"),
        pytest.param({**PAGE, "Origin": "http://127.0.0.1:3000"}, id="another port"),
        pytest.param({**PAGE, "Origin": "https://127.0.0.1:8000"}, id="another scheme"),
        pytest.param({**PAGE, "Origin": "http://localhost:8000"}, id="another name"),
        pytest.param({**PAGE, "Sec-Fetch-Site": "cross-site"}, id="said to be another site"),
        pytest.param({**PAGE, "Sec-Fetch-Site": "same-site"}, id="said to be another port"),
        pytest.param({**PAGE, "Sec-Fetch-Site": "none"}, id="said to be no page"),
        *(
            pytest.param({"Host": host, "Origin": f"http://{host}"}, id=f"rebound {host!r}")
            for host in (
                "attacker.example:8000",
                "127.0.0.1.attacker.example",
                "localhost.attacker.example:8000",
                "localhost@attacker.example",
                "attacker.example@localhost",
                "attacker.example/127.0.0.1",
                "127.0.0.1/attacker.example",
                "127.0.0.1#.attacker.example",
                "localhost:port",
                "[::1",
                "0.0.0.0:8000",
                "192.168.1.2:8000",
                "[2001:db8::1]:8000",
                "",
            )
        ),
        *(
            pytest.param({**PAGE, name: "203.0.113.9"}, id=f"proxy {name}")
            for name in ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
        ),
        pytest.param([*PAGE.items(), ("Host", "attacker.example")], id="two hosts"),
        pytest.param([*PAGE.items(), ("Origin", PAGE["Origin"])], id="two origins"),
    ],
)
async def test_nobody_but_the_page_is_given_a_token(
    demo: Api, headers: Mapping[str, str] | Sequence[tuple[str, str]]
) -> None:
    is_refused(await ask(demo, headers))


@pytest.mark.parametrize("peer", ["192.168.1.2", "::ffff:192.168.1.2", "2001:db8::1", "10.0.0.1"])
async def test_nobody_on_another_machine_is_given_a_token(demo: Api, peer: str) -> None:
    is_refused(await ask(demo, peer=(peer, 1)))
    is_refused(await ask(demo, peer=None))


def is_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    assert not JWT.search(answer.text)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("role", ["root", "", "agent,admin", "agent&role=admin"])
async def test_an_unknown_role_is_refused_and_so_are_two(demo: Api, role: str) -> None:
    answer = await ask(demo, role=role)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
async def test_a_link_or_a_question_before_a_foreign_call_gives_nothing(
    demo: Api, method: str
) -> None:
    answer = await demo.client.request(method, f"{TOKEN_PATH}?role=admin", headers=PAGE)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_without_a_customer_that_role_is_not_offered(
    settings: Settings, database: Database
) -> None:
    async with open_api(create_app(settings, database, seats=DemoSeats()), settings) as demo:
        page = (await demo.get("/docs")).text
        assert set(re.findall(r'data-role="(\w+)"', page)) == set(Role) - {Role.CUSTOMER}
        is_refused(await ask(demo, role="customer"))
        assert (await ask(demo, role="agent")).json()["customer_id"] is None


async def test_the_bar_has_a_line_for_every_role_and_no_token(demo: Api) -> None:
    page = (await demo.get("/docs")).text
    assert re.findall(r'data-role="(\w+)"', page) == list(read_seats())
    assert set(read_seats()) == set(Role)
    for seat in read_seats().values():
        assert 20 <= len(seat.sees) <= 100
    assert not JWT.search(page)
    assert "C1" not in page


async def test_the_description_does_not_know_of_it(demo: Api, api: Api) -> None:
    assert (await demo.get("/openapi.json")).json() == (await api.get("/openapi.json")).json()


async def test_production_has_neither_bar_nor_route(
    production: Settings, database: Database
) -> None:
    app = create_app(production, database)
    issued = int(utc_now().timestamp())
    signed = token(roles=["admin"], iat=issued, exp=issued + 600).es256()
    known = {"Authorization": f"Bearer {signed}"}
    async with open_api(app, production) as served:
        for path in ("/docs", "/docs/page.js", "/docs/page.css"):
            part = await served.get(path)
            assert part.status_code == 200
            assert not JWT.search(part.text)
            assert not re.search("demo|token\\?role|data-role", part.text)
        assert (await ask(served)).status_code == 401
        answer = await served.call("POST", TOKEN_PATH, headers=PAGE | known)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_production_and_foreign_issuers_refuse_a_demonstration(
    production: Settings, settings: Settings, database: Database
) -> None:
    foreign = settings.model_copy(update={"jwks_file": production.jwks_file})
    hosted = settings.model_copy(update={"jwks_url": "https://issuer.example/keys"})
    keyless = production.model_copy(update={"jwks_file": None})
    for refused in (production, keyless, foreign, hosted):
        with pytest.raises(Invalid, match="demonstration"):
            create_app(refused, database, seats=SEATS)
        assert not may_offer_tokens(refused, "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "offers"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - the address that must not do.
        ("::", False),
        ("", False),
        ("192.168.1.2", False),
        ("demo.example", False),
    ],
)
def test_only_who_listens_on_the_loopback_offers_tokens(
    settings: Settings, host: str, *, offers: bool
) -> None:
    assert may_offer_tokens(settings, host) is offers


async def test_serving_in_development_is_no_demonstration(api: Api) -> None:
    assert "data-role" not in (await api.get("/docs")).text
    assert (await ask(api)).status_code == 401
    answer = await api.call("POST", TOKEN_PATH, Caller(Role.ADMIN), headers=PAGE)
    assert answer.status_code == 404
