"""Answers that are files: written down before they leave, as every answer, and never in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from tempfile import SpooledTemporaryFile
from typing import Final

from starlette.responses import Response, StreamingResponse

from app.domain.errors import Forbidden
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.infra.audit import Answer, AuditTrail

_IN_MEMORY_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 1 << 16
_OK: Final = 200


async def respond_csv(
    pieces: AsyncIterator[bytes], *, file_name: str, viewer: Viewer, audit: AuditTrail
) -> Response:
    """A CSV file about no customer in particular, made whole and audited before its first byte.

    Args:
        pieces: what it holds.
        file_name: what a browser should save it as; ASCII.
        viewer: for whom.
        audit: the request's audit.

    Raises:
        Forbidden: the viewer's role is shown no customer data at all.
        ProblemError: the audit event could not be written.
    """
    if not MATRIX.sees_customer_data(viewer):
        raise Forbidden("forbidden")
    spool: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it is sent.
    try:
        async for piece in pieces:
            spool.write(piece)
        size = spool.tell()
        answer = Answer(status=_OK, body_hmac=audit.writer.hmac_of_pieces(_read(spool)))
        await audit.record_answer(viewer=viewer, subjects=(), answer=answer)
    except BaseException:
        spool.close()
        raise
    return StreamingResponse(
        _send(spool),
        media_type="text/csv; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Content-Length": str(size),
        },
    )


def _read(spool: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while piece := spool.read(_PIECE_BYTES):
        yield piece


def _send(spool: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with spool:
        yield from _read(spool)
