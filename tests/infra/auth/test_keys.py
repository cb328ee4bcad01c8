"""Keys that are too weak, private or of another kind verify nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk

from app.domain.errors import Invalid
from app.infra.auth.keys import (
    KeyRefusedError,
    PublicKey,
    StaticKeys,
    decode_base64url,
    parse_jwks,
    read_jwks_file,
    verification_key,
)
from tests.infra.auth.forge import ec_key, encode, public_bytes, rsa_key, token, verifier

pytestmark = pytest.mark.anyio


def _rsa(key: rsa.RSAPrivateKey | None = None, **changes: object) -> dict[str, object]:
    numbers = (key or rsa_key()).public_key().public_numbers()
    members: dict[str, object] = {
        "kty": "RSA",
        "kid": "rsa",
        "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
        "e": encode(numbers.e.to_bytes(3)),
    }
    return members | changes


def _ec(key: ec.EllipticCurvePrivateKey | None = None, **changes: object) -> dict[str, object]:
    numbers = (key or ec_key()).public_key().public_numbers()
    members: dict[str, object] = {
        "kty": "EC",
        "crv": "P-256",
        "kid": "ec",
        "x": encode(numbers.x.to_bytes(32)),
        "y": encode(numbers.y.to_bytes(32)),
    }
    return members | changes


def _set(*keys: object) -> str:
    return json.dumps({"keys": list(keys)})


async def test_a_key_set_verifies_what_its_keys_signed() -> None:
    found = {key.kid: key for key in parse_jwks(_set(_rsa(), _ec(), _rsa(kid="p", alg="PS256")))}
    assert {kid: key.algorithm for kid, key in found.items()} == {
        "rsa": "RS256",
        "ec": "ES256",
        "p": "PS256",
    }
    assert await StaticKeys(found.values()).find("ec") is found["ec"]
    assert await StaticKeys(found.values()).find("else") is None


@pytest.mark.parametrize(
    "unusable",
    [
        _rsa(rsa_key(1024)),
        _rsa(e=encode((3).to_bytes())),
        _rsa(e=encode((65538).to_bytes(3))),
        _rsa(alg="ES256"),
        _rsa(alg="HS256"),
        _rsa(alg="RSA-OAEP"),
        _rsa(use="enc"),
        _rsa(key_ops=["encrypt"]),
        _rsa(n="!"),
        _rsa(kid=""),
        _rsa(kid="a b"),
        _ec(crv="P-384"),
        _ec(crv="secp256k1"),
        _ec(alg="ES384"),
        _ec(x=encode(b"\x01" * 32)),
        {"kty": "oct", "kid": "o"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": "AA"},
        "text",
    ],
)
def test_an_unusable_key_is_left_out(unusable: object) -> None:
    assert [key.kid for key in parse_jwks(_set(unusable, _ec(kid="good")))] == ["good"]
    with pytest.raises(KeyRefusedError, match="no usable key"):
        parse_jwks(_set(unusable))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"keys": {}}', "[" * 100_000, _set(*[1] * 65)])
def test_what_is_no_key_set_is_refused(text: str) -> None:
    with pytest.raises(KeyRefusedError, match="not a JSON Web Key Set"):
        parse_jwks(text)


@pytest.mark.parametrize("secret", [_ec(d="AA"), {"kty": "oct", "k": "AA", "kid": "o"}])
def test_a_key_set_with_a_secret_is_refused(secret: dict[str, object]) -> None:
    with pytest.raises(KeyRefusedError, match="private or shared"):
        parse_jwks(_set(_rsa(), secret))


def test_two_keys_of_one_kid_are_refused() -> None:
    with pytest.raises(KeyRefusedError, match="same kid"):
        StaticKeys(parse_jwks(_set(_rsa(), _rsa())))


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS256", lambda: rsa_key(1024).public_key()),
        ("ES256", lambda: ec_key("P-384").public_key()),
        ("ES256", lambda: ec_key("secp256k1").public_key()),
        ("ES256", lambda: rsa_key().public_key()),
        ("RS256", lambda: ec_key().public_key()),
        ("HS256", lambda: rsa_key().public_key()),
    ],
)
def test_a_key_that_does_not_fit_is_refused(algorithm: str, make: Callable[[], PublicKey]) -> None:
    with pytest.raises(KeyRefusedError, match="too weak"):
        verification_key("k", algorithm, make())


def test_the_pss_back_end_takes_rsa_keys_only() -> None:
    with pytest.raises(KeyRefusedError, match="RSA key"):
        jwk.construct(public_bytes(ec_key(), "pem"), "PS256")


@pytest.mark.parametrize("text", ["", "a", "AB=", "A+", "AB", "A\n", "é"])
def test_only_canonical_base64url_is_read(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        decode_base64url(text)


async def test_a_key_set_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(_set(_ec()))
    assert await read_jwks_file(path).find("ec")


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_key_set_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Invalid, match="jwks_file"):
        read_jwks_file(path)


async def test_the_verifier_is_fed_by_a_key_set() -> None:
    assert (await verifier().verify(token({"alg": "RS256", "kid": "rsa"}).rs256())).subject
