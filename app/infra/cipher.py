"""Encryption at rest: one data key per subject, wrapped by the master key.

A sealed value is `version | data key id | nonce | ciphertext and tag` of AES-256-GCM, bound by its
associated data to table, column, row and key id, so that it opens nowhere else. A key's id is a
digest of the key. Removing a subject's key makes everything sealed for him unreadable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ARRAY, LargeBinary, Row, Text, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.subject_key import SubjectKeyRow
from app.domain.errors import Invalid
from app.infra.blind_index import BlindIndex
from app.infra.keyfile import read_or_create
from app.infra.settings import Settings

MASTER_KEY_FILE: Final = "master.key"

_VERSION = b"\x01"
_KEY_BYTES = 32
_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(_VERSION) + _ID_BYTES + _NONCE_BYTES
_SUBJECTS_PER_STATEMENT = 10_000


class CipherError(Exception):
    """A value does not open: another key, another place, or it was changed."""


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"tiering key id" + key).digest()[:_ID_BYTES]


def _seal(key: SubjectKey | MasterKey, place: bytes, plaintext: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    head = _VERSION + key.raw_id + nonce
    return head + key.aead.encrypt(nonce, plaintext, place + key.raw_id)


def _open(key: SubjectKey | MasterKey, place: bytes, sealed: bytes) -> bytes:
    if len(sealed) < _HEAD_BYTES + _TAG_BYTES or not sealed.startswith(_VERSION):
        message = "not a sealed value of a known version"
        raise CipherError(message)
    if sealed[1 : 1 + _ID_BYTES] != key.raw_id:
        message = "sealed with an unknown key"
        raise CipherError(message)
    nonce = sealed[1 + _ID_BYTES : _HEAD_BYTES]
    try:
        return key.aead.decrypt(nonce, sealed[_HEAD_BYTES:], place + key.raw_id)
    except InvalidTag:
        message = "the value was changed, or sealed for another place"
        raise CipherError(message) from None


def _place(*parts: str) -> bytes:
    """Parts with their lengths, so that no two lists of parts read the same."""
    return b"".join(len(part).to_bytes(4) + part for part in (name.encode() for name in parts))


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A subject's data key, ready for use; build it once for many values."""

    subject_id: str
    raw_id: bytes
    aead: AESGCM = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is stored, with the id of the master key that wraps it."""

    subject_id: str
    key_id: str
    wrapped_key: bytes


class MasterKey:
    """The key that wraps data keys and from which the service's other secrets are derived.

    Raises:
        Invalid: it has not 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise Invalid(
                "settings-invalid",
                "master_key: 32 random bytes in Base64 are needed; `openssl rand -base64 32`",
            )
        self.raw_id = _id_of(key)
        self.key_id = self.raw_id.hex()
        self.aead = AESGCM(key)
        self._key = key

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key of its own for a purpose, such as an HMAC (HKDF-SHA-256)."""
        return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key)


class Vault:
    """Seals and opens values; holds no session and no data key.

    Args:
        master: the master key that wraps new data keys.
        previous: earlier master keys, which still unwrap.
    """

    def __init__(self, master: MasterKey, previous: Iterable[MasterKey] = ()) -> None:
        self.master = master
        self.blind_index = BlindIndex(master.derive)
        self._masters = {key.key_id: key for key in (*previous, master)}

    def new_key(self, subject_id: str) -> tuple[SubjectKey, WrappedKey]:
        """A new data key for a subject, and its wrapped form to store."""
        key = AESGCM.generate_key(_KEY_BITS)
        wrapped = _seal(self.master, _place("subject_keys", subject_id), key)
        return (
            SubjectKey(subject_id, _id_of(key), AESGCM(key)),
            WrappedKey(subject_id, self.master.key_id, wrapped),
        )

    def unwrap(self, stored: WrappedKey) -> SubjectKey:
        """The data key of its stored form.

        Raises:
            CipherError: the master key is unknown, or the form belongs to another subject.
        """
        master = self._masters.get(stored.key_id)
        if master is None:
            message = "wrapped with an unknown master key"
            raise CipherError(message)
        key = _open(master, _place("subject_keys", stored.subject_id), stored.wrapped_key)
        return SubjectKey(stored.subject_id, _id_of(key), AESGCM(key))

    @staticmethod
    def encrypt(key: SubjectKey, table: str, column: str, row: str, plaintext: bytes) -> bytes:
        """The sealed form of a value for one place.

        Args:
            key: the data key of the subject.
            table: where the value will stand.
            column: likewise.
            row: the row's natural key.
            plaintext: the value.
        """
        return _seal(key, _place(table, column, row), plaintext)

    @staticmethod
    def decrypt(key: SubjectKey, table: str, column: str, row: str, sealed: bytes) -> bytes:
        """The value of a sealed form found at one place.

        Raises:
            CipherError: another key, another place, another version, or changed bytes.
        """
        return _open(key, _place(table, column, row), sealed)


_KEY_BITS = _KEY_BYTES * 8


def _decoded(raw: str) -> bytes:
    try:
        return base64.b64decode(raw.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def load_master_key(settings: Settings) -> MasterKey:
    """The master key of a deployment: the configured one, else development's own file.

    Raises:
        Invalid: production without a key, or a key that is not 32 bytes in Base64.
    """
    if settings.master_key is not None:
        return MasterKey(_decoded(settings.master_key.get_secret_value()))
    if settings.is_production:
        raise Invalid(
            "settings-invalid",
            "TIERING_MASTER_KEY is not set; production never makes up its own key",
        )
    path = settings.data_dir / MASTER_KEY_FILE
    made = read_or_create(path, lambda: base64.b64encode(os.urandom(_KEY_BYTES)))
    return MasterKey(_decoded(made.decode(errors="replace")))


async def find_subject_keys(
    session: AsyncSession, vault: Vault, subject_ids: Iterable[str]
) -> dict[str, SubjectKey]:
    """The data keys of those subjects that have one; a subject without was never sealed, or erased.

    Raises:
        CipherError: a stored key does not open.
    """
    wanted = sorted(set(subject_ids))
    found: dict[str, SubjectKey] = {}
    for start in range(0, len(wanted), _SUBJECTS_PER_STATEMENT):
        part = wanted[start : start + _SUBJECTS_PER_STATEMENT]
        rows = await session.execute(
            select(SubjectKeyRow.subject_id, SubjectKeyRow.key_id, SubjectKeyRow.wrapped_key).where(
                SubjectKeyRow.subject_id == bindparam("ids", part, ARRAY(Text)).any_()
            )
        )
        found.update(_unwrapped(vault, rows))
    return found


_INSERT_KEYS = text("""
    INSERT INTO subject_keys (subject_id, key_id, wrapped_key)
    SELECT * FROM unnest(:subject_ids, :key_ids, :wrapped_keys)
    ON CONFLICT (subject_id) DO NOTHING
    RETURNING subject_id
