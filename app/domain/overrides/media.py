"""What a file of evidence is, judged by its bytes while they come; no file is ever whole in memory.

A file is accepted as what it says it is, or not at all. What it says is the declared media type and
the extension of its name; its bytes must say the same from the beginning to the end, so that
nothing is hidden before, behind or within: a PDF ends with its cross-reference, a PNG is a chain of
intact chunks, a JPEG is segments up to its scan and ends with its end mark, and a text is UTF-8
that reads as it stands. Formats that hide in others (archives, pages, scripts) are refused.

A library that knows file types would look at the first bytes only, which is the smallest part.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Generator
from typing import Final, TypeAlias

from app.domain.errors import Invalid
from app.domain.words import EVIDENCE_TYPES, EvidenceType

EXTENSIONS: Final[dict[EvidenceType, tuple[str, ...]]] = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "text/plain": ("txt",),
}

_PDF_MARK: Final = b"%PDF-"
_PDF_END: Final = re.compile(rb"startxref[\r\n\t ]+[0-9]+[\r\n\t ]+%%EOF[\r\n\t \x00]*\Z")

_PNG_MARK: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MARK: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_JPEG_FILLING: Final = 0xFF
_JPEG_SCAN: Final = 0xDA
#: Frame headers; those left out are the tables of Huffman and arithmetic codes, and a reserved one.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SEGMENTS: Final = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))

#: What a browser, or a reader of PDF, would find near the beginning and take the file for.
_PAGE: Final = re.compile(
    rb"<(?:(?:html|head|body|script|iframe|svg|style|title|table)[\s/>]|!doctype|\?php|%)"
    rb"|(?<!\A)%PDF-",
    re.IGNORECASE,
)
#: Texts that are not for people: XML, comments of pages, scripts, PostScript, rich text.
_NO_PROSE: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[!?]|#!|%!|\{\\rtf)", re.IGNORECASE)
#: The end of a ZIP archive, which may have anything before it and 65,535 bytes of comment after it.
_ARCHIVE_END: Final = b"PK\x05\x06\x00\x00\x00\x00"

#: All but tab and line ends; with what turns the direction of writing, so that a text would be read
#: other than it stands.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
)

_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^\s";]*)', re.IGNORECASE)
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})

_HEAD_BYTES: Final = 1024
_TAIL_BYTES: Final = 22 + 65_535
_LONGEST_MARK: Final = len(_PNG_MARK)
_PIECE_BYTES: Final = 1 << 16
_LENGTH_BYTES: Final = 2

_Walk: TypeAlias = Generator[int, bytes, None]
"""Reads a format: says how many bytes it wants next, and ends when it has seen enough."""


class EvidenceJudge:
    """Follows one file and says what it is.

    >>> judge = EvidenceJudge()
    >>> judge.feed("Letter of 3 May, see the attached.".encode())
    >>> judge.verdict(declared="text/plain; charset=utf-8", file_name="letter.txt")
    'text/plain'
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._head = b""
        self._tail = bytearray()
        self._walker: _Walker | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_text = True

    def feed(self, piece: bytes) -> None:
        """Take the next bytes, any number of them."""
        if self.size_bytes < _LONGEST_MARK <= self.size_bytes + len(piece):
            self._walker = _walker_of(self._head + piece)
        elif self._walker is not None:
            self._walker.feed(piece)
        self.size_bytes += len(piece)
        self._head += piece[: _HEAD_BYTES - len(self._head)]
        self._tail += piece
        if len(self._tail) > 2 * _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]
        self._read(piece, final=False)

    def verdict(self, *, declared: str, file_name: str) -> EvidenceType:
        """What the file is, once all of it came.

        Args:
            declared: media type that the sender gave, with its parameters.
            file_name: what the sender calls it.

        Raises:
            Invalid: `evidence-type`, if it is none of the accepted types, or not what was said.
        """
        found = self._found()
        if found is None or _declared_type(declared) != found or not _is_called(file_name, found):
            raise Invalid("evidence-type", f"accepted: {', '.join(EVIDENCE_TYPES)}")
        return found

    def _found(self) -> EvidenceType | None:
        """What the bytes say."""
        tail = bytes(self._tail[-_TAIL_BYTES:])
        if _PAGE.search(self._head) or _ARCHIVE_END in tail:
            return None
        if self._head.startswith(_PDF_MARK):
            return "application/pdf" if _PDF_END.search(tail) else None
        if self._head.startswith((_PNG_MARK, _JPEG_MARK)):
            return self._found_image(tail)
        self._read(b"", final=True)
        is_prose = self._is_text and self.size_bytes and not _NO_PROSE.match(self._head)
        return "text/plain" if is_prose else None

    def _found_image(self, tail: bytes) -> EvidenceType | None:
        """What an image is, if it is one as far as it was followed, and ends as it must."""
        if self._walker is None or not self._walker.is_through:
            return None
        if self._head.startswith(_PNG_MARK):
            return None if self._walker.has_more else "image/png"
        return "image/jpeg" if tail.endswith(_JPEG_END) else None

    def _read(self, piece: bytes, *, final: bool) -> None:
        """Follow a text, as long as it is one."""
        if not self._is_text:
            return
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self._is_text = False
        else:
            self._is_text = _UNPRINTABLE.search(text) is None


