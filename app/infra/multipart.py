"""Forms with a file (RFC 7578), read as they come in: no part of any size is held in memory."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from app.infra.problems import UNKNOWN_NAME, FieldError, ProblemError

#: Bytes of a part of text. A mapping takes some 4,000, and YAML is read far slower than it is sent.
LARGEST_TEXT: Final = 64_000
#: What a part is that does not say it (RFC 7578, 4.4).
_UNDECLARED: Final = "text/plain"
_LONGEST_NAME_BYTES: Final = 180
#: What surrounds the parts is not the file's size.
_ROOM_FOR_FRAMES: Final = 64_000
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffd/\\:]")

#: How long nothing may come.
_STALLED_SECONDS: Final = 30
_HANDED_ON_BYTES: Final = 1 << 20

Sink = Callable[[list[bytes]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What came besides the file's contents, which went into the sink.

    `media_type` is what the file's part says it is, with parameters, as it came.
    """

    file_name: str
    texts: Mapping[str, str]
    media_type: str


def refuse_part(name: str, rule: str) -> ProblemError:
    """The problem of one part of a form."""
    return ProblemError("validation", errors=[FieldError(("body", name), rule)])


async def read_upload(
    request: Request,
    sink: Sink,
    *,
    texts: Collection[str],
    largest: int,
) -> UploadForm:
    """Read a form with one part `file` and some parts of text, each at most once.

    Args:
        request: whose body is read.
        sink: takes the file's bytes, in order.
        texts: names of the parts of text there may be.
        largest: bytes of the file, at most.

    Raises:
        ProblemError: 415 for no such form, 413 for too large a file, 422 for anything else.
    """
    boundary = _boundary(request)
    limit = largest + len(texts) * LARGEST_TEXT + _ROOM_FOR_FRAMES
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large()
    form = _Form(frozenset(texts), largest)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        async for piece in _pieces(request):
            parser.write(piece)
            if form.waiting >= _HANDED_ON_BYTES:
                await sink(form.take())
        await sink(form.take())
    except FormParserError:
        raise _broken() from None
    return form.completed()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; whoever stops sending is not waited for."""
    stream = request.stream()
    try:
        while True:
            async with asyncio.timeout(_STALLED_SECONDS):
                piece = await anext(stream, None)
            if piece is None:
                return
            yield piece
    except TimeoutError:
        raise ProblemError("upload-stalled") from None
    except ClientDisconnect:
        # Nobody is there to be told; the request ends like one that was cut short.
        raise _broken() from None


def clean_name(given: str) -> str:
    r"""A file's name that can be kept and shown: no folders, no control characters, not too long.

    >>> clean_name("C:\\docs\\a\x00.csv"), clean_name("../.."), clean_name("客户.xlsx")
    ('a_.csv', 'upload', '客户.xlsx')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = _UNSAFE.sub("_", last).strip().lstrip(".")
    while len(name.encode(errors="replace")) > _LONGEST_NAME_BYTES:
        name = name[1:]
    return name or "upload"


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise ProblemError("unsupported-media-type")
    if not options.get(b"boundary"):
        raise _broken()
    return options[b"boundary"]


def _too_large() -> ProblemError:
    return ProblemError("body-too-large")


def _broken() -> ProblemError:
    return ProblemError("validation", errors=[FieldError(("body",), "multipart_invalid")])


@dataclass(slots=True)
class _Form:
    """Follows the parser part by part."""

    names: frozenset[str]
    largest: int
    waiting: int = 0
    _ready: list[bytes] = field(default_factory=list)
    _header: bytes = b""
    _value: bytes = b""
    _disposition: bytes = b""
    _content_type: bytes = b""
    _media_type: str = ""
    _part: str = ""
    _file_name: str | None = None
    _size: int = 0
    _texts: dict[str, bytearray] = field(default_factory=dict)
    _is_whole: bool = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._take_header,
            "on_header_value": self._take_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._name_part,
            "on_part_data": self._take_data,
            "on_end": self._end,
        }

    def take(self) -> list[bytes]:
        """What came of the file since this was last asked."""
        ready, self._ready, self.waiting = self._ready, [], 0
        return ready

    def completed(self) -> UploadForm:
        """The form, once the body has ended."""
        if not self._is_whole:
            raise _broken()
        if self._file_name is None:
            raise refuse_part("file", "missing")
        texts = {}
        for name, raw in self._texts.items():
            try:
                texts[name] = raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                raise refuse_part(name, "not_utf8") from None
        return UploadForm(clean_name(self._file_name), texts, self._media_type)

    def _begin(self) -> None:
        self._header = self._value = self._disposition = self._content_type = b""

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        elif self._header.lower() == b"content-type":
            self._content_type = self._value
        self._header = self._value = b""

    def _name_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("latin-1")
        if name == "file" and self._file_name is None:
            # Browsers write the name in UTF-8, whatever the parser takes it for.
            self._file_name = options.get(b"filename", b"").decode("utf-8", errors="replace")
            self._media_type = self._content_type.decode("latin-1") or _UNDECLARED
        elif name in self.names and name not in self._texts:
            self._texts[name] = bytearray()
        else:
            _refuse_name(name, self.names | {"file"})
        self._part = name

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self._size += end - start
            if self._size > self.largest:
                raise _too_large()
            self._ready.append(data[start:end])
            self.waiting += end - start
            return
        text = self._texts[self._part]
        if len(text) + end - start > LARGEST_TEXT:
            raise refuse_part(self._part, "too_long")
        text += data[start:end]

    def _end(self) -> None:
        self._is_whole = True


def _refuse_name(name: str, known: Collection[str]) -> NoReturn:
    if name in known:
        raise refuse_part(name, "repeated")
    raise refuse_part(UNKNOWN_NAME, "extra_forbidden")
