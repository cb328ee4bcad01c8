"""Hostile tokens, of every kind that a verifier with known keys can be sent."""

from __future__ import annotations

import json

from tests.infra.auth.forge import (
    ISSUED,
    Forged,
    claims,
    ec_key,
    encode,
    public_bytes,
    rsa_key,
    token,
)

ES = {"alg": "ES256", "kid": "ec", "typ": "JWT"}
HS = {"alg": "HS256", "kid": "ec", "typ": "JWT"}


def _raw_claims(text: str) -> Forged:
    """Good claims with more text before the closing brace."""
    return Forged(ES, (json.dumps(claims())[:-1] + text + "}").encode())


def _tampered() -> str:
    header, _, signature = token().es256().split(".")
    return f"{header}.{encode(json.dumps(claims(roles=['admin'])).encode())}.{signature}"


def _good_signature() -> str:
    return token().es256().rpartition(".")[2]


CLAIMS: dict[str, str] = {
    "no aud": token(aud=...).es256(),
    "foreign aud": token(aud="other").es256(),
    "empty aud": token(aud=[]).es256(),
    "odd aud": token(aud=["tiering", 1]).es256(),
    "aud as object": token(aud={"tiering": 1}).es256(),
    "no iss": token(iss=...).es256(),
    "foreign iss": token(iss="https://issuer.example/").es256(),
    "iss as list": token(iss=["https://issuer.example"]).es256(),
    "no sub": token(sub=...).es256(),
    "empty sub": token(sub="").es256(),
    "number as sub": token(sub=1).es256(),
    "endless sub": token(sub="s" * 256).es256(),
    "line feed in sub": token(sub="a\nb").es256(),
    "half a character in sub": token(sub="\ud800").es256(),
    "no exp": token(exp=...).es256(),
    "null exp": token(exp=None).es256(),
    "text exp": token(exp=str(ISSUED + 600)).es256(),
    "float exp": token(exp=ISSUED + 600.5).es256(),
    "true exp": token(exp=True).es256(),
    "infinite exp": _raw_claims(', "nbf": Infinity').es256(),
    "exp of 5000 digits": _raw_claims(', "nbf": ' + "9" * 5000).es256(),
    "exp beyond the calendar": token(exp=10**15).es256(),
    "negative exp": token(exp=-1).es256(),
    "expired": token(iat=ISSUED - 700, exp=ISSUED - 30).es256(),
    "no iat": token(iat=...).es256(),
    "iat in the future": token(iat=ISSUED + 31).es256(),
    "nbf in the future": token(nbf=ISSUED + 31).es256(),
    "odd nbf": token(nbf="now").es256(),
    "lives too long": token(exp=ISSUED + 24 * 3600 + 1).es256(),
    "lives no time": token(exp=ISSUED).es256(),
    "no roles": token(roles=...).es256(),
    "empty roles": token(roles=[]).es256(),
    "roles as text": token(roles="agent").es256(),
    "unknown role": token(roles=["agent", "root"]).es256(),
    "odd role": token(roles=["agent", 1]).es256(),
    "nested role": token(roles=[["agent"]]).es256(),
    "too many roles": token(roles=["agent"] * 33).es256(),
    "customer without customer_id": token(roles=["customer"]).es256(),
    "customer with odd customer_id": token(roles=["customer"], customer_id="../C1").es256(),
    "customer with a number": token(roles=["customer"], customer_id=7).es256(),
    "duplicate roles claim": _raw_claims(', "roles": ["admin"]').es256(),
    "duplicate aud": _raw_claims(', "aud": "tiering"').es256(),
    "duplicate exp, the later one later": _raw_claims(f', "exp": {ISSUED + 7200}').es256(),
    "duplicate sub, once escaped": _raw_claims(r', "s\u0075b": "bob"').es256(),
    "duplicate key deep down": _raw_claims(', "x": {"y": 1, "y": 2}').es256(),
    "NaN": _raw_claims(', "x": NaN').es256(),
    "claims nested too deep": _raw_claims(', "x": ' + "[" * 9 + "]" * 9).es256(),
    "claims as a bomb": _raw_claims(', "x": ' + "[" * 2500).es256(),
    "claims as a list": Forged(ES, b"[]").es256(),
    "claims as text": Forged(ES, b'"x"').es256(),
    "claims not JSON": Forged(ES, b"{").es256(),
    "claims not UTF-8": Forged(ES, b'{"sub": "\xff"}').es256(),
    "empty claims": Forged(ES, b"").es256(),
}

