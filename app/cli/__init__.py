"""`tiering …`: the commands. They open the database, call a use case, and print what came out."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Annotated, Final

import typer
from typer.exceptions import TyperException

from app import __version__
from app.cli.failures import explain
from app.cli.output import fail, out, wants_traceback

#: Which room has which command. Only the room of the command at hand is imported: printing a token
#: should not wait for the libraries that evaluate a book.
ROOMS: Final = {
    "demo": "demo",
    "serve": "serving",
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
_INTERRUPTED: Final = 130
_TERMINATED: Final = 143


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
    # The default would end the process without giving back the embedded server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    command = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        status = build_app(command)(standalone_mode=False)
    except TyperException as error:
        fail(error.format_message())
        sys.exit(_NOT_RUN)
    except Exception as error:
        if wants_traceback():
            raise
        fail(explain(error))
        sys.exit(1)
    except KeyboardInterrupt:
        # While a room is imported the library does not listen yet.
        status = _INTERRUPTED
    if status == _INTERRUPTED:
        # The library turns Ctrl-C into this status, without a word.
        fail("stopped; what was committed stays, the same command goes on from there")
    sys.exit(status or 0)
