"""`tiering rules simulate`: what a document would change, counted on the whole book."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli import stopping
from app.cli.output import out, progress
from app.cli.rules.documents import read_raw
from app.cli.rules.rehearsal import Wish, print_report, simulate_raw
from app.features.simulations.service import written_report
from app.infra.clock import business_day, utc_now
from app.infra.embedded import database_url
from app.infra.settings import load_settings


def simulate(
    file: Annotated[Path, typer.Argument(help="Document: .yaml, .json, .xlsx or .dmn.")],
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Business day of the facts; today by default."),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(help="Another profile of the document to compare; may be repeated."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Evaluate the whole book by a document and by what decides now; nothing is written."""
    raw, settings = read_raw(file), load_settings()
    day = business_day(utc_now(), settings.business_zone) if as_of is None else as_of.date()
    wish = Wish(day, tuple(dict.fromkeys(objective or ())))
    with database_url(settings) as url, progress(f"simulating as of {day}") as advance:
        report = stopping.run(simulate_raw(url, settings, raw, wish, advance))
    if as_json:
        out.print(json.dumps(written_report(report), ensure_ascii=False), markup=False)
    else:
        print_report(report, day)


def register(commands: typer.Typer) -> None:
    """Add the command."""
    commands.command("simulate")(simulate)
