"""Answers that are files: written down before they leave, as every answer, and never in memory.

A file about customers is the second door through which clear values leave, beside
`app.infra.reveal`: each row is rendered by the same plans, for the caller as the viewer of that
customer, and the events that name the customers are committed before the first byte.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from app.domain.errors import Forbidden
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.infra.audit import Answer, AuditTrail
from app.infra.locale import Locale
from app.infra.masking import MaskedRead, rendered
from app.infra.rendering import Sight, sight_of, written_forms_of
from app.infra.scratch import scratch_folder
from app.infra.sheets import SUFFIXES, Heading, SheetCell, open_sheet

Row: TypeAlias = tuple[str, MaskedRead, Viewer]
"""A customer's id, what is told of him, and the caller as his viewer."""

_IN_MEMORY_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 1 << 16
_OK: Final = 200
_SCRATCH: Final = ".list-"
_TURNS_KEY: Final = "list_turns"
#: What a quoted name may hold that every client reads alike.
_NOT_PLAIN: Final = re.compile(r"[^ 0-9A-Za-z!#$&+.^_`|~()\[\]{}@,=-]")
#: The rest of RFC 8187's `attr-char`; letters, digits and `_.-~` are never quoted.
_ATTRIBUTE_CHARACTERS: Final = "!#$&+^`|"
_CHARSETS: Final = {"text/plain": "; charset=utf-8"}
#: Lists that one process makes at a time: each takes a processor, and look-ups need one too.
_AT_A_TIME: Final = 2


@dataclass(frozen=True, slots=True)
class ListFile:
    """How a list of customers leaves as a file.

    Args:
        media_type: `CSV` or `XLSX`.
        stem: its name before the date; ASCII.
        title: name of the sheet.
        columns: headings by the fields of the rows; all fields but `meta`.
        masked: heading of the last column, which names what is not shown in clear.
        locale: the language of the texts.
    """

    media_type: str
    stem: str
    title: str
    columns: Mapping[str, str]
    masked: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class Making:
    """Where and when a file is made."""

    folder: Path
    now: datetime
    today: date


