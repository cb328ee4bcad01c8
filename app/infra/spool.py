"""Bytes on their way into the database, sealed as they come: no disk holds them in clear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from app.infra.cipher import SubjectKey, Vault
from app.infra.ids import new_id

BLOCK_BYTES: Final = 1 << 20
_LENGTH_BYTES: Final = 4


class SealedSpool:
    """A file without a name, in which an upload waits until it is whole.

    Each block is sealed under the upload's own key and bound to its position. The file is gone when
    it is closed, or its process ends.

    Args:
        folder: on whose disk.
        vault: wraps the key.
        table: where the blocks will stand, with the column.
    """

    def __init__(self, folder: Path, vault: Vault, table: tuple[str, str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.id: UUID = new_id()
        self.size = 0
        self._key, self.wrapped_key = vault.new_key(key_name(self.id))
        self._vault = vault
        self._table = table
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the spool.
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._blocks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write_all(self, pieces: Iterable[bytes]) -> None:
        """Take bytes.

        Raises:
            OSError: the disk is full.
        """
        for piece in pieces:
            self._write(piece)

    def _write(self, data: bytes) -> None:
        self.size += len(data)
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) >= BLOCK_BYTES:
            self._seal(bytes(self._waiting[:BLOCK_BYTES]))
            del self._waiting[:BLOCK_BYTES]

    def finish(self) -> str:
        """Seal what waits; the SHA-256 of everything."""
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()
        return self._digest.hexdigest()

    def sealed_blocks(self) -> Iterator[bytes]:
        """The blocks in order, sealed."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH_BYTES):
            yield self._file.read(int.from_bytes(head))

    def opened_blocks(self) -> Iterator[bytes]:
        """The blocks in order, in clear; one of them at a time is.

        Raises:
            CipherError: the disk gives back something else than it was given.
        """
        for position, sealed in enumerate(self.sealed_blocks()):
            yield open_block(self._key, self._table, block_row(self.id, position), sealed)

    def _seal(self, block: bytes) -> None:
        row = block_row(self.id, self._blocks)
        sealed = self._vault.encrypt(self._key, *self._table, row, block)
        self._file.write(len(sealed).to_bytes(_LENGTH_BYTES) + sealed)
        self._blocks += 1


def key_name(upload_id: UUID) -> str:
    """What an upload's key is wrapped for; no customer is called so."""
    return f"upload:{upload_id}"


def block_row(upload_id: UUID, position: int) -> str:
    """What a block is bound to."""
    return f"{upload_id}/{position}"


def open_block(key: SubjectKey, table: tuple[str, str], row: str, sealed: bytes) -> bytes:
    """A block in clear.

    Raises:
        CipherError: it was changed, or stands elsewhere than it was sealed for.
    """
    return Vault.decrypt(key, *table, row, sealed)
