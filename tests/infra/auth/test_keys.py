"""Keys that are too weak, private or of another kind verify nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
from tests.infra.auth.forge import (
    ec_jwk,
    ec_key,
    encode,
    key_set,
    public_bytes,
    rsa_jwk,
    rsa_key,
    token,
    verifier,
)

pytestmark = pytest.mark.anyio


async def test_a_key_set_verifies_what_its_keys_signed() -> None:
    found = {
        key.kid: key
        for key in parse_jwks(key_set(rsa_jwk(), ec_jwk(), rsa_jwk(kid="p", alg="PS256")))
    }
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
        rsa_jwk(rsa_key(1024)),
        rsa_jwk(e=encode((3).to_bytes())),
        rsa_jwk(e=encode((65538).to_bytes(3))),
        rsa_jwk(alg="ES256"),
        rsa_jwk(alg="HS256"),
        rsa_jwk(alg="RSA-OAEP"),
        rsa_jwk(use="enc"),
        rsa_jwk(key_ops=["encrypt"]),
        rsa_jwk(key_ops=7),
        rsa_jwk(n="AA"),
        rsa_jwk(n="!"),
        rsa_jwk(kid=""),
        rsa_jwk(kid="a b"),
        ec_jwk(crv="P-384"),
        ec_jwk(crv="secp256k1"),
        ec_jwk(alg="ES384"),
        ec_jwk(x=encode(b"\x01" * 32)),
        {"kty": "oct", "kid": "o"},
        {"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": "AA"},
        "text",
    ],
)
def test_an_unusable_key_is_left_out(unusable: object) -> None:
    assert [key.kid for key in parse_jwks(key_set(unusable, ec_jwk(kid="good")))] == ["good"]
    with pytest.raises(KeyRefusedError, match="no usable key"):
        parse_jwks(key_set(unusable))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"keys": {}}', "[" * 100_000, key_set(*[1] * 65)]
)
def test_what_is_no_key_set_is_refused(text: str) -> None:
    with pytest.raises(KeyRefusedError, match="not a JSON Web Key Set"):
        parse_jwks(text)


@pytest.mark.parametrize("secret", [ec_jwk(d="AA"), {"kty": "oct", "k": "AA", "kid": "o"}])
def test_a_key_set_with_a_secret_is_refused(secret: dict[str, object]) -> None:
    with pytest.raises(KeyRefusedError, match="private or shared"):
        parse_jwks(key_set(rsa_jwk(), secret))


def test_two_keys_of_one_kid_are_refused() -> None:
    with pytest.raises(KeyRefusedError, match="same kid"):
        StaticKeys(parse_jwks(key_set(rsa_jwk(), rsa_jwk())))


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
    path.write_text(key_set(ec_jwk()))
    assert await read_jwks_file(path).find("ec")


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_key_set_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Invalid, match="jwks_file"):
        read_jwks_file(path)


async def test_the_verifier_is_fed_by_a_keykey_set() -> None:
    assert (await verifier().verify(token({"alg": "RS256", "kid": "rsa"}).rs256())).subject


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["kty", "use", "key_ops", "alg", "kid", "n", "e", "x", "y", "crv"])


@given(
    good=st.sampled_from([rsa_jwk(), ec_jwk()]),
    changes=st.dictionaries(MEMBERS, JSON, min_size=1, max_size=3),
)
def test_any_value_in_an_entry_makes_it_usable_or_not_and_never_worse(
    good: dict[str, object], changes: dict[str, object]
) -> None:
    found = parse_jwks(json.dumps({"keys": [good | changes, ec_jwk(kid="good")]}))
    assert len(found) in {1, 2}
    assert found[-1].kid == "good"
