"""P6: the rule kernel on a whole frame, against the same rules by hand and in zen-engine.

    python -m benchmarks.rule_kernel [--rows 2000000] [--repeats 7] [--zen-rows 2000]

Eight characteristics and four tables, described in `rule_sample.py`. Ours and the hand-written
Polars return the same: the score, four dimension scores and four outcomes. zen-engine runs
`evaluate_batch` on fewer rows, since it takes one at a time. The answers of all three are compared
before anything is measured, and each round measures them in turn.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from typing import Any

import polars as pl
import zen

from app.domain.rules import frame as book
from app.domain.rules.compiled import CompiledRuleSet
from benchmarks import rule_sample

KEY = "rules"


def main() -> None:
    """Measure and print the ratios with their median and spread."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--zen-rows", type=int, default=2_000)
    arguments = parser.parse_args()
    compiled = rule_sample.compiled()
    frame = rule_sample.book(arguments.rows)
    requests = batch(min(arguments.zen_rows, arguments.rows))
    engine = zen.ZenEngine({"loader": lambda _: rule_sample.zen_decision()})
    agree(compiled, frame.head(1_000), engine)
    seconds = measured(
        {
            "ours": lambda: book.evaluate(compiled, frame, explain=False),
            "explained": lambda: book.evaluate(compiled, frame),
            "by hand": lambda: rule_sample.by_hand(frame),
            "zen": lambda: engine.evaluate_batch(requests),
        },
        arguments.repeats,
    )
    rows = dict.fromkeys(seconds, arguments.rows) | {"zen": len(requests)}
    rates = {name: [rows[name] / time for time in times] for name, times in seconds.items()}
    print(f"P6 rule kernel: {arguments.rows:,} rows, {arguments.repeats} rounds, "
          f"{os.cpu_count()} cores, Polars {pl.__version__}, "
          f"zen-engine {version('zen-engine')}")  # fmt: skip
    for name, found in rates.items():
        print(f"  {name:<10} {median(found):>14,.0f} rows/s")
    tell("ours / by hand", ratios(rates, "ours", "by hand"), "at least 0.5")
    tell("ours / zen-engine evaluate_batch", ratios(rates, "ours", "zen"), "at least 1,000")
    tell("with reasons and fired rows / by hand without", ratios(rates, "explained", "by hand"), "")


def batch(rows: int) -> list[Any]:
    """Return zen-engine's requests."""
    return [{"key": KEY, "context": row} for row in rule_sample.customers(rows)]


def agree(compiled: CompiledRuleSet, frame: pl.DataFrame, engine: zen.ZenEngine) -> None:
    """Stop unless the three give the same answers."""
    ours = book.evaluate(compiled, frame)
    names = {table: f"outcome.{table}" for table, *_ in rule_sample.TABLES} | {"score": "score"}
    hand = rule_sample.by_hand(frame)
    requests: list[Any] = [{"key": KEY, "context": row} for row in frame.to_dicts()]
    answers = [answer["data"]["result"] for answer in engine.evaluate_batch(requests)]
    for name, column in names.items():
        expected = ours[column].to_list()
        if hand[name].to_list() != expected or [row[name] for row in answers] != expected:
            message = f"The three disagree about {name}."
            raise SystemExit(message)


def measured(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each piece of work in each round, after one round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for at in range(repeats + 1):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            if at:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(rates: dict[str, list[float]], left: str, right: str) -> list[float]:
    """Return the ratio of two rates in each round."""
    return [a / b for a, b in zip(rates[left], rates[right], strict=True)]


def tell(what: str, found: list[float], reach: str) -> None:
    """Print the median and the spread of a ratio."""
    wanted = f" (reach: {reach})" if reach else ""
    print(f"{what}: {median(found):,.2f}x, {min(found):,.2f} to {max(found):,.2f}{wanted}")


if __name__ == "__main__":
    main()
