"""An import that is ordered over HTTP: the file is stored, a job does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from app.domain.errors import Conflict, Invalid
from app.domain.records.mapping.document import parse_mapping
from app.domain.records.specs import RECORDS
from app.features.imports.repository import runs, uploads
from app.features.imports.repository.uploads import PLACE, Upload
from app.features.imports.service.running import Choice
from app.infra import jobs
from app.infra.database import AsyncSession
from app.infra.documents import read_document
from app.infra.ids import new_id
from app.infra.jobs import Order
from app.infra.settings import Settings
from app.infra.spool import SealedSpool

#: What the worker knows the job by.
JOB_KIND: Final = "import"
#: What the blocks of an upload are sealed for.
UPLOAD_PLACE: Final = PLACE


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What was sent, and by whom."""

    file_name: str
    choice: Choice
    requested_by: str
    requested_role: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """The import, and the job that does it."""

    import_id: UUID
    job_id: UUID


def subject_of(import_id: UUID) -> str:
    """What no two live jobs may be about."""
    return f"{JOB_KIND}:{import_id}"


def check_choice(choice: Choice) -> None:
    """Refuse what could not be imported whatever the file holds.

    Raises:
        MappingError: the mapping says what cannot be done.
        Invalid: `document-unreadable` for a mapping that is no YAML; `record-unknown` for a record
            type there is not; `record-or-mapping` for both or neither.
    """
    if (choice.mapping is None) == (choice.record is None):
        raise Invalid("record-or-mapping", "give a mapping, or a record for our own layout")
    if choice.record is not None and choice.record not in RECORDS:
        raise Invalid("record-unknown", f"known here: {', '.join(RECORDS)}")
    if choice.mapping is not None:
        parse_mapping(read_document(choice.mapping))


async def order_import(
    session: AsyncSession,
    order: ImportOrder,
    spool: SealedSpool,
    *,
    settings: Settings,
    today: date,
) -> Ordered:
    """Store an uploaded file and put its import in, in the caller's transaction.

    The same file with the same choice goes on where an import of it stopped, however that was
    begun, and is the same import as long as that goes on.

    Raises:
        Conflict: `import-running`, since somebody else's import of the file goes on.
    """
    digests = (spool.finish(), order.choice.digest(settings))
    await uploads.lock_file(session, digests)
    found = await runs.find_unfinished_run(
        session, file_digest=digests[0], mapping_digest=digests[1]
    )
    if found is None:
        import_id = new_id()
        valid_from = order.choice.valid_from or today
        runs.begin_run(
            session,
            run_id=import_id,
            file_name=order.file_name,
            digests=digests,
            begun_with={"valid_from": valid_from.isoformat()},
        )
        await session.flush()
    else:
        import_id = found.id
        await _require_own(session, import_id, order)
    if not await uploads.has_upload(session, import_id):
        await uploads.add_upload(session, _upload(import_id, order, spool), spool.sealed_blocks())
    job_id = await jobs.enqueue(
        session,
        Order(
            kind=JOB_KIND,
            payload={"import_id": str(import_id)},
            dedupe_key=subject_of(import_id),
            requested_by=order.requested_by,
            requested_role=order.requested_role,
        ),
    )
    return Ordered(import_id, job_id)


async def get_ordered(session: AsyncSession, *, import_id: UUID) -> Ordered:
    """What an earlier request put in."""
    about = await jobs.find_jobs_about(session, subject_of(import_id))
    return Ordered(import_id, min(job.id for job in about))


async def _require_own(session: AsyncSession, import_id: UUID, order: ImportOrder) -> None:
    asker = (order.requested_by, order.requested_role)
    for job in await jobs.find_jobs_about(session, subject_of(import_id)):
        if job.is_live and (job.requested_by, job.requested_role) != asker:
            raise Conflict("import-running", "somebody else's import of this file goes on")


def _upload(import_id: UUID, order: ImportOrder, spool: SealedSpool) -> Upload:
    return Upload(
        id=spool.id,
        run_id=import_id,
        key_id=spool.wrapped_key.key_id,
        wrapped_key=spool.wrapped_key.wrapped_key,
        size_bytes=spool.size,
        mapping=order.choice.mapping,
        record=order.choice.record,
        valid_from=order.choice.valid_from,
    )
