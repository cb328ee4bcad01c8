"""`tiering rules load`: a document in force for its line, as operators do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli import stopping
from app.cli.output import out
from app.cli.rules.documents import read_raw
from app.features.rule_sets.service import load_raw
from app.infra.database import open_database
from app.infra.embedded import database_url
from app.infra.settings import load_settings


def load(
    file: Annotated[Path, typer.Argument(help="Document: .yaml, .json, .xlsx or .dmn.")],
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day in force; always by default."),
    ] = None,
) -> None:
    """Check a document, run its tests, and put it in force for its product line."""
    stopping.run(_load(read_raw(file), None if since is None else since.date()))


async def _load(raw: Mapping[str, object], since: date | None) -> None:
    settings = load_settings()
    with database_url(settings) as url:
        async with open_database(url, settings) as database, database.sessions.begin() as session:
            loaded = await load_raw(session, raw, valid_from=since)
    out.print(
        f"{loaded.rule_set_id}@{loaded.version} decides for {loaded.product_line} from "
        f"{since or 'the beginning'} (hash {loaded.hash[:12]}…)"
    )


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.command("load")(load)
