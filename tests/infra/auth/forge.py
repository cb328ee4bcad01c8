"""Tokens as an attacker, or a careless issuer, would write them: byte by byte."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.infra.auth.keys import StaticKeys, verification_key
from app.infra.auth.policy import TokenPolicy
from app.infra.auth.tokens import TokenVerifier

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ISSUED = int(NOW.timestamp())
POLICY = TokenPolicy(issuer="https://issuer.example", audience="tiering")

Json = Mapping[str, object]


@cache
def rsa_key(bits: int = 2048, name: str = "") -> rsa.RSAPrivateKey:
    """A key pair, made once for each size and name."""
    assert name in {"", "pss"}
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """A key pair of a curve, made once."""
    curves: dict[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP256K1]] = {
        "P-256": ec.SECP256R1,
        "P-384": ec.SECP384R1,
        "secp256k1": ec.SECP256K1,
    }
    return ec.generate_private_key(curves[curve]())


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: object) -> dict[str, object]:
    """Good claims, changed; a change to `...` takes the claim out."""
    good: dict[str, object] = {
        "iss": POLICY.issuer,
        "aud": POLICY.audience,
        "sub": "alice",
        "iat": ISSUED,
        "exp": ISSUED + 600,
        "roles": ["agent"],
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


@dataclass(frozen=True)
class Forged:
    """A token in the making; `header` and `payload` are taken as bytes if they are bytes."""

    header: Json | bytes
    payload: Json | bytes

    def signing_input(self) -> bytes:
        """What is signed."""
        parts = (
            part if isinstance(part, bytes) else json.dumps(part).encode()
            for part in (self.header, self.payload)
        )
        return ".".join(encode(part) for part in parts).encode()

    def signed(self, signature: bytes) -> str:
        """The token with any signature."""
        return f"{self.signing_input().decode()}.{encode(signature)}"

    def es256(self, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        """Signed with ECDSA and SHA-256, by the curve of the key."""
        der = (key or ec_key()).sign(self.signing_input(), ec.ECDSA(hashes.SHA256()))
        size = ((key or ec_key()).curve.key_size + 7) // 8
        return self.signed(b"".join(part.to_bytes(size) for part in decode_dss_signature(der)))

    def rs256(self, key: rsa.RSAPrivateKey | None = None) -> str:
        """Signed with RSA PKCS #1 v1.5 and SHA-256."""
        scheme = padding.PKCS1v15()
        return self.signed((key or rsa_key()).sign(self.signing_input(), scheme, hashes.SHA256()))

    def ps256(self, key: rsa.RSAPrivateKey | None = None) -> str:
        """Signed with RSA-PSS and SHA-256."""
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return self.signed((key or rsa_key()).sign(self.signing_input(), scheme, hashes.SHA256()))

    def hs256(self, secret: bytes) -> str:
        """Signed with a shared secret."""
        return self.signed(hmac.digest(secret, self.signing_input(), hashlib.sha256))


def token(header: Json | bytes | None = None, **changes: object) -> Forged:
    """A token that would be good if its header were left out here and signed by ES256."""
    return Forged(header or {"alg": "ES256", "kid": "ec", "typ": "JWT"}, claims(**changes))


def public_bytes(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: str) -> bytes:
    """The public key as everybody can read it: `pem` or `der`."""
    encoding = serialization.Encoding.PEM if form == "pem" else serialization.Encoding.DER
    return key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def verifier(now: datetime = NOW, policy: TokenPolicy = POLICY) -> TokenVerifier:
    """A verifier that knows three keys: `ec`, `rsa` and `pss`."""
    keys = StaticKeys(
        [
            verification_key("ec", "ES256", ec_key().public_key()),
            verification_key("rsa", "RS256", rsa_key().public_key()),
            verification_key("pss", "PS256", rsa_key(name="pss").public_key()),
        ]
    )
    return TokenVerifier(keys, policy, lambda: now)


def rsa_jwk(key: rsa.RSAPrivateKey | None = None, **changes: object) -> dict[str, object]:
    """A public RSA key as an entry of a key set, by default that of `rsa`."""
    numbers = (key or rsa_key()).public_key().public_numbers()
    members: dict[str, object] = {
        "kty": "RSA",
        "kid": "rsa",
        "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)),
        "e": encode(numbers.e.to_bytes(3)),
    }
    return members | changes


def ec_jwk(key: ec.EllipticCurvePrivateKey | None = None, **changes: object) -> dict[str, object]:
    """A public P-256 key as an entry of a key set, by default that of `ec`."""
    numbers = (key or ec_key()).public_key().public_numbers()
    members: dict[str, object] = {
        "kty": "EC",
        "crv": "P-256",
        "kid": "ec",
        "x": encode(numbers.x.to_bytes(32)),
        "y": encode(numbers.y.to_bytes(32)),
    }
    return members | changes


def key_set(*keys: object) -> str:
    """A key set of such entries."""
    return json.dumps({"keys": list(keys)})


SECOND = timedelta(seconds=1)