async def respond_list(
    pages: AsyncIterator[Iterable[Row]],
    *,
    file: ListFile,
    making: Making,
    viewer: Viewer,
    audit: AuditTrail,
) -> Response:
    """A file of customers, made whole and audited before its first byte.

    Args:
        pages: the rows, some at a time; they are read in another thread.
        file: how it leaves.
        making: where and when it is made.
        viewer: the caller as one who stands in no relation to anybody.
        audit: the request's audit.

    Raises:
        Forbidden: a viewer's role is shown no customer data at all.
        ProblemError: the audit events could not be written.
    """
    _require_sight(viewer)
    async with _turns(audit):
        with scratch_folder(making.folder, _SCRATCH) as scratch:
            spool = _spool(scratch)
            try:
                told = await _fill(spool, pages, file, making, scratch)
                size = await asyncio.to_thread(spool.seek, 0, 2)
                hmac = await asyncio.to_thread(audit.writer.hmac_of_pieces, _read(spool))
                answer = Answer(_OK, hmac, written_forms_of(told.shown))
                await audit.record_file(viewer=viewer, subjects=told.subjects(), answer=answer)
            except BaseException:
                spool.close()
                raise
    name = f"{file.stem}-{making.today}.{SUFFIXES[file.media_type]}"
    return _file_response(
        spool,
        size,
        media_type=file.media_type,
        file_name=name,
        headers={"Content-Language": file.locale, "Vary": "Accept, Accept-Language"},
    )


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
    _require_sight(viewer)
    spool = _spool()
    try:
        async for piece in pieces:
            spool.write(piece)
        size = spool.tell()
        answer = Answer(status=_OK, body_hmac=audit.writer.hmac_of_pieces(_read(spool)))
        await audit.record_answer(viewer=viewer, subjects=(), answer=answer)
    except BaseException:
        spool.close()
        raise
    return _file_response(spool, size, media_type="text/csv", file_name=file_name)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file that somebody uploaded, as it leaves again.

    Args:
        content: its bytes, in pieces.
        media_type: what it was found to be.
        file_name: what it was called, as it came.
        sha256: digest of the content, in hexadecimal digits.
    """

    content: Sequence[bytes]
    media_type: str
    file_name: str
    sha256: str


async def respond_document(
    document: StoredDocument, *, viewer: Viewer, audit: AuditTrail, subjects: Sequence[str]
) -> Response:
    """Somebody's file, audited before its first byte, and inert in a browser.

    Args:
        document: the file.
        viewer: for whom; whether he may have it is settled.
        audit: the request's audit.
        subjects: ids of the customers it is about.

    Raises:
        Forbidden: the viewer's role is shown no customer data at all.
        ProblemError: the audit event could not be written.
    """
    _require_sight(viewer)
    answer = Answer(_OK, audit.writer.hmac_of_pieces(document.content))
    seen = audit.noting(record_version=document.sha256)
    await seen.record_file(viewer=viewer, subjects=subjects, answer=answer)
    digest = base64.b64encode(bytes.fromhex(document.sha256)).decode()
    return Response(
        b"".join(document.content),
        # As a header, since the framework would add a charset to a text by itself.
        headers={
            "Content-Type": document.media_type + _CHARSETS.get(document.media_type, ""),
            "Cache-Control": "no-store",
            "Content-Disposition": attachment(document.file_name),
            "Content-Security-Policy": "sandbox",
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )


def attachment(file_name: str) -> str:
    """The `Content-Disposition` of a file under any name (RFC 6266, RFC 8187).

    >>> print(attachment('Grüße "x".pdf'))
    attachment; filename="Gr__e _x_.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.pdf
    """
    plain = _NOT_PLAIN.sub("_", file_name)
    written = quote(file_name.encode(errors="replace"), safe=_ATTRIBUTE_CHARACTERS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{written}"


class _Told:
    """Which customers a file tells about, and in which forms."""

    def __init__(self) -> None:
        self._subjects: list[str] = []
        self.shown: dict[tuple[type[MaskedRead], Sight], None] = {}

    def rows(self, page: Iterable[Row], headings: Mapping[str, str]) -> Iterator[list[SheetCell]]:
        """The cells of some rows, which are noted."""
        subjects = []
        for subject, model, viewer in page:
            _require_sight(viewer)
            subjects.append(subject)
            self.shown[type(model), sight_of(viewer)] = None
            yield _cells(rendered(model, viewer), headings)
        # One text for all: left where they are, the ids would hold the memory of the rows around.
        self._subjects.append(" ".join(subjects))

    def subjects(self) -> list[str]:
        """The ids of the customers, in which no space is."""
        return [subject for page in self._subjects for subject in page.split()]


async def _fill(
    spool: SpooledTemporaryFile[bytes],
    pages: AsyncIterator[Iterable[Row]],
    file: ListFile,
    making: Making,
    scratch: Path,
) -> _Told:
    """Write the file; the loop goes on while a page of it is written."""
    told = _Told()
    heading = Heading(file.title, [*file.columns.values(), file.masked], making.now)
    with open_sheet(file.media_type, spool, heading, scratch) as sheet:
        async for page in pages:
            await asyncio.to_thread(sheet.write, told.rows(page, file.columns))
        await asyncio.to_thread(sheet.finish)
    return told


def _cells(shown: Mapping[str, object], headings: Mapping[str, str]) -> list[SheetCell]:
    """A row, in the order of the headings, and what of it is not shown in clear."""
    meta = shown["meta"]
    masked = meta["masked"] if isinstance(meta, Mapping) else ()
    return [
        *(_cell(shown[name]) for name in headings),
        _cell([headings[path] for path in masked]),
    ]


def _cell(value: object) -> SheetCell:
    """A value as a cell; several texts are one."""
    if isinstance(value, list):
        return "; ".join(map(str, value)) or None
    return value if value is None or isinstance(value, date) else str(value)


def _require_sight(viewer: Viewer) -> None:
    if not MATRIX.sees_customer_data(viewer):
        raise Forbidden("forbidden")


def _turns(audit: AuditTrail) -> asyncio.Semaphore:
    """Who makes a list waits here until it is his turn."""
    state = audit.scope["app"].state
    if not hasattr(state, _TURNS_KEY):
        setattr(state, _TURNS_KEY, asyncio.Semaphore(_AT_A_TIME))
    turns: asyncio.Semaphore = getattr(state, _TURNS_KEY)
    return turns


def _file_response(
    spool: SpooledTemporaryFile[bytes],
    size: int,
    *,
    media_type: str,
    file_name: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return StreamingResponse(
        _send(spool),
        # The framework adds the charset to texts.
        media_type=media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Content-Length": str(size),
            **(headers or {}),
        },
    )


def _spool(folder: Path | None = None) -> SpooledTemporaryFile[bytes]:
    """Where a file is made, closed when it is sent; once it is large, a file without a name."""
    return SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=None if folder is None else str(folder))


def _read(spool: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while piece := spool.read(_PIECE_BYTES):
        yield piece


def _send(spool: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with spool:
        yield from _read(spool)
