"""P8: checking a large decision table exactly, against the obvious ways and against z3.

    python -m benchmarks.rule_check [--rows 1000] [--columns 10] [--repeats 5] [--limit 10]

The tables are cut out of the space of ten nullable inputs, so that they overlap nowhere and leave
no gap: what has to be proved is the whole. The checker proves it for the table as it is (unique),
for the table with one row lost, where it tells the gap, and for rows widened at random, of which
the first that fits answers (first), where it tells each row that never does.

The rivals answer the two plainest questions only, for the table as it is: do two rows overlap, and
is there a gap. By hand that is a comparison of each two rows, cell by cell, and then of each
combination of the values between the bounds with each row until one fits; z3 is asked for a case of
two rows, and for a case of none. Who is not done within the limit (seconds) is stopped, and the
ratio is a lower bound, which is said.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from itertools import combinations, product
from random import Random
from statistics import median

import z3

from app.domain.facts.model import Fact, FactType
from app.domain.rules.cell_sets import Cell, everything
from app.domain.rules.check import check_compiled
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.findings import Finding
from app.domain.rules.model import (
    Bin,
    Characteristic,
    DowngradeStep,
    HitPolicy,
    Output,
    ReasonText,
    Rule,
    RuleSetDocument,
    Stability,
    Table,
    Text,
    Trend,
)

HIGH = 10_000
ANSWERS = ("a", "b", "c", "d")
WIDENED = {"first, widened": 0.05, "first, a tenth": 0.1}
"""The share of cells that are widened to take everything, by table."""

Row = dict[str, Cell]


def main() -> None:
    """Measure and print the times and the ratios with their median and spread."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=10)
    arguments = parser.parse_args()
    domains = {fact.name: domain_of(fact) for fact in catalogue(arguments.columns).values()}
    rows = cut(Random(8), domains, arguments.rows)
    lost = rows[:-1]
    tables = {
        "unique": compiled(rows, domains, HitPolicy.UNIQUE),
        "one row lost": compiled(lost, domains, HitPolicy.UNIQUE),
    }
    for name, share in WIDENED.items():
        wide = widened(Random(9), domains, rows, share)
        tables[name] = compiled(wide, domains, HitPolicy.FIRST)
    found = {name: check_compiled(table) for name, table in tables.items()}
    expect(found)
    print(
        f"P8 rule check: {arguments.rows:,} rows x {arguments.columns} columns,"
        f" {arguments.repeats} rounds, {os.cpu_count()} cores, z3 {version('z3-solver')}"
    )
    seconds = {
        name: timed(partial(check_compiled, table), arguments.repeats)
        for name, table in tables.items()
    }
    for name, times in seconds.items():
        codes = sorted({finding.code for finding in found[name]})
        print(f"  {name:<15} {median(times):.3f} s, {min(times):.3f} to {max(times):.3f}, "
              f"{processor_seconds(tables[name]):.2f} s of a processor"
              f"  ({', '.join(codes) or 'no finding'})")  # fmt: skip
    worst = max(median(times) for times in seconds.values())
    print(f"slowest: {worst:.2f} s (reach: under 2)")
    rivals = {"by hand": by_hand, "z3": by_z3}
    for name, rival in rivals.items():
        started = time.perf_counter()
        done = rival(rows, domains, started + arguments.limit)
        took = time.perf_counter() - started
        ratios = [took / ours for ours in seconds["unique"]]
        bound = "" if done else f" at least, stopped after {took:.0f} s"
        print(f"{name} / ours: {median(ratios):,.1f}x, {min(ratios):,.1f} to {max(ratios):,.1f}"
              f"{bound} (reach: at least 20)")  # fmt: skip


def expect(found: Mapping[str, tuple[Finding, ...]]) -> None:
    """Stop unless the checker tells what is known of the tables."""
    codes = {name: [finding.code for finding in findings] for name, findings in found.items()}
    proved = not {"gap", "null-unhandled", "overlap-conflict", "overlap-same"} & {*codes["unique"]}
    told = {"gap", "null-unhandled"} & {*codes["one row lost"]}
    if not proved or not told or any("inconclusive" in given for given in codes.values()):
        message = f"The checker is wrong about a table: {codes}"
        raise SystemExit(message)


def processor_seconds(table: CompiledRuleSet) -> float:
    """Return the seconds that one check keeps a processor busy."""
    start = time.process_time()
    check_compiled(table)
    return time.process_time() - start


