"""`tiering import`, `tiering reevaluate`, `tiering export tiers`: the book in, scored, and out."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Advance, out, progress
from app.cli.pictures import print_run
from app.domain.privacy.roles import Role
from app.features.imports.service import ImportOptions, ImportResult, run_import
from app.features.reevaluation.service import Progress, RunSummary, run
from app.features.scoring.service import export_tiers
from app.infra.clock import business_day, utc_now
from app.infra.embedded import database_url
from app.infra.settings import Settings, load_settings

exports = typer.Typer(help="Write files for others.", no_args_is_help=True)


def reevaluate(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Business day of the facts; today by default."),
    ] = None,
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what changed; without it only count.")
    ] = False,
) -> None:
    """Score and tier the whole book as of a day."""
    settings = load_settings()
    day = business_day(utc_now(), settings.business_zone) if as_of is None else as_of.date()
    with database_url(settings) as url, progress(f"evaluating as of {day}") as advance:
        summary = asyncio.run(evaluate_book(url, settings, as_of=day, apply=apply, advance=advance))
    print_run(summary)


async def evaluate_book(
    url: str, settings: Settings, *, as_of: date, apply: bool, advance: Advance
) -> RunSummary:
    """One whole-book run under a progress bar."""

    def report(state: Progress) -> None:
        advance(state.done, state.total)

    return await run(url, settings, as_of=as_of, apply=apply, progress=report)
