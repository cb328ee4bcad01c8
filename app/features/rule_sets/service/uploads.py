"""Reading a document that somebody sent, by what he says it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.errors import Invalid
from app.infra.documents import UnreadableError, read_document, read_json_document

JSON: Final = "application/json"
YAML: Final = "application/yaml"
UPLOAD_TYPES: Final = (JSON, YAML)
"""The media types that `read_upload` knows."""


def read_upload(body: bytes, media_type: str) -> Mapping[str, object]:
    """The mapping that a document holds; decimals stay the texts they were written as.

    Args:
        body: the document.
        media_type: without parameters.

    Raises:
        Invalid: `unsupported-media-type`; `document-unreadable`, which names the place.
    """
    if media_type not in UPLOAD_TYPES:
        raise Invalid("unsupported-media-type", f"Send one of {', '.join(UPLOAD_TYPES)}.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        place = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise UnreadableError("no UTF-8 text; save it as UTF-8", "encoding", place) from None
    return read_json_document(text) if media_type == JSON else read_document(text)
