"""With the keys of a real host behind the gate, a bad token or host is the same 401 as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter
from starlette.types import ASGIApp

from app.infra.auth import CurrentActor
from app.infra.auth.dependencies import TokenGate
from app.infra.auth.jwks import LEAST_INTERVAL_SECONDS, PATIENCE_SECONDS, REFRESH_SECONDS, JwksKeys
from app.infra.auth.tokens import TokenVerifier
from app.infra.clock import utc_now
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import open_api
from tests.infra.auth.forge import NOW, POLICY, ec_jwk, rsa_jwk, rsa_key, token
from tests.infra.auth.hostile import HOSTILE
from tests.infra.auth.key_host import GOOD, Clock, KeyHost, http, key_host
from tests.infra.edge import application, client

pytestmark = pytest.mark.anyio

SAME_ID = {"X-Request-Id": "same-request"}

router = APIRouter()


@router.get("/me")
async def get_me(actor: CurrentActor) -> str:
    """The caller."""
    return actor.subject


@dataclass
class Gate:
    """An application whose gate asks a host for its keys."""

    app: ASGIApp
    host: KeyHost
    clock: Clock

    async def answer(self, *bearer: str) -> httpx.Response:
        """What a caller gets."""
        given = [("Authorization", f"Bearer {signed}") for signed in bearer]
        async with client(self.app) as opened:
            return await opened.get("/me", headers=[*SAME_ID.items(), *given])


@asynccontextmanager
async def _gate(patience_seconds: float = PATIENCE_SECONDS) -> AsyncIterator[Gate]:
    clock = Clock()
    async with key_host() as host:
        source = JwksKeys(
            host.url, overlap_seconds=60, patience_seconds=patience_seconds, clock=clock
        )
        async with aclosing(source) as keys:
            app = application(router, gated=False)
            app.add_middleware(TokenGate, verifier=TokenVerifier(keys, POLICY, lambda: NOW))
            yield Gate(app, host, clock)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async with _gate() as opened:
        yield opened


def _bytes(answer: httpx.Response) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    return answer.status_code, answer.content, tuple(answer.headers.multi_items())


async def test_hostile_tokens_get_the_same_bytes_and_good_ones_pass(gate: Gate) -> None:
    nobody = _bytes(await gate.answer())
    assert nobody[0] == 401
    for name, hostile in HOSTILE.items():
        if hostile.isascii():
            assert _bytes(await gate.answer(hostile)) == nobody, name
    assert gate.host.fetches == 1
    for good in (token().es256(), token({"alg": "RS256", "kid": "rsa"}).rs256()):
        assert (await gate.answer(good)).status_code == 200


HOSTS = {
    "empty object": http("{}"),
    "error": http(GOOD, "503 Service Unavailable"),
    "redirect": http(GOOD, "301 Moved Permanently", "Location: https://evil.example/keys"),
    "HTML": http("<html></html>"),
    "private keys": http('{"keys": [{"kty": "RSA", "kid": "rsa", "d": "AA"}]}'),
}


@pytest.mark.parametrize("answer", HOSTS.values(), ids=HOSTS)
async def test_a_host_that_answers_badly_lets_nobody_in_and_nobody_out(
    gate: Gate, answer: bytes
) -> None:
    good = token().es256()
    nobody = _bytes(await gate.answer())
    gate.host.answer = answer
    assert _bytes(await gate.answer(good)) == nobody
    gate.host.answer = http(GOOD)
    gate.clock.pass_(LEAST_INTERVAL_SECONDS)
    assert (await gate.answer(good)).status_code == 200
    gate.host.answer = answer
    gate.clock.pass_(REFRESH_SECONDS)
    assert _bytes(await gate.answer(token({"alg": "ES256", "kid": "x"}).es256())) == nobody
    assert (await gate.answer(good)).status_code == 200
    assert (await gate.answer(token(sub="bob").es256())).json() == "bob"


async def test_a_slow_host_lets_nobody_in() -> None:
    async with _gate(patience_seconds=0.05) as gate:
        nobody = _bytes(await gate.answer())
        gate.host.pause.clear()
        assert _bytes(await gate.answer(token().es256())) == nobody


async def test_a_slow_host_keeps_nobody_waiting_whose_key_is_known(gate: Gate) -> None:
    good = token().es256()
    assert (await gate.answer(good)).status_code == 200
    gate.host.pause.clear()
    gate.host.asked.clear()
    gate.clock.pass_(REFRESH_SECONDS)
    assert (await gate.answer(good)).status_code == 200
    await gate.host.asked.wait()
    # The host still has not answered.
    assert (await gate.answer(token(sub="bob").es256())).json() == "bob"
    assert gate.host.fetches == 2


async def test_a_host_that_is_down_lets_nobody_in_and_nobody_out(gate: Gate) -> None:
    good = token().es256()
    nobody = _bytes(await gate.answer())
    await gate.host.down()
    assert _bytes(await gate.answer(good)) == nobody
    await gate.host.up()
    gate.clock.pass_(LEAST_INTERVAL_SECONDS)
    assert (await gate.answer(good)).status_code == 200
    await gate.host.down()
    gate.clock.pass_(3600)
    assert (await gate.answer(good)).status_code == 200


async def test_a_key_that_was_rotated_out_is_the_same_401_after_the_overlap(gate: Gate) -> None:
    nobody = _bytes(await gate.answer())
    old, new = token().es256(), token({"alg": "RS256", "kid": "new"}).rs256(rsa_key(name="pss"))
    assert (await gate.answer(old)).status_code == 200
    gate.host.serve(rsa_jwk(rsa_key(name="pss"), kid="new"))
    gate.clock.pass_(LEAST_INTERVAL_SECONDS)
    assert (await gate.answer(new)).status_code == 200
    assert (await gate.answer(old)).status_code == 200
    gate.clock.pass_(60)
    assert _bytes(await gate.answer(old)) == nobody
    assert (await gate.answer(new)).status_code == 200


async def test_a_deployment_takes_its_keys_from_the_url(
    settings: Settings, database: Database
) -> None:
    now = int(utc_now().timestamp())
    good = token(iat=now, exp=now + 60, iss="https://issuer.example", roles=["admin"]).es256()
    async with key_host() as host:
        named = settings.model_copy(
            update={"jwks_url": host.url, "issuer": POLICY.issuer, "audience": POLICY.audience}
        )
        app = create_app(named, database)
        async with app.router.lifespan_context(app), open_api(app, named) as api:
            headers = {"Authorization": f"Bearer {good}"}
            assert (await api.get("/metrics", headers=headers)).status_code == 200
            assert (await api.get("/metrics", headers=headers)).status_code == 200
            assert (await api.get("/readyz")).json()["tokens"] == "ok"
            assert host.fetches == 1
        # Closed with the application.
        verifier: TokenVerifier = app.state.token_verifier
        assert await verifier.keys.find("another") is None
        assert host.fetches == 1


async def test_a_service_without_a_key_asks_for_one_and_is_not_ready_until_it_has_it(
    settings: Settings, database: Database
) -> None:
    app, clock = create_app(settings, database), Clock()
    async with key_host() as host:
        host.answer = http("{}")
        async with (
            aclosing(JwksKeys(host.url, overlap_seconds=60, clock=clock)) as keys,
            open_api(app, settings) as api,
        ):
            app.state.token_verifier = TokenVerifier(keys, POLICY, utc_now)
            for _ in range(3):
                answer = await api.get("/readyz")
                assert answer.status_code == 503
                assert answer.json() == {
                    "status": "failed",
                    "serving": "ok",
                    "database": "ok",
                    "migrations": "ok",
                    "audit": "ok",
                    "keys": "ok",
                    "tokens": "failed",
                }
            assert host.fetches == 1
            host.serve(ec_jwk())
            clock.pass_(LEAST_INTERVAL_SECONDS)
            answer = await api.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (200, "ok")
            clock.pass_(timedelta(hours=23).total_seconds())
            await host.down()
            assert (await api.get("/readyz")).status_code == 200
