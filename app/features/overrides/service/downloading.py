"""Evidence given back to who may know of its request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Forbidden
from app.domain.overrides.media import EXTENSIONS
from app.domain.privacy.roles import Viewer
from app.features.overrides.service import evidence
from app.features.overrides.service.cases import Acting, Case, get_case, request_key
from app.features.overrides.service.evidence import LinkedFile
from app.features.overrides.service.reading import shows_free_text, viewer_of
from app.infra.cipher import CipherError
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file in clear.

    Args:
        file: what is stored of it.
        file_name: what it was called.
        content: its bytes, block by block.
        viewer: for whom it was opened.
        subjects: the customers of its request.
    """

    file: LinkedFile
    file_name: str
    content: Sequence[bytes]
    viewer: Viewer
    subjects: Sequence[str]


async def open_evidence(
    session: AsyncSession, *, override_id: UUID, sha256: str, acting: Acting
) -> OpenedFile:
    """A file that any version of a request rests on, found to be what was uploaded.

    Raises:
        NotFound: there is no such request for the caller, or it never rested on such a file.
        Forbidden: the caller is not shown what people wrote, and did not upload it himself.
        Conflict: `evidence-removed` after its retention.
        CipherError: it is not what was stored.
    """
    case = await get_case(session, override_id=override_id, acting=acting)
    file = await evidence.get_file(session, request_id=case.request.id, sha256=sha256)
    viewer = viewer_of(case, acting)
    if not shows_free_text(viewer) and acting.digest != case.request.requested_by:
        raise Forbidden("forbidden")
    content = await evidence.get_content(session, file, vault=acting.vault)
    subjects = sorted(found.customer_id for found in case.stored.overrides)
    return OpenedFile(file, _name(case, file, acting), content, viewer, subjects)


def _name(case: Case, file: LinkedFile, acting: Acting) -> str:
    """What the file was called; its digest, where nothing opens the name any more."""
    try:
        return file.file_name(request_key(case.request, acting.vault))
    except CipherError:
        return f"{file.sha256}.{EXTENSIONS[file.media_type][0]}"
