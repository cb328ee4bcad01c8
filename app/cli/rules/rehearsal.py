"""`tiering rules simulate`: what a document would change, counted on the whole book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.markup import escape
from rich.table import Table

from app.cli.output import Advance, out
from app.cli.rules.outcomes import WORTH_READING
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_unproved
from app.domain.tiering.ladder import LADDER
from app.features.rule_sets.service import read_written
from app.features.simulations.service import (
    VIEWS,
    Moves,
    Report,
    View,
    read_loads,
    rehearse,
    safe_decider,
    tiers_of,
    walk,
)
from app.infra.database import open_database
from app.infra.prover import Prover
from app.infra.settings import Settings

_TITLES: dict[View, str] = {
    "evaluated": "by the rules alone",
    "serving": "served, after stability and overrides",
}
_CENTS = 100
_MOST_SHIFTS = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for besides the document."""

    as_of: date
    objectives: Sequence[str]


async def simulate_raw(
    url: str, settings: Settings, raw: Mapping[str, object], wish: Wish, advance: Advance
) -> Report:
    """What a document would change of what decides on the day; nothing is written.

    Args:
        url: the database.
        settings: where the temporary book may live.
        raw: the document, as it is written.
        wish: what is asked for besides.
        advance: told how many customers are done, of how many.

    Raises:
        Invalid: the document cannot be used, or has no such objective.
        Conflict: `no-rule-set`.
    """
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            document = await read_written(session, raw)
            candidate = await safe_decider(compile_unproved(document, CATALOGUE), Prover())
            plan = await rehearse(session, candidate, objectives=wish.objectives, as_of=wish.as_of)

        async def keep(_movers: object, done: int, total: int) -> None:
            advance(done, total)

        walked = await walk(url, settings, plan, keep)
        async with database.sessions.begin() as session:
            loads = await read_loads(session, wish.as_of)
        return walked.tally.report(loads, wish.objectives, plan.boxed)


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
    _print_effects(report)
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


def _print_effects(report: Report) -> None:
    """Print whom findings of the check are about that a person should look at."""
    effects = report.effects
    shown = [one for one in effects.by_effect() if one.finding.severity in WORTH_READING]
    for one in shown:
        finding = one.finding
        told = f"{finding.severity} {finding.path} {finding.code}: {finding.box}"
        out.print(f"  {escape(told)}: {one.customers:,} of {effects.customers:,} customers")
    more = len(effects.listed) - len(shown) + effects.unlisted
    if more:
        out.print(f"  and {more} findings that say how tables work; --json prints most of them")
    out.print()


def _print_fairness(report: Report) -> None:
    table = Table("by the rules alone", "group", box=None)
    for name in ("up", "down", "same"):
        table.add_column(name, justify="right")
    for one in report.fairness:
        counts = (one.up, one.down, one.same)
        table.add_row(one.attribute, one.group, *(f"{count:,}" for count in counts))
    out.print(table)
    out.print()
