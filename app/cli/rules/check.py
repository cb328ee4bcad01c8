"""`tiering rules check` and `test`: what is wrong with documents, here and in an insurer's own CI.

They end with status 0 if nothing is, 1 if something is, and 2 if they were called wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli import stopping
from app.cli.rules.documents import read_raw
from app.cli.rules.outcomes import (
    WORTH_READING,
    Effect,
    Outcome,
    print_check,
    print_json,
    print_tests,
)
from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import check_document
from app.domain.rules.findings import DocumentError, Finding, Severity
from app.domain.rules.writing import document_hash
from app.infra.templates import shipped_templates

_FOUND: Final = 1

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Documents: .yaml, .json, .xlsx or .dmn.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Counting = Annotated[
    bool, typer.Option("--count", help="Count the customers each finding is about.")
]
Everything = Annotated[bool, typer.Option("--all", help="Show information and hints, too.")]


def check(
    files: Files,
    *,
    as_json: AsJson = False,
    count: Counting = False,
    everything: Everything = False,
) -> None:
    """Check documents: gaps, contradictions, dead rows, and their own tests.

    No database is needed: `extends: motor@1` is the template that travels with the program. With
    --count it is the stored version, and customers are counted by their facts of today.
    """
    outcomes = stopping.run(_counted(files)) if count else [_checked(file) for file in files]
    if as_json:
        print_json(outcomes)
    else:
        for outcome in outcomes:
            print_check(outcome, tuple(Severity) if everything else WORTH_READING)
    _end(outcomes)


def run_examples(files: Files, *, as_json: AsJson = False) -> None:
    """Run the tests that documents carry; no database is needed."""
    outcomes = [_checked(file) for file in files]
    if as_json:
        print_json(outcomes)
    else:
        for outcome in outcomes:
            print_tests(outcome)
    _end(outcomes)


def _end(outcomes: Sequence[Outcome]) -> None:
    if not all(outcome.is_ok for outcome in outcomes):
        raise typer.Exit(_FOUND)


def _checked(file: Path) -> Outcome:
    """Check a file with the templates that travel with the program."""
    raw = _read(file)
    if isinstance(raw, Outcome):
        return raw
    report = check_document(raw, CATALOGUE, shipped_templates().__getitem__)
    document = report.document
    found = sorted(report.findings, key=lambda finding: finding.severity.rank)
    return Outcome(
        file,
        tuple(Effect(_with_way_out(finding)) for finding in found),
        hash=None if document is None else document_hash(document),
        tests=0 if document is None else len(document.tests),
    )


def _read(file: Path) -> Mapping[str, object] | Outcome:
    """The document of a file, or what is to be said where it holds none."""
    try:
        return read_raw(file)
    except DocumentError as error:
        return Outcome(file, tuple(map(Effect, error.findings)))
    except Invalid as error:
        return Outcome(file, refusal=error.detail)


def _with_way_out(finding: Finding) -> Finding:
    if finding.code != "extends-missing":
        return finding
    names = ", ".join(shipped_templates())
    remedy = f"Extend one of {names}, or use --count, which looks at the stored versions."
    return replace(finding, remedy=remedy)


async def _counted(files: Sequence[Path]) -> list[Outcome]:
    """Check files against what is stored, and count the customers."""
    # What needs no database should not wait for what opens one.
    from app.features.rule_sets.service import Count, check_raw
    from app.infra.clock import business_day, utc_now
    from app.infra.database import Database, open_database
    from app.infra.embedded import database_url
    from app.infra.prover import Prover
    from app.infra.settings import load_settings

    settings, prover = load_settings(), Prover()
    today = business_day(utc_now(), settings.business_zone)

    async def counted(file: Path, database: Database, url: str) -> Outcome:
        raw = _read(file)
        if isinstance(raw, Outcome):
            return raw
        count = Count(url, settings.data_dir, today)
        found = await check_raw(database, raw, count=count, prove=prover.prove)
        return Outcome(
            file,
            tuple(Effect(each.finding, each.affected) for each in found.findings),
            hash=found.hash,
            tests=found.tests,
            customers=None if found.counted is None else found.counted.customers,
            as_of=today,
        )

    with database_url(settings, direct=True) as url:
        async with open_database(url, settings) as database:
            return [await counted(file, database, url) for file in files]


def register(commands: typer.Typer) -> None:
    """Add the commands."""
    commands.command("check")(check)
    commands.command("test")(run_examples)
