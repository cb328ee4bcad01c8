"""`tiering rules diff`: what differs between two rule sets in meaning, without a database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.output import fail, out
from app.cli.rules.documents import read_rule_set
from app.domain.errors import Invalid
from app.domain.rules.check import box_text
from app.domain.rules.difference import (
    AnswerShifts,
    Difference,
    Effect,
    answer_shifts,
    differences,
)
from app.domain.rules.evaluation import Answer

_DIFFERENT: Final = 1
_TROUBLE: Final = 2
_WORDS: Final = {
    Effect.DECIDES: "can change decisions",
    Effect.TESTS: "are about tests",
    Effect.WORDS: "change no decision",
}


def diff(
    old: Annotated[Path, typer.Argument(help="Document: .yaml, .json, .xlsx or .dmn.")],
    new: Annotated[Path, typer.Argument(help="The other one, in the same form or another.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what differs in meaning: cells as sets of values, points by region, rows by id.

    Ends like diff(1): 0 if both mean the same, 1 if they differ, 2 if either cannot be read.
    """
    try:
        before, after = read_rule_set(old), read_rule_set(new)
    except Invalid as error:
        fail(str(error))
        raise typer.Exit(_TROUBLE) from None
    found, shifts = differences(before, after), answer_shifts(before, after)
    if as_json:
        _print_json(found, shifts)
    else:
        _print_lines(found, shifts)
    if found:
        raise typer.Exit(_DIFFERENT)


def _print_json(found: Sequence[Difference], shifts: AnswerShifts) -> None:
    told = {
        "can_decide": any(one.effect is Effect.DECIDES for one in found),
        "items": [asdict(one) for one in found],
        "answers": [
            {
                "table": one.table,
                "box": box_text(one.box),
                "before": one.before,
                "after": one.after,
            }
            for one in shifts.items
        ],
        "uncompared": list(shifts.uncompared),
    }
    out.print(json.dumps(told, ensure_ascii=False, indent=2), markup=False)


def _print_lines(found: Sequence[Difference], shifts: AnswerShifts) -> None:
    for effect, words in _WORDS.items():
        part = [one for one in found if one.effect is effect]
        if part:
            out.print(f"{len(part)} {words}:")
        for one in part:
            out.print(f"  {one.kind:<8} {one}", markup=False)
    if shifts.items:
        out.print(f"{len(shifts.items)} answered otherwise:")
    for shift in shifts.items:
        answers = f"{_answer(shift.before)} → {_answer(shift.after)}"
        out.print(f"  {shift.table}: {answers} where {box_text(shift.box)}", markup=False)
    if shifts.uncompared:
        tables = ", ".join(shifts.uncompared)
        out.print(f"not told, being too much or of other inputs: {tables}", markup=False)


def _answer(answer: Answer) -> str:
    if isinstance(answer, tuple):
        return ", ".join(answer) or "nothing"
    return answer or "unmatched"


def register(commands: typer.Typer) -> None:
    """Add the command to those of rule sets."""
    commands.command("diff")(diff)
