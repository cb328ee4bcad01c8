"""Keys are fetched as seldom as possible, and no answer of the host does harm."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.infra.auth.jwks import (
    LARGEST_SET,
    LEAST_INTERVAL_SECONDS,
    LONGEST_OUTAGE_SECONDS,
    REFRESH_SECONDS,
    WAIT_SECONDS,
    JwksKeys,
)
from app.infra.auth.tokens import TokenRefusedError, TokenVerifier
from tests.infra.auth.forge import NOW, POLICY, ec_jwk, key_set, rsa_jwk, rsa_key, token
from tests.infra.auth.key_host import GOOD, Clock, KeyHost, http, key_host

pytestmark = pytest.mark.anyio

OVERLAP = 120.0


@pytest.fixture
async def host() -> AsyncIterator[KeyHost]:
    async with key_host() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(host: KeyHost, clock: Clock) -> AsyncIterator[JwksKeys]:
    async with aclosing(JwksKeys(host.url, overlap_seconds=OVERLAP, clock=clock)) as opened:
        yield opened


def _verifier(keys: JwksKeys) -> TokenVerifier:
    return TokenVerifier(keys, POLICY, lambda: NOW)


async def _refused(verifier: TokenVerifier, signed: str) -> str:
    with pytest.raises(TokenRefusedError) as caught:
        await verifier.verify(signed)
    return str(caught.value)


async def test_nothing_is_asked_before_a_key_is_needed(host: KeyHost, keys: JwksKeys) -> None:
    assert keys.find_known("ec") is None
    assert host.fetches == 0
    assert (await _verifier(keys).verify(token().es256())).subject == "alice"
    assert host.fetches == 1
    sent = host.requests[0].lower()
    assert b"accept-encoding: identity\r\n" in sent
    assert b"cookie" not in sent
    assert b"authorization" not in sent


async def test_requests_at_once_share_one_fetch(host: KeyHost, keys: JwksKeys) -> None:
    host.pause.clear()
    waiting = [asyncio.create_task(keys.find(kid)) for kid in ["ec", "rsa", "none"] * 50]
    await host.asked.wait()
    host.pause.set()
    found = await asyncio.gather(*waiting)
    assert [key and key.kid for key in found[:3]] == ["ec", "rsa", None]
    assert host.fetches == 1


async def test_a_fetch_under_way_is_shared_however_long_it_takes(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    host.pause.clear()
    first = asyncio.create_task(keys.find("ec"))
    await host.asked.wait()
    clock.pass_(LEAST_INTERVAL_SECONDS)
    second = asyncio.create_task(keys.find("ec"))
    # One turn of the loop, in which the second one would ask.
    await asyncio.gather(keys.find("ec"), _set(host.pause))
    assert await first is await second
    assert host.fetches == 1


async def _set(event: asyncio.Event) -> None:
    event.set()


async def test_who_goes_away_leaves_the_fetch_to_the_others(host: KeyHost, keys: JwksKeys) -> None:
    host.pause.clear()
    impatient = asyncio.create_task(keys.find("ec"))
    await host.asked.wait()
    patient = asyncio.create_task(keys.find("ec"))
    impatient.cancel()
    await asyncio.wait([impatient])
    host.pause.set()
    assert await patient is not None
    assert (impatient.cancelled(), host.fetches) == (True, 1)


async def test_a_thousand_random_kids_a_second_are_one_fetch_in_thirty(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    for second in range(91):
        for number in range(1000):
            assert await keys.find(f"random-{second}-{number}") is None
        assert host.fetches == 1 + second // 30
        clock.pass_(1)
    assert await keys.find("ec") is not None


async def test_kids_of_no_key_cost_as_little_when_the_host_is_down(
    host: KeyHost, keys: JwksKeys, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await host.down()
    with caplog.at_level(logging.WARNING, "app.infra.auth.jwks"):
        for second in range(61):
            assert await asyncio.gather(*(keys.find(f"{second}-{i}") for i in range(20)))
            clock.pass_(1)
    assert [record.__dict__["reason"] for record in caplog.records] == ["ConnectError"] * 3


async def test_a_host_that_is_down_at_first_is_asked_again(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    await host.down()
    verifier = _verifier(keys)
    assert await _refused(verifier, token().es256()) == "no-verification-keys"
    assert not await keys.has_keys()
    await host.up()
    clock.pass_(LEAST_INTERVAL_SECONDS - 1)
    assert await _refused(verifier, token().es256()) == "no-verification-keys"
    assert host.fetches == 0
    clock.pass_(1)
    assert await keys.has_keys()
    assert (await verifier.verify(token().es256())).subject == "alice"
    assert await _refused(verifier, token({"alg": "ES256", "kid": "x"}).es256()) == "unknown-kid"
    assert host.fetches == 1


async def test_old_and_new_key_are_accepted_in_the_overlap_and_the_old_one_not_after_it(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    verifier = _verifier(keys)
    new_key = ec.generate_private_key(ec.SECP256R1())
    old, new = token().es256(), token({"alg": "ES256", "kid": "new"}).es256(new_key)
    other = token(sub="bob").es256()
    await verifier.verify(old)
    host.serve(ec_jwk(new_key, kid="new"))
    clock.pass_(LEAST_INTERVAL_SECONDS)
    # The unknown key is asked for, and so it is seen that the old one has gone.
    assert (await verifier.verify(new)).subject == "alice"
    clock.pass_(OVERLAP - 1)
    for signed in (old, new, other):
        assert (await verifier.verify(signed)).subject
    clock.pass_(1)
    for signed in (old, other):
        assert verifier.find_verified(signed) is None
        assert await _refused(verifier, signed) == "unknown-kid"
    assert (await verifier.verify(new)).subject


async def test_each_of_several_rotations_has_its_own_overlap(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    await keys.find("ec")
    for kid in ("second", "third"):
        host.serve(ec_jwk(kid=kid))
        clock.pass_(LEAST_INTERVAL_SECONDS)
        await keys.find("unknown")
    clock.pass_(OVERLAP - LEAST_INTERVAL_SECONDS - 1)
    kids = ("ec", "second", "third")
    assert [kid for kid in kids if keys.find_known(kid)] == ["ec", "second", "third"]
    clock.pass_(1)
    assert [kid for kid in kids if keys.find_known(kid)] == ["second", "third"]
    clock.pass_(LEAST_INTERVAL_SECONDS)
    assert [kid for kid in kids if keys.find_known(kid)] == ["third"]


async def test_a_key_that_comes_back_is_a_key_again(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    first = await keys.find("ec")
    host.serve(rsa_jwk())
    clock.pass_(LEAST_INTERVAL_SECONDS)
    await keys.find("unknown")
    host.answer = http(GOOD)
    clock.pass_(LEAST_INTERVAL_SECONDS)
    await keys.find("unknown")
    clock.pass_(OVERLAP)
    assert await keys.find("ec") is first
    assert host.fetches == 3


async def test_another_key_under_an_old_id_replaces_it_at_once(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    verifier = _verifier(keys)
    old = token().es256()
    await verifier.verify(old)
    host.serve(ec_jwk(ec.generate_private_key(ec.SECP256R1())))
    clock.pass_(LEAST_INTERVAL_SECONDS)
    await keys.find("unknown")
    assert verifier.find_verified(old) is None
    assert await _refused(verifier, old) == "signature"


async def test_keys_in_use_are_refreshed_in_the_background(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    verifier = _verifier(keys)
    signed = token().es256()
    await verifier.verify(signed)
    clock.pass_(REFRESH_SECONDS - 1)
    assert verifier.find_verified(signed)
    host.pause.clear()
    host.asked.clear()
    clock.pass_(1)
    # The host is asked, and nobody waits for it.
    assert verifier.find_verified(signed)
    await host.asked.wait()
    assert (await verifier.verify(token(sub="bob").es256())).subject == "bob"
    assert host.fetches == 2
    host.pause.set()
    assert await keys.find("unknown") is None
    clock.pass_(REFRESH_SECONDS - 1)
    assert verifier.find_verified(signed)
    assert host.fetches == 2


async def test_a_key_that_vanished_while_nobody_asked_is_refused_to_the_first_who_does(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    verifier = _verifier(keys)
    signed = token().es256()
    await verifier.verify(signed)
    host.serve(rsa_jwk())
    clock.pass_(WAIT_SECONDS)
    assert verifier.find_verified(signed) is None
    assert await _refused(verifier, signed) == "unknown-kid"


async def test_without_an_overlap_a_key_goes_with_the_set_that_lacks_it(
    host: KeyHost, clock: Clock
) -> None:
    async with aclosing(JwksKeys(host.url, overlap_seconds=0, clock=clock)) as keys:
        assert await keys.find("ec")
        host.serve(rsa_jwk())
        clock.pass_(LEAST_INTERVAL_SECONDS)
        await keys.find("unknown")
        assert keys.find_known("ec") is None


async def test_keys_serve_for_a_day_while_the_host_is_down(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    verifier = _verifier(keys)
    signed = token().es256()
    await verifier.verify(signed)
    await host.down()
    for _ in range(23):
        clock.pass_(3600)
        assert (await verifier.verify(signed)).subject
        assert await keys.has_keys()
    clock.pass_(LONGEST_OUTAGE_SECONDS - 23 * 3600)
    assert await _refused(verifier, signed) == "no-verification-keys"
    assert not await keys.has_keys()
    await host.up()
    clock.pass_(LEAST_INTERVAL_SECONDS)
    assert (await verifier.verify(signed)).subject


async def test_a_host_that_is_down_keeps_nobody_with_a_known_key_waiting(
    host: KeyHost, keys: JwksKeys, clock: Clock
) -> None:
    await keys.find("ec")
    host.pause.clear()
    clock.pass_(REFRESH_SECONDS)
    for _ in range(3):
        host.asked.clear()
        assert keys.find_known("ec")
        await host.asked.wait()
        assert keys.find_known("ec")
        await host.down()
        assert await keys.find("unknown") is None
        await host.up()
        clock.pass_(WAIT_SECONDS - 1)


BAD_ANSWERS = {
    "empty object": (http("{}"), "not a JSON Web Key Set"),
    "no keys": (http('{"keys": []}'), "the key set holds no usable key"),
    "weak keys only": (http(key_set(rsa_jwk(rsa_key(1024)))), "the key set holds no usable key"),
    "a private key": (
        http(key_set(rsa_jwk(), ec_jwk(d="AAAA"))),
        "the key set holds a private or shared key",
    ),
    "a kid twice": (http(key_set(ec_jwk(), rsa_jwk(kid="ec"))), "two keys have the same kid"),
    "HTML": (http("<html>private words</html>"), "not a JSON Web Key Set"),
    "empty": (http(""), "not a JSON Web Key Set"),
    "bomb": (http("[" * 100_000), "not a JSON Web Key Set"),
    "not UTF-8": (http(b"\xff\xfe\xfd"), "not a JSON Web Key Set"),
    "keys of a thousand kinds": (http(key_set(*[{}] * 1000)), "not a JSON Web Key Set"),
    "error": (http(GOOD, "500 Internal Server Error"), "status-500"),
    "nothing": (b"HTTP/1.1 204 No Content\r\n\r\n", "status-204"),
    "redirect": (http(GOOD, "302 Found", "Location: /elsewhere"), "status-302"),
    "permanent redirect": (http(GOOD, "308 Gone", "Location: http://127.0.0.1:1/"), "status-308"),
    "huge": (http(GOOD + " " * LARGEST_SET), "too-large"),
    "endless chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"400\r\n%s\r\n" % (b" " * 1024) * 512,
        "too-large",
    ),
    "packed": (
        http(gzip.compress(GOOD.encode()), "200 OK", "Content-Encoding: gzip"),
        "encoded",
    ),
    "torn off": (http(GOOD)[:-200], "RemoteProtocolError"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.9\r\n", "RemoteProtocolError"),
    "headers without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "RemoteProtocolError"),
}


@pytest.mark.parametrize(("answer", "reason"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_a_bad_answer_changes_nothing(
    host: KeyHost,
    keys: JwksKeys,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    answer: bytes,
    reason: str,
) -> None:
    host.answer = answer
    with caplog.at_level(logging.WARNING, "app.infra.auth.jwks"):
        assert not await keys.has_keys()
        host.answer = http(GOOD)
        clock.pass_(LEAST_INTERVAL_SECONDS)
        assert await keys.has_keys()
        before = [keys.find_known(kid) for kid in ("ec", "rsa", "pss")]
        host.answer = answer
        clock.pass_(REFRESH_SECONDS)
        assert await keys.find("unknown") is None
    assert host.fetches == 3
    clock.pass_(OVERLAP)
    assert [keys.find_known(kid) for kid in ("ec", "rsa", "pss")] == before
    assert None not in before
    assert [record.__dict__["reason"] for record in caplog.records] == [reason, reason]
    for secret in ("private words", str(host.port), "AAAA", json.loads(GOOD)["keys"][0]["x"]):
        assert secret not in caplog.text


@pytest.mark.parametrize("begun", [True, False])
async def test_a_slow_host_is_given_up(
    host: KeyHost, clock: Clock, caplog: pytest.LogCaptureFixture, *, begun: bool
) -> None:
    host.pause.clear()
    host.answer = http(GOOD) if begun else b""
    source = JwksKeys(host.url, overlap_seconds=OVERLAP, patience_seconds=0.05, clock=clock)
    with caplog.at_level(logging.WARNING, "app.infra.auth.jwks"):
        async with aclosing(source) as keys:
            assert await keys.find("ec") is None
    assert [record.__dict__["reason"] for record in caplog.records] == ["slow"]


async def test_closing_gives_up_the_fetch_under_way_and_asks_no_more(
    host: KeyHost, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    host.pause.clear()
    keys = JwksKeys(host.url, overlap_seconds=OVERLAP, clock=clock)
    waiting = asyncio.create_task(keys.find("ec"))
    await host.asked.wait()
    await keys.aclose()
    assert await waiting is None
    clock.pass_(LEAST_INTERVAL_SECONDS)
    assert await keys.find("ec") is None
    assert host.fetches == 1
    assert "app.infra.auth.jwks" not in {record.name for record in caplog.records}


async def test_rotations_without_end_take_no_memory_without_end(
    host: KeyHost, clock: Clock
) -> None:
    async with aclosing(JwksKeys(host.url, overlap_seconds=86_400, clock=clock)) as keys:
        for turn in range(4):
            host.serve(*(ec_jwk(kid=f"{turn}-{number}") for number in range(64)))
            clock.pass_(LEAST_INTERVAL_SECONDS)
            await keys.find("unknown")
        held = [turn for turn in range(4) for n in range(64) if keys.find_known(f"{turn}-{n}")]
    assert held == [2] * 64 + [3] * 64
