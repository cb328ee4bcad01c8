"""Public keys that tokens are verified with: which are good enough, and where they come from."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from jose import jwk
from jose.backends.base import Key

from app.domain.errors import Invalid

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

RS256: Final = "RS256"
ES256: Final = "ES256"
PS256: Final = "PS256"
ALGORITHMS: Final = frozenset({RS256, ES256, PS256})

_FEWEST_RSA_BITS = 2048
_MOST_RSA_BITS = 8192
_SMALLEST_EXPONENT = 65537
_LARGEST_EXPONENT = 2**32
MOST_KEYS: Final = 64
_LARGEST_FILE = 1 << 20
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,2048}")
KEY_ID = re.compile(r"[A-Za-z0-9._~:/+=-]{1,128}")


class KeyRefusedError(ValueError):
    """A key is too weak, of another kind, or malformed."""


class _PssKey(Key):
    """RSA-PSS with SHA-256 and a salt of the digest's length, which python-jose lacks."""

    def __init__(self, key: bytes, algorithm: str) -> None:
        super().__init__(key, algorithm)
        loaded = serialization.load_pem_public_key(key)
        if not isinstance(loaded, rsa.RSAPublicKey):
            message = "an RSA key is needed"
            raise KeyRefusedError(message)
        self._key = loaded

    def verify(self, msg: bytes, sig: bytes) -> bool:
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        try:
            self._key.verify(sig, msg, scheme, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


jwk.register_key(PS256, _PssKey)


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key and the only algorithm it is used with; equal if both and the kid are."""

    kid: str
    algorithm: str
    public_pem: bytes
    key: Key = field(compare=False)


def verification_key(kid: str, algorithm: str, public_key: PublicKey) -> VerificationKey:
    """A public key, if it is good enough for its algorithm.

    Raises:
        KeyRefusedError: RSA of fewer than 2048 bits or an odd exponent, another curve than P-256, a
            key that does not fit the algorithm, or an algorithm that is not accepted.
    """
    if not KEY_ID.fullmatch(kid):
        message = "the kid is missing or odd"
        raise KeyRefusedError(message)
    if isinstance(public_key, rsa.RSAPublicKey):
        fits = algorithm in {RS256, PS256} and _is_strong(public_key)
    else:
        fits = algorithm == ES256 and isinstance(public_key.curve, ec.SECP256R1)
    if not fits:
        message = "the key is too weak or does not fit its algorithm"
        raise KeyRefusedError(message)
    pem = public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return VerificationKey(kid, algorithm, pem, jwk.construct(pem, algorithm))


def _is_strong(key: rsa.RSAPublicKey) -> bool:
    exponent = key.public_numbers().e
    return (
        _FEWEST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS
        and _SMALLEST_EXPONENT <= exponent < _LARGEST_EXPONENT
        and exponent % 2 == 1
    )


class KeySource(Protocol):
    """Where verification keys come from. A source may have to ask elsewhere, so it is awaited."""

    def find_known(self, kid: str) -> VerificationKey | None:
        """The key of that id, if it is at hand; None if there is none, or if it must be asked for.

        The same key is the same object from call to call.
        """

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of that id, asked for elsewhere if need be; None if there is none."""

    async def has_keys(self) -> bool:
        """Whether there is any key at all, asked for elsewhere if need be."""

    async def aclose(self) -> None:
        """Ask no more."""


def keys_by_id(keys: Iterable[VerificationKey]) -> dict[str, VerificationKey]:
    """Keys by their id.

    Raises:
        KeyRefusedError: two have the same.
    """
    by_id: dict[str, VerificationKey] = {}
    for key in keys:
        if key.kid in by_id:
            message = "two keys have the same kid"
            raise KeyRefusedError(message)
        by_id[key.kid] = key
    return by_id


class StaticKeys:
    """Keys that are known from the start."""

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._keys: Mapping[str, VerificationKey] = MappingProxyType(keys_by_id(keys))

    def find_known(self, kid: str) -> VerificationKey | None:
        """The key of that id; None if there is none."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of that id; None if there is none."""
        return self._keys.get(kid)

    async def has_keys(self) -> bool:
        """Whether there is any key."""
        return bool(self._keys)

    async def aclose(self) -> None:
        """Nothing was opened."""


def parse_jwks(text: str | bytes) -> list[VerificationKey]:
    """The usable keys of a JSON Web Key Set.

    Keys for encryption, of other kinds, too weak or malformed are left out, so that a token signed
    with one names an unknown key.

    Raises:
        KeyRefusedError: it is no key set, holds a private key, or holds no usable key.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raw = None
    entries = raw.get("keys") if isinstance(raw, dict) else None
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        message = "not a JSON Web Key Set"
        raise KeyRefusedError(message)
    found = [key for entry in entries if (key := _usable(entry)) is not None]
    if not found:
        message = "the key set holds no usable key"
        raise KeyRefusedError(message)
    return found


def _usable(entry: object) -> VerificationKey | None:
    if not isinstance(entry, dict):
        return None
    if "d" in entry or "k" in entry:
        message = "the key set holds a private or shared key"
        raise KeyRefusedError(message)
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if entry.get("use", "sig") != "sig":
        return None
    try:
        public_key = _public_key(entry)
        default = RS256 if isinstance(public_key, rsa.RSAPublicKey) else ES256
        return verification_key(
            str(entry.get("kid", "")), str(entry.get("alg", default)), public_key
        )
    except ValueError:
        return None


def _public_key(entry: Mapping[str, object]) -> PublicKey:
    if entry.get("kty") == "RSA":
        return rsa.RSAPublicNumbers(_number(entry, "e"), _number(entry, "n")).public_key()
    if entry.get("kty") == "EC" and entry.get("crv") == "P-256":
        numbers = ec.EllipticCurvePublicNumbers(
            _number(entry, "x"), _number(entry, "y"), ec.SECP256R1()
        )
        return numbers.public_key()
    message = "a kind of key that is not accepted"
    raise KeyRefusedError(message)


def _number(entry: Mapping[str, object], name: str) -> int:
    return int.from_bytes(decode_base64url(str(entry.get(name, ""))))


def decode_base64url(text: str) -> bytes:
    """Unpadded base64url, of which only the canonical spelling is accepted.

    Raises:
        ValueError: another alphabet, padding, or bits that are left over.
    """
    if not _BASE64URL.fullmatch(text):
        message = "not base64url"
        raise ValueError(message)
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        message = "not base64url"
        raise ValueError(message) from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return raw


def read_jwks_file(path: Path) -> StaticKeys:
    """The keys of a JSON Web Key Set file.

    Raises:
        Invalid: the file cannot be read, or is no usable key set.
    """
    try:
        with path.open("rb") as file:
            return StaticKeys(parse_jwks(file.read(_LARGEST_FILE)))
    except OSError as error:
        detail = f"jwks_file: cannot be read: {error.strerror}"
        raise Invalid("settings-invalid", detail) from None
    except KeyRefusedError as error:
        detail = f"jwks_file: {error}"
        raise Invalid("settings-invalid", detail) from None
