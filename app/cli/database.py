"""`tiering db …`: PostgreSQL's own tools, pointed at the database in use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from app.domain.errors import Invalid
from app.infra.database import libpq_url, normalise_url
from app.infra.embedded import client_program, database_url
from app.infra.settings import load_settings

commands = typer.Typer(
    help="Dump, restore, or look into the database in use.", no_args_is_help=True
)


@commands.command("psql")
def open_psql(
    command: Annotated[
        str | None, typer.Option("--command", "-c", help="One command instead of a prompt.")
    ] = None,
) -> None:
    """Open psql on the database in use."""
    _run("psql", *(("--command", command) if command else ()))


@commands.command("dump")
def dump(target: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the whole database to one file (pg_dump's custom format).

    The data keys inside are wrapped by the master key, which is not in the dump: keep both.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        _run("pg_dump", "--format=custom", f"--file={unfinished}")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@commands.command("restore")
def restore(source: Annotated[Path, typer.Argument(help="File written by dump.")]) -> None:
    """Replace the contents of the database in use by a dump, all or nothing."""
    if not source.is_file():
        raise Invalid("file-missing", f"{source}: no such file")
    _run("pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", str(source))


def _run(program: str, *arguments: str) -> None:
    settings = load_settings()
    with database_url(settings, direct=True) as url:
        # Everybody on the machine can read a command line, so the password goes another way.
        password = normalise_url(url).password
        secret = {"PGPASSWORD": password} if password else {}
        finished = subprocess.run(  # noqa: S603 - PostgreSQL's own client, arguments spelt out.
            [client_program(program), f"--dbname={libpq_url(url, password=False)}", *arguments],
            check=False,
            env=os.environ | {"PGAPPNAME": "tiering-db"} | secret,
        )
    if finished.returncode:
        raise Invalid("database-tool", f"{program} ended with status {finished.returncode}")


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.add_typer(commands, name="db")
