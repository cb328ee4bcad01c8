"""`tiering rules …`: checking rule-set documents, and putting them in force."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli import conversions, stopping
from app.cli.output import out
from app.cli.rules import check
from app.cli.rules.documents import read_text
from app.infra.settings import load_settings

commands = typer.Typer(help="Rule-set documents.", no_args_is_help=True)


@commands.callback()
def rules() -> None:
    """Rule-set documents."""


@commands.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="Rule-set document, YAML or JSON.")],
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day in force; always by default."),
    ] = None,
) -> None:
    """Check a document, run its tests, and put it in force for its product line."""
    stopping.run(_load(read_text(file), None if since is None else since.date()))


async def _load(text: str, since: date | None) -> None:
    # What needs no database should not wait for what opens one.
    from app.features.rule_sets.service import load_document
    from app.infra.database import open_database
    from app.infra.embedded import database_url

    settings = load_settings()
    with database_url(settings) as url:
        async with open_database(url, settings) as database, database.sessions.begin() as session:
            loaded = await load_document(session, text, valid_from=since)
    out.print(
        f"{loaded.rule_set_id}@{loaded.version} decides for {loaded.product_line} from "
        f"{since or 'the beginning'} (hash {loaded.hash[:12]}…)"
    )


commands.command("check")(check.check)
commands.command("test")(check.run_examples)


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
    conversions.register(commands)
    app.add_typer(commands, name="rules")
