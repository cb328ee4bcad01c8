"""A simulation of a rule set on the whole book, against a run without writes.

    python -m benchmarks.simulation                       # 20,000 customers
    python -m benchmarks.simulation 100000 --rounds 3

For each size it starts a server of its own, makes up a book of some sixteen records a customer,
applies a first run, and then measures, round after round and each in a process of its own from its
start to its end, with its peak memory:

* a run that writes nothing (`tiering reevaluate`);
* the job of a simulation, who moves written down, of motor rules that weigh by another objective;
* the same, with two further objectives compared.
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
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Final

from app.domain.rules.writing import document_json
from app.features.reevaluation.service import run
from app.features.rule_sets.service import load_document, shipped_documents
from app.features.simulations.service import (
    JOB_KIND,
    Chosen,
    SimulationOrder,
    do_simulation,
    get_simulation,
    order_simulation,
)
from app.infra.database import open_database
from app.infra.embedded import embedded_server
from app.infra.jobs.lease import claim
from app.infra.prover import Prover
from app.infra.settings import Settings
from benchmarks.whole_book import MEGABYTE, prepare
from tests.factories.book import AS_OF

REACH = "reach: about 1x the run"
RULE_SET: Final = "motor-benchmark"
NEVER: Final = date(2199, 1, 1)
LEASE_SECONDS: Final = 3600
WORK: Final = {"run": [], "simulation": [], "with objectives": ["balanced", "renewal"]}


@dataclass(slots=True)
class Figures:
    """What was measured at one size, in seconds and megabytes."""

    customers: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in WORK})
    processor: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in WORK})
    peak: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WORK, 0.0))
    told: dict[str, float] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """The figures as they are printed."""
        told = self.told
        yield (
            f"{self.customers:>10,} customers: the candidate decides for {told['decided']:,}, "
            f"{told['movers']:,} move"
        )
        for name, seconds in self.seconds.items():
            spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
            processor = median(self.processor[name])
            yield (
                f"  {name:<18} {median(seconds):8.1f} s   ({spread}), "
                f"{processor:.1f} s of a processor, {self.peak[name]:.0f} MB"
            )
        for name in list(WORK)[1:]:
            for what, measured in (("time", self.seconds), ("processor", self.processor)):
                pairs = zip(measured[name], measured["run"], strict=True)
                ratios = [one / two for one, two in pairs]
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                yield f"  {name} / run, {what:<10} {median(ratios):6.2f}x  ({spread})"


def in_a_process(name: str, url: str, folder: Path) -> tuple[float, dict[str, float]]:
    """Seconds of one piece of work, and what it told."""
    began = time.perf_counter()
    child = subprocess.run(  # noqa: S603 - the interpreter and this very module.
        [sys.executable, "-m", "benchmarks.simulation", "--work", name, url, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(child.stdout)
    return time.perf_counter() - began, told


def work_here(name: str, url: str, folder: Path) -> None:
    """The work of a child process; it tells what it found, and what it took."""
    settings = Settings(data_dir=folder)
    if name == "run":
        asyncio.run(run(url, settings, as_of=AS_OF, apply=False))
        told = {}
    else:
        told = asyncio.run(simulate(url, settings, WORK[name]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    took = {"peak": used.ru_maxrss, "processor": used.ru_utime + used.ru_stime}
    sys.stdout.write(json.dumps({**told, **took}))


async def simulate(url: str, settings: Settings, objectives: list[str]) -> dict[str, int]:
    """Ask for a simulation and do it as a worker would."""
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            order = SimulationOrder(
                Chosen(RULE_SET, 1), None, objectives, AS_OF, "benchmark", "rule_author"
            )
            id_ = await order_simulation(session, order, today=AS_OF, prover=Prover())
        async with database.sessions.begin() as session:
            lease = await claim(session, [JOB_KIND], LEASE_SECONDS)
        if lease is None:
            raise RuntimeError(JOB_KIND)
        await do_simulation(url, settings, database, lease)
        async with database.sessions.begin() as session:
            found = await get_simulation(session, rule_set_id=RULE_SET, simulation_id=id_)
    report = found.report
    if report is None:
        raise RuntimeError(found.state)
    return {"decided": report.customers - report.undecided, "movers": report.movers}


async def store_candidate(url: str, settings: Settings) -> None:
    """Motor rules that weigh what is loyal more; they never decide."""
    motor = next(found for found in shipped_documents() if found.id == "motor")
    candidate = replace(motor, id=RULE_SET, objective="hnw_growth", tests=())
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await load_document(session, json.dumps(document_json(candidate)), valid_from=NEVER)


def measure(customers: int, rounds: int) -> Figures:
    """All figures at one size."""
    figures = Figures(customers)
    with tempfile.TemporaryDirectory(prefix="tiering-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = Settings(data_dir=folder)
        with embedded_server(folder) as url:
            asyncio.run(prepare(url, settings, customers))
            asyncio.run(store_candidate(url, settings))
            asyncio.run(run(url, settings, as_of=AS_OF, apply=True))
            for _ in range(rounds):
                for work, seconds in figures.seconds.items():
                    taken, told = in_a_process(work, url, folder)
                    seconds.append(taken)
                    figures.processor[work].append(told["processor"])
                    figures.peak[work] = max(figures.peak[work], told["peak"] / MEGABYTE)
                    figures.told |= told
    return figures


def main() -> None:
    """Measure at each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", nargs="*", type=int, default=[20_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--work", nargs=3, metavar=("NAME", "URL", "FOLDER"), help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if asked.work:
        name, url, folder = asked.work
        work_here(name, url, Path(folder))
        return
    print(f"simulation: {asked.rounds} rounds, {os.cpu_count()} cores\n{REACH}", flush=True)
    for customers in asked.customers:
        for line in measure(customers, asked.rounds).lines():
            print(line, flush=True)


if __name__ == "__main__":
    main()
