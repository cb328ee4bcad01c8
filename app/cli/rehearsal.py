"""`tiering rules simulate`: what a document would change, counted on the whole book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.cli import stopping
from app.cli.output import Advance, out, progress
from app.domain.errors import Invalid
from app.domain.tiering.ladder import LADDER
from app.features.rule_sets.service import parse_text
from app.features.simulations.service import (
    VIEWS,
    Moves,
    Report,
    View,
    prove,
    read_loads,
    rehearse,
    tiers_of,
    walk,
    written_report,
)
from app.infra.clock import business_day, utc_now
from app.infra.database import open_database
from app.infra.embedded import database_url
from app.infra.settings import Settings, load_settings

_TITLES: dict[View, str] = {
    "evaluated": "by the rules alone",
    "serving": "served, after stability and overrides",
}
_CENTS = 100
_MOST_SHIFTS = 12


def simulate_file(
    file: Annotated[Path, typer.Argument(help="Rule-set document, YAML or JSON.")],
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
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise Invalid("file-unreadable", f"{file}: {reason}") from None
    settings = load_settings()
    day = business_day(utc_now(), settings.business_zone) if as_of is None else as_of.date()
    objectives = list(dict.fromkeys(objective or ()))
    with database_url(settings) as url, progress(f"simulating as of {day}") as advance:
        report = stopping.run(_simulate(url, settings, text, _Wish(day, objectives), advance))
    if as_json:
        out.print_json(json.dumps(written_report(report), ensure_ascii=False))
    else:
        print_report(report, day)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for besides the document."""

    as_of: date
    objectives: Sequence[str]


async def _simulate(
    url: str, settings: Settings, text: str, wish: _Wish, advance: Advance
) -> Report:
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            candidate = await prove(await parse_text(session, text))
            plan = await rehearse(session, candidate, objectives=wish.objectives, as_of=wish.as_of)

        async def keep(_movers: object, done: int, total: int) -> None:
            advance(done, total)

        walked = await walk(url, settings, plan, keep)
        async with database.sessions.begin() as session:
            return walked.tally.report(await read_loads(session, wish.as_of), wish.objectives)


def print_report(report: Report, day: date) -> None:
    """Print what a simulation found: matrices, parts, shifts, loads, and who moves which way."""
    for view in VIEWS:
        out.print(_matrix(report.moves, view, _TITLES[view]))
        out.print()
    for part in (*report.lines, *report.segments):
        moved = [move for move in part.moves.evaluated if move.before != move.after]
        if moved:
            told = ", ".join(f"{one.before}→{one.after} {one.customers:,}" for one in moved)
            out.print(f"  {part.name:<15} {told}")
    out.print()
    for part in report.objectives:
        before, after = tiers_of(part.moves, "evaluated")
        told = "   ".join(
            f"{tier} {before.get(tier, 0):,} → {after.get(tier, 0):,}" for tier in LADDER.tiers
        )
        out.print(f"  objective {part.name:<15} {told}")
    _print_shifts(report)
    _print_loads(report)
    _print_fairness(report)
    out.print(
        f"  {report.customers:,} customers as of {day}: {report.movers:,} would move, "
        f"for {report.undecided:,} the same rule set decides; nothing was written"
    )
    if report.refused:
        out.print(f"  {report.refused:,} left out: already evaluated for a later day")
    for error in report.input_errors:
        out.print(f"  input error: {error.error}: {error.before:,} before, {error.after:,} after")


def _matrix(moves: Moves, view: View, title: str) -> Table:
    """Tiers before (rows) and after (columns), customers above their premium."""
    table = Table(f"{title}: before \\ after", box=None)
    found = {(move.before, move.after): move for move in moves.of(view)}
    for tier in LADDER.tiers:
        table.add_column(tier, justify="right")
    for before in LADDER.tiers:
        cells = [found.get((before, after)) for after in LADDER.tiers]
        table.add_row(before, *(f"{cell.customers:,}" if cell else "·" for cell in cells))
        table.add_row(
            "  premium", *(f"{cell.premium // _CENTS:,}" if cell else "" for cell in cells)
        )
    return table


def _print_shifts(report: Report) -> None:
    changed = [shift for shift in report.shifts if shift.before != shift.after]
    changed.sort(key=lambda shift: -abs(shift.after - shift.before))
    for shift in changed[:_MOST_SHIFTS]:
        name = f"{shift.outcome} {shift.value}"
        out.print(f"  {name:<35} {shift.before:>10,} → {shift.after:>10,}")
    if len(changed) > _MOST_SHIFTS:
        out.print(f"  and {len(changed) - _MOST_SHIFTS} answers more; --json prints them all")
    out.print()


def _print_loads(report: Report) -> None:
    before, after = tiers_of(report.moves, "serving")
    for sla in report.loads.sla:
        if sla.contacts_per_month is not None:
            each = sla.contacts_per_month
            _print_load(
                f"{sla.service_type} a month, {sla.tier}",
                each * before.get(sla.tier, 0),
                each * after.get(sla.tier, 0),
            )
    for benefit in report.loads.benefits:
        if benefit.uses_per_year is not None:
            each = benefit.uses_per_year
            _print_load(
                f"{benefit.code} a year, {benefit.tier}",
                each * before.get(benefit.tier, 0),
                each * after.get(benefit.tier, 0),
            )
    out.print()


def _print_load(name: str, before: int, after: int) -> None:
    if before != after:
        out.print(f"  {name:<40} {before:>10,} → {after:>10,}")


def _print_fairness(report: Report) -> None:
    table = Table("by the rules alone", "group", box=None)
    for name in ("up", "down", "same"):
        table.add_column(name, justify="right")
    for one in report.fairness:
        counts = (one.up, one.down, one.same)
        table.add_row(one.attribute, one.group, *(f"{count:,}" for count in counts))
    out.print(table)
    out.print()
