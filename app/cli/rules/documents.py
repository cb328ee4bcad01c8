"""Rule-set documents in files: JSON, YAML, XLSX or DMN, by how their names end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from app.cli.output import say
from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError
from app.domain.rules.model import RuleSetDocument
from app.infra.exchange.reading import MAX_BYTES, READABLE, read_decisions, read_upload
from app.infra.exchange.writing import SUFFIXES
from app.infra.media_types import DMN, YAML
from app.infra.templates import shipped_templates

_MEDIA_TYPES: Final = {f".{suffix}": media_type for media_type, suffix in SUFFIXES.items()} | {
    ".yml": YAML
}


def read_raw(file: Path, base: RuleSetDocument | None = None) -> Mapping[str, object]:
    """The document that a file holds, as it is written.

    Args:
        file: the document.
        base: what the tables of a foreign DMN file go into.

    Raises:
        DocumentError: it can be read, but says what such a file cannot.
        Invalid: it cannot be read; the message names file, place and remedy.
    """
    media_type = media_type_of(file, READABLE)
    if base is not None and media_type != DMN:
        raise Invalid("file-unreadable", f"{file}: only a DMN file goes --into a rule set")
    try:
        with file.open("rb") as opened:
            body = opened.read(MAX_BYTES + 1)
        if media_type != DMN:
            return read_upload(body, media_type)
        reading = read_decisions(body, base)
    except OSError as error:
        raise Invalid("file-unreadable", f"{file}: {error.strerror}") from None
    except DocumentError:
        raise
    except Invalid as error:
        raise Invalid(error.type, f"{file}: {error.detail}") from None
    if reading.left_out:
        say(f"{file}: left out, being no rules: {', '.join(reading.left_out)}")
    return reading.raw


def read_rule_set(file: Path, base: RuleSetDocument | None = None) -> RuleSetDocument:
    """The rule set of a file, laid over the shipped template that it extends; not proved.

    Raises:
        Invalid: it cannot be read; the message names the file and everything that is wrong.
    """
    try:
        return parse_document(read_raw(file, base), CATALOGUE, shipped_templates().__getitem__)
    except DocumentError as error:
        raise Invalid(error.type, f"{file}: {error}") from None


def media_type_of(file: Path, known: Sequence[str]) -> str:
    """What a file is by its name.

    Raises:
        Invalid: none of those that are known.
    """
    media_type = _MEDIA_TYPES.get(file.suffix.lower(), "")
    if media_type not in known:
        endings = ", ".join(f".{SUFFIXES[one]}" for one in known)
        raise Invalid("file-unreadable", f"{file}: the name must end with one of {endings}")
    return media_type
