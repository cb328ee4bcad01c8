"""Evidence: taken in while it comes, stored once per content, given back only if it is unchanged.

A file is sealed on its way, judged by its bytes, scanned, and then stored under a key of its own
that its digest is bound to. The same content is stored once, however many requests rest on it, and
kept as long as the one that needs it longest; then content and key go, and the digest stays.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.overrides.media import EvidenceJudge
from app.domain.words import EvidenceType
from app.features.overrides.repository import evidence
from app.features.overrides.repository.cases import StoredVersion
from app.features.overrides.repository.evidence import NAME_PLACE, PLACE, FileKey, LinkedFile
from app.features.overrides.service.cases import Acting
from app.infra.cipher import CipherError, SubjectKey, Vault, WrappedKey
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.scanner import Scanner
from app.infra.settings import Settings
from app.infra.spool import BLOCK_BYTES, SealedSpool

__all__ = [
    "Arrival",
    "ArrivedFile",
    "LinkedFile",
    "NamedFile",
    "as_if_alone",
    "carry_over",
    "files_of",
    "get_content",
    "get_file",
    "remove_expired_evidence",
    "store_file",
]

#: Files whose content goes in one transaction.
_REMOVED_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """A whole file, accepted as what it says it is, and not stored yet."""

    spool: SealedSpool
    sha256: str
    media_type: EvidenceType


@dataclass(frozen=True, slots=True)
class NamedFile:
    """An accepted file, and what its sender calls it."""

    file: ArrivedFile
    file_name: str


class Arrival:
    """One file on its way in; what is not stored is gone with the block.

    Args:
        settings: in whose data folder it waits, sealed.
        vault: wraps the key it waits under.
    """

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._judge = EvidenceJudge()
        self._spool = SealedSpool(settings.data_dir.expanduser().resolve(), vault, PLACE)

    def __enter__(self) -> Self:
        self._spool.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    @property
    def size_bytes(self) -> int:
        """How much came so far."""
        return self._spool.size

    async def take(self, pieces: list[bytes]) -> None:
        """Take the next bytes.

        Raises:
            OSError: the disk is full.
        """
        await asyncio.to_thread(self._take, pieces)

    def _take(self, pieces: list[bytes]) -> None:
        self._spool.write_all(pieces)
        self._judge.feed(b"".join(pieces))

    async def accept(self, *, declared: str, file_name: str, scanner: Scanner) -> ArrivedFile:
        """The file, once all of it came and nothing speaks against it.

        Args:
            declared: the media type its sender gave.
            file_name: what its sender calls it.
            scanner: the deployment's.

        Raises:
            Invalid: `evidence-type`, or `evidence-refused` by the scanner.
            ScannerFailedError: it could not be scanned.
        """
        media_type = self._judge.verdict(declared=declared, file_name=file_name)
        sha256 = self._spool.finish()
        if not await scanner.is_clean(self._spool.opened_blocks()):
            raise Invalid("evidence-refused")
        return ArrivedFile(self._spool, sha256, media_type)


async def store_file(
    session: AsyncSession, arrived: ArrivedFile, *, vault: Vault, retained_until: date
) -> UUID:
    """Store a file, in the caller's transaction, unless its content is here already; its id.

    Either way it is kept at least until that day. Lock the request before: files are locked last.
    """
    sha256, media_type, spool = arrived.sha256, arrived.media_type, arrived.spool
    known = await evidence.lock_file(
        session,
        id_=new_id(),
        described=(sha256, media_type, spool.size),
        retained_until=retained_until,
    )
    if not known.has_content:
        key, wrapped = vault.new_key(_key_name(sha256))
        sealed = (
            vault.encrypt(key, *PLACE, _block_row(sha256, position), block)
            for position, block in enumerate(spool.opened_blocks())
        )
        stored = FileKey(wrapped.key_id, wrapped.wrapped_key)
        await evidence.add_content(session, known.id, stored, sealed)
    return known.id


async def carry_over(
    session: AsyncSession,
    *,
    version: StoredVersion,
    added: NamedFile | None,
    key: SubjectKey,
    acting: Acting,
) -> None:
    """Let a new version rest on what the one before rests on, and on a file that was added.

    Where it asks for a longer validity than any before, its files are kept as much longer. What is
    added is stored, and kept for its retention from the end of that validity.

    Args:
        session: in whose transaction; the request is locked.
        version: the new version, inserted.
        added: a file that is new to the request.
        key: the request's, which seals the file's name.
        acting: who adds it.
    """
    request_id, number = version.request_id, version.version
    await evidence.copy_links(session, request_id, from_version=number - 1, to_version=number)
    before = await evidence.latest_validity(session, request_id, before=number)
    if before is not None and version.valid_until > before:
        await evidence.keep_longer(session, request_id, (version.valid_until - before).days)
    if added is not None:
        kept = timedelta(acting.settings.evidence_keep_days)
        file_id = await store_file(
            session, added.file, vault=acting.vault, retained_until=version.valid_until + kept
        )
        row = evidence.name_row(request_id, file_id)
        await evidence.add_link(
            session,
            (request_id, number),
            file_id,
            file_name_cipher=Vault.encrypt(key, *NAME_PLACE, row, added.file_name.encode()),
            added_at=acting.now,
        )


async def files_of(
    session: AsyncSession, *, request_id: UUID, version: int
) -> Sequence[LinkedFile]:
    """What a version rests on, in the order it was added."""
    return await evidence.list_files(session, request_id, version=version)


async def as_if_alone(
    session: AsyncSession, files: Sequence[LinkedFile], *, request_id: UUID, kept: timedelta
) -> Sequence[LinkedFile]:
    """Files kept no longer than their request needs them: how long others do tells of those.

    Args:
        session: an open session.
        files: what a version of the request rests on.
        request_id: the request.
        kept: how long evidence is kept after the end of validity.
    """
    latest = await evidence.latest_validity(session, request_id)
    if latest is None:
        return files
    return [
        replace(found, retained_until=min(found.retained_until, latest + kept)) for found in files
    ]


async def get_file(session: AsyncSession, *, request_id: UUID, sha256: str) -> LinkedFile:
    """A file that any version of a request rests on.

    Raises:
        NotFound: none does.
    """
    found = await evidence.list_files(session, request_id, sha256=sha256)
    if not found:
        raise NotFound("not-found", "There is no such evidence.")
    return found[0]


async def get_content(session: AsyncSession, file: LinkedFile, *, vault: Vault) -> list[bytes]:
    """What a file holds, block by block, once all of it is found to be what was stored.

    Raises:
        Conflict: `evidence-removed` after its retention.
        CipherError: it is not what was stored, or this deployment has not its key.
    """
    if file.key is None:
        raise Conflict("evidence-removed", "It was removed after its retention.")
    wrapped = WrappedKey(_key_name(file.sha256), file.key.key_id, file.key.wrapped_key)
    key = vault.unwrap(wrapped)
    digest, content = hashlib.sha256(), list[bytes]()
    count = -(-file.size_bytes // BLOCK_BYTES)
    async for sealed in evidence.read_blocks(session, file.id, count):
        row = _block_row(file.sha256, len(content))
        content.append(await asyncio.to_thread(Vault.decrypt, key, *PLACE, row, sealed))
        digest.update(content[-1])
    if digest.hexdigest() != file.sha256 or sum(map(len, content)) != file.size_bytes:
        raise CipherError("the stored evidence is not what was uploaded")
    return content


async def remove_expired_evidence(session: AsyncSession, *, today: date) -> int:
    """Remove the content of files whose retention has run, with their keys; how many."""
    return await evidence.remove_expired(session, today, most=_REMOVED_AT_A_TIME)


def _key_name(sha256: str) -> str:
    """What a file's key is wrapped for; no customer is called so."""
    return f"evidence:{sha256}"


def _block_row(sha256: str, position: int) -> str:
    """What a block is bound to: the content it is of, wherever it stands."""
    return f"{sha256}/{position}"
