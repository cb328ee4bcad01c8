"""`tiering db …`: PostgreSQL's own tools, pointed at the database in use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Final, cast

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
    reader = [client_program("pg_restore"), *_AS_STATEMENTS, str(source)]
    with (
        _client("psql", *_ALL_OR_NOTHING, stdin=subprocess.PIPE) as writing,
        subprocess.Popen(reader, stdout=subprocess.PIPE) as reading,  # noqa: S603 - spelt out.
    ):
        try:
            _copy(cast("IO[bytes]", reading.stdout), cast("IO[bytes]", writing.stdin))
            reading.wait()
            _expect_success("pg_restore", reading)
            writing.communicate()
        except BrokenPipeError:
            # psql stopped reading at the first error, and its status tells.
            reading.kill()
        except BaseException:
            # At the end of what it reads psql commits, so it must not come to that.
            writing.kill()
            raise
    _expect_success("psql", writing)


#: As statements, since an older server does not know every setting that pg_restore itself sends.
_AS_STATEMENTS: Final = ("--clean", "--if-exists", "--no-owner", "--file=-")
_ALL_OR_NOTHING: Final = (
    *("--no-psqlrc", "--quiet", "--output", os.devnull),
    *("--single-transaction", "--set=ON_ERROR_STOP=1"),
)
_SETTING_LINES: Final = 40
_UNKNOWN_BEFORE_17: Final = b"SET transaction_timeout = 0;\n"


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    for line in islice(source, _SETTING_LINES):
        if line != _UNKNOWN_BEFORE_17:
            target.write(line)
    shutil.copyfileobj(source, target)


def _run(program: str, *arguments: str) -> None:
    with _client(program, *arguments) as running:
        running.wait()
    _expect_success(program, running)


@contextmanager
def _client(
    program: str, *arguments: str, stdin: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A client of PostgreSQL's own, at work on the database in use."""
    with database_url(load_settings(), direct=True) as url:
        # Everybody on the machine can read a command line, so the password goes another way.
        password = normalise_url(url).password
        secret = {"PGPASSWORD": password} if password else {}
        with subprocess.Popen(  # noqa: S603 - PostgreSQL's own client, arguments spelt out.
            [client_program(program), f"--dbname={libpq_url(url, password=False)}", *arguments],
            stdin=stdin,
            env=os.environ | {"PGAPPNAME": "tiering-db"} | secret,
        ) as running:
            yield running


def _expect_success(program: str, ended: subprocess.Popen[bytes]) -> None:
    if ended.returncode:
        raise Invalid("database-tool", f"{program} ended with status {ended.returncode}")


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.add_typer(commands, name="db")
