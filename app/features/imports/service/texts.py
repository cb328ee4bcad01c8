"""Reading a CSV file through once as text: is it whole, and is it what it says it is?"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.errors import Invalid

#: No line of a table is longer than this; a cell that is was not meant to be one.
LONGEST_LINE: Final = 250_000
_BLOCK_BYTES: Final = 1 << 20
_GUESSES: Final = ("gb18030", "utf-16", "cp1252")
_SAMPLE_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Texture:
    """What a file is like: its SHA-256, and whether cells are quoted."""

    digest: str
    has_quotes: bool


def refuse(path: Path, place: str, what: str, remedy: str) -> Invalid:
    """The error of a file that cannot be imported; it never repeats what the file holds."""
    where = f"{path.name}, {place}" if place else path.name
    return Invalid("file-unreadable", f"{where}: {what}; {remedy}")


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def examine(path: Path, encoding: str, delimiter: str) -> Texture:
    """Read a text file through.

    Raises:
        Invalid: it is not in that encoding, has NUL bytes, or a line that is far too long.
    """
    scan = _Scan(path, encoding)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            scan.take(block, final=False)
    scan.take(b"", final=True)
    if scan.quotes % 2:
        _refuse_open_quote(path, encoding, delimiter)
    return Texture(digest.hexdigest(), scan.quotes > 0)


class _Scan:
    """Follows a text block by block."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._lines = 0
        self._tail = 0
        self.quotes = 0

    def take(self, block: bytes, *, final: bool) -> None:
        try:
            text = self._decoder.decode(block, final=final)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise _not_in_encoding(self._path, self._encoding, line) from None
        except UnicodeError:
            # Some codecs do not tell the place, as when a mark at the beginning is missing.
            raise _not_in_encoding(self._path, self._encoding, self._lines + 1) from None
        if (nul := text.find("\0")) >= 0:
            place = f"line {self._lines + text.count(chr(10), 0, nul) + 1}"
            raise refuse(self._path, place, "a NUL byte", "export the file again as text")
        self._follow_lines(text)
        self.quotes += text.count('"')

    def _follow_lines(self, text: str) -> None:
        first = text.find("\n")
        length = self._tail + (len(text) if first < 0 else first)
        if length > LONGEST_LINE:
            raise refuse(
                self._path,
                f"line {self._lines + 1}",
                f"a line of more than {LONGEST_LINE:,} characters",
                "shorten the cell, or look for a quote that is never closed",
            )
        self._tail = length if first < 0 else len(text) - text.rfind("\n") - 1
        self._lines += text.count("\n")


def _not_in_encoding(path: Path, encoding: str, line: int) -> Invalid:
    guess = _guess(path)
    hint = f"it reads as {guess}: " if guess else ""
    return refuse(
        path,
        f"line {line}",
        f"not {encoding}",
        f"{hint}name the file's encoding in the mapping (source: encoding), or save it as UTF-8",
    )


def _guess(path: Path) -> str | None:
    """An encoding that the beginning of the file can be read in."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    has_mark = sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for name in ("utf-16",) if has_mark else _GUESSES:
        try:
            # The last character of the sample may be cut in two.
            codecs.getincrementaldecoder(name)().decode(sample)
        except UnicodeError:
            continue
        return name
    return None


def read_header(path: Path, encoding: str, delimiter: str) -> tuple[list[str], bool]:
    """The names of a file's columns, and whether any row follows.

    Raises:
        Invalid: the header is missing, or a name is missing or occurs twice.
    """
    records = _records(path, encoding, delimiter)
    names: list[str] = []
    with suppress(csv.Error):
        names = [name.strip() for name in next(records, (0, []))[1]]
    if not names:
        raise refuse(path, "line 1", "no header", "put the columns' names first")
    try:
        return names, next(records, None) is not None
    except csv.Error:
        return names, True


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse columns without a name, and names that occur twice.

    Raises:
        Invalid: naming the column.
    """
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise refuse(path, f"column {number}", "no name in the header", "name every column")
        if name in seen:
            what = f"the column {name[:60]!r} occurs twice"
            raise refuse(path, f"column {number}", what, "rename or remove one of them")
        seen.add(name)


def name_ragged_row(path: Path, encoding: str, delimiter: str) -> Invalid:
    """The error of a file whose rows are not all as long as its header."""
    width = 0
    try:
        for line, cells in _records(path, encoding, delimiter):
            width = width or len(cells)
            if cells and len(cells) != width:
                what = f"{len(cells)} cells where the header has {width}"
                remedy = "quote cells that hold the delimiter, or check the delimiter"
                return refuse(path, f"line {line}", what, remedy)
    except csv.Error:
        pass
    return refuse(path, "", "the rows cannot be told apart", "check quotes and delimiter")


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Lines at which records end, and their cells."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=name, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num, cells


def _refuse_open_quote(path: Path, encoding: str, delimiter: str) -> None:
    """An odd number of quotes is harmless inside a cell, and fatal where one opens a cell."""
    end = 0
    try:
        for line, _ in _records(path, encoding, delimiter):
            end = line
    except csv.Error:
        raise refuse(
            path, f"after line {end}", "a quote is opened and never closed", "close it"
        ) from None
