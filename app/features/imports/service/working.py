"""The job of an import: the file out of the database, through the same import as a command's."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from app.domain.errors import Conflict, Invalid
from app.domain.records.findings import MappingError
from app.features.imports.repository import runs, uploads
from app.features.imports.repository.uploads import PLACE, Upload
from app.features.imports.service.running import (
    CHUNK_ROWS,
    ImportOptions,
    Surroundings,
    Ward,
    run_import,
)
from app.infra.cipher import CipherError, WrappedKey
from app.infra.database import AsyncSession
from app.infra.jobs import Lease
from app.infra.scratch import remove_left_behind, scratch_folder
from app.infra.settings import Settings
from app.infra.spool import block_row, key_name, open_block

_PREFIX: Final = "import-"
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
#: An address, a number of six digits or more: no column is called so.
_VALUE: Final = re.compile(r"@|\d{6}")


async def do_import(surroundings: Surroundings, lease: Lease) -> None:
    """One attempt at the import of an uploaded file.

    Raises:
        Invalid: file or mapping cannot be used; the detail names no value.
        Conflict: not now.
        LeaseLostError: another worker has the job; nothing of the chunk at hand was stored.
        JobCancelledError: stopped between two chunks.
        JobStoppedError: likewise, since the worker leaves.
    """
    import_id = UUID(lease.payload["import_id"])
    async with runs.transaction(surroundings.database) as session:
        state = await uploads.find_run_state(session, import_id)
        upload = await uploads.find_upload(session, import_id)
    if state is None or state.state == "completed":
        await _tidy(surroundings, import_id)
        return
    if upload is None:
        raise Invalid("upload-gone", "the file is not kept any more; send it again")
    folder = surroundings.settings.data_dir.expanduser().resolve()
    with scratch_folder(folder, _PREFIX) as home, _without_values():
        file = await _fetch(surroundings, upload, home / "file" / state.file_name, lease)
        if file.digest != state.file_digest:
            raise Invalid("upload-broken", "the stored file is not what was sent; send it again")
        options = ImportOptions(
            mapping=_mapping_file(upload, home),
            record=upload.record,
            valid_from=upload.valid_from,
            run_id=import_id,
            chunk_rows=CHUNK_ROWS,
        )
        ward = _JobWard(lease, import_id)
        await run_import(
            replace(surroundings, ward=ward), file.path, options, lambda *_: lease.check()
        )


def remove_left_behind_files(settings: Settings) -> None:
    """Remove what workers that were killed on this machine had in clear."""
    remove_left_behind(settings.data_dir.expanduser().resolve(), _PREFIX)


async def remove_unwanted_uploads(session: AsyncSession, settings: Settings) -> None:
    """Remove files whose imports ended without success and were not requeued."""
    await uploads.remove_unwanted(session, days=settings.import_keep_days)


class _JobWard(Ward):
    """Lets an import commit as long as the job is its own."""

    keeps_findings = True

    def __init__(self, lease: Lease, import_id: UUID) -> None:
        self._lease = lease
        self._import_id = import_id

    def check_header(self, path: Path, names: Sequence[str]) -> None:
        for number, name in enumerate(names, 1):
            if _VALUE.search(name):
                raise Invalid(
                    "file-unreadable",
                    f"{path.name}, column {number}: the header holds what looks like a value; "
                    "put the columns' names first",
                )

    async def confirm(self, session: AsyncSession, *, done: int, total: int) -> None:
        await self._lease.confirm(session, done=done, total=total)

    async def complete(self, session: AsyncSession) -> None:
        await uploads.remove_upload(session, self._import_id)
        await self._lease.succeed(session)


@contextmanager
def _without_values() -> Iterator[None]:
    """Tell what is wrong without what a file may have held where names should be."""
    try:
        yield
    except (MappingError, Invalid) as error:
        detail = error.detail
        if error.type == "file-unreadable":
            detail = _QUOTED.sub("…", detail)
        raise Invalid(error.type, detail) from None


async def _tidy(surroundings: Surroundings, import_id: UUID) -> None:
    async with runs.transaction(surroundings.database) as session:
        await uploads.remove_upload(session, import_id)


@dataclass(frozen=True, slots=True)
class _Fetched:
    path: Path
    digest: str


async def _fetch(surroundings: Surroundings, upload: Upload, path: Path, lease: Lease) -> _Fetched:
    """The file in clear, in a folder that only we may enter, for as long as it is read."""
    wrapped = WrappedKey(key_name(upload.id), upload.key_id, upload.wrapped_key)
    digest = hashlib.sha256()
    path.parent.mkdir(mode=0o700)
    try:
        key = surroundings.vault.unwrap(wrapped)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", 0) as file:
            async with runs.transaction(surroundings.database) as session:
                position = 0
                async for sealed in uploads.read_blocks(session, upload.id):
                    block = open_block(key, PLACE, block_row(upload.id, position), sealed)
                    digest.update(block)
                    _write(file, block)
                    position += 1
                    lease.check()
    except CipherError:
        raise Invalid(
            "upload-broken", "the stored file does not open with the keys of this deployment"
        ) from None
    return _Fetched(path, digest.hexdigest())


def _write(file: IO[bytes], block: bytes) -> None:
    # Told apart from the connection's own errors, which are of the same kind.
    try:
        file.write(block)
    except OSError as error:
        what = (error.strerror or "it cannot be written").lower()
        raise Conflict("disk-full", f"the worker's data folder: {what}") from None


def _mapping_file(upload: Upload, home: Path) -> Path | None:
    if upload.mapping is None:
        return None
    path = home / "mapping.yaml"
    path.write_text(upload.mapping, encoding="utf-8")
    return path
