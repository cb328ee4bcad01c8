"""Evidence of a request: files in, sealed as they come, and out again as audited reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response
from starlette.datastructures import State

from app.domain.privacy.actor import Actor
from app.domain.words import EVIDENCE_TYPES
from app.features.overrides import service
from app.features.overrides.router.shared import (
    EVALUATION_PROBLEMS,
    READERS,
    CaseDesk,
    CurrentStaffDesk,
    Manager,
    OverrideId,
    respond_case,
    router,
)
from app.features.overrides.schemas import OverrideRead
from app.features.overrides.service import Arrival, NamedFile
from app.infra.audit import Audit
from app.infra.auth import costs, requires
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses
from app.infra.downloads import StoredDocument, respond_document
from app.infra.idempotency import REPLAYED, Once
from app.infra.multipart import read_upload, refuse_part
from app.infra.rate_limit import RateClass
from app.infra.scanner import Scanner
from app.infra.settings import LARGEST_EVIDENCE, Settings
from app.infra.turns import TAKES_TURN, LaterTurn, OneTurn

#: The framework's limit, with what surrounds the file; TIERING_EVIDENCE_MAX_BYTES counts.
_CEILING: Final = LARGEST_EVIDENCE + (1 << 20)
#: The largest file on a slow line, and its scan.
_LONGEST_UPLOAD_SECONDS: Final = 600
_REQUEST_BODY: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    "file": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "PDF, PNG, JPEG, or text in UTF-8; its part says which by"
                        " `Content-Type` and by the extension of its name. At most "
                        f"{LARGEST_EVIDENCE:,} bytes.",
                    }
                },
            },
            "encoding": {"file": {"contentType": ", ".join(EVIDENCE_TYPES)}},
        }
    },
}
_BINARY: Final = {"type": "string", "format": "binary"}
_CONTENT: Final = {
    "headers": {
        "Repr-Digest": {
            "description": "SHA-256 of the file (RFC 9530).",
            "schema": {"type": "string"},
        }
    },
    "content": {
        kind: {"schema": {"type": "string"} if kind == "text/plain" else _BINARY}
        for kind in EVIDENCE_TYPES
    },
}
_SCANNER_KEY: Final = "evidence_scanner"

Sha256 = Annotated[
    str, Path(description="SHA-256 of the file, in hexadecimal digits.", pattern="^[0-9a-f]{64}$")
]


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is read as it comes, before its request takes a turn."""

    turn: OneTurn
    request: Request

    async def read(self, arrival: Arrival, settings: Settings) -> NamedFile:
        """The file of the body, once it is accepted.

        Raises:
            Invalid: `evidence-type` or `evidence-refused`.
            ProblemError: it is no such form, too large or empty.
            ScannerFailedError: it could not be scanned.
        """
        form = await read_upload(
            self.request, arrival.take, texts=(), largest=settings.evidence_max_bytes
        )
        if not arrival.size_bytes:
            raise refuse_part("file", "empty")
        file = await arrival.accept(
            declared=form.media_type,
            file_name=form.file_name,
            scanner=_scanner_of(self.request.app.state),
        )
        # Not before, since body and scan may take minutes.
        await self.turn.take()
        return NamedFile(file, form.file_name)


async def current_upload(turn: LaterTurn, request: Request) -> Upload:
    """The upload of one request."""
    return Upload(turn, request)


def _scanner_of(state: State) -> Scanner:
    """The scanner of an application, which counts how many scans it runs."""
    if not hasattr(state, _SCANNER_KEY):
        setattr(state, _SCANNER_KEY, Scanner(state.settings))
    scanner: Scanner = getattr(state, _SCANNER_KEY)
    return scanner


@router.post(
    "/v1/overrides/{override_id}/evidence",
    status_code=201,
    response_model=OverrideRead,
    summary="Add evidence to a request",
    response_description="The request in the version that rests on the file.",
    responses={
        201: REPLAYED,
        **problem_responses(
            404,
            "upload-stalled",
            "evidence-type",
            "evidence-refused",
            "too-many-files",
            "not-requester",
            "already-decided",
            "request-expired",
            "part-of-bulk",
            "validity-out-of-range",
            *EVALUATION_PROBLEMS,
        ),
    },
    dependencies=[costs(RateClass.COSTLY)],
    openapi_extra={"requestBody": _REQUEST_BODY},
    max_body_size=_CEILING,
)
@takes_up_to(seconds=_LONGEST_UPLOAD_SECONDS)
async def create_override_evidence(
    upload: Annotated[Upload, Depends(current_upload, scope="function")],
    override_id: OverrideId,
    desk: CaseDesk,
    once: Once,
    _actor: Manager,
) -> Response:
    """By who asked, as long as it waits. A file that is new to it makes a new version.

    What was approved of the version before is void then. The file is what its bytes say it is, and
    says so itself; it is scanned, sealed and kept for its retention, which nobody shortens.
    """
    acting = desk.acting
    with service.Arrival(acting.settings, acting.vault) as arrival:
        sent = await upload.read(arrival, acting.settings)
        case = await service.get_case(desk.session, override_id=override_id, acting=acting)
        # What stands for the request's body.
        if await once.find(f"{sent.file.sha256} {sent.file_name}".encode()) is None:
            case = await service.add_evidence(
                desk.session, override_id=override_id, added=sent, acting=acting
            )
            await once.keep(str(case.id))
    path = f"/v1/overrides/{case.id}/evidence/{sent.file.sha256}"
    return await respond_case(
        case,
        desk,
        once.noting(sent.file.sha256),
        status=once.status,
        headers={"Location": path, **once.headers},
    )


@router.get(
    "/v1/overrides/{override_id}/evidence/{sha256}",
    response_model=None,
    response_class=Response,
    summary="A file of evidence",
    response_description="The file as it was uploaded, of any version of the request.",
    responses={200: _CONTENT, **problem_responses(404, "purpose-required", "evidence-removed")},
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
)
async def get_override_evidence(
    override_id: OverrideId,
    sha256: Sha256,
    desk: CurrentStaffDesk,
    audit: Audit,
    _actor: Annotated[Actor, requires(*READERS, purpose=True)],
) -> Response:
    """Unchanged, or not at all. It is written down with its digest before its first byte leaves."""
    opened = await service.open_evidence(
        desk.session, override_id=override_id, sha256=sha256, acting=desk.acting
    )
    return await respond_document(
        StoredDocument(opened.content, opened.file.media_type, opened.file_name, sha256),
        viewer=opened.viewer,
        audit=audit,
        subjects=opened.subjects,
    )
