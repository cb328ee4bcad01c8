"""SQL of evidence: files by their content, and the versions that rest on them.

Rows of files are the last that a transaction locks: after those of requests and customers, and in
the order of their digests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Date, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.evidence import EvidenceChunkRow, EvidenceFileRow, OverrideEvidenceRow
from app.db.rows.override_request import OverrideVersionRow
from app.domain.words import EvidenceType
from app.infra.cipher import SubjectKey, Vault

#: Where blocks of evidence stand: what they are sealed for.
PLACE: Final = (EvidenceChunkRow.__tablename__, "content")

#: Where names of files stand.
NAME_PLACE: Final = (OverrideEvidenceRow.__tablename__, "file_name_cipher")

#: The day that its triggers go by.
_DATABASE_DAY: Final = func.database_day(type_=Date)


@dataclass(frozen=True, slots=True)
class FileKey:
    """The key of a file as it is stored."""

    key_id: str
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file that a version rests on; `key` is None once its content was removed."""

    key: FileKey | None
    request_id: UUID
    id: UUID
    sha256: str
    media_type: EvidenceType
    size_bytes: int
    file_name_cipher: bytes
    added_at: datetime
    retained_until: date

    def file_name(self, key: SubjectKey) -> str:
        """What it was called.

        Args:
            key: that of the request.

        Raises:
            CipherError: the name was changed, or is another's.
        """
        row = name_row(self.request_id, self.id)
        return Vault.decrypt(key, *NAME_PLACE, row, self.file_name_cipher).decode()


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file's row, locked; one without content has to be given it."""

    id: UUID
    has_content: bool


#: In the order of `LinkedFile`, after its key.
_LINKED: Final = (
    OverrideEvidenceRow.request_id,
    EvidenceFileRow.id,
    EvidenceFileRow.sha256,
    EvidenceFileRow.media_type,
    EvidenceFileRow.size_bytes,
    OverrideEvidenceRow.file_name_cipher,
    OverrideEvidenceRow.added_at,
    EvidenceFileRow.retained_until,
)


def name_row(request_id: UUID, evidence_id: UUID) -> str:
    """What a name is bound to; versions of a request share it."""
    return f"{request_id}/{evidence_id}"


async def lock_file(
    session: AsyncSession, *, id_: UUID, described: tuple[str, str, int], retained_until: date
) -> KnownFile:
    """The row of a file, which is made if there is none, and kept at least until that day.

    Args:
        session: the caller's transaction.
        id_: the id it gets, if it is new.
        described: digest, media type and size.
        retained_until: first day it may be removed.
    """
    row = EvidenceFileRow
    sha256, media_type, size_bytes = described
    made = upsert(row).values(
        id=id_,
        sha256=sha256,
        media_type=media_type,
        size_bytes=size_bytes,
        key_id="",
        wrapped_key=None,
        retained_until=retained_until,
    )
    kept = made.on_conflict_do_update(
        index_elements=[row.sha256],
        set_={"retained_until": func.greatest(row.retained_until, made.excluded.retained_until)},
    ).returning(row.id, row.wrapped_key.is_not(None))
    return KnownFile(*(await session.execute(kept)).one())


async def add_content(
    session: AsyncSession, id_: UUID, key: FileKey, blocks: Iterable[bytes]
) -> None:
    """Give a file its key and its blocks; these go one by one."""
    await session.execute(
        update(EvidenceFileRow)
        .where(EvidenceFileRow.id == id_)
        .values(key_id=key.key_id, wrapped_key=key.wrapped_key)
    )
    for position, block in enumerate(blocks):
        await session.execute(
            insert(EvidenceChunkRow),
            {"evidence_id": id_, "chunk_no": position, "content": block},
        )


