"""Reading a document that somebody sent, by what he says it is: JSON, YAML, XLSX or DMN.

What is sent as one and is another is refused, not guessed at: a caller who is wrong about the form
may be wrong about the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.exchange.dmn_reading import DmnReading, read_dmn
from app.domain.rules.exchange.form_reading import read_form
from app.domain.rules.model import RuleSetDocument
from app.infra import forms
from app.infra.documents import UnreadableError, read_document, read_json_document
from app.infra.sheets import XLSX
from app.infra.xml_trees import read_xml

JSON: Final = "application/json"
YAML: Final = "application/yaml"
DMN: Final = "application/dmn+xml"
READABLE: Final = (JSON, YAML, XLSX, DMN)

MAX_BYTES: Final = 16 << 20
_ZIP: Final = b"PK\x03\x04"


def read_upload(body: bytes, media_type: str) -> Mapping[str, object]:
    """The raw document that somebody sent; decimals stay the texts they were written as.

    A workbook is read by a child process, which takes a quarter of a second: from a coroutine, call
    this in a thread.

    Args:
        body: the document.
        media_type: one of `READABLE`, with or without parameters.

    Raises:
        Invalid: `unsupported-media-type`, or `document-unreadable`, naming the place and what to
            do; as `DocumentError` with all findings where a form or a DMN file can be read, but
            says what is not taken.
        Conflict: the process that reads workbooks was stopped.
    """
    match media_type.partition(";")[0].strip().lower():
        case "application/json":
            return read_json_document(_text(body))
        case "application/yaml":
            return read_document(_text(body))
        case "application/dmn+xml":
            return read_decisions(body).raw
        case kind if kind == XLSX:
            return read_form(forms.read_form(_bounded(body)), CATALOGUE)
    raise Invalid("unsupported-media-type", f"Send one of {', '.join(READABLE)}.")


def read_decisions(body: bytes, into: RuleSetDocument | None = None) -> DmnReading:
    """The raw document of a DMN file; `into` is what the tables of another tool become part of.

    Raises:
        Invalid: `document-unreadable`, or `DocumentError` with everything that is not taken.
    """
    _refuse_other_content(body, "XML")
    return read_dmn(read_xml(body), CATALOGUE, into)


def _text(body: bytes) -> str:
    _refuse_other_content(body, "text")
    try:
        return _bounded(body).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        place = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise UnreadableError("no UTF-8 text; save it as UTF-8", "encoding", place) from None


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise _unreadable(f"it is longer than {MAX_BYTES >> 20} MB")
    return body


def _refuse_other_content(body: bytes, wanted: str) -> None:
    """Refuse what begins as another of the forms does."""
    start = body[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(_ZIP):
        raise _unreadable(f"it is a workbook or an archive, not {wanted}; name the type it has")
    if wanted != "XML" and start.startswith(b"<"):
        raise _unreadable(f"it is XML, not {wanted}; name the type it has")


def _unreadable(reason: str) -> Invalid:
    return Invalid("document-unreadable", f"The document cannot be read: {reason}.")
