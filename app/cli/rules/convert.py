"""`tiering rules convert`: a rule-set document from one form into another, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import out, say
from app.cli.rules.documents import media_type_of, read_rule_set
from app.domain.errors import Invalid
from app.domain.rules.findings import DocumentError
from app.domain.rules.writing import document_hash
from app.infra.exchange.writing import SUFFIXES, represent
from app.infra.exports import replacing, require_replaceable


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
    written_type = media_type_of(target, tuple(SUFFIXES))
    require_replaceable(target, [file] if base is None else [file, base])
    document = read_rule_set(file, None if base is None else read_rule_set(base))
    try:
        body = represent(document, written_type)
    except DocumentError as error:
        raise Invalid("not-carried", f"{target}: {error}") from None
    with replacing(target) as part:
        part.write_bytes(body)
    for reference in document.lineage:
        say(f"{file}: what it takes from {reference} is written out")
    out.print(f"{target}: {document.id} (hash {document_hash(document)[:12]}…)")


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.command("convert")(convert)