HEADERS: dict[str, str] = {
    "crit": token(ES | {"crit": ["exp"]}).es256(),
    "jwk": token(ES | {"jwk": {"kty": "EC"}}).es256(),
    "jku": token(ES | {"jku": "https://evil.example/keys"}).es256(),
    "x5c": token(ES | {"x5c": ["MII"]}).es256(),
    "x5t": token(ES | {"x5t": "AAAA"}).es256(),
    "x5t#S256": token(ES | {"x5t#S256": "AAAA"}).es256(),
    "nonce": token(ES | {"nonce": "AAAA"}).es256(),
    "x5u": token(ES | {"x5u": "https://evil.example"}).es256(),
    "b64": token(ES | {"b64": False}).es256(),
    "zip": token(ES | {"zip": "DEF"}).es256(),
    "no kid": token({"alg": "ES256"}).es256(),
    "unknown kid": token(ES | {"kid": "other"}).es256(),
    "kid as path": token(ES | {"kid": "ec\u0000"}).es256(),
    "kid as list": token(ES | {"kid": ["ec"]}).es256(),
    "kid of another algorithm": token({"alg": "RS256", "kid": "ec"}).rs256(),
    "kid of another key": token({"alg": "RS256", "kid": "pss"}).rs256(rsa_key(name="pss")),
    "RS256 signature called PS256": token({"alg": "PS256", "kid": "pss"}).rs256(
        rsa_key(name="pss")
    ),
    "odd typ": token(ES | {"typ": "JWE"}).es256(),
    "typ as number": token(ES | {"typ": 1}).es256(),
    "alg none": token({"alg": "none", "kid": "ec"}).signed(b""),
    "alg NONE with a signature": token({"alg": "NONE", "kid": "ec"}).es256(),
    "no alg": token({"kid": "ec"}).es256(),
    "alg as list": token(ES | {"alg": ["ES256"]}).es256(),
    "alg es256": token(ES | {"alg": "es256"}).es256(),
    "ES512": token(ES | {"alg": "ES512"}).es256(),
    "HS256 with the public key as PEM": token(HS).hs256(public_bytes(ec_key(), "pem")),
    "HS256 with the public key as DER": token(HS).hs256(public_bytes(ec_key(), "der")),
    "HS256 with the RSA key as PEM": token(HS | {"kid": "rsa"}).hs256(
        public_bytes(rsa_key(), "pem")
    ),
    "HS256 with the RSA key as DER": token(HS | {"kid": "rsa"}).hs256(
        public_bytes(rsa_key(), "der")
    ),
    "HMAC called ES256": token(ES).hs256(public_bytes(ec_key(), "der")),
    "HMAC called RS256": token({"alg": "RS256", "kid": "rsa"}).hs256(
        public_bytes(rsa_key(), "der")
    ),
    "HS256 with one byte": token(HS).hs256(b"\x00"),
    "duplicate alg": Forged(b'{"alg": "none", "alg": "ES256", "kid": "ec"}', claims()).es256(),
    "header nested": Forged(b'{"alg": "ES256", "kid": "ec", "typ": [1]}', claims()).es256(),
    "header as a bomb": Forged(b'{"alg":' + b"[" * 300 + b"]" * 70 + b"}", claims()).es256(),
    "header as a long bomb": Forged(b'{"alg":' + b"[" * 3000, claims()).es256(),
    "header as a list": Forged(b"[]", claims()).es256(),
    "header not JSON": Forged(b"alg", claims()).es256(),
    "header not UTF-8": Forged(b'{"alg": "\xff"}', claims()).es256(),
}

SIGNATURES: dict[str, str] = {
    "another key": token().es256(ec_key("secp256k1")),
    "another curve": token().es256(ec_key("P-384")),
    "another RSA key": token({"alg": "RS256", "kid": "rsa"}).rs256(rsa_key(name="pss")),
    "RSA-1024": token({"alg": "RS256", "kid": "rsa"}).rs256(rsa_key(1024)),
    "tampered claims": _tampered(),
    "no signature": token().signed(b""),
    "zero signature": token().signed(b"\x00" * 64),
    "short signature": token().signed(b"\x01" * 63),
    "signature twice": token().es256() + _good_signature(),
    "padded signature": token().es256() + "=",
}

SHAPES: dict[str, str] = {
    "empty": "",
    "two segments": "a.b",
    "four segments": token().es256() + ".x",
    "JWE": "a.b.c.d.e",
    "20 KB": token(x="x" * 20_000).es256(),
    "20 KB of dots": "." * 20_000,
    "a long header": token(ES | {"kid": "e" * 600}).es256(),
    "standard Base64": token().es256().replace("_", "/").replace("-", "+") + "+/",
    "white space": token().es256() + " ",
    "not ASCII": token().es256() + "\u00e9",
    "left-over bits": token().es256()[:-1] + "_",
    "one digit": f"{token().es256()[:-86]}A",
}

HOSTILE = CLAIMS | HEADERS | SIGNATURES | SHAPES
