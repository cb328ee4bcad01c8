"""`tiering rules convert`: a rule-set document from one form into another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.rules.conversions import convert_file


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
    convert_file(file, target, base)


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.command("convert")(convert)
