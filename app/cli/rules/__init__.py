"""`tiering rules …`: checking, comparing, rehearsing, exchanging documents, and putting them in force."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import typer

#: Which module has which command. Only that of the command at hand is imported, as in `app.cli`:
#: a check in somebody's CI should not wait for the libraries that open databases and workbooks.
ROOMS: Final = {
    "check": "app.cli.rules.check",
    "test": "app.cli.rules.check",
    "explain": "app.cli.explanations",
    "diff": "app.cli.differences",
    "convert": "app.cli.conversions",
    "simulate": "app.cli.rules.simulate",
    "load": "app.cli.rules.load",
}


def build(command: str | None) -> typer.Typer:
    """The commands, all of them or those in the room of one."""
    commands = typer.Typer(help="Rule-set documents.", no_args_is_help=True)
    commands.callback()(rules)
    rooms = [ROOMS[command]] if command in ROOMS else dict.fromkeys(ROOMS.values())
    for room in rooms:
        import_module(room).register(commands)
    return commands


def rules() -> None:
    """Rule-set documents."""


def register(app: typer.Typer) -> None:
    """Add this room's commands, or those in the room of the one that is called."""
    app.add_typer(build(next(iter(sys.argv[2:]), None)), name="rules")
