"""`tiering rules convert`: a rule-set document from one form into another, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.output import out, say
from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import document_hash, document_json
from app.features.rule_sets.service import shipped_documents
from app.features.rule_sets.service.representations import SUFFIXES, represent
from app.features.rule_sets.service.uploads import (
    DMN,
    MAX_BYTES,
    READABLE,
    read_decisions,
    read_upload,
)
from app.infra.exports import require_replaceable
from app.infra.ids import new_id

_MEDIA_TYPES: Final = {f".{suffix}": media_type for media_type, suffix in SUFFIXES.items()} | {
    ".yml": "application/yaml"
}


def convert(
    file: Annotated[Path, typer.Argument(help="Document: .yaml, .json, .xlsx or .dmn.")],
    target: Annotated[
        Path, typer.Option("--out", help="File to write: .yaml, .json, .xlsx, .dmn or .pmml.")
    ],
    base: Annotated[
        Path | None,
        typer.Option("--into", help="Rule set that the tables of a foreign DMN file go into."),
    ] = None,
) -> None:
    """Write a document in another form; what it extends is written out.

    A shipped template is extended by its name, as motor@1. PMML takes the scorecard alone, and is
    not read.
    """
    written_type = _media_type(target, tuple(SUFFIXES))
    require_replaceable(target, [file] if base is None else [file, base])
    document = _read(file, None if base is None else _read(base))
    try:
        body = represent(document, written_type)
    except DocumentError as error:
        raise Invalid("not-carried", f"{target}: {error}") from None
    _write(target, body)
    for reference in document.lineage:
        say(f"{file}: what it takes from {reference} is written out")
    out.print(f"{target}: {document.id} (hash {document_hash(document)[:12]}…)")


def _media_type(path: Path, known: tuple[str, ...]) -> str:
    media_type = _MEDIA_TYPES.get(path.suffix.lower(), "")
    if media_type not in known:
        endings = ", ".join(f".{SUFFIXES[one]}" for one in known)
        raise Invalid("file-unreadable", f"{path}: the name must end with one of {endings}")
    return media_type


def _read(file: Path, base: RuleSetDocument | None = None) -> RuleSetDocument:
    media_type = _media_type(file, READABLE)
    if base is not None and media_type != DMN:
        raise Invalid("file-unreadable", f"{file}: only a DMN file goes --into a rule set")
    body = _bytes(file)
    try:
        if media_type == DMN:
            reading = read_decisions(body, base)
            if reading.left_out:
                say(f"{file}: left out, being no rules: {', '.join(reading.left_out)}")
            return parse_document(reading.raw, CATALOGUE, _shipped)
        return parse_document(read_upload(body, media_type), CATALOGUE, _shipped)
    except Invalid as error:
        raise Invalid(error.type, f"{file}: {error}") from None


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid("file-unreadable", f"{file}: {error.strerror}") from None


def _shipped(reference: str) -> Mapping[str, object]:
    """The shipped template of a reference, or LookupError."""
    return {f"{one.id}@1": document_json(one) for one in shipped_documents()}[reference]


def _write(target: Path, body: bytes) -> None:
    """Write a file that appears whole or not at all."""
    part = target.with_name(f".{target.name}.{new_id().hex}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    except OSError as error:
        raise Invalid("export-failed", f"{target}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def register(commands: typer.Typer) -> None:
    """Add the command to those of rule sets."""
    commands.command("convert")(convert)
