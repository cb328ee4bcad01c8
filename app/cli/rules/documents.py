"""Rule-set documents in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from app.domain.errors import Invalid
from app.domain.rules.findings import DocumentError
from app.infra.documents import read_document, read_json_document

_FORMS: Final = frozenset({".xlsx", ".dmn"})


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
    """The document that a file holds: JSON, XLSX or DMN if it is called so, else YAML.

    Raises:
        DocumentError: it can be read, but says what such a file cannot.
        Invalid: it cannot be read; the message names file, place and remedy.
    """
    suffix = file.suffix.lower()
    text = None if suffix in _FORMS else read_text(file)
    try:
        if text is None:
            return _read_form(file)
        return read_json_document(text) if suffix == ".json" else read_document(text)
    except DocumentError:
        raise
    except Invalid as error:
        raise Invalid(error.type, f"{file}: {error.detail}") from None


def _read_form(file: Path) -> Mapping[str, object]:
    # Most documents are texts, which need not wait for what reads the other forms.
    from app.features.rule_sets.service.uploads import DMN, MAX_BYTES, read_upload
    from app.infra.sheets import XLSX

    try:
        with file.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid("file-unreadable", str(error.strerror)) from None
    return read_upload(body, DMN if file.suffix.lower() == ".dmn" else XLSX)