""").bindparams(
    bindparam("subject_ids", type_=ARRAY(Text)),
    bindparam("key_ids", type_=ARRAY(Text)),
    bindparam("wrapped_keys", type_=ARRAY(LargeBinary)),
)


async def ensure_subject_keys(
    session: AsyncSession, vault: Vault, subject_ids: Iterable[str]
) -> dict[str, SubjectKey]:
    """The data keys of subjects; those without get one, in two statements for each ten thousand.

    Where another transaction made a subject's key meanwhile, it is that one.

    Raises:
        CipherError: a stored key does not open.
    """
    wanted = sorted(set(subject_ids))
    found = await find_subject_keys(session, vault, wanted)
    missing = [subject_id for subject_id in wanted if subject_id not in found]
    for start in range(0, len(missing), _SUBJECTS_PER_STATEMENT):
        part = missing[start : start + _SUBJECTS_PER_STATEMENT]
        made = {subject_id: vault.new_key(subject_id) for subject_id in part}
        wrapped = [stored for _, stored in made.values()]
        inserted = await session.scalars(
            _INSERT_KEYS,
            {
                "subject_ids": part,
                "key_ids": [stored.key_id for stored in wrapped],
                "wrapped_keys": [stored.wrapped_key for stored in wrapped],
            },
        )
        ours = set(inserted)
        found.update({subject_id: made[subject_id][0] for subject_id in ours})
        if theirs := set(part) - ours:
            found.update(await find_subject_keys(session, vault, theirs))
    return found


def _unwrapped(
    vault: Vault, rows: Iterable[Row[str, str, bytes]]
) -> Iterable[tuple[str, SubjectKey]]:
    for subject_id, key_id, wrapped_key in rows:
        yield subject_id, vault.unwrap(WrappedKey(subject_id, key_id, wrapped_key))
