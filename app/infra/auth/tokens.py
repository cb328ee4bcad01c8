"""One strict wrapper round python-jose; whatever is wrong with a token, the answer is the same.

python-jose by itself accepts a missing `aud` or `exp`, ignores `crit`, `kid` and `typ`, takes weak
keys and can be led to confuse a public key with a shared secret. It is handed only tokens whose
size, shape, header and key were checked here, and only to check the signature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from jose import jws

from app.domain.customer_ids import is_customer_id
from app.domain.privacy.roles import Role
from app.infra.auth.keys import ALGORITHMS, KEY_ID, KeySource, VerificationKey, decode_base64url
from app.infra.auth.policy import TokenPolicy
from app.infra.auth.verified import Remembered, RememberedTokens, VerifiedToken, digest_of

_LONGEST_TOKEN = 8192
_LONGEST_HEADER = 512
_SEGMENTS = 3
_DEEPEST_CLAIM = 8
#: 9999-01-01, which leaves room for the leeway below the last instant there is.
_LATEST_TIME = 253_370_764_800
_MOST_ROLES = 32
_ROLES = frozenset(role.value for role in Role)
_HEADER_KEYS = frozenset({"alg", "typ", "kid"})
_TYPES = frozenset({"jwt", "at+jwt"})
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')

LEEWAY: Final = timedelta(seconds=30)


class TokenRefusedError(Exception):
    """The token is not accepted. The reason is for the log, never for the caller."""


def _refuse(reason: str) -> NoReturn:
    raise TokenRefusedError(reason)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("duplicate-key")
    return found


def _no_constant(_name: str) -> NoReturn:
    _refuse("not-json")


def _object(raw: bytes, deepest: int) -> dict[str, object]:
    """A JSON object without duplicate keys; its depth is known before it is parsed."""
    depth = 0
    for byte in _JSON_STRING.sub(b"", raw):
        if byte in b"[{":
            depth += 1
        elif byte in b"]}":
            depth -= 1
        if depth > deepest:
            _refuse("too-deep")
    try:
        found = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except ValueError:
        _refuse("not-json")
    if not isinstance(found, dict):
        _refuse("not-an-object")
    return found


class TokenVerifier:
    """Verifies bearer tokens, each one's signature once.

    A good token is remembered until its `exp`, or until its key is accepted no more.

    Args:
        keys: where the public keys come from.
        policy: what a token must say.
        clock: the present instant.
        remembered: where good tokens are remembered.
    """

    def __init__(
        self,
        keys: KeySource,
        policy: TokenPolicy,
        clock: Callable[[], datetime],
        remembered: RememberedTokens | None = None,
    ) -> None:
        self.keys = keys
        self._policy = policy
        self._clock = clock
        self._remembered = RememberedTokens() if remembered is None else remembered
        self._header_keys = _HEADER_KEYS | policy.ignored_headers

    async def verify(self, token: str) -> VerifiedToken:
        """What the token says, once it is found good.

        Raises:
            TokenRefusedError: it is not.
        """
        known = self.find_verified(token)
        if known is not None:
            return known
        header = self._header(token)
        key = await self.keys.find(str(header["kid"]))
        if key is None:
            _refuse("unknown-kid" if await self.keys.has_keys() else "no-verification-keys")
        if key.algorithm != header["alg"]:
            _refuse("alg-of-another-key")
        found = self._claims(_object(_signed_payload(token, key), _DEEPEST_CLAIM))
        remembered = Remembered(found, key, found.expires_at + LEEWAY)
        self._remembered.remember(digest_of(token), remembered)
        return found

    def find_verified(self, token: str) -> VerifiedToken | None:
        """What a token says that was found good before and still is; None if it must be verified.

        It waits for nothing, so that a hot route can ask without a task switch.
        """
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        digest = digest_of(token)
        found = self._remembered.find(digest)
        if found is None:
            return None
        # The very key: another one of the same id has not signed this.
        if self._clock() < found.refused_from and self.keys.find_known(found.key.kid) is found.key:
            return found.token
        self._remembered.forget(digest)
        return None

    def _header(self, token: str) -> Mapping[str, object]:
        segments = token.split(".") if token.isascii() and len(token) <= _LONGEST_TOKEN else []
        if len(segments) != _SEGMENTS or len(segments[0]) > _LONGEST_HEADER:
            _refuse("shape")
        for segment in (segments[0], segments[2]):
            _decode(segment)
        header = _object(_decode(segments[0]), 1)
        if not set(header) <= self._header_keys:
            _refuse("header-key")
        if header.get("alg") not in ALGORITHMS:
            _refuse("alg")
        typ = header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower() not in _TYPES:
            _refuse("typ")
        kid = header.get("kid")
        if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
            _refuse("kid")
        return header

    def _claims(self, claims: Mapping[str, object]) -> VerifiedToken:
        if claims.get("iss") != self._policy.issuer:
            _refuse("iss")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._policy.audience not in audiences or not _all_strings(audiences):
            _refuse("aud")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            _refuse("sub")
        issued_at, expires_at = self._lifetime(claims)
        roles = self._roles(claims)
        customer_id = self._customer_id(claims) if Role.CUSTOMER in roles else None
        return VerifiedToken(
            self._policy.issuer, subject, roles, customer_id, issued_at, expires_at
        )

    def _lifetime(self, claims: Mapping[str, object]) -> tuple[datetime, datetime]:
        now = self._clock()
        issued_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
        not_before = _instant(claims, "nbf") if "nbf" in claims else issued_at
        if now >= expires_at + LEEWAY:
            _refuse("expired")
        if max(issued_at, not_before) > now + LEEWAY:
            _refuse("not-yet-valid")
        if not timedelta(0) < expires_at - issued_at <= self._policy.longest_lifetime:
            _refuse("lifetime")
        return issued_at, expires_at

    def _roles(self, claims: Mapping[str, object]) -> frozenset[Role]:
        found = self._policy.roles_claim.find(claims)
        if not isinstance(found, list) or len(found) > _MOST_ROLES or not _all_strings(found):
            _refuse("roles")
        names = {name for name in found if name not in self._policy.ignored_roles}
        if not names or not names <= _ROLES:
            _refuse("roles")
        return frozenset(Role(name) for name in names)

    def _customer_id(self, claims: Mapping[str, object]) -> str:
        found = self._policy.customer_id_claim.find(claims)
        if not isinstance(found, str) or not is_customer_id(found):
            _refuse("customer_id")
        return found


def _decode(segment: str) -> bytes:
    try:
        return decode_base64url(segment)
    except ValueError:
        _refuse("base64url")


def _signed_payload(token: str, key: VerificationKey) -> bytes:
    try:
        payload = jws.verify(token, key.key, [key.algorithm])
    except Exception:  # noqa: BLE001 - python-jose lets many kinds escape; all mean the same here.
        _refuse("signature")
    return bytes(payload)


def _all_strings(values: list[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _instant(claims: Mapping[str, object], name: str) -> datetime:
    seconds = claims.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        _refuse(name)
    if not 0 < seconds < _LATEST_TIME:
        _refuse(name)
    return datetime.fromtimestamp(seconds, UTC)
