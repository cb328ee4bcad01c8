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
from app.infra import forms, media_types
from app.infra.documents import UnreadableError, read_document, read_json_document
from app.infra.media_types import DMN, JSON, XLSX, YAML
from app.infra.xml_trees import read_xml

READABLE: Final = (JSON, YAML, XLSX, DMN)

#: RFC 9512 names one type for YAML, and three that were in use before it.
_YAML_TYPES: Final = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})
MAX_BYTES: Final = 16 << 20
_ZIP: Final = b"PK\x03\x04"
_REMEDY: Final = "name the type that it has"


def read_upload(body: bytes, media_type: str) -> Mapping[str, object]:
    """The raw document that somebody sent; decimals stay the texts they were written as.

    A workbook is read by a child process, which takes a quarter of a second: from a coroutine, call
    this in a thread.

    Args:
        body: the document.
        media_type: one of `READABLE`, with or without parameters.

    Raises:
        Invalid: `unsupported-media-type`.
        UnreadableError: it is no document of this type, naming the place and what to do.
        DocumentError: a form or a DMN file can be read, and says what is not taken; all findings.
        Conflict: the process that reads workbooks was stopped.
    """
    match media_type.partition(";")[0].strip().lower():
        case media_types.JSON:
            return read_json_document(_text(body))
        case kind if kind in _YAML_TYPES:
            return read_document(_text(body))
        case media_types.DMN:
            return read_decisions(body).raw
        case media_types.XLSX:
            return read_form(forms.read_form(_bounded(body)), CATALOGUE)
    raise Invalid("unsupported-media-type", f"Send one of {', '.join(READABLE)}.")


def read_decisions(body: bytes, into: RuleSetDocument | None = None) -> DmnReading:
    """The raw document of a DMN file; `into` is what the tables of another tool become part of.

    Raises:
        UnreadableError: it is no XML that is taken, naming the place and what to do.
        DocumentError: with everything that is not taken.
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
        raise UnreadableError(f"longer than {MAX_BYTES >> 20} MB; split it", "length")
    return body


def _refuse_other_content(body: bytes, wanted: str) -> None:
    """Refuse what begins as another of the forms does."""
    start = body[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.startswith(_ZIP):
        raise UnreadableError(f"a workbook or an archive, no {wanted}; {_REMEDY}", "other_type")
    if wanted != "XML" and start.startswith(b"<"):
        raise UnreadableError(f"XML, no {wanted}; {_REMEDY}", "other_type")
