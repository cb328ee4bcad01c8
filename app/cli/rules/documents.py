"""Rule-set documents in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.domain.errors import Invalid
from app.infra.documents import read_document, read_json_document


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        Invalid: there is none, or it is no text.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise Invalid("file-unreadable", f"{file}: {reason}") from None


def read_file(file: Path) -> Mapping[str, object]:
    """The document that a file holds: JSON if it is called so, else YAML.

    Raises:
        Invalid: it cannot be read; the message names file, place and remedy.
    """
    text = read_text(file)
    try:
        return read_json_document(text) if file.suffix == ".json" else read_document(text)
    except Invalid as error:
        raise Invalid(error.type, f"{file}: {error.detail}") from None