def timed(run: Callable[[], object], repeats: int) -> list[float]:
    """Return the seconds of each round."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def catalogue(columns: int) -> dict[str, Fact]:
    """Return so many nullable whole numbers."""
    return {
        f"f{at}": Fact(
            name=f"f{at}",
            type=FactType.INT,
            scale=0,
            unit=None,
            minimum=0,
            maximum=HIGH,
            values=(),
            nullable=True,
            sensitivity="internal",
            meaning="generated",
            meaning_zh="generated",
            source="S11",
            influenceable=False,
            consent=None,
        )
        for at in range(columns)
    }


def cut(chance: Random, domains: Mapping[str, Domain], count: int) -> list[Row]:
    """Cut the space into so many rows, each time a row that is still large."""
    rows: list[Row] = [{name: everything(domain) for name, domain in domains.items()}]
    while len(rows) < count:
        row = rows.pop(chance.randrange(max(1, len(rows) // 2)))
        name = chance.choice(list(domains))
        rows += halves(chance, row, name)
    chance.shuffle(rows)
    return rows


def halves(chance: Random, row: Row, name: str) -> list[Row]:
    """Cut one row at a bound of one input, null to one side; where nothing is to cut, keep it."""
    cell = row[name]
    if not cell.spans or cell.spans[0][0] == cell.spans[0][1]:
        return [row]
    ((low, high),) = cell.spans
    bound = chance.randint(low, high - 1)
    null_below = cell.has_null and chance.choice((False, True))
    below = Cell(null_below, spans=((low, bound),))
    above = Cell(cell.has_null and not null_below, spans=((bound + 1, high),))
    return [{**row, name: below}, {**row, name: above}]


def widened(
    chance: Random, domains: Mapping[str, Domain], rows: list[Row], share: float
) -> list[Row]:
    """Let so many cells of each row take everything, and the last row take the rest."""
    wide = [
        {
            name: everything(domains[name]) if chance.random() < share else cell
            for name, cell in row.items()
        }
        for row in rows
    ]
    return [*wide[:-1], {name: everything(domain) for name, domain in domains.items()}]


def compiled(rows: list[Row], domains: Mapping[str, Domain], policy: HitPolicy) -> CompiledRuleSet:
    """Return a rule set of one table and the least scorecard there is."""
    nothing = Text("-", "-")
    every = Bin(everything(domains["f0"]), 0)
    table = Table(
        id="large",
        output=Output("large", ANSWERS),
        hit_policy=policy,
        complete=True,
        inputs=tuple(domains),
        domains=dict(domains),
        rules=tuple(
            Rule(
                f"R{at}",
                {name: cell for name, cell in row.items() if cell != everything(domains[name])},
                ANSWERS[at % len(ANSWERS)],
            )
            for at, row in enumerate(rows)
        ),
    )
    document = RuleSetDocument(
        id="large",
        product_line="all",
        title=nothing,
        objective="only",
        objectives={"only": {"value": 1000}},
        top_reasons=1,
        characteristics=(
            Characteristic("c", "value", "f0", Trend.NONE, ReasonText("C01", nothing), (every,)),
        ),
        tables=(table,),
        stability=Stability(0, DowngradeStep.ANY, 0, 0),
        tests=(),
        domains=dict(domains),
    )
    return compile_unproved(document, catalogue(len(domains)))


def by_hand(rows: list[Row], domains: Mapping[str, Domain], deadline: float) -> bool:
    """Compare each two rows, then each combination of values with the rows."""
    for at, (left, right) in enumerate(combinations(rows, 2)):
        if all(meet(left[name], right[name]) for name in domains):
            message = "Two rows overlap."
            raise SystemExit(message)
        if at % 1_000 == 0 and time.perf_counter() > deadline:
            return False
    for at, point in enumerate(product(*(values(rows, name) for name in domains))):
        if not any(takes(row, domains, point) for row in rows):
            message = "There is a gap."
            raise SystemExit(message)
        if at % 100 == 0 and time.perf_counter() > deadline:
            return False
    return True


def meet(left: Cell, right: Cell) -> bool:
    """Say whether two cells share a value."""
    return (left.has_null and right.has_null) or any(
        a <= d and c <= b for a, b in left.spans for c, d in right.spans
    )


def values(rows: list[Row], name: str) -> list[int | None]:
    """Return a value of each interval between the bounds of a column, and null."""
    return [*sorted({low for row in rows for low, _ in row[name].spans}), None]


def takes(row: Row, domains: Mapping[str, Domain], point: tuple[int | None, ...]) -> bool:
    """Say whether a row matches a combination of values."""
    return all(
        row[name].has_null if value is None else any(a <= value <= b for a, b in row[name].spans)
        for name, value in zip(domains, point, strict=True)
    )


def by_z3(rows: list[Row], domains: Mapping[str, Domain], deadline: float) -> bool:
    """Ask z3 for a case of two rows, and for a case of none."""
    formulas = list(conditions(rows, domains))
    inside = [z3.And(z3.Int(name) >= 0, z3.Int(name) <= HIGH) for name in domains]
    overlap = z3.PbGe([(formula, 1) for formula in formulas], 2)
    for question in (z3.Not(z3.Or(formulas)), overlap):
        solver = z3.Solver()
        solver.set("timeout", max(1, int(1000 * (deadline - time.perf_counter()))))
        solver.add(*inside, question)
        answer = solver.check()
        if answer == z3.sat:
            message = "z3 finds a gap or an overlap."
            raise SystemExit(message)
        if answer == z3.unknown:
            return False
    return True


def conditions(rows: list[Row], domains: Mapping[str, Domain]) -> Iterator[z3.BoolRef]:
    """Yield the condition of each row; whether an input is null is a variable of its own."""
    for row in rows:
        terms = []
        for name, cell in row.items():
            if cell != everything(domains[name]):
                value, null = z3.Int(name), z3.Bool(f"{name} is null")
                spans = z3.Or([z3.And(low <= value, value <= high) for low, high in cell.spans])
                known = z3.And(z3.Not(null), spans)
                terms.append(z3.Or(null, known) if cell.has_null else known)
        yield z3.And(terms)


if __name__ == "__main__":
    main()
