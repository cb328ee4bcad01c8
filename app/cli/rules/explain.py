"""`tiering rules explain`: how a rule set judges facts, step by step, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from app.cli.output import out
from app.cli.rules.documents import read_rule_set
from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactValue
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.examples import read_facts
from app.domain.rules.findings import DocumentError
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.objectives import with_objective
from app.domain.rules.self_test import neutral
from app.domain.rules.trace import FailingCell, Trace, TracedRow, TracedTable, trace
from app.domain.rules.writing import document_hash
from app.infra.documents import read_document


def explain(
    file: Annotated[Path, typer.Argument(help="Document: .yaml, .json, .xlsx or .dmn.")],
    *,
    facts: Annotated[
        Path | None, typer.Option("--facts", help="YAML or JSON: a value for each fact by name.")
    ] = None,
    fact: Annotated[
        list[str] | None, typer.Option("--fact", help="name=value; more than one may be given.")
    ] = None,
    objective: Annotated[
        str | None, typer.Option("--objective", help="Weigh by another of its profiles.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say how a document comes to its answers for facts: points, and of every table the rows.

    Of every table: which row fired, which matched and came after it, and which nearly matched and
    by what it failed. A fact that is not given is unknown, or false or 0 where it cannot be.
    """
    document = _weighed(read_rule_set(file), objective)
    known: dict[str, FactValue] = {name: neutral(CATALOGUE[name]) for name in document.facts}
    known |= _read_facts(facts, fact or [])
    try:
        told = trace(compile_rule_set(document, CATALOGUE), known)
    except DocumentError as error:
        raise Invalid(error.type, f"{file}: {error}") from None
    if as_json:
        _print_json(document, told)
    else:
        _print(document, told)


def _weighed(document: RuleSetDocument, objective: str | None) -> RuleSetDocument:
    return document if objective is None else with_objective(document, objective)


def _read_facts(file: Path | None, given: Sequence[str]) -> dict[str, FactValue]:
    """The facts of a file, and over them those given one by one."""
    raw: dict[str, object] = {} if file is None else _read(file)
    for pair in given:
        name, sign, text = pair.partition("=")
        if not sign:
            raise Invalid("fact-unreadable", "--fact: write it like premium_ratio=2.5")
        raw[name.strip()] = text.strip()
    try:
        return read_facts(raw, CATALOGUE)
    except DocumentError as error:
        raise Invalid("fact-unreadable", "; ".join(map(str, error.findings))) from None


def _read(file: Path) -> dict[str, object]:
    try:
        return read_document(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise Invalid("file-unreadable", f"{file}: {reason}") from None
    except Invalid as error:
        raise Invalid(error.type, f"{file}: {error}") from None


def _print_json(document: RuleSetDocument, told: Trace) -> None:
    # The shape is that of a what-if over HTTP; what is printed for people does not need all that.
    from app.features.scoring.schemas.steps import TraceRead
    from app.infra.locale import Locale

    head = {
        "id": document.id,
        "hash": document_hash(document),
        "objective": document.objective,
    }
    steps = TraceRead.from_domain(told, Locale.EN).model_dump(mode="json")
    out.print(json.dumps(head | steps, ensure_ascii=False, indent=2), markup=False)


def _print(document: RuleSetDocument, told: Trace) -> None:
    out.print(
        f"{document.id} (hash {document_hash(document)[:12]}…), weighed for {document.objective}:"
        f" score {told.evaluation.score}"
    )
    out.print(_points(told))
    out.print(_dimensions(told))
    for table in told.tables:
        for line in _table_lines(table):
            out.print(line, markup=False)


def _points(told: Trace) -> Table:
    rows = (
        (
            item.characteristic.id,
            f"{item.seen.input} = {item.seen.text}",
            item.condition,
            f"{item.bin.points} of {item.best}",
            item.reason.code if item.rank else "",
        )
        for item in told.characteristics
    )
    return _grid(("characteristic", "value", "bin", "points", "reason"), rows)


def _dimensions(told: Trace) -> Table:
    rows = (
        (
            item.name,
            f"{item.raw} in {item.low} to {item.high}",
            str(item.score),
            f"{item.weight} ‰",
        )
        for item in told.dimensions
    )
    return _grid(("dimension", "points", "score", "weight"), rows)


def _grid(titles: Sequence[str], rows: Iterator[Sequence[str]]) -> Table:
    grid = Table(*titles, box=None, pad_edge=False)
    for row in rows:
        # A range such as [1..3] would pass for markup.
        grid.add_row(*map(Text, row))
    return grid


def _table_lines(table: TracedTable) -> Iterator[str]:
    answer = table.answer
    said = ", ".join(answer) or "nothing" if isinstance(answer, tuple) else answer
    yield ""
    name, policy = table.table.output.name, table.table.hit_policy
    yield f"{name}: {said or 'unmatched'} ({table.table.id}, {policy})"
    seen = ", ".join(f"{one.input} = {one.text}" for one in table.inputs)
    yield f"  sees     {seen}"
    for row in table.fired:
        yield f"  fired    {_row(row)}"
    for row in table.passed_over:
        yield f"  passed   {_row(row)}"
    if table.nearest is not None:
        yield f"  nearest  {_row(table.nearest)}"
        for cell in table.nearest.failing:
            yield f"           fails: {_failing(cell)}"


def _row(row: TracedRow) -> str:
    return f"{row.rule.id}: {_conditions(row.conditions)} → {row.rule.then}"


def _conditions(conditions: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {cell}" for name, cell in conditions.items()) or "-"


def _failing(cell: FailingCell) -> str:
    said = f"{cell.seen.input} is {cell.seen.text}, not {cell.condition}"
    if cell.distance is None:
        return said
    return f"{said}; {cell.nearest_text} is {cell.distance_text} away"


def register(commands: typer.Typer) -> None:
    """Add the command to those of rule sets."""
    commands.command("explain")(explain)
