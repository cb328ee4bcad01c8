"""P4 and P5: a run over the whole book, against merely moving it and against PostgreSQL itself.

    python -m benchmarks.whole_book                       # 100,000 customers
    python -m benchmarks.whole_book 100000 1000000 --rounds 3

For each size it starts a server of its own, makes up a book of some sixteen records a customer,
applies a first run, and then measures, round after round and with another twentieth of the
customers changed in each:

* binary COPY of every relation the facts read, to nowhere: the least that must move;
* the facts query over the whole book in PostgreSQL, once;
* the run itself, in a process of its own, from its start to its end, with its peak memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import asyncpg
from sqlalchemy import text

from app.db.facts_query import Scope, facts_query
from app.features.reevaluation.service import run
from app.features.rule_sets.service import install_templates
from app.infra.book import RELATIONS
from app.infra.database import libpq_url, open_database
from app.infra.embedded import embedded_server
from app.infra.migrations import upgrade
from app.infra.settings import Settings
from tests.factories.book import AS_OF, change_some, write_book

ONE_IN = 20
MEGABYTE = 1024
REACH = "reach: <= 4x COPY, <= 0.5x facts in PostgreSQL, <= 1.1x per customer, <= 600 MB"


@dataclass(slots=True)
class Figures:
    """What was measured at one size, in seconds and megabytes."""

    customers: int
    rows: int = 0
    first_run: float = 0.0
    first_peak: float = 0.0
    copy: list[float] = field(default_factory=list)
    facts: list[float] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The figures as they are printed."""
        yield f"{self.customers:>10,} customers, {self.rows:,} raw rows"
        yield f"  first run, everyone written    {self.first_run:8.1f} s, {self.first_peak:.0f} MB"
        for name, seconds in (
            ("COPY to nowhere", self.copy),
            ("facts in PostgreSQL", self.facts),
            ("run", self.runs),
        ):
            if seconds:
                spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
                yield f"  {name:<30} {median(seconds):8.1f} s   ({spread})"
        share = 100 * median(self.changed) / self.customers
        yield f"  changed                        {share:8.1f} %"
        yield f"  run / COPY                     {median(self.runs) / median(self.copy):8.2f}"
        if self.facts:
            ratio = median(self.runs) / median(self.facts)
            yield f"  run / facts in PostgreSQL      {ratio:8.2f}"
        yield f"  peak memory of the run         {max(self.peak):8.0f} MB"


async def discard(_: bytes) -> None:
    """Nowhere."""


async def seconds_to_copy(url: str, query: str) -> float:
    """How long it takes to move what a query gives, in binary, to nowhere."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        await connection.execute("SET statement_timeout = 0")
        began = time.perf_counter()
        await connection.copy_from_query(query, output=discard, format="binary", timeout=None)
        return time.perf_counter() - began
    finally:
        await connection.close()


def run_in_a_process(url: str, folder: Path) -> tuple[float, int, float]:
    """Seconds, customers changed and peak megabytes of one applied run."""
    began = time.perf_counter()
    child = subprocess.run(  # noqa: S603 - the interpreter and this very module.
        [sys.executable, "-m", "benchmarks.whole_book", "--run", url, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(child.stdout)
    return time.perf_counter() - began, told["changed"], told["peak"] / MEGABYTE


def run_here(url: str, folder: Path) -> None:
    """The run of a child process; it tells what it found."""
    summary = asyncio.run(run(url, Settings(data_dir=folder), as_of=AS_OF, apply=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(json.dumps({"changed": summary.tally.changed, "peak": peak}))


async def prepare(url: str, settings: Settings, customers: int) -> int:
    """Make a book up; answers how many raw rows it has."""
    await upgrade(url)
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            await write_book(session, customers)
            await install_templates(session)
        async with database.sessions.begin() as session:
            await session.execute(text("ANALYZE"))
            counted = [
                await session.scalar(text(f"SELECT count(*) FROM {name}"))  # noqa: S608
                for name in RELATIONS
            ]
    return sum(count or 0 for count in counted)


async def change(url: str, settings: Settings, which: int) -> None:
    """Change a twentieth of the book."""
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await change_some(session, one_in=ONE_IN, day=AS_OF, which=which)


def measure(customers: int, rounds: int, *, with_facts: bool) -> Figures:
    """All figures at one size."""
    figures = Figures(customers)
    with tempfile.TemporaryDirectory(prefix="tiering-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(data_dir=folder)
        with embedded_server(folder) as url:
            figures.rows = asyncio.run(prepare(url, settings, customers))
            figures.first_run, _, figures.first_peak = run_in_a_process(url, folder)
            for which in range(rounds):
                asyncio.run(change(url, settings, which))
                copied = [
                    asyncio.run(seconds_to_copy(url, f"SELECT * FROM book.{relation}"))  # noqa: S608
                    for relation in RELATIONS
                ]
                figures.copy.append(sum(copied))
                seconds, changed, peak = run_in_a_process(url, folder)
                figures.runs.append(seconds)
                figures.changed.append(changed)
                figures.peak.append(peak)
            if with_facts:
                query = facts_query(Scope.ALL).replace("$1", f"'{AS_OF}'")
                figures.facts.append(asyncio.run(seconds_to_copy(url, query)))
    return figures


def main() -> None:
    """Measure at each size that is asked for, and compare the sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", nargs="*", type=int, default=[100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-facts", action="store_true", help="skip the slowest part")
    parser.add_argument("--run", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run_here(asked.run[0], Path(asked.run[1]))
        return
    versions = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "pyarrow"))
    print(f"P4, P5: {asked.rounds} rounds, {os.cpu_count()} cores, {versions}\n{REACH}", flush=True)
    smallest: Figures | None = None
    for customers in asked.customers:
        figures = measure(customers, asked.rounds, with_facts=not asked.without_facts)
        for line in figures.lines():
            print(line, flush=True)
        smallest = smallest or figures
        if smallest is not figures:
            each = [median(one.runs) / one.customers for one in (smallest, figures)]
            print(f"  time per customer, against {smallest.customers:,}: {each[1] / each[0]:.2f}")


if __name__ == "__main__":
    main()
