"""The tier pyramid and the other counts of a run, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from app.cli.output import out
from app.domain.tiering.ladder import LADDER
from app.features.reevaluation.service import NO_TIER, RunSummary

_STEP = 14
_COLOURS = ("bright_cyan", "yellow", "white")


def draw_pyramid(tiers: Mapping[str, int]) -> None:
    """Print the book by tier, the best on top; the steps are drawn alike, the figures count."""
    total = sum(tiers.values())
    widest = _STEP * len(LADDER.tiers)
    for step, (tier, colour) in enumerate(zip(LADDER.tiers, _COLOURS, strict=True), start=1):
        names = LADDER.display_names[tier]
        count = tiers.get(tier, 0)
        bar = ("█" * (_STEP * step - 2)).center(widest)
        share = f"{100 * count / total:5.1f} %" if total else ""
        out.print(f"  [{colour}]{bar}[/]  {names.en:<8} {names.zh}  {count:>10,}  {share}")


def print_run(summary: RunSummary) -> None:
    """Print what a run found: the pyramid, migrations, and what could not be evaluated."""
    tally = summary.tally
    draw_pyramid(tally.tiers)
    out.print()
    for title, counts in (
        ("segment", tally.segments),
        ("stage", tally.life_cycle_stages),
        ("risk grade", tally.risk_grades),
    ):
        shares = "   ".join(
            f"{name} {count:,} ({100 * count / max(1, tally.customers):.1f} %)"
            for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        out.print(f"  {title:<11}{shares}")
    out.print()
    out.print(_migrations(summary))
    verb = "written" if summary.applied else "would change; nothing was written (--apply writes)"
    out.print(f"  {tally.customers:,} customers as of {summary.as_of}: {tally.changed:,} {verb}")
    if tally.refused:
        out.print(f"  {tally.refused:,} refused: already evaluated for a later day")
    if tally.overtaken:
        out.print(f"  {tally.overtaken:,} left alone: evaluated otherwise meanwhile")
    for error, count in sorted(tally.input_errors.items()):
        out.print(f"  {count:,} kept their tier, input error: {error}")


def _migrations(summary: RunSummary) -> Table:
    """The matrix of tiers before (rows) and after (columns)."""
    table = Table("before \\ after", box=None)
    for tier in LADDER.tiers:
        table.add_column(tier, justify="right")
    for before in (*LADDER.tiers, NO_TIER):
        counts = [summary.tally.moves.get((before, after), 0) for after in LADDER.tiers]
        if any(counts):
            table.add_row(before, *(f"{count:,}" if count else "·" for count in counts))
    return table
