"""`tiering import`, `tiering reevaluate`: the book in, and scored."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli import stopping
from app.cli.output import Advance, out, progress
from app.cli.pictures import print_run
from app.features.imports.service import (
    ImportOptions,
    ImportResult,
    Surroundings,
    run_import,
)
from app.features.reevaluation.service import Progress, RunSummary, run
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import business_day, utc_now
from app.infra.database import Database, open_database
from app.infra.embedded import database_url
from app.infra.settings import Settings, load_settings


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, Parquet or XLSX file.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping document; without it the file is in our layout.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Record type of a file in our layout, as policies.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where to list refused and doubted rows, as CSV.")
    ] = None,
    valid_from: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day from which undated attributes hold; today by default."
        ),
    ] = None,
    chunk_rows: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Rows in a transaction.")
    ] = 50_000,
) -> None:
    """Read a file into records: whole chunks or nothing, safe to repeat, resumable."""
    settings = load_settings()
    options = ImportOptions(
        mapping=mapping,
        record=record,
        rejects=rejects or _rejects_beside(file),
        valid_from=None if valid_from is None else valid_from.date(),
        chunk_rows=chunk_rows,
    )
    with database_url(settings) as url:
        result = stopping.run(_import(url, settings, file, options))
    print_import(result, options.rejects)
    if result.total.rejected:
        raise typer.Exit(code=3)


def _rejects_beside(file: Path) -> Path:
    """Beside the file, or here where its folder is not ours to write in."""
    folder = file.parent if os.access(file.parent, os.W_OK) else Path()
    return folder / f"{file.name}.rejects.csv"


async def _import(url: str, settings: Settings, file: Path, options: ImportOptions) -> ImportResult:
    async with open_database(url, settings) as database:
        return await import_with_progress(surroundings_of(database, settings), file, options)


def surroundings_of(database: Database, settings: Settings) -> Surroundings:
    """What an import needs of this process."""
    today = business_day(utc_now(), settings.business_zone)
    return Surroundings(database, settings, Vault(load_master_key(settings)), today)


async def import_with_progress(
    surroundings: Surroundings, file: Path, options: ImportOptions
) -> ImportResult:
    """One import under a progress bar per stage."""
    with progress(file.name) as advance:

        def report(_stage: str, done: int, total: int) -> None:
            advance(done, total)

        return await run_import(surroundings, file, options, report)


def print_import(result: ImportResult, rejects: Path | None) -> None:
    """Account for every row of the file."""
    total = result.total
    out.print(f"{result.file_name}: {total.rows:,} rows")
    if result.resumed_rows:
        out.print(f"  {result.resumed_rows:>10,} were in the database from an earlier attempt")
    out.print(f"  {total.loaded:>10,} loaded")
    for name, count in sorted(total.filtered.items()):
        out.print(f"  {count:>10,} left out, {name}: {result.reasons.get(name, '')}")
    if total.unused:
        out.print(f"  {total.unused:>10,} made no record")
    out.print(f"  {total.rejected:>10,} rejected" + (f", see {rejects}" if total.rejected else ""))
    for name, counts in total.records.items():
        out.print(
            f"  {name}: {counts.inserted:,} inserted, {counts.updated:,} updated, "
            f"{counts.unchanged:,} unchanged, {counts.duplicates:,} duplicates, "
            f"{sum(counts.rejected.values()):,} rejected"
        )
        for reason, count in sorted(counts.rejected.items()):
            out.print(f"    {count:>8,} {reason}")


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
        summary = stopping.run(
            evaluate_book(url, settings, as_of=day, apply=apply, advance=advance)
        )
    print_run(summary)


async def evaluate_book(
    url: str, settings: Settings, *, as_of: date, apply: bool, advance: Advance
) -> RunSummary:
    """One whole-book run under a progress bar."""

    def report(state: Progress) -> None:
        advance(state.done, state.total)

    return await run(url, settings, as_of=as_of, apply=apply, progress=report)


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command("import")(import_file)
    app.command("reevaluate")(reevaluate)