class _DamagedError(Exception):
    """The bytes are not of the format."""


class _Walker:
    """Follows an image from its beginning; `has_more` tells whether more came than was read."""

    def __init__(self, walk: _Walk) -> None:
        self.is_through = False
        self.has_more = False
        self._walk: _Walk | None = walk
        self._wanted = next(walk)
        self._waiting = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._waiting += piece
        position = 0
        try:
            while self._walk is not None and len(self._waiting) - position >= self._wanted:
                part = bytes(self._waiting[position : position + self._wanted])
                position += self._wanted
                self._wanted = self._walk.send(part)
        except StopIteration:
            self._walk, self.is_through = None, True
        except _DamagedError:
            self._walk = None
        del self._waiting[:position]
        if self._walk is None and self._waiting:
            self.has_more = True
            self._waiting.clear()


def _walk_png() -> _Walk:
    """The chunks of a PNG, each with its own checksum."""
    yield len(_PNG_MARK)
    kinds: set[bytes] = set()
    while b"IEND" not in kinds:
        head = yield 8
        left, kind = int.from_bytes(head[:4]), head[4:]
        if (kind == b"IHDR") != (not kinds) or not kind.isalpha():
            raise _DamagedError
        checksum = zlib.crc32(kind)
        while left:
            part = yield min(left, _PIECE_BYTES)
            checksum = zlib.crc32(part, checksum)
            left -= len(part)
        if (yield 4) != checksum.to_bytes(4):
            raise _DamagedError
        kinds.add(kind)
    if b"IDAT" not in kinds:
        raise _DamagedError


def _walk_jpeg() -> _Walk:
    """The segments of a JPEG up to its first scan, in which anything may stand."""
    yield 2
    kinds: set[int] = set()
    while _JPEG_SCAN not in kinds:
        mark = yield 2
        if mark[0] != _JPEG_FILLING:
            raise _DamagedError
        kind = mark[1]
        while kind == _JPEG_FILLING:
            kind = (yield 1)[0]
        if kind not in _JPEG_SEGMENTS:
            raise _DamagedError
        length = int.from_bytes((yield 2))
        if length < _LENGTH_BYTES:
            raise _DamagedError
        yield length - _LENGTH_BYTES
        kinds.add(kind)
    if not kinds & _JPEG_FRAMES:
        raise _DamagedError


def _walker_of(begun: bytes) -> _Walker | None:
    """Who follows a file that begins so; nobody, if it is no image."""
    if begun.startswith(_PNG_MARK):
        return _begin(_walk_png(), begun)
    return _begin(_walk_jpeg(), begun) if begun.startswith(_JPEG_MARK) else None


def _begin(walk: _Walk, begun: bytes) -> _Walker:
    walker = _Walker(walk)
    walker.feed(begun)
    return walker


def _declared_type(declared: str) -> str | None:
    """The media type that was declared, without its parameters; None for a text not in UTF-8.

    >>> _declared_type("TEXT/plain; charset=UTF-8"), _declared_type("text/plain; charset=utf-16")
    ('text/plain', None)
    """
    kind, _, parameters = declared.partition(";")
    charset = _CHARSET.search(parameters)
    is_utf8 = charset is None or charset[1].lower() in _CHARSETS
    return kind.strip().lower() if is_utf8 else None


def _is_called(file_name: str, found: EvidenceType) -> bool:
    stem, dot, extension = file_name.rpartition(".")
    return bool(stem and dot) and extension.lower() in EXTENSIONS[found]
