"""`tiering …`: the commands. They open the database, call a use case, and print what came out."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from app import __version__
from app.cli.failures import explain
from app.cli.output import fail, out, wants_traceback
from app.cli.stopping import INTERRUPTED, Stop, listening

#: Which room has which command. Only the room of the command at hand is imported: printing a token
#: should not wait for the libraries that evaluate a book.
ROOMS: Final = {
    "demo": "demo",
    "serve": "serving",
    "worker": "working",
    "migrate": "serving",
    "import": "records",
    "reevaluate": "records",
    "export": "exports",
    "token": "tokens",
    "rules": "rules",
    "openapi": "serving",
    "db": "database",
}
_NOT_RUN: Final = 2


def build_app(command: str | None = None) -> typer.Typer:
    """The command line, with all commands or with those in the room of one."""
    app = typer.Typer(
        name="tiering",
        help="Score an insurer's customers, put them in tiers, serve them by tier.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_version)
    rooms = [ROOMS[command]] if command in ROOMS else dict.fromkeys(ROOMS.values())
    for room in rooms:
        import_module(f"app.cli.{room}").register(app)
    return app


def _version(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Score an insurer's customers, put them in tiers, serve them by tier."""
    if version:
        out.print(__version__)
        raise typer.Exit


def main() -> None:
    """Run a command; whatever goes wrong is one line on standard error and a status above 0."""
    with listening() as stop:
        status = _run(sys.argv[1] if len(sys.argv) > 1 else None, stop)
    if status == INTERRUPTED:
        fail("stopped; what was committed stays, the same command goes on from there")
        sys.exit(stop.status or INTERRUPTED)
    sys.exit(status)


def _run(command: str | None, stop: Stop) -> int:
    try:
        # The library turns Ctrl-C into its status, without a word.
        return build_app(command)(standalone_mode=False) or 0
    except TyperException as error:
        fail(error.format_message())
        return _NOT_RUN
    except Exception as error:
        if wants_traceback():
            raise
        if stop.status:
            # What is stopped may fail at something else for it.
            return INTERRUPTED
        fail(explain(error))
        return 1
    except KeyboardInterrupt:
        # While a room is imported the library does not listen yet.
        return INTERRUPTED
