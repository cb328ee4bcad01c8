"""The development issuer: a key pair in the data folder, and tokens signed with it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jws

from app.domain.customer_ids import is_customer_id
from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.auth.keys import ES256, VerificationKey, verification_key
from app.infra.auth.policy import LONGEST_LIFETIME, TokenPolicy, policy_of
from app.infra.keyfile import read_or_create
from app.infra.settings import Settings

KEY_FILE: Final = "development-issuer.pem"
_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a development token shall say."""

    subject: str
    roles: tuple[Role, ...]
    customer_id: str | None = None
    lifetime: timedelta = timedelta(hours=1)


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """The key's id: its thumbprint of RFC 7638."""
    numbers = key.public_numbers()
    x, y = (_base64url(part.to_bytes(_COORDINATE_BYTES)) for part in (numbers.x, numbers.y))
    members = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    return _base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class DevelopmentIssuer:
    """Signs tokens with the key pair of a data folder, which it makes if there is none.

    Args:
        folder: the data folder.
        policy: issuer, audience and roles claim that the tokens carry.
    """

    def __init__(self, folder: Path, policy: TokenPolicy) -> None:
        pem = read_or_create(folder / KEY_FILE, _new_key)
        try:
            key = serialization.load_pem_private_key(pem, None)
        except ValueError:
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            detail = f"{KEY_FILE} in the data folder is damaged; remove it to have a new one made"
            raise Invalid("settings-invalid", detail)
        self._policy = policy
        self._pem = pem.decode()
        self._public_key = key.public_key()
        self._kid = _thumbprint(self._public_key)

    def verification_key(self) -> VerificationKey:
        """The public half, for the verifier of the same deployment."""
        return verification_key(self._kid, ES256, self._public_key)

    def sign(self, request: TokenRequest, now: datetime) -> str:
        """A signed token.

        Raises:
            Invalid: no role, role customer without the id of one, or too long a lifetime.
        """
        if not request.roles:
            raise Invalid("token-invalid", "a token carries at least one role")
        if Role.CUSTOMER in request.roles and not is_customer_id(request.customer_id or ""):
            detail = "role customer needs a customer id of up to 64 letters, digits and . _ -"
            raise Invalid("token-invalid", detail)
        if not timedelta(seconds=1) <= request.lifetime <= LONGEST_LIFETIME:
            raise Invalid("token-invalid", "a token lives for one second to 24 hours")
        issued_at = int(now.timestamp())
        claims: dict[str, object] = {
            "iss": self._policy.issuer,
            "aud": self._policy.audience,
            "sub": request.subject,
            "iat": issued_at,
            "exp": issued_at + int(request.lifetime.total_seconds()),
        }
        self._policy.roles_claim.put(claims, [role.value for role in request.roles])
        if request.customer_id is not None:
            self._policy.customer_id_claim.put(claims, request.customer_id)
        return jws.sign(claims, self._pem, headers={"kid": self._kid}, algorithm=ES256)


def development_issuer(settings: Settings) -> DevelopmentIssuer:
    """The issuer of a development deployment.

    Raises:
        Invalid: the environment is production.
    """
    if settings.is_production:
        raise Invalid(
            "settings-invalid",
            "production has no issuer of its own; set TIERING_JWKS_URL (or TIERING_JWKS_FILE)"
            " and TIERING_ISSUER",
        )
    return DevelopmentIssuer(settings.data_dir, policy_of(settings))


def development_token(
    settings: Settings,
    *,
    role: Role,
    now: datetime,
    customer_id: str | None = None,
    subject: str | None = None,
    seconds: int = 3600,
) -> str:
    """One token of the development issuer in the data folder.

    Args:
        settings: the deployment.
        role: the one role it carries.
        now: when it is issued.
        customer_id: the customer, for role customer.
        subject: who it is for; by default the customer, else a name made from the role.
        seconds: how long it is valid.

    Raises:
        Invalid: the environment is production, role customer without a customer id, or too long a
            lifetime.
    """
    request = TokenRequest(
        subject=subject or customer_id or f"{role}-1",
        roles=(role,),
        customer_id=customer_id,
        lifetime=timedelta(seconds=seconds),
    )
    return development_issuer(settings).sign(request, now)
