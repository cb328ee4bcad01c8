"""`tiering …`: the commands. They open the database, call a use case, and print what came out."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from app import __version__
from app.cli import database, demo, records, rules, serving, tokens
from app.cli.output import fail, out, wants_traceback
from app.domain.errors import DomainError

app = typer.Typer(
    name="tiering",
    help="Score an insurer's customers, put them in tiers, serve them by tier.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.show_demo)
app.command("serve")(serving.serve)
app.command("migrate")(serving.migrate)
app.command("import")(records.import_file)
app.command("reevaluate")(records.reevaluate)
app.add_typer(records.exports, name="export")
app.command("token")(tokens.print_token)
app.add_typer(rules.commands, name="rules")
app.command("openapi")(serving.print_openapi)
app.add_typer(database.commands, name="db")


@app.callback(invoke_without_command=True)
def version(
    *, version: bool = typer.Option(default=False, help="Print the version and stop.")
) -> None:
    """Score an insurer's customers, put them in tiers, serve them by tier."""
    if version:
        out.print(__version__)
        raise typer.Exit


def main() -> None:
    """Run a command; whatever goes wrong is one line on standard error and exit status 1 or 2."""
    try:
        app(standalone_mode=False)
    except TyperException as error:
        fail(error.format_message())
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        fail("stopped; what was committed stays, the same command goes on from there")
        sys.exit(130)
    except DomainError as error:
        fail(str(error))
        sys.exit(1)
    except Exception as error:  # the last door: a person gets a line, not a stack
        if wants_traceback():
            raise
        fail(f"unexpected {type(error).__name__}; TIERING_DEBUG=1 shows where")
        sys.exit(1)