async def read_blocks(session: AsyncSession, id_: UUID, blocks: int) -> AsyncIterator[bytes]:
    """The first so many blocks of a file, sealed; what was put behind them is not looked at."""
    row = EvidenceChunkRow
    wanted = select(row.content).where(row.evidence_id == id_).order_by(row.chunk_no)
    for position in range(blocks):
        content: bytes | None = await session.scalar(wanted.where(row.chunk_no == position))
        if content is not None:
            yield content


async def list_files(
    session: AsyncSession,
    request_id: UUID,
    *,
    version: int | None = None,
    sha256: str | None = None,
) -> list[LinkedFile]:
    """The files of a request: of one version or of all, of one content or of any, as they came in.

    One that several versions rest on is there once, as the newest of them calls it.
    """
    file, link = EvidenceFileRow, OverrideEvidenceRow
    wanted = (
        select(*_LINKED, file.key_id, file.wrapped_key)
        .join(file, file.id == link.evidence_id)
        .where(link.request_id == request_id)
        .order_by(file.id, link.version.desc())
        .ext(distinct_on(file.id))
    )
    if version is not None:
        wanted = wanted.where(link.version == version)
    if sha256 is not None:
        wanted = wanted.where(file.sha256 == sha256)
    found = [
        LinkedFile(None if wrapped is None else FileKey(key_id, wrapped), *told)
        for *told, key_id, wrapped in await session.execute(wanted)
    ]
    return sorted(found, key=lambda one: (one.added_at, one.sha256))


async def copy_links(
    session: AsyncSession, request_id: UUID, *, from_version: int, to_version: int
) -> None:
    """Let a version rest on what another one rests on."""
    link = OverrideEvidenceRow
    names = ["request_id", "version", "evidence_id", "file_name_cipher", "added_at"]
    copied = select(
        link.request_id,
        literal(to_version),
        link.evidence_id,
        link.file_name_cipher,
        link.added_at,
    ).where(link.request_id == request_id, link.version == from_version)
    await session.execute(insert(link).from_select(names, copied))


async def add_link(
    session: AsyncSession,
    place: tuple[UUID, int],
    evidence_id: UUID,
    *,
    file_name_cipher: bytes,
    added_at: datetime,
) -> None:
    """Let a version of a request rest on a file."""
    await session.execute(
        insert(OverrideEvidenceRow).values(
            request_id=place[0],
            version=place[1],
            evidence_id=evidence_id,
            file_name_cipher=file_name_cipher,
            added_at=added_at,
        )
    )


async def latest_validity(
    session: AsyncSession, request_id: UUID, *, before: int | None = None
) -> date | None:
    """The latest end of validity that a version asked for, or one before some version."""
    row = OverrideVersionRow
    latest = select(func.max(row.valid_until)).where(row.request_id == request_id)
    if before is not None:
        latest = latest.where(row.version < before)
    return await session.scalar(latest)


async def keep_longer(session: AsyncSession, request_id: UUID, days: int) -> None:
    """Keep the files of a request for so many more days."""
    file, link = EvidenceFileRow, OverrideEvidenceRow
    of_request = select(link.evidence_id).where(link.request_id == request_id)
    ids = await session.scalars(
        select(file.id).where(file.id.in_(of_request)).order_by(file.sha256).with_for_update()
    )
    await session.execute(
        update(file).where(file.id.in_(ids.all())).values(retained_until=file.retained_until + days)
    )


async def remove_expired(session: AsyncSession, today: date, *, most: int) -> int:
    """Remove content and key of files whose retention has run; how many."""
    file = EvidenceFileRow
    found = await session.scalars(
        select(file.id)
        .where(
            file.wrapped_key.is_not(None),
            file.retained_until <= func.least(today, _DATABASE_DAY),
        )
        .order_by(file.sha256)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ids = found.all()
    await session.execute(delete(EvidenceChunkRow).where(EvidenceChunkRow.evidence_id.in_(ids)))
    await session.execute(update(file).where(file.id.in_(ids)).values(wrapped_key=None))
    return len(ids)
