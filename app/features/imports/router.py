"""`/v1/imports`: files in over HTTP. A file that is stored is answered; a job does the rest."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Request, Response
from pydantic import TypeAdapter, ValidationError

from app.domain.errors import Invalid
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.domain.records.findings import MappingError
from app.domain.records.specs import RECORDS
from app.features.imports import service
from app.features.imports.schemas import REQUEST_BODY, TEXT_PARTS, ImportOrderRead, ImportRead
from app.features.imports.service import UPLOAD_PLACE, Choice, ImportOrder
from app.infra.audit import Audit
from app.infra.auth import costs, requires
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses
from app.infra.desk import Desk
from app.infra.downloads import respond_csv
from app.infra.idempotency import Once
from app.infra.multipart import UploadForm, read_upload, refuse_part
from app.infra.problems import UNKNOWN_NAME, FieldError, ProblemError
from app.infra.rate_limit import RateClass
from app.infra.requester import CurrentRequester
from app.infra.reveal import respond
from app.infra.routing import Router
from app.infra.session import ReadSession
from app.infra.spool import SealedSpool
from app.infra.turns import LaterTurn
from app.infra.written import BusinessDay

router = Router("imports")

ImportId = Annotated[UUID, Path(description="Id of the import.")]
Feed = Annotated[Actor, requires(Role.INTEGRATION)]

#: The framework's limit, which knows no settings; TIERING_IMPORT_MAX_BYTES is the one that counts.
_CEILING: Final = 65 << 30
#: A body that stalls is given up long before; this is for a large file on a slow line.
_LONGEST_UPLOAD_SECONDS: Final = 6 * 3600
_DAY: Final[TypeAdapter[date]] = TypeAdapter(BusinessDay)
_STEP: Final = re.compile(r"[^.\[\]]+")
#: Names that may stand in a mapping; others are the sender's own.
_PLACES: Final = frozenset(
    {
        *("format", "title", "source", "currency", "filters", "records"),
        *("encoding", "delimiter", "decimal_mark", "sheet", "nulls", "group", "by", "order"),
        *("name", "reason", "record", "when", "distinct", "on_duplicate", "columns"),
        *RECORDS,
        *(name for record in RECORDS.values() for name in record.columns),
    }
)
_REFUSALS: Final = {
    "document-unreadable": ("mapping", "yaml_invalid"),
    "record-unknown": ("record", "enum"),
    "record-or-mapping": ("mapping", "mapping_or_record"),
}


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportOrderRead,
    summary="Import a file",
    response_description="The file is stored and its import queued; `Location` tells how it goes.",
    responses=problem_responses("upload-stalled", "import-running"),
    dependencies=[costs(RateClass.COSTLY)],
    openapi_extra={"requestBody": REQUEST_BODY},
    max_body_size=_CEILING,
)
@takes_up_to(seconds=_LONGEST_UPLOAD_SECONDS)
async def create_import(
    turn: LaterTurn,
    request: Request,
    desk: Desk,
    once: Once,
    requester: CurrentRequester,
    actor: Feed,
) -> Response:
    """CSV, Parquet or XLSX, by a mapping or in our own layout; see `examples/README.md`.

    The same file with the same mapping goes on where an interrupted import of it stopped, and once
    it is complete changes nothing. The file is kept encrypted until its import has succeeded.
    Repeated with its `Idempotency-Key`, the request answers what the first put in.
    """
    folder = desk.settings.data_dir.expanduser().resolve()
    with SealedSpool(folder, desk.vault, UPLOAD_PLACE) as spool:

        async def seal(pieces: list[bytes]) -> None:
            await asyncio.to_thread(spool.write_all, pieces)

        form = await read_upload(
            request, seal, texts=TEXT_PARTS, largest=desk.settings.import_max_bytes
        )
        order = ImportOrder(form.file_name, await _choice(form), requester.digest, requester.role)
        # Not before, since the body may take hours.
        await turn.take()
        sent = f"{spool.finish()} {order.choice.digest(desk.settings)}"
        if (earlier := await once.find(sent.encode())) is not None:
            ordered = await service.get_ordered(desk.session, import_id=UUID(earlier.resource))
        else:
            ordered = await service.order_import(
                desk.session, order, spool, settings=desk.settings, today=desk.today
            )
            await once.keep(str(ordered.import_id), status=202)
    return await respond(
        ImportOrderRead.from_domain(ordered),
        viewer=actor.viewer(),
        audit=once.noting(str(ordered.import_id)),
        subjects=[],
        status=once.status,
        headers={"Location": f"/v1/imports/{ordered.import_id}", **once.headers},
    )


@router.get(
    "/v1/imports/{import_id}",
    summary="An import",
    response_description="State and counts so far.",
    responses=problem_responses(404),
)
async def get_import(
    import_id: ImportId, session: ReadSession, requester: CurrentRequester, _actor: Feed
) -> ImportRead:
    """Every row that was dealt with is accounted for. It is there only for who ordered it."""
    found = await service.get_import(
        session, import_id=import_id, digest=requester.digest, role=requester.role
    )
    return ImportRead.from_domain(found)


@router.get(
    "/v1/imports/{import_id}/rejected",
    response_model=None,
    response_class=Response,
    summary="Rejected and doubted rows",
    response_description="CSV: row, outcome, record, column, reason, remedy; no value of any row.",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_responses(404),
    },
)
async def get_rejected_rows(
    import_id: ImportId, desk: Desk, audit: Audit, requester: CurrentRequester, actor: Feed
) -> Response:
    """What is committed so far; rows count from 1, below the header."""
    found = await service.get_import(
        desk.session, import_id=import_id, digest=requester.digest, role=requester.role
    )
    return await respond_csv(
        service.rejected_lines(desk.session, found.id),
        file_name=f"rejected-{found.id}.csv",
        viewer=actor.viewer(),
        audit=audit,
    )


async def _choice(form: UploadForm) -> Choice:
    """What was chosen.

    Raises:
        ProblemError: with the places that are wrong.
    """
    texts = form.texts
    choice = Choice(texts.get("mapping"), texts.get("record"), _day(texts.get("valid_from")))
    try:
        # Of YAML made to be slow, a few thousand bytes take a second, in which others are served.
        await asyncio.to_thread(service.check_choice, choice)
    except MappingError as error:
        places = dict.fromkeys(_place(finding.path) for finding in error.findings)
        errors = [FieldError(("body", "mapping", *place), "mapping_invalid") for place in places]
        raise ProblemError("validation", errors=errors) from None
    except Invalid as error:
        raise refuse_part(*_REFUSALS[error.type]) from None
    return choice


def _day(written: str | None) -> date | None:
    try:
        return None if written is None else _DAY.validate_python(written)
    except ValidationError as error:
        raise refuse_part("valid_from", error.errors()[0]["type"]) from None


def _place(path: str) -> tuple[str | int, ...]:
    """The steps to a place in a mapping; names that are not ours are not repeated."""
    return tuple(
        int(step) if step.isdecimal() else (step if step in _PLACES else UNKNOWN_NAME)
        for step in _STEP.findall(path)
    )
